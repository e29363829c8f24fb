"""The search index in PostgreSQL: a row for every entry, and a GIN index on its tokens.

Phrases are compared with the text: positions in a `tsvector` end at 16,383, and long articles would
be found differently than in SQLite. Tokens are kept as text once, and a row knows when its entry
was published: the shorter the rows and the fewer of them are asked for, the more is in memory.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import BigInteger, Column, Connection, Index, MetaData, Table, text

from ..query.ast import And, Node, Or, Words
from .dates import WIDTHS, date_tokens
from .schema import Name, metadata
from .statement import Sql, all_of, any_of, run
from .words import SearchText, phrase

# what is indexed, of a row that is named before each column
_TOKENS = {
    "any": "string_to_array({0}title || {0}summary || {0}body, ' ')",
    "title": "string_to_array({0}title, ' ')",
    "author": "string_to_array({0}author, ' ')",
}
_SPANS = ", ".join(
    f"'{name}' || (greatest({{0}}published, 0) / {width})::text" for name, width in WIDTHS.items()
)
_DATES = f"(ARRAY[{_SPANS}])"
_COLUMNS = {"any": ("title", "summary", "body"), "title": ("title",), "author": ("author",)}

postgres_metadata = MetaData(naming_convention=metadata.naming_convention)

entry_search = Table(
    "entry_search",
    postgres_metadata,
    Column("entry_pk", BigInteger, primary_key=True, autoincrement=False),
    Column("published", BigInteger, nullable=False),
    Column("key", BigInteger, nullable=False),
    # tokens, each with a space before and after it (`words.SearchText`)
    *(Column(name, Name, nullable=False) for name in ("title", "summary", "body", "author")),
    Index(
        "ix_entry_search_words",
        *(text(each.format("")) for each in (*_TOKENS.values(), _DATES)),
        postgresql_using="gin",
    ),
    # of long rows only what is short stays among the others
    postgresql_with={"toast_tuple_target": 128},
)

TEXT = tuple(entry_search.columns.keys())


def texts(connection: Connection, pks: Iterable[int]) -> dict[int, SearchText]:
    """The search text of entries."""
    wanted = (
        "SELECT entry_pk, title, summary, body, author, published"
        " FROM entry_search WHERE entry_pk = ANY(?)"
    )
    rows = run(connection, Sql(wanted, (list(pks),)))
    return {
        pk: SearchText(title, summary, body, author, date_tokens(published))
        for pk, title, summary, body, author, published in rows
    }


def places(connection: Connection, pks: Iterable[int]) -> dict[int, tuple[int, int]]:
    """When entries were published, and their keys."""
    wanted = Sql("SELECT pk, published, key FROM entries WHERE pk = ANY(?)", (list(pks),))
    return {pk: (published, key) for pk, published, key in run(connection, wanted)}


def matches(text: Node, dates: Sequence[str]) -> Sql:
    """That a row has some words, and any of these dates if there are some.

    The dates are said beside each word, so that the index is asked for both at once: what it finds
    of a word that is common would be the work of many milliseconds.
    """
    match text:
        case And(terms):
            return all_of(matches(term, dates) for term in terms)
        case Or(terms):
            return any_of(matches(term, dates) for term in terms)
        case Words(tokens, field):
            found = [Sql(f"{_TOKENS[field].format('s.')} @> ?", (list(tokens),))]
            if dates:
                found.append(Sql(f"{_DATES.format('s.')} && ?", (list(dates),)))
            if len(tokens) > 1:
                found.append(contains(text))
            return all_of(found)
    raise TypeError(text)


def contains(words: Words) -> Sql:
    """That the text of a row has some words side by side, without a look at the index."""
    each = _COLUMNS[words.field]
    return any_of(Sql(f"strpos(s.{name}, ?) > 0", (phrase(words),)) for name in each)
