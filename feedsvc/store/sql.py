"""The store in SQL, put together from its parts; a backend adds only what its dialect needs."""

from .committing import Committing
from .copying import Copying
from .linking import Linking
from .polling import Polling
from .reading import Reading
from .recognising import Recognising
from .sources import Sources
from .upkeep import Upkeep


class SqlStore(Sources, Polling, Recognising, Committing, Reading, Linking, Upkeep, Copying):
    """Everything but the dialect."""
