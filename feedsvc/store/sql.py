"""The store in SQL, put together from its parts; a backend adds only what its dialect needs."""

from .archives import Archives
from .backlog import Backlog
from .committing import Committing
from .copying import Copying
from .gathering import Gathering
from .polling import Polling
from .recognising import Recognising
from .sources import Sources
from .stories import Stories
from .tagged import Tagged
from .token_rows import TokenRows
from .upkeep import Upkeep


class SqlStore(
    Sources,
    Polling,
    Recognising,
    Committing,
    Archives,
    Tagged,
    Gathering,
    Backlog,
    Upkeep,
    Stories,
    TokenRows,
    Copying,
):
    """Everything but the dialect."""
