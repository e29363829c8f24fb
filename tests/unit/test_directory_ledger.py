"""The cursor, telling renamed files from new ones, and what entries are called."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.model import Link, ParsedEntry, Text
from feedsvc.normalise.identity import uid_of
from feedsvc.sources.ledger import Ledger, Record, alike, bounded, decode, digest, origins, sketch
from feedsvc.sources.naming import Named, canonical, entry_uids, file_title


@dataclass(frozen=True)
class Seen:
    size: int
    mtime_ns: int
    inode: int
    digest: str
    sketch: str


ONE = "The delegations met in Istanbul to discuss their embassies and remained there for six hours"
TWO = "Oil prices fell on Monday as traders feared that demand in Asia would weaken over the summer"


def record(inode: int, text: str, **more: object) -> Record:
    return Record(
        size=len(text),
        mtime_ns=1,
        inode=inode,
        digest=digest(text.encode()),
        sketch=sketch([text]),
        **more,  # type: ignore[arg-type]
    )


def seen(inode: int, text: str) -> Seen:
    return Seen(len(text), 2, inode, digest(text.encode()), sketch([text]))


def test_the_cursor_comes_back_as_it_was() -> None:
    ledger = Ledger(
        identity="1:2",
        files={
            "a.txt": record(1, ONE),
            "b/ü.md": record(2, TWO, title="a", id="x", uids=("x",), fresh=True, errors=("no",)),
        },
        problems=(("c", "bad"),),
        missed=7,
    )
    again = decode(ledger.encode())
    assert again.files == ledger.files
    assert (again.identity, again.problems, again.missed) == ("1:2", (("c", "bad"),), 7)
    assert again.encode() == ledger.encode()
    assert len(Ledger(files={"a.txt": record(1, ONE)}).encode()) < 160


@pytest.mark.parametrize("cursor", [None, "", "{", "[]", '{"v":99,"f":{}}', '{"f":{"a":1}}', "5"])
def test_a_cursor_that_is_none_is_an_empty_ledger(cursor: str | None) -> None:
    assert decode(cursor).files == {}


def test_names_of_a_record() -> None:
    assert record(1, ONE).names("a.txt") == ("a.txt",)
    assert record(1, ONE, title="b.txt").names("a.txt") == ("b.txt",)
    assert record(1, ONE, uids=()).names("a.txt") == ()


def test_an_edit_keeps_the_name() -> None:
    old = {"a": record(1, ONE)}
    assert origins(old, {"a": seen(1, TWO)}, (), inodes=True) == {"a": "a"}
    assert origins(old, {"a": seen(9, TWO)}, (), inodes=True) == {"a": "a"}


def test_a_rename_is_known_by_inode_or_digest() -> None:
    old = {"a": record(1, ONE)}
    for inode, inodes in ((1, True), (9, True), (1, False)):
        assert origins(old, {"b": seen(inode, ONE)}, ("a",), inodes=inodes) == {"b": "a"}


def test_a_rename_with_an_edit_is_known_by_inode_and_text() -> None:
    old = {"a": record(1, ONE)}
    edited = seen(1, ONE + " and then left")
    assert origins(old, {"b": edited}, ("a",), inodes=True) == {"b": "a"}
    assert origins(old, {"b": edited}, ("a",), inodes=False) == {}
    assert origins(old, {"b": replace(edited, inode=9)}, ("a",), inodes=True) == {}


def test_an_inode_used_again_is_no_rename() -> None:
    assert origins({"a": record(1, ONE)}, {"b": seen(1, TWO)}, ("a",), inodes=True) == {}


def test_on_an_inode_used_again_a_copy_is_what_it_is_a_copy_of() -> None:
    old = {"a": record(1, ONE), "b": record(2, ONE + " and then left")}
    moved = replace(seen(1, ONE + " and then left"))
    assert origins(old, {"c": moved}, ("a", "b"), inodes=True) == {"c": "b"}


def test_a_new_file_at_the_old_place_of_a_renamed_one() -> None:
    found = origins({"a": record(1, ONE)}, {"a": seen(9, TWO), "b": seen(1, ONE)}, (), inodes=True)
    assert found == {"b": "a"}


def test_a_copy_beside_an_edit_is_new() -> None:
    found = origins({"a": record(1, ONE)}, {"a": seen(1, TWO), "b": seen(9, ONE)}, (), inodes=True)
    assert found == {"a": "a"}


def test_two_files_change_places() -> None:
    old = {"a": record(1, ONE), "b": record(2, TWO)}
    found = origins(old, {"a": seen(2, TWO), "b": seen(1, ONE)}, (), inodes=True)
    assert found == {"a": "b", "b": "a"}


def test_files_of_one_wording_that_are_replaced_keep_their_names() -> None:
    # as by `sed -i`, which gives each the inode that the one before it had
    said = [f"Report {n}: the river stands at {n} metres and is falling slowly" for n in range(4)]
    old = {f"d{n}": record(n, text) for n, text in enumerate(said)}
    edited = {f"d{n}": seen(n - 1, text.replace("slowly", "fast")) for n, text in enumerate(said)}
    assert origins(old, edited, (), inodes=True) == {name: name for name in old}
    # one that is moved over another and edited is what it was
    moved = {"d0": seen(9, TWO), "d1": seen(1, said[1])}
    assert origins({**old, "e": record(9, TWO[:-9])}, moved, ("e",), inodes=True)["d0"] == "e"


def test_of_equal_copies_the_one_of_the_same_name_moved() -> None:
    old = {"x/a": record(1, ONE), "x/b": record(2, ONE)}
    found = origins(old, {"y/b": seen(8, ONE), "y/a": seen(9, ONE)}, ("x/a", "x/b"), inodes=True)
    assert found == {"y/a": "x/a", "y/b": "x/b"}
    one = origins(old, {"y/c": seen(8, ONE)}, ("x/a", "x/b"), inodes=True)
    assert one == {"y/c": "x/a"}


def test_empty_files_are_not_all_the_same() -> None:
    assert origins({"a": record(1, "")}, {"b": seen(9, "")}, ("a",), inodes=True) == {}


@given(st.data())
def test_every_file_has_at_most_one_past(data: st.DataObject) -> None:
    texts = [ONE, TWO, "", f"{ONE} more"]
    some = st.dictionaries(
        st.sampled_from("abcdef"), st.tuples(st.integers(1, 6), st.sampled_from(texts))
    )
    before, after = data.draw(some), data.draw(some)
    old = {name: record(*args) for name, args in before.items()}
    now = {name: seen(*args) for name, args in after.items()}
    found = origins(old, now, sorted(set(old) - set(now)), inodes=data.draw(st.booleans()))
    assert set(found) <= set(now)
    assert set(found.values()) <= set(old)
    assert len(set(found.values())) == len(found)
    for name in set(now) & set(old):
        assert name in found or name in found.values()


def test_sketches() -> None:
    assert alike(sketch([ONE]), sketch([ONE.upper() + "!"]))
    assert alike(sketch([f"<p>{ONE}</p>"]), sketch([ONE, "and a new last sentence"]))
    assert not alike(sketch([ONE]), sketch([TWO]))
    assert not alike(sketch([""]), sketch([""]))
    assert alike(sketch(["word"]), sketch(["Word."]))
    assert len(sketch([ONE * 100])) == 32


def test_records_of_removed_files_are_kept_within_bounds() -> None:
    removed = {f"{n}.txt": record(n, ONE, title="x" if n < 10 else None) for n in range(10_020)}
    kept = bounded(removed)
    assert len(kept) == 10_000
    assert list(kept)[:11] == [f"{n}.txt" for n in [*range(10), 30]]
    assert bounded(kept) == kept


# -- names -------------------------------------------------------------------------------


def entry(uid: str | None, title: str = "", link: str = "", text: str = "") -> ParsedEntry:
    return ParsedEntry(
        uid=uid,
        title=Text(value=title) if title else None,
        links=(Link(href=link),) if link else (),
        content=Text(value=text) if text else None,
    )


def test_entries_of_a_file_are_called_by_their_own_ids_or_the_files() -> None:
    entries = [
        entry("https://example.org/1"),
        entry("urn:x:2"),
        entry("3"),
        entry(None, link="https://example.org/4"),
        entry(None, text="five"),
    ]
    found = [named.uid for named in entry_uids("f.xml", entries, {})]
    assert found[:4] == [
        *("https://example.org/1", "urn:x:2", "f.xml#3", "f.xml#https://example.org/4"),
    ]
    assert found[4].startswith("f.xml#")
    assert [named.uid for named in entry_uids("f.xml", entries, {})] == found


def uids(*entries: ParsedEntry, known: Sequence[Named] = ()) -> list[Named]:
    return entry_uids("f", entries, {named.uid: named.mark for named in known})


def test_entries_that_share_an_id_are_told_apart_and_keep_what_they_are_called() -> None:
    one, two, three = entry("3", "One"), entry("3", "Two"), entry("3", "Three")
    alone = uids(one)
    assert [named.uid for named in alone] == ["f#3"]
    both = uids(two, one, one, known=alone)
    assert both[1:] == [*alone, *alone]
    assert both[0].uid.startswith("f#3#")
    more = uids(three, two, one, known=both)
    assert more[1:] == [both[0], both[1]]
    # the last one left keeps its name, even when it is edited in the same moment
    assert uids(two, known=more) == [both[0]]
    assert uids(entry("3", "Two!"), known=[both[0]])[0].uid == both[0].uid
    assert uids(entry("3", "One!"), known=alone)[0].uid == "f#3"
    # of those never seen before the first has the name
    assert [named.uid == "f#3" for named in uids(two, one)] == [True, False]


def test_entries_that_share_an_id_of_their_own_are_one_where_ids_are_names() -> None:
    found = entry_uids("f", [entry("3", "One"), entry("3", "Two")], {}, unique=True)
    assert [named.uid for named in found] == ["f#3", "f#3"]
    unnamed = [
        entry(None, "One", link="https://x.example/"),
        entry(None, "Two", link="https://x.example/"),
    ]
    assert len({named.uid for named in entry_uids("f", unnamed, {}, unique=True)}) == 2


@given(st.lists(st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from("abc")), max_size=5)))
def test_namesakes_never_share_a_name_nor_lose_it(scans: list[list[tuple[str, str]]]) -> None:
    known: list[Named] = []
    for scan in scans:
        found = uids(*(entry(id, title) for id, title in scan), known=known)
        named = dict(zip(scan, found, strict=True))
        assert len({x.uid for x in named.values()}) == len(named)
        for before in known:
            for now in named.values():
                if now.mark == before.mark and now.uid[:3] == before.uid[:3]:
                    assert now.uid == before.uid
        known = list(named.values())


def test_a_taken_title_gets_the_digest() -> None:
    assert file_title("a.txt", "0123456789", set()) == "a.txt"
    assert file_title("a.txt", "0123456789", {"a.txt"}) == "a.txt#01234567"
    assert file_title("a.txt", "0123456789", {"a.txt", "a.txt#01234567"}) == "a.txt#012345672"


@given(st.text() | st.text().map("http:".__add__) | st.text(min_size=300).map(lambda t: t * 4))
def test_a_uid_is_what_the_store_keeps(text: str) -> None:
    uid = canonical(text)
    assert uid_of(uid) == uid
    assert canonical(uid) == uid
