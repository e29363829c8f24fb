"""The search index in SQLite: an FTS5 table, and how far back its rows have to be looked at.

FTS5 gives what it finds by pk, the order in which entries came. What was published since some time
mostly came since then, too: all of it is from the first block of pks on that has something as new.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    Select,
    Table,
    func,
    select,
)

from ..query.ast import And, Node, Or, Words
from .dates import Window
from .engine import chunks
from .schema import entries, metadata
from .statement import Sql, all_of, any_of, run
from .words import SearchText, phrase

# tokens are folded already and joined by spaces: this tokenizer leaves them exactly as they are
CREATE_SEARCH = (
    "CREATE VIRTUAL TABLE entry_search USING fts5"
    " (title, summary, body, author, dates, tokenize='ascii')"
)

sqlite_metadata = MetaData(naming_convention=metadata.naming_convention)

# when the latest entry of some thousand pks was published; it may be later than any that is left
entry_blocks = Table(
    "entry_blocks",
    sqlite_metadata,
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("latest", BigInteger, nullable=False),
)

_BLOCK = 4_096
_COLUMNS = {"any": ("title", "summary", "body"), "title": ("title",), "author": ("author",)}
_LATER = (
    "INSERT INTO entry_blocks (block, latest) SELECT pk / ?, max(published) FROM entries"
    " WHERE pk IN (SELECT value FROM json_each(?)) GROUP BY 1"
    " ON CONFLICT (block) DO UPDATE SET latest = max(latest, excluded.latest)"
)
_SINCE = "s.rowid >= (SELECT min(block) * ? FROM entry_blocks WHERE latest >= ?)"


def put(connection: Connection, texts: Iterable[tuple[int, SearchText]]) -> None:
    """Indexes entries by their pk."""
    rows = [(pk, t.title, t.summary, t.body, t.author, t.dates) for pk, t in texts]
    connection.exec_driver_sql(
        "INSERT INTO entry_search (rowid, title, summary, body, author, dates)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        rows,
    )
    connection.exec_driver_sql(_LATER, (_BLOCK, f"[{','.join(str(row[0]) for row in rows)}]"))


def clear(connection: Connection) -> None:
    """Removes everything, far quicker than taking every row out of the index."""
    connection.exec_driver_sql("DROP TABLE entry_search")
    connection.exec_driver_sql(CREATE_SEARCH)
    connection.execute(entry_blocks.delete())


def texts(connection: Connection, pks: Sequence[int], batch: int) -> dict[int, SearchText]:
    """The search text of entries, so many at once."""
    wanted = "SELECT rowid, title, summary, body, author, dates FROM entry_search WHERE rowid IN"
    return {
        pk: SearchText(title, summary, body, author, dates)
        for some in chunks(pks, batch)
        for pk, title, summary, body, author, dates in run(
            connection, Sql(f"{wanted} ({', '.join('?' * len(some))})", tuple(some))
        )
    }


def misdated() -> Select[tuple[int]]:
    """Selects the pk of every entry later than all of its block are taken to be."""
    block = entry_blocks.c.block == entries.c.pk // _BLOCK
    late = entries.c.published > func.coalesce(entry_blocks.c.latest, -(1 << 63))
    return select(entries.c.pk).outerjoin(entry_blocks, block).where(late)


def matches(text: Node, window: Window) -> Sql:
    """That a row has some words, and may be of a window."""
    wanted = _expression(text)
    if window.tokens:
        wanted = f"({wanted}) AND dates : ({' OR '.join(window.tokens)})"
    found = [Sql("s.entry_search MATCH ?", (wanted,))]
    if window.start is not None:
        found.append(Sql(_SINCE, (_BLOCK, window.start)))
    return all_of(found)


def contains(words: Words) -> Sql:
    """That a row has some words, by its text: the index finds one as slowly as many."""
    each = _COLUMNS[words.field]
    return any_of(Sql(f"instr(s.{name}, ?) > 0", (phrase(words),)) for name in each)


def _expression(text: Node) -> str:
    match text:
        case And(terms):
            return " AND ".join(f"({_expression(term)})" for term in terms)
        case Or(terms):
            return " OR ".join(f"({_expression(term)})" for term in terms)
        case Words(field=field):
            # tokens are letters and digits: there is nothing in them to escape
            return f'{{{" ".join(_COLUMNS[field])}}} : "{phrase(text).strip()}"'
    raise TypeError(text)
