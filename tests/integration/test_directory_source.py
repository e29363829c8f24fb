"""A directory source over its life: files come, change, move, break and go; identity stays."""

import asyncio
import json
import os
import pickle
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace as with_fields

from feedsvc.errors import FetchError
from feedsvc.httpclient import HttpClient
from feedsvc.model import ParsedEntry, PollState, Problem, Source
from feedsvc.sources.base import Fetched, FetchTools, Reading
from feedsvc.sources.directory import DirectoryReader
from feedsvc.sources.intake import take
from feedsvc.sources.listing import MAX_BYTES, FileStat

ROOT = Path(__file__).parent.parent.parent
SEED = "000_b0149e1d855999ec.txt"
DATA = ROOT / "tests" / "data"
TALKS = "Talks were held about the bridge over the harbour and its repair, which the town pays for."
MINUTE = timedelta(seconds=61)
OTHER = "Oil prices fell on Monday as traders feared that demand in Asia would weaken this summer."


@dataclass
class Directory:
    """A directory, its reader, and what a store would keep: entries by uid, and the poll state."""

    path: Path
    state: PollState = field(default_factory=PollState)
    entries: dict[str, ParsedEntry] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    fetched: Fetched = field(default_factory=Fetched)
    reading: Reading = field(default_factory=Reading)
    later: timedelta = timedelta(0)

    def poll(self) -> Reading:
        """Fetches and parses as the poller does, by way of pickles, and keeps the result."""
        reader = DirectoryReader()
        source = Source(id="seeds", kind="directory", location=str(self.path))
        http = HttpClient("test", timedelta(seconds=1), 1000, (), 1, 1)
        tools = FetchTools(http=http, now=datetime.now(UTC) + self.later)
        self.fetched = asyncio.run(reader.fetch(source, self.state, tools))
        if self.fetched.unchanged:
            self.state = with_fields(self.state, cursor=self.fetched.cursor or self.state.cursor)
            self.reading = Reading(problems=self.state.problems)
            return self.reading
        source, fetched = pickle.loads(pickle.dumps((source, self.fetched)))
        reading = pickle.loads(pickle.dumps(reader.parse(source, fetched)))
        assert isinstance(reading, Reading)
        uids = [entry.uid for entry in reading.entries]
        assert len(set(uids)) == len(uids)
        assert not set(reading.removed) & set(uids)
        for entry in reading.entries:
            assert entry.uid
            self.entries[entry.uid] = entry
            self.withdrawn.discard(entry.uid)
        for uid in reading.removed:
            del self.entries[uid]
            self.withdrawn.add(uid)
        self.state = PollState(cursor=reading.cursor or fetched.cursor, problems=reading.problems)
        self.reading = reading
        return reading

    def write(self, name: str, text: str | bytes, *, age: float = 10) -> Path:
        """Writes a file in place; `age` is how many seconds ago it says it was."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.aged(path, age)

    def replace(self, name: str, text: str) -> Path:
        """Writes a file as editors do: a new one, renamed onto the old."""
        spare = self.write(f"{name}.new", text)
        return spare.rename(self.path / name)

    def aged(self, path: Path, age: float) -> Path:
        when = time.time_ns() - int(age * 1e9)
        os.utime(path, ns=(when, when))
        return path

    def titles(self) -> dict[str, str]:
        return {
            uid: entry.title.value if entry.title else "" for uid, entry in self.entries.items()
        }

    def problems(self) -> dict[str, str]:
        return {problem.name: problem.message for problem in self.state.problems}


@pytest.fixture
def seeds(tmp_path: Path) -> Directory:
    (tmp_path / "seeds").mkdir()
    return Directory(tmp_path / "seeds")


def news(title: str, text: str = TALKS) -> str:
    return f"date 2025-04-10 {title}\nA summary.\n{text}\n"


def test_the_shipped_seeds_are_read_without_a_problem(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    directory = Directory(tmp_path / "seeds")
    reading = directory.poll()
    assert reading.problems == ()
    assert len(directory.entries) >= 6
    assert SEED in directory.entries
    samples = [entry for entry in directory.entries.values() if entry.uid != SEED]
    assert all(("samples", "folder") in entry.tags for entry in samples)
    assert directory.entries[SEED].tags == ()


def test_an_unchanged_directory_is_not_read(seeds: Directory) -> None:
    seeds.write("a.txt", news("One"))
    seeds.write("b/c.md", "# Two\n\nText.")
    assert len(seeds.poll().entries) == 2
    assert seeds.fetched.bytes > 0
    for _ in range(2):
        cursor = seeds.state.cursor
        seeds.poll()
        assert seeds.fetched.unchanged
        assert seeds.state.cursor == cursor
    # not even opened: what stands in the file now does not matter to a scan
    path = seeds.path / "a.txt"
    before = path.stat()
    path.write_bytes(path.read_bytes().swapcase())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    seeds.poll()
    assert seeds.fetched.unchanged


def test_an_empty_directory_is_no_error(seeds: Directory) -> None:
    seeds.poll()
    assert seeds.fetched.unchanged
    seeds.write("a.txt", news("One"))
    assert len(seeds.poll().entries) == 1


def test_an_edit_updates_the_same_entry(seeds: Directory) -> None:
    for edit in (seeds.write, seeds.replace):
        seeds.write("a.txt", news("One"))
        seeds.poll()
        edit("a.txt", news(f"Changed by {edit.__name__}", OTHER))
        seeds.poll()
        assert seeds.titles() == {"a.txt": f"Changed by {edit.__name__}"}
        assert seeds.withdrawn == set()


def test_touching_a_file_changes_nothing(seeds: Directory) -> None:
    path = seeds.write("a.txt", news("One"))
    seeds.poll()
    seeds.aged(path, 5)
    assert seeds.poll().entries == ()
    seeds.poll()
    assert seeds.fetched.unchanged


def test_a_file_that_changes_while_it_is_read_is_read_again() -> None:
    # files in /proc are longer than they say, as a file is that grows while it is read
    status = os.stat("/proc/self/status")
    file = FileStat(
        name="a.txt",
        path=os.path.realpath("/proc/self/status"),
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        inode=status.st_ino,
        device=status.st_dev,
    )
    taken = take(file, None)
    assert taken is not None
    assert taken.contents is not None
    assert taken.record().size not in {file.size, os.stat("/proc/self/status").st_size}


def test_a_file_written_just_before_a_scan_is_compared_again(seeds: Directory) -> None:
    path = seeds.write("a.txt", news("One"), age=0)
    stamp = path.stat().st_mtime_ns
    seeds.poll()
    # the same size and time as before: only the content tells
    path.write_text(news("Two"))
    os.utime(path, ns=(stamp, stamp))
    seeds.poll()
    assert seeds.titles() == {"a.txt": "Two"}
    seeds.poll()
    assert seeds.fetched.unchanged


@pytest.mark.parametrize("target", ["b.txt", "world/a.txt", "world/europe/b.txt"])
@pytest.mark.parametrize("edited", [False, True])
def test_a_rename_keeps_the_id(seeds: Directory, target: str, edited: bool) -> None:
    path = seeds.write("a.txt", news("One"))
    seeds.write("other.txt", news("Other", OTHER))
    seeds.poll()
    (seeds.path / target).parent.mkdir(parents=True, exist_ok=True)
    path.rename(seeds.path / target)
    if edited:
        seeds.write(target, news("One and more"))
    reading = seeds.poll()
    assert reading.removed == ()
    assert seeds.titles()["a.txt"] == ("One and more" if edited else "One")
    folders = tuple((part, "folder") for part in Path(target).parent.parts)
    assert seeds.entries["a.txt"].tags == folders
    # and keeps it through further edits and the way back
    seeds.write(target, news("Three", OTHER))
    seeds.poll()
    (seeds.path / target).rename(path)
    seeds.poll()
    assert sorted(seeds.titles().items()) == [("a.txt", "Three"), ("other.txt", "Other")]
    assert seeds.withdrawn == set()


def test_a_folder_renamed_keeps_all_ids(seeds: Directory) -> None:
    for number in range(20):
        seeds.write(f"old/{number}.txt", news(f"Title {number}"))
    seeds.poll()
    before = seeds.titles()
    (seeds.path / "old").rename(seeds.path / "new")
    seeds.poll()
    assert seeds.titles() == before
    assert all(entry.tags == (("new", "folder"),) for entry in seeds.entries.values())


def test_a_move_by_way_of_another_disk_is_known_by_content(seeds: Directory) -> None:
    path = seeds.write("a.txt", news("One"))
    seeds.poll()
    copy = shutil.copyfile(path, seeds.path.parent / "copy")
    # the old file lives on elsewhere, so that its inode is not used again
    path.rename(seeds.path.parent / "kept")
    (seeds.path / "b").mkdir()
    shutil.copyfile(copy, seeds.path / "b" / "a.txt")
    seeds.poll()
    assert seeds.titles() == {"a.txt": "One"}
    assert seeds.withdrawn == set()


def test_a_new_file_at_the_old_place_gets_another_id(seeds: Directory) -> None:
    path = seeds.write("latest.txt", news("First"))
    seeds.poll()
    path.rename(seeds.path / "first.txt")
    seeds.write("latest.txt", news("Second", OTHER))
    seeds.poll()
    titles = seeds.titles()
    assert titles.pop("latest.txt") == "First"
    ((uid, title),) = titles.items()
    assert title == "Second"
    assert uid.startswith("latest.txt#")
    assert seeds.withdrawn == set()
    # the same again in another directory gives the same name: it depends on the content alone
    again = Directory(seeds.path.parent / "again")
    again.path.mkdir()
    path = again.write("latest.txt", news("First"))
    again.poll()
    path.rename(again.path / "first.txt")
    again.write("latest.txt", news("Second", OTHER))
    again.poll()
    assert set(again.titles()) == set(seeds.titles())


def test_two_files_that_change_places_keep_their_ids(seeds: Directory) -> None:
    one, two = seeds.write("a.txt", news("One")), seeds.write("b.txt", news("Two", OTHER))
    seeds.poll()
    spare = one.rename(seeds.path / "spare")
    two.rename(one)
    spare.rename(two)
    seeds.poll()
    assert seeds.titles() == {"a.txt": "One", "b.txt": "Two"}


def test_a_file_that_another_is_put_in_place_of_is_withdrawn(seeds: Directory) -> None:
    one = seeds.write("a.txt", news("One"))
    two = seeds.write("b.txt", news("Two", OTHER))
    seeds.poll()
    one.rename(two)
    seeds.poll()
    assert seeds.titles() == {"a.txt": "One"}
    assert seeds.withdrawn == {"b.txt"}
    # and comes back as itself
    two.rename(one)
    seeds.write("b.txt", news("Two", OTHER))
    seeds.poll()
    assert seeds.titles() == {"a.txt": "One", "b.txt": "Two"}


def test_a_new_file_in_place_of_a_removed_one_is_new(seeds: Directory) -> None:
    # most file systems give the next new file the inode of the last removed one
    for round in range(5):
        path = seeds.write(f"old{round}.txt", news(f"Old {round}"))
        seeds.poll()
        path.unlink()
        seeds.write(f"new{round}.txt", news("New", OTHER))
        seeds.poll()
        assert f"old{round}.txt" in seeds.withdrawn
        assert seeds.titles()[f"new{round}.txt"] == "New"


def test_equal_copies_are_two_entries(seeds: Directory) -> None:
    path = seeds.write("a.txt", news("One"))
    seeds.poll()
    shutil.copyfile(path, seeds.path / "b.txt")
    os.link(path, seeds.path / "c.txt")
    seeds.poll()
    assert seeds.titles() == {"a.txt": "One", "b.txt": "One", "c.txt": "One"}
    path.unlink()
    seeds.poll()
    assert set(seeds.titles()) == {"b.txt", "c.txt"}
    assert seeds.withdrawn == {"a.txt"}


def test_a_removed_file_is_withdrawn_and_comes_back_as_itself(seeds: Directory) -> None:
    seeds.write("keep.txt", news("Keep", OTHER))
    path = seeds.write("a.txt", news("One"))
    seeds.poll()
    path.unlink()
    assert seeds.poll().removed == ("a.txt",)
    seeds.write("a.txt", news("One again"))
    seeds.poll()
    assert seeds.titles()["a.txt"] == "One again"


def test_the_last_file_may_be_removed(seeds: Directory) -> None:
    path = seeds.write("a.txt", news("One"))
    seeds.poll()
    path.unlink()
    assert seeds.poll().removed == ("a.txt",)


# -- ids of documents --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "uid"),
    [
        ("a.md", "---\nid: {}\n---\n# T\n\nText.", "talks-1"),
        ("a.json", '{{"id": "{}", "title": "T", "content_text": "x"}}', "talks-1"),
        ("a.eml", "Message-ID: <{}@example.org>\nSubject: T\n\nText.", "mid:talks-1@example.org"),
        ("a.md", "---\nid: http://example.org/{}\n---\nText.", "https://example.org/talks-1"),
    ],
)
def test_a_documents_own_id_is_its_name(seeds: Directory, name: str, text: str, uid: str) -> None:
    path = seeds.write(name, text.format("talks-1"))
    seeds.poll()
    assert set(seeds.entries) == {uid}
    path = path.rename(path.with_stem("b"))
    seeds.poll()
    assert set(seeds.entries) == {uid}
    # another id in the same file is another entry
    path.write_text(text.format("talks-2"))
    seeds.poll()
    assert set(seeds.entries) == {uid.replace("talks-1", "talks-2")}
    assert seeds.withdrawn == {uid}


def test_an_id_given_or_taken_later_is_an_edit(seeds: Directory) -> None:
    seeds.write("a.md", "# T\n\nText.")
    seeds.poll()
    seeds.write("a.md", "---\nid: x\n---\n# T\n\nText.")
    seeds.poll()
    assert set(seeds.entries) == {"a.md"}
    seeds.write("a.md", "# T\n\nOther text.")
    seeds.poll()
    assert set(seeds.entries) == {"a.md"}
    assert seeds.withdrawn == set()


def test_one_id_in_two_files_is_a_problem_of_the_second(seeds: Directory) -> None:
    text = "---\nid: same\n---\n# {}\n\nText."
    seeds.write("b.md", text.format("First"), age=100)
    seeds.write("a.md", text.format("Second"), age=50)
    seeds.poll()
    assert seeds.titles() == {"same": "First"}
    assert "b.md has too" in seeds.problems()["a.md"]
    seeds.poll()
    assert seeds.fetched.unchanged
    assert "a.md" in seeds.problems()
    # it comes in as soon as the first gives the id up
    seeds.write("b.md", text.format("First").replace("same", "own"))
    seeds.poll()
    assert seeds.titles() == {"own": "First", "same": "Second"}
    assert seeds.problems() == {}


def test_the_second_takes_over_when_the_first_goes(seeds: Directory) -> None:
    text = "---\nid: same\n---\n# {}\n\n{}"
    first = seeds.write("a.md", text.format("First", TALKS))
    seeds.poll()
    seeds.write("b.md", text.format("Second", OTHER))
    seeds.poll()
    assert list(seeds.problems()) == ["b.md"]
    first.unlink()
    seeds.poll()
    assert seeds.titles() == {"same": "Second"}
    assert (seeds.withdrawn, seeds.problems()) == (set(), {})


def test_who_has_an_id_keeps_it_whoever_claims_it(seeds: Directory) -> None:
    text = "---\nid: {}\n---\n# {}\n\nText."
    seeds.write("a.md", text.format("x", "A"), age=100)
    seeds.write("b.md", text.format("y", "B"), age=90)
    seeds.poll()
    seeds.write("a.md", text.format("y", "A claims"), age=80)
    seeds.write("b.md", text.format("y", "B edited"), age=70)
    seeds.poll()
    assert seeds.titles() == {"x": "A", "y": "B edited"}
    assert list(seeds.problems()) == ["a.md"]
    # ids may be passed on within one scan
    seeds.write("a.md", text.format("y", "A has it"), age=60)
    seeds.write("b.md", text.format("z", "B gave it"), age=50)
    seeds.write("c.md", text.format("x", "C took the other"), age=200)
    seeds.poll()
    assert seeds.titles() == {"x": "C took the other", "y": "A has it", "z": "B gave it"}
    assert seeds.problems() == {}


def test_a_path_that_is_anothers_id_gets_a_suffix(seeds: Directory) -> None:
    seeds.write("z.md", "---\nid: a.txt\n---\nText.")
    seeds.poll()
    seeds.write("a.txt", news("One"))
    seeds.poll()
    assert len(seeds.entries) == 2
    assert seeds.problems() == {}


# -- files of many entries ---------------------------------------------------------------


def items(*ids: str) -> str:
    return json.dumps([{"id": id, "title": f"Item {id}", "content_text": "x"} for id in ids])


def test_entries_of_a_file_come_and_go(seeds: Directory) -> None:
    seeds.write("a.json", items("1", "urn:x:2", "3"))
    seeds.poll()
    assert set(seeds.entries) == {"a.json#1", "urn:x:2", "a.json#3"}
    seeds.write("a.json", items("3", "4"))
    assert seeds.poll().removed == ("a.json#1", "urn:x:2")
    assert set(seeds.entries) == {"a.json#3", "a.json#4"}
    (seeds.path / "a.json").rename(seeds.path / "b.json")
    seeds.write("b.json", items("3", "4", "5"))
    seeds.poll()
    assert set(seeds.entries) == {"a.json#3", "a.json#4", "a.json#5"}
    seeds.write("b.json", "[]")
    seeds.poll()
    assert seeds.entries == {}


def test_a_second_item_with_an_id_leaves_the_first_one_its_name(seeds: Directory) -> None:
    seeds.write("a.json", items("1"))
    seeds.poll()
    old = {"id": "1", "title": "Old", "content_text": "x", "date_modified": "2025-01-01T00:00:00Z"}
    new = {"id": "1", "title": "New", "content_text": "y", "date_modified": "2025-01-02T00:00:00Z"}
    for both in ([old, new], [new, old]):
        seeds.write("a.json", json.dumps(both))
        seeds.poll()
        assert seeds.titles() == {"a.json#1": "New"}
        assert "the id 1" in seeds.problems()["a.json"]
    # one that says when it was modified is later than one that does not
    del old["date_modified"]
    seeds.write("a.json", json.dumps({"version": "x", "items": [old, new]}))
    seeds.poll()
    assert seeds.titles() == {"a.json#1": "New"}
    assert seeds.withdrawn == set()


def test_a_second_item_with_a_guid_leaves_the_first_one_its_name(seeds: Directory) -> None:
    def feed(*titles: str) -> str:
        guid = "<guid isPermaLink='false'>urn:x:1</guid>"
        found = [f"<item><title>{title}</title>{guid}</item>" for title in titles]
        return f"<rss version='2.0'><channel><title>F</title>{''.join(found)}</channel></rss>"

    seeds.write("a.xml", feed("One"))
    seeds.poll()
    seeds.write("a.xml", feed("Two", "One"))
    assert seeds.poll().removed == ()
    assert seeds.titles()["urn:x:1"] == "One"
    before = seeds.titles()
    seeds.write("a.xml", feed("Three", "Two", "One"))
    assert seeds.poll().removed == ()
    assert before.items() <= seeds.titles().items()
    seeds.write("a.xml", feed("Two"))
    assert "urn:x:1" in seeds.poll().removed
    assert list(seeds.titles().values()) == ["Two"]
    assert seeds.titles().items() <= before.items()


def test_an_item_with_an_id_keeps_its_name_as_others_join_and_leave_it(seeds: Directory) -> None:
    one = {"id": "1", "title": "One", "content_text": "x"}
    two = {"id": "2", "title": "Two", "content_text": "x"}
    for number, content in enumerate(([one], one)):
        name = f"{number}.json"
        seeds.write(name, json.dumps(content))
        seeds.poll()
        before = set(seeds.entries)
        for then in ([one, two], [two, one], one, [one]):
            seeds.write(name, json.dumps(then))
            seeds.poll()
            assert before <= set(seeds.entries)


def test_weak_ids_of_two_files_do_not_meet(seeds: Directory) -> None:
    seeds.write("a.json", items("1"))
    seeds.write("b.json", items("1"))
    seeds.poll()
    assert set(seeds.entries) == {"a.json#1", "b.json#1"}
    assert seeds.problems() == {}


def test_an_entry_in_two_feeds_stays_until_both_lose_it(seeds: Directory) -> None:
    seeds.write("a.json", items("urn:x:1", "urn:x:2"))
    seeds.write("b.json", items("urn:x:1"))
    seeds.poll()
    assert set(seeds.entries) == {"urn:x:1", "urn:x:2"}
    seeds.write("a.json", items("urn:x:2"))
    assert seeds.poll().removed == ()
    (seeds.path / "b.json").unlink()
    assert seeds.poll().removed == ("urn:x:1",)


def test_a_local_feed(seeds: Directory) -> None:
    body = (DATA / "reader-jsonfeed" / "full.atom").read_bytes()
    seeds.write("feeds/full.atom", body)
    seeds.poll()
    assert len(seeds.entries) > 1
    assert all(("feeds", "folder") in entry.tags for entry in seeds.entries.values())
    count = len(seeds.entries)
    # cut short, it says nothing about what is missing at its end
    seeds.write("feeds/full.atom", body[: body.rindex(b"<entry")])
    assert seeds.poll().removed == ()
    assert "ill-formed" in seeds.problems()["feeds/full.atom"]
    # whole and shorter, it does
    seeds.write("feeds/full.atom", body[: body.rindex(b"<entry")] + b"</feed>")
    assert len(seeds.poll().removed) == 1
    assert len(seeds.entries) == count - 1
    assert seeds.problems() == {}


def test_from_one_entry_to_many_and_back(seeds: Directory) -> None:
    seeds.write("a.json", json.dumps({"title": "One", "content_text": "x"}))
    seeds.poll()
    assert set(seeds.entries) == {"a.json"}
    seeds.write("a.json", items("1", "2"))
    seeds.poll()
    assert set(seeds.entries) == {"a.json#1", "a.json#2"}
    assert seeds.withdrawn == {"a.json"}
    seeds.write("a.json", json.dumps({"title": "One", "content_text": "x"}))
    seeds.poll()
    assert set(seeds.entries) == {"a.json"}


# -- what cannot be read -----------------------------------------------------------------


def test_a_broken_file_keeps_its_entries_and_stops_nobody(seeds: Directory) -> None:
    seeds.write("a.json", items("1"))
    seeds.write("b.md", "---\ntitle: Good\n---\nText.")
    seeds.poll()
    seeds.write("a.json", '[{"title": "never closed')
    seeds.write("b.md", "---\ntitle: Bad: bad\n---\nText.")
    seeds.write("c.txt", news("New"))
    assert seeds.poll().removed == ()
    assert set(seeds.titles()) == {"a.json#1", "b.md", "c.txt"}
    assert "not valid JSON" in seeds.problems()["a.json"]
    assert "quotes (line 2)" in seeds.problems()["b.md"]
    # the problem stays while other files change, and goes when it is mended
    seeds.write("d.txt", news("Newer"))
    seeds.poll()
    assert sorted(seeds.problems()) == ["a.json", "b.md"]
    seeds.write("a.json", items("1", "2"))
    (seeds.path / "b.md").unlink()
    assert seeds.poll().removed == ("b.md",)
    assert seeds.problems() == {}
    assert "a.json#2" in seeds.entries


def test_a_file_broken_from_the_start_is_named_when_it_is_mended(seeds: Directory) -> None:
    path = seeds.write("a.json", "{")
    seeds.poll()
    assert (seeds.entries, list(seeds.problems())) == ({}, ["a.json"])
    path.rename(seeds.path / "b.json")
    seeds.poll()
    assert list(seeds.problems()) == ["b.json"]
    seeds.write("b.json", '{"title": "Good"}')
    seeds.poll()
    assert list(seeds.titles().values()) == ["Good"]
    assert seeds.problems() == {}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.md", b"---\nx: [\n---\n"),
        ("a.html", b"<div>" * 5000),
        ("a.xml", b"<opml/>"),
        ("a.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><rss>'),
        ("a.eml", b"no headers"),
        ("a.json", b"[" * 100_000),
        ("a.txt", b" \n\t\n"),
    ],
)
def test_every_kind_of_document_may_be_broken(seeds: Directory, name: str, body: bytes) -> None:
    seeds.write(name, body)
    seeds.write("good.txt", news("Good"))
    seeds.poll()
    assert list(seeds.entries) == ["good.txt"]
    assert list(seeds.problems()) == [name]


@pytest.mark.parametrize("path", sorted((DATA / "xml-attacks").glob("*.xml")), ids=lambda p: p.name)
def test_hostile_xml_harms_nothing(seeds: Directory, path: Path) -> None:
    seeds.write(path.name, path.read_bytes())
    seeds.write("good.txt", news("Good"))
    seeds.poll()
    assert list(seeds.entries) == ["good.txt"]


def test_an_empty_file_waits(seeds: Directory) -> None:
    path = seeds.write("a.txt", "", age=0)
    seeds.write("b.txt", news("One"))
    seeds.poll()
    assert (list(seeds.entries), seeds.problems()) == (["b.txt"], {})
    seeds.aged(path, 60)
    seeds.poll()
    assert "is empty" in seeds.problems()["a.txt"]
    seeds.poll()
    assert seeds.fetched.unchanged
    seeds.write("a.txt", news("Two"))
    seeds.poll()
    assert seeds.problems() == {}
    # emptied again by a program that rewrites it: the entry stays
    seeds.write("a.txt", "", age=0)
    assert seeds.poll().removed == ()
    assert seeds.titles() == {"a.txt": "Two", "b.txt": "One"}


def test_an_empty_file_becomes_a_problem_without_being_touched(seeds: Directory) -> None:
    path = seeds.write("a.txt", "", age=4.9)
    seeds.poll()
    assert seeds.problems() == {}
    while time.time_ns() - path.stat().st_mtime_ns <= 5_000_000_000:
        time.sleep(0.01)
    seeds.poll()
    assert "is empty" in seeds.problems()["a.txt"]


def test_a_huge_file_is_a_problem(seeds: Directory) -> None:
    with seeds.write("a.txt", "").open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    seeds.write("b.txt", news("One"))
    seeds.poll()
    assert "larger than 16 MiB" in seeds.problems()["a.txt"]
    assert list(seeds.entries) == ["b.txt"]
    seeds.poll()
    assert seeds.fetched.unchanged


def as_nobody(poll: Callable[[], object]) -> None:
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        poll()
    finally:
        if before == 0:
            os.seteuid(0)


def test_a_file_without_permission_is_read_when_it_is_given(
    seeds: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for parent in (seeds.path, *seeds.path.parents):
        if parent.stat().st_uid == os.geteuid() and len(parent.parts) > 2:
            parent.chmod(parent.stat().st_mode | 0o055)
    path = seeds.write("a.txt", news("One"))
    closed = seeds.write("sub/b.txt", news("Two", OTHER)).parent
    seeds.poll()
    path.chmod(0)
    closed.chmod(0)
    seeds.aged(path, 20)
    as_nobody(seeds.poll)
    assert sorted(seeds.problems()) == ["a.txt", "sub/"]
    assert "permission" in seeds.problems()["a.txt"]
    assert seeds.titles() == {"a.txt": "One", "sub/b.txt": "Two"}
    as_nobody(seeds.poll)
    assert seeds.fetched.unchanged
    path.chmod(0o644)
    closed.chmod(0o755)
    as_nobody(seeds.poll)
    assert seeds.problems() == {}
    assert seeds.titles() == {"a.txt": "One", "sub/b.txt": "Two"}
    assert seeds.withdrawn == set()


def test_a_folder_that_may_be_listed_and_not_entered_is_one_problem(seeds: Directory) -> None:
    for parent in (seeds.path, *seeds.path.parents):
        if parent.stat().st_uid == os.geteuid() and len(parent.parts) > 2:
            parent.chmod(parent.stat().st_mode | 0o055)
    seeds.write("a.txt", news("One"))
    for number in range(3):
        seeds.write(f"sub/{number}.txt", news(f"Title {number}", f"{number} {OTHER}"))
    seeds.poll()
    (seeds.path / "sub").chmod(0o644)
    as_nobody(seeds.poll)
    assert list(seeds.problems()) == ["sub/"]
    assert seeds.withdrawn == set()
    (seeds.path / "sub").chmod(0o755)
    seeds.path.chmod(0o644)
    with pytest.raises(FetchError, match="permission denied"):
        as_nobody(seeds.poll)
    seeds.path.chmod(0o755)
    as_nobody(seeds.poll)
    assert (seeds.problems(), seeds.withdrawn) == ({}, set())
    assert len(seeds.titles()) == 4


def test_what_a_scan_cannot_follow_is_reported_until_it_goes(seeds: Directory) -> None:
    seeds.write("a.txt", news("One"))
    (seeds.path / "out.txt").symlink_to("/etc/hostname")
    os.mkfifo(seeds.path / "pipe.txt")
    seeds.poll()
    assert sorted(seeds.problems()) == ["out.txt", "pipe.txt"]
    assert list(seeds.entries) == ["a.txt"]
    seeds.poll()
    assert seeds.fetched.unchanged
    assert sorted(seeds.problems()) == ["out.txt", "pipe.txt"]
    (seeds.path / "out.txt").unlink()
    (seeds.path / "pipe.txt").unlink()
    seeds.poll()
    assert seeds.problems() == {}
    assert list(seeds.entries) == ["a.txt"]


def test_a_file_that_goes_between_scan_and_reading(seeds: Directory) -> None:
    seeds.write("a.txt", news("One"))
    seeds.write("b.txt", news("Two", OTHER))
    reader = DirectoryReader()
    source = Source(id="seeds", kind="directory", location=str(seeds.path))
    http = HttpClient("test", timedelta(seconds=1), 1000, (), 1, 1)
    tools = FetchTools(http=http, now=datetime.now(UTC))
    fetched = asyncio.run(reader.fetch(source, seeds.state, tools))
    (seeds.path / "a.txt").unlink()
    reading = reader.parse(source, fetched)
    assert [entry.uid for entry in reading.entries] == ["b.txt"]
    assert reading.problems == ()


def test_many_problems_are_told_in_bounds(seeds: Directory) -> None:
    for number in range(600):
        seeds.write(f"{number:03}.json", "{")
    seeds.poll()
    problems = seeds.state.problems
    assert len(problems) == 501
    assert problems[-1] == Problem(name="…", message="and 100 problems more")


# -- the directory itself ----------------------------------------------------------------


def test_a_directory_that_vanishes_is_an_error_and_withdraws_nothing(seeds: Directory) -> None:
    seeds.write("a.txt", news("One"))
    seeds.poll()
    away = seeds.path.rename(seeds.path.parent / "away")
    with pytest.raises(FetchError, match="there is no directory"):
        seeds.poll()
    away.rename(seeds.path)
    seeds.poll()
    assert seeds.fetched.unchanged
    assert list(seeds.entries) == ["a.txt"]


def test_an_empty_directory_in_its_place_withdraws_nothing_for_a_minute(seeds: Directory) -> None:
    seeds.write("a.txt", news("One"))
    seeds.poll()
    (seeds.path / "a.txt").rename(seeds.path / "b.txt")
    seeds.poll()
    away = seeds.path.rename(seeds.path.parent / "away")
    seeds.path.mkdir()
    for _ in range(3):
        seeds.poll()
        assert seeds.fetched.unchanged
        seeds.later += timedelta(seconds=10)
    # back in time: nothing has happened
    seeds.path.rmdir()
    away.rename(seeds.path)
    seeds.poll()
    assert seeds.fetched.unchanged
    # and once more, this time for good: the minute counts from then
    seeds.path.rename(seeds.path.parent / "gone")
    seeds.path.mkdir()
    for _ in range(3):
        assert seeds.poll().removed == ()
        seeds.later += timedelta(seconds=29)
    assert seeds.poll().removed == ("a.txt",)
    # and when it comes back after all, it is who it was
    seeds.path.rmdir()
    (seeds.path.parent / "gone").rename(seeds.path)
    seeds.poll()
    assert seeds.titles() == {"a.txt": "One"}


def test_what_lies_in_the_place_of_a_directory_is_read_at_once(seeds: Directory) -> None:
    seeds.write("a.txt", news("One"))
    seeds.write("b.txt", news("Two", OTHER))
    seeds.poll()
    seeds.path.rename(seeds.path.parent / "away")
    seeds.write("c.txt", news("Three", "Another text that nobody has read before."))
    seeds.write("d/b.txt", news("Two", OTHER))
    assert seeds.poll().removed == ()
    titles = {"a.txt": "One", "b.txt": "Two", "c.txt": "Three"}
    assert seeds.titles() == titles
    seeds.later += MINUTE
    assert seeds.poll().removed == ("a.txt",)
    seeds.poll()
    assert seeds.fetched.unchanged


def test_a_directory_emptied_is_withdrawn_after_a_minute(seeds: Directory) -> None:
    for name in "abc":
        seeds.write(f"{name}.txt", news(name, f"{name} {OTHER}"))
    seeds.poll()
    (seeds.path / "a.txt").unlink()
    assert seeds.poll().removed == ("a.txt",)
    for name in "bc":
        (seeds.path / f"{name}.txt").unlink()
    assert seeds.poll().removed == ()
    cursor = seeds.state.cursor
    assert seeds.poll().removed == ()
    assert seeds.state.cursor == cursor
    seeds.later += MINUTE
    assert seeds.poll().removed == ("b.txt", "c.txt")
    seeds.poll()
    assert (seeds.fetched.unchanged, seeds.fetched.cursor) == (True, None)


def test_a_clock_set_back_withdraws_nothing_early(seeds: Directory) -> None:
    seeds.write("a.txt", news("One"))
    seeds.write("b.txt", news("Two", OTHER))
    seeds.poll()
    for path in seeds.path.iterdir():
        path.unlink()
    seeds.later = timedelta(days=1)
    seeds.poll()
    seeds.later = timedelta(0)
    assert seeds.poll().removed == ()
    seeds.later = MINUTE
    assert len(seeds.poll().removed) == 2


@pytest.mark.parametrize("name", ["a.txt", "b.txt", "sub/b.txt", "sub/c.txt"])
@pytest.mark.parametrize("edited", [False, True])
def test_a_removed_file_finds_its_id_when_it_comes_back(
    seeds: Directory, name: str, edited: bool
) -> None:
    seeds.write("keep.txt", news("Keep", OTHER))
    path = seeds.write("a.txt", news("One"))
    seeds.poll()
    path = path.rename(seeds.path / "b.txt")
    seeds.poll()
    path = path.rename(seeds.path.parent / "aside")
    assert seeds.poll().removed == ("a.txt",)
    seeds.write("other.txt", news("Other", "Something else was written in the meantime."))
    seeds.poll()
    (seeds.path / name).parent.mkdir(exist_ok=True)
    path.rename(seeds.path / name)
    if edited:
        seeds.write(name, news("One and more"))
    seeds.poll()
    assert set(seeds.titles()) == {"a.txt", "keep.txt", "other.txt"}
    assert seeds.withdrawn == set()


def test_a_file_that_comes_back_gets_another_id_where_its_own_is_taken(seeds: Directory) -> None:
    path = seeds.write("a.txt", news("One"))
    seeds.write("keep.txt", news("Keep", "Kept."))
    seeds.poll()
    path = path.rename(seeds.path / "b.txt")
    seeds.poll()
    path = path.rename(seeds.path.parent / "aside")
    seeds.poll()
    seeds.write("a.txt", news("Two", OTHER))
    seeds.poll()
    path.rename(seeds.path / "b.txt")
    seeds.poll()
    assert seeds.titles() == {"a.txt": "Two", "b.txt": "One", "keep.txt": "Keep"}


def test_entries_of_a_file_come_back_as_they_were(seeds: Directory) -> None:
    seeds.write("keep.txt", news("Keep", "Kept."))
    path = seeds.write("a.json", items("1", "urn:x:2"))
    seeds.poll()
    before = seeds.titles()
    path = path.rename(seeds.path.parent / "aside")
    assert len(seeds.poll().removed) == 2
    path.rename(seeds.path / "b.json")
    seeds.poll()
    assert seeds.titles() == before


def test_a_copy_of_the_directory_in_its_place_changes_nothing(seeds: Directory) -> None:
    for number in range(5):
        seeds.write(f"{number}.txt", news(f"Title {number}"))
    seeds.poll()
    away = seeds.path.rename(seeds.path.parent / "away")
    shutil.copytree(away, seeds.path)
    reading = seeds.poll()
    assert (reading.entries, reading.removed) == ((), ())


def test_inodes_of_another_file_system_mean_nothing(seeds: Directory) -> None:
    path = seeds.write("a.txt", news("One"))
    seeds.write("keep.txt", news("Other", OTHER))
    seeds.poll()
    assert seeds.state.cursor is not None
    cursor = json.loads(seeds.state.cursor)
    seeds.state = PollState(cursor=json.dumps({**cursor, "r": "1:2"}))
    path.rename(seeds.path / "b.txt")
    seeds.write("b.txt", news("One and more"))
    seeds.poll()
    seeds.later += MINUTE
    assert seeds.poll().removed == ("a.txt",)
    # on the same one they tell that it is the same file
    path = (seeds.path / "b.txt").rename(seeds.path / "c.txt")
    seeds.write("c.txt", news("One and still more"))
    assert seeds.poll().removed == ()


def test_a_lost_cursor_gives_the_same_ids(seeds: Directory) -> None:
    seeds.write("a.txt", news("One"))
    seeds.write("b.json", items("1", "urn:x:2"))
    seeds.poll()
    before = seeds.titles()
    seeds.state, seeds.entries = PollState(cursor="not a cursor"), {}
    seeds.poll()
    assert seeds.titles() == before


def test_a_large_directory_is_read_in_parts(
    seeds: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedsvc.sources.directory._BATCH_BYTES", 1000)
    for number in range(6):
        seeds.write(f"{number}.txt", news(f"Title {number}", TALKS * 10))
    assert len(seeds.poll().entries) == 1
    # what moves meanwhile is not taken for gone before all has been read
    (seeds.path / "0.txt").rename(seeds.path / "z.txt")
    while not seeds.fetched.unchanged:
        seeds.poll()
    assert set(seeds.entries) == {f"{number}.txt" for number in range(6)}
    assert seeds.withdrawn == set()


def test_a_folder_renamed_keeps_all_ids_over_several_readings(
    seeds: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedsvc.sources.directory._BATCH_FILES", 3)
    for number in range(10):
        seeds.write(f"old/{number}.txt", news(f"Title {number}", f"{number} {TALKS}"), age=number)
    seeds.write("gone.txt", news("Gone", OTHER))
    polls = 0
    while seeds.poll() and seeds.fetched.more:
        polls += 1
    assert polls == 3
    before = seeds.titles()
    (seeds.path / "old").rename(seeds.path / "new")
    (seeds.path / "gone.txt").unlink()
    while seeds.poll() and seeds.fetched.more:
        assert seeds.withdrawn == set()
    assert seeds.withdrawn == {"gone.txt"}
    assert seeds.titles() == {uid: said for uid, said in before.items() if uid != "gone.txt"}
    assert all(entry.tags == (("new", "folder"),) for entry in seeds.entries.values())


# -- dates and tags ----------------------------------------------------------------------


def test_a_missing_date_is_the_names_then_the_files(seeds: Directory) -> None:
    seeds.write("2025-03-01-note.txt", "A note\nText.")
    seeds.write("2025-03-01-dated.txt", news("Dated"))
    seeds.write("updated.md", "---\nupdated: 2025-03-02\n---\nText.")
    path = seeds.write("note.md", "Text.")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    seeds.poll()
    dates = {uid: entry.published for uid, entry in seeds.entries.items()}
    assert dates == {
        "2025-03-01-note.txt": datetime(2025, 3, 1, tzinfo=UTC),
        "2025-03-01-dated.txt": datetime(2025, 4, 10, tzinfo=UTC),
        "updated.md": None,
        "note.md": datetime.fromtimestamp(1_700_000_000, UTC),
    }


def test_entries_of_a_feed_get_no_date_from_its_file(seeds: Directory) -> None:
    seeds.write("2025-03-01.json", items("1"))
    seeds.poll()
    (entry,) = seeds.entries.values()
    assert entry.published is None


def test_folders_become_tags_after_the_documents_own(seeds: Directory) -> None:
    seeds.write("World News/Europe/a.md", "---\ntags: [bridges]\n---\nText.")
    seeds.poll()
    (entry,) = seeds.entries.values()
    assert entry.tags == (
        ("bridges", "front-matter"),
        ("World News", "folder"),
        ("Europe", "folder"),
    )


def test_thousands_of_files(seeds: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedsvc.sources.directory._BATCH_FILES", 5000)
    for number in range(2000):
        seeds.write(f"{number % 20}/{number}.txt", f"date 2025-04-10 Title {number}\nText.\n")
    seeds.poll()
    assert len(seeds.entries) == 2000
    seeds.poll()
    assert seeds.fetched.unchanged
    for number in range(20):
        (seeds.path / str(number)).rename(seeds.path / f"moved-{number}")
    assert seeds.poll().removed == ()
    assert len(seeds.reading.entries) == 2000
    shutil.rmtree(seeds.path / "moved-3")
    assert len(seeds.poll().removed) == 100
