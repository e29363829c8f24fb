"""What a scan finds in a directory, and what it must not follow, open or trip over."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from feedsvc.errors import FetchError
from feedsvc.sources.listing import MAX_BYTES, Listing, Vanished, printable, read, readable, scan

SUFFIXES = (".txt", ".md")
NOBODY = 65534


@contextmanager
def unprivileged() -> Iterator[None]:
    """Gives up the superuser's right to read everything, if we have it."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if before == 0:
            os.seteuid(0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory that also somebody without privileges may read."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == os.geteuid() and len(parent.parts) > 2:
            parent.chmod(parent.stat().st_mode | 0o055)
    return folder


def write(path: Path, text: str = "text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def names(listing: Listing) -> list[str]:
    return sorted(listing.files)


def problems(listing: Listing) -> dict[str, str]:
    return {problem.name: problem.message for problem in listing.problems}


def test_documents_are_found_at_any_depth(root: Path) -> None:
    write(root / "a.txt", "abc")
    write(root / "world" / "europe" / "b.MD")
    found = scan(str(root), SUFFIXES)
    assert names(found) == ["a.txt", "world/europe/b.MD"]
    file = found.files["a.txt"]
    status = (root / "a.txt").stat()
    assert (file.size, file.mtime_ns, file.inode) == (3, status.st_mtime_ns, status.st_ino)
    assert found.problems == []


@pytest.mark.parametrize(
    "name",
    [
        *(
            ".hidden.txt",
            ".git/a.txt",
            "a.txt~",
            "~$a.txt",
            "a.txt.tmp",
            ".a.txt.swp",
            "a.txt.part",
        ),
        *("a", "a.pdf", "backup~/a.txt", "txt", ".txt", "#a.txt#"),
    ],
)
def test_what_is_passed_over_in_silence(root: Path, name: str) -> None:
    write(root / name)
    found = scan(str(root), SUFFIXES)
    assert found.files == {}
    assert found.problems == []


@pytest.mark.parametrize(
    "name", ["new\nline.txt", "tab\t.txt", "\x1b[31m.txt", "caf\udce9.txt", "  .txt"]
)
def test_odd_names_are_read_and_shown_safely(root: Path, name: str) -> None:
    write(root / name, "here")
    found = scan(str(root), SUFFIXES)
    (shown,) = found.files
    assert shown.isprintable()
    shown.encode("utf-8")
    assert read(found.files[shown]).content == b"here"
    assert found.problems == []


def test_names_that_look_alike_are_a_problem(root: Path) -> None:
    write(root / "a\n.txt")
    write(root / "a\\x0a.txt")
    found = scan(str(root), SUFFIXES)
    assert len(found.files) == 1
    assert list(problems(found)) == ["a\\x0a.txt"]
    assert printable("a\udcff\ufeff") == "a\\xff\\ufeff"


def test_links_inside_are_fine_and_tell_no_document_twice(root: Path) -> None:
    write(root / "folder" / "a.txt")
    (root / "b.txt").symlink_to("folder/a.txt")
    (root / "other").symlink_to("folder")
    (root / "up").mkdir()
    (root / "up" / "c.txt").symlink_to("../folder/../folder/a.txt")
    found = scan(str(root), SUFFIXES)
    assert names(found) == ["folder/a.txt"]
    assert found.problems == []


def test_links_to_what_is_hidden_inside_are_followed(root: Path) -> None:
    # as in a volume that a cluster mounts: names are links to the current version
    write(root / "..v1" / "a.txt", "one")
    write(root / "..v1" / "sub" / "b.txt")
    (root / "..data").symlink_to("..v1")
    (root / "a.txt").symlink_to("..data/a.txt")
    (root / "sub").symlink_to("..data/sub")
    found = scan(str(root), SUFFIXES)
    assert names(found) == ["a.txt", "sub/b.txt"]
    assert read(found.files["a.txt"]).content == b"one"
    assert found.problems == []


def test_links_out_of_the_directory_are_refused(root: Path) -> None:
    outside = write(root.parent / "outside" / "a.txt")
    write(root.parent / "seeds-too" / "a.txt")
    (root / "file.txt").symlink_to(outside)
    (root / "relative.txt").symlink_to("../outside/a.txt")
    (root / "folder").symlink_to(outside.parent)
    (root / "prefix").symlink_to("../seeds-too")
    (root / "twice.txt").symlink_to("file.txt")
    (root / "ignored.pdf").symlink_to(outside)
    found = scan(str(root), SUFFIXES)
    assert found.files == {}
    said = problems(found)
    assert sorted(said) == ["file.txt", "folder", "prefix", "relative.txt", "twice.txt"]
    assert all("out of the directory" in message for message in said.values())


def test_loops_and_dead_links_are_reported(root: Path) -> None:
    write(root / "a" / "b" / "x.txt")
    (root / "a" / "b" / "up").symlink_to("..")
    (root / "a" / "top").symlink_to(root)
    (root / "self.txt").symlink_to("self.txt")
    (root / "dead.txt").symlink_to("nowhere.txt")
    (root / "dead.pdf").symlink_to("nowhere.pdf")
    found = scan(str(root), SUFFIXES)
    assert names(found) == ["a/b/x.txt"]
    said = problems(found)
    assert sorted(said) == ["a/b/up", "a/top", "dead.txt", "self.txt"]
    assert "back to a folder" in said["a/b/up"]
    assert "in a circle" in said["self.txt"]
    assert "nowhere" in said["dead.txt"]


def test_loops_through_hidden_folders_end(root: Path) -> None:
    write(root / ".one" / "a.txt")
    (root / ".one" / "two").symlink_to("../.two")
    write(root / ".two" / "b.txt")
    (root / ".two" / "one").symlink_to("../.one")
    (root / "start").symlink_to(".one")
    found = scan(str(root), SUFFIXES)
    assert names(found) == ["start/a.txt", "start/two/b.txt"]


def test_devices_and_pipes_are_never_opened(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root / "pipe.txt")
    monkeypatch.chdir(root)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("socket.txt")
    (root / "folder.txt").mkdir()
    write(root / "folder.txt" / "a.txt")
    found = scan(str(root), SUFFIXES)
    assert names(found) == ["folder.txt/a.txt"]
    assert sorted(problems(found)) == ["pipe.txt", "socket.txt"]


def test_a_file_turned_into_something_else_is_not_read(root: Path) -> None:
    path = write(root / "a.txt")
    secret = write(root.parent / "secret.txt")
    file = scan(str(root), SUFFIXES).files["a.txt"]

    def becomes_link() -> None:
        path.symlink_to(secret)

    def becomes_pipe() -> None:
        os.mkfifo(path)

    def becomes_other() -> None:
        path.with_suffix(".new").write_text("new")
        path.with_suffix(".new").rename(path)

    def goes() -> None:
        return

    for change in (becomes_link, becomes_pipe, becomes_other, goes):
        path.rename(path.with_suffix(".old"))  # keeps its inode busy
        change()
        with pytest.raises(Vanished):
            read(file)
        path.unlink(missing_ok=True)
        path.with_suffix(".old").rename(path)
        assert read(file).content == b"text"


def test_reading_tells_whether_the_file_stayed_as_it_was(root: Path) -> None:
    path = write(root / "a.txt")
    file = scan(str(root), SUFFIXES).files["a.txt"]
    assert read(file).settled
    with path.open("a") as stream:
        stream.write("more")
    body = read(file)
    assert (body.content, body.stat.size) == (b"textmore", 8)


def test_no_more_than_the_limit_is_read(root: Path) -> None:
    path = root / "a.txt"
    with path.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1000)
    body = read(scan(str(root), SUFFIXES).files["a.txt"])
    assert len(body.content) == MAX_BYTES + 1
    assert not body.settled


def test_what_may_not_be_read_is_a_problem(root: Path) -> None:
    write(root / "good.txt")
    closed = write(root / "closed.txt")
    folder = write(root / "folder" / "in.txt").parent
    sealed = write(root / "sealed" / "in.txt").parent
    closed.chmod(0)
    folder.chmod(0)
    sealed.chmod(0o444)
    with unprivileged():
        found = scan(str(root), SUFFIXES)
        assert names(found) == ["closed.txt", "good.txt"]
        assert sorted(problems(found)) == ["folder/", "sealed/"]
        assert not found.sees("folder/in.txt")
        assert not found.sees("sealed/in.txt")
        assert found.sees("folder.txt")
        file = found.files["closed.txt"]
        assert not readable(file)
        with pytest.raises(PermissionError):
            read(file)
    folder.chmod(0o755)
    sealed.chmod(0o755)
    closed.chmod(0o644)
    assert readable(file)


def test_a_directory_that_is_none_names_itself(root: Path) -> None:
    file = write(root / "a.txt")
    for location in (root / "missing", file, file / "below"):
        with pytest.raises(FetchError, match=str(location)):
            scan(str(location), SUFFIXES)
    root.chmod(0o300)
    with unprivileged(), pytest.raises(FetchError, match=str(root)):
        scan(str(root), SUFFIXES)
    root.chmod(0o755)


def test_the_directory_itself_may_be_a_link_and_relative(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root / "a.txt")
    (root.parent / "link").symlink_to(root)
    monkeypatch.chdir(root.parent)
    assert names(scan("link", SUFFIXES)) == ["a.txt"]
    monkeypatch.setenv("HOME", str(root.parent))
    assert names(scan("~/seeds", SUFFIXES)) == ["a.txt"]
    assert scan("link", SUFFIXES).identity == scan(str(root), SUFFIXES).identity
