"""The store in SQL, put together from its parts; a backend adds only what its dialect needs."""

from .archives import Archives
from .backlog import Backlog
from .committing import Committing
from .copying import Copying
from .polling import Polling
from .recognising import Recognising
from .relating import Relating
from .sources import Sources
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
    Relating,
    Backlog,
    Upkeep,
    TokenRows,
    Copying,
):
    """Everything but the dialect."""
