"""Any document of the corpora, spoilt in any way, ends in entries or in an error that says why."""

import os
import re
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedsvc.formats import FORMATS
from feedsvc.model import FeedEntry

from .corpora_view import DATA, documents, read
from .test_corpora_entries import CORPORA

# more than this many bytes take long and show nothing new
_SMALL = 12_000
EXAMPLES = int(os.environ.get("FEEDSVC_MUTATIONS", "400"))
BODIES = {
    path.relative_to(DATA).as_posix(): body
    for corpus in CORPORA
    if corpus != "xml-attacks"
    for path in documents(corpus)
    if len(body := path.read_bytes()) < _SMALL
}
# one name of each folder is as likely as any other, however many documents lie there
FOLDERS: dict[str, list[str]] = {}
for _name in BODIES:
    FOLDERS.setdefault(_name.rpartition("/")[0], []).append(_name)
NASTY = [
    b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"&", b"<",
    b">", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?", b"<!DOCTYPE x [", b"<!ENTITY a 'b'>",
    b"&#0;", b"&#x110000;", b"&#99999999999;", b"&a;", b"\"", b"'", b"=", b"/", b":", b"<a:b>",
    b"</item>", b"</entry>", b"<item>", b"<entry>", b"<channel>", b"xmlns:x=''", b"xml:base='//['",
    b"xml:base='http://['", b"type='xhtml'", b"mode='base64'", b"href='http://[::1'",
    b"encoding='utf-16'", b"encoding='idna'", b"2025-99-99T99:99:99Z", b"1e999", b"-1",
    b"9" * 400, b"{", b"}", b"[", b"null", b"\\ud800", b"\x1b$B", b"\x0e", b" " * 300,
    b"<itunes:duration>", b"<media:group>", b"<georss:where>", b"<podcast:value>",
]  # fmt: skip
_TOKEN = re.compile(rb"<[^<>]{1,200}>")

Mutation = Callable[[bytes], bytes]


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, bytes]:
    """A document's name, and its bytes after one to eight changes."""
    folder = draw(st.sampled_from(sorted(FOLDERS)))
    name = draw(st.sampled_from(FOLDERS[folder]))
    body = BODIES[name]
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(body)))
        to = min(len(body), at + draw(st.integers(0, 200)))
        match draw(
            st.sampled_from(["put", "cut", "turn", "again", "end", "other", "tag", "bytes"])
        ):
            case "put":
                body = body[:at] + draw(st.sampled_from(NASTY)) + body[at:]
            case "cut":
                body = body[:at] + body[to:]
            case "turn" if at < len(body):
                body = body[:at] + bytes([body[at] ^ 1 << draw(st.integers(0, 7))]) + body[at + 1 :]
            case "again":
                body = body[:to] + body[at:to] * draw(st.integers(1, 20)) + body[to:]
            case "end":
                body = body[:at]
            case "other":
                other = BODIES[draw(st.sampled_from(sorted(BODIES)))]
                start = draw(st.integers(0, len(other)))
                body = body[:at] + other[start : start + 400] + body[at:]
            case "tag":
                tags = _TOKEN.findall(body)
                if tags:
                    body = body.replace(draw(st.sampled_from(tags)), draw(st.sampled_from(tags)), 1)
            case _:
                body = body[:at] + draw(st.binary(max_size=20)) + body[to:]
    return name, body


@given(mutations())
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
def test_a_spoilt_document_gives_entries_or_a_clear_error(mutation: tuple[str, bytes]) -> None:
    name, body = mutation
    result = read(body, name)
    if result.error is not None:
        assert len(str(result.error)) > 10
        return
    assert result.reading is not None
    for problem in result.reading.problems:
        assert problem.name
        assert problem.message
    for entry in result.entries[:20]:
        shown = FeedEntry(
            id=entry.id,
            title=entry.title,
            url=entry.link or "https://feeds.example/e",
            links=entry.links,
            published=entry.published,
            updated=entry.updated,
            authors=entry.authors,
            contributors=entry.contributors,
            summary=entry.summary,
            content=entry.content,
            categories=entry.categories,
            rights=entry.rights,
            lang=entry.lang,
            source=entry.source,
            extensions=entry.extensions,
        )
        for format in FORMATS.values():
            assert format.fragment(shown)
