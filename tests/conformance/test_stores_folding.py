"""Every store: entries of an earlier version are found by their words as these are folded now."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from feedsvc.linking import Linker
from feedsvc.model import Person, Text
from feedsvc.query import text as folding
from feedsvc.relate.titles import _parse
from feedsvc.relating import Relater
from feedsvc.store import SqlStore, open_store
from feedsvc.store.backlog import _OTHERWISE
from feedsvc.store.schema import meta
from tests.storekit import NOW, entry, fill_as_of, found, key_of, poll, statements, uids, waiting

WORDS = {
    "stroke": ("Fabryka w Łodzi", "lodzi"),
    "dotless": ("Kırıkkale", "kirikkale"),
    "soft": ("inter\xadnational", "international"),
    "joined": ("می\u200cخواهم", "میخواهم"),
    "vowels": ("हिन्दी", "हिनदी"),
}


class AsBefore(dict[int, str]):
    """How characters were folded by the schema 0010."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        return "" if unicodedata.combining(char) else char if char.isalnum() else " "


@contextmanager
def folded_as_before() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folding, "_SIMPLE", AsBefore())
        patch.setattr(folding, "_CHUNKS", folding.Memo(folding._chunk))
        _parse.cache_clear()
        yield
    _parse.cache_clear()


@pytest.fixture
def old(
    any_store: SqlStore, backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[SqlStore]:
    """A store of the schema 0010."""
    url = (
        f"sqlite:///{tmp_path}/old.db"
        if backend == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    with folded_as_before():
        poll(
            any_store,
            *(entry(name, content=Text(value=said)) for name, (said, _) in WORDS.items()),
            entry("title", title="Łódź ma nowy tramwaj wodny", references=("Ærø får broen",)),
            entry("author", authors=(Person(name="Þórður Guðnason"),)),
            entry("plain", title="Plain “words” about the café", content=Text(value="naïve")),
            entry("gone", title="Œuvre", content=Text(value="œuvre")),
        )
        Linker(any_store, lambda: NOW).drain()
        poll(any_store, removed=("gone",))
        made = open_store(url)
        fill_as_of("0010", made, any_store)
    try:
        yield made
    finally:
        made.close()


def folding_of(store: SqlStore) -> int | None:
    with store.reading() as connection:
        return connection.scalar(select(meta.c.value).where(meta.c.key == "folding"))


def test_all_are_found_once_that_is_done(old: SqlStore) -> None:
    old.migrate()
    # what is plain is found throughout
    assert uids(old, "cafe naive") == ["plain"]
    assert uids(old, "lodzi") == []
    assert old.stats().unindexed == len(WORDS) + 4
    before = old.change()
    while old.fold_anew(2, NOW):
        pass
    assert folding_of(old) is None
    assert old.stats().unindexed == 0
    assert old.change() > before
    for name, (said, folded) in WORDS.items():
        assert uids(old, f'"{said}"') == uids(old, folded) == [name]
    assert uids(old, "title:lodz") == ["title"]
    assert uids(old, "author:gudnason") == ["author"]
    assert uids(old, "cafe naive") == ["plain"]
    Relater(old, lambda: NOW, most=5).drain()
    assert old.check() == ()
    assert old.stats().unlinked == 0


def test_a_poller_does_it_beside_its_work(old: SqlStore) -> None:
    old.migrate()
    relater = Relater(old, lambda: NOW, most=5)
    while relater.run():
        pass
    assert folding_of(old) is None
    assert uids(old, "lodzi") == ["stroke"]


def test_polls_once_do_it_as_well(old: SqlStore) -> None:
    old.migrate()
    assert Relater(old, lambda: NOW, most=5).index() == 9
    assert folding_of(old) is None
    assert uids(old, "lodzi") == ["stroke"]


def test_what_is_stopped_anywhere_goes_on_where_it_was(
    old: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(type(old), "put_title_terms", cut)
        with pytest.raises(KeyboardInterrupt):
            old.migrate()
    assert not old.schema_current()
    old.migrate()
    assert old.check() == ()
    for method in ("_put_text", "bump"):
        last = folding_of(old)
        with monkeypatch.context() as stopped:
            stopped.setattr(type(old), method, cut)
            with pytest.raises(KeyboardInterrupt):
                old.fold_anew(100, NOW)
        assert folding_of(old) == last
    assert old.check() == ()
    assert uids(old, "lodzi") == []
    assert old.fold_anew(100, NOW) == 9
    assert uids(old, "lodzi") == ["stroke"]
    assert old.fold_anew(100, NOW) == 0


def test_entries_change_and_go_while_it_is_done(old: SqlStore) -> None:
    old.migrate()
    poll(old, entry("title", title="Łowicz", digest="other"), removed=("dotless",))
    poll(old, entry("new", content=Text(value="Łodzi")))
    assert uids(old, "lodzi") == ["new"]
    assert uids(old, "title:lowicz") == ["title"]
    Relater(old, lambda: NOW, most=0).drain()
    assert {each.entry.uid for each in found(old, "lodzi")} == {"stroke", "new"}
    assert uids(old, "kirikkale") == []
    assert old.check() == ()


def test_headlines_find_titles_of_either_version(old: SqlStore) -> None:
    old.migrate()
    assert [each.title for each in waiting(old, "Aero far broen")] == ["Ærø får broen"]
    poll(
        old,
        entry("answer", title="Ærø får broen"),
        entry("asks", references=("Lodz ma nowy tramwaj wodny",)),
    )
    Linker(old, lambda: NOW).drain()
    assert [each.id for each in old.entry(key_of("title")).related] == ["urn:a:answer"]
    assert [each.id for each in old.entry(key_of("asks")).related] == ["urn:a:title"]
    assert old.check() == ()


def test_what_is_folded_as_before_is_not_written_again(old: SqlStore) -> None:
    old.migrate()
    while old.fold_anew(100, NOW):
        pass
    with old.writing() as connection:
        connection.exec_driver_sql("INSERT INTO meta (key, value) VALUES ('folding', 1000)")
    before = old.change()
    with statements(old) as ran:
        assert old.fold_anew(100, NOW) == 9
    assert old.change() == before
    assert not any("entry_search" in said and "SELECT" not in said for said in ran)


def test_every_character_that_is_folded_otherwise_is_looked_for() -> None:
    codes = [*range(0x80, 0xD800), *range(0xE000, 0x12000), *range(0xE0000, 0xE0200)]
    texts = [f"x{chr(code)}y" for code in codes]
    now = list(map(folding.tokens, texts))
    with folded_as_before():
        before = list(map(folding.tokens, texts))
    other = [chr(code) for code, a, b in zip(codes, before, now, strict=True) if a != b]
    assert len(other) > 1000
    assert all(map(_OTHERWISE.search, other))


def test_a_new_store_has_nothing_to_do(any_store: SqlStore) -> None:
    assert folding_of(any_store) is None
    assert any_store.fold_anew(100, NOW) == 0
