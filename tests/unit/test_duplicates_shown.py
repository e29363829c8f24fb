"""What an entry tells of its copies: any source's words, in documents that stay valid."""

import json

from hypothesis import given
from hypothesis import strategies as st

from feedsvc.compose import Options
from feedsvc.compose.addresses import Addresses
from feedsvc.compose.entries import EntryComposer
from feedsvc.formats import FORMATS
from feedsvc.model import Duplicate, FeedDocument, SourceMeta, StoredEntry, Text
from tests.conformance.format_rules import faults
from tests.storekit import NOW, entry

COMPOSER = EntryComposer(
    Addresses("https://feeds.example", "example.org,2026"),
    author="Ed",
    most=5,
    stop=(),
    listed=True,
    settings="",
)
HEAD = FeedDocument(
    id="tag:example.org,2026:feeds/all",
    title="All",
    updated=NOW,
    self_url="https://feeds.example/feeds/all",
    home_url="https://feeds.example/",
)
said = st.one_of(st.text(), st.sampled_from(["<script>", "\x00", "\ud800", "javascript:x", "a&b"]))
copies = st.lists(
    st.builds(
        Duplicate,
        key=st.just("aaaaaaaaaaaaa"),
        id=said,
        title=said,
        link=st.one_of(st.none(), said, said.map(lambda text: f"https://e.example/{text}")),
        source_id=st.just("b"),
        source_title=said,
    ),
    max_size=4,
).map(tuple)


def stored(*copies: Duplicate) -> StoredEntry:
    article = entry("one", link="https://a.example/1", content=Text(value="Text"))
    return StoredEntry(entry=article, source=SourceMeta(), source_title="A", duplicates=copies)


@given(copies)
def test_every_document_is_valid_whatever_sources_say(copies: tuple[Duplicate, ...]) -> None:
    shown = COMPOSER.compose(stored(*copies), Options(limit=5))
    for suffix, format in FORMATS.items():
        body = format.assemble(HEAD, [format.fragment(shown)])
        assert faults(suffix, body) == []
        if suffix == "json":
            (item,) = json.loads(body)["items"]
            assert len(item.get("_feedsvc", {}).get("duplicates", ())) == len(copies)


def test_each_copy_has_an_address_of_its_own() -> None:
    same = "https://a.example/1"
    told = [
        Duplicate(key=key, id=key, title="T", link=link, source_id=key, source_title=key)
        for key, link in (("b", same), ("c", None), ("d", f"{same}#x"), ("e", f"{same}#x"))
    ]
    shown = COMPOSER.compose(stored(*told), Options(limit=5))
    assert [link.href for link in shown.links if link.rel == "via"] == [
        "https://feeds.example/entries/b",
        "https://feeds.example/entries/c",
        f"{same}#x",
        "https://feeds.example/entries/e",
    ]


def test_what_is_kept_apart_names_no_copies_and_is_another_rendering() -> None:
    copy = Duplicate(key="b", id="b", title="T", link=None, source_id="b", source_title="B")
    collapsed = COMPOSER.compose(stored(copy), Options(limit=5))
    kept = COMPOSER.compose(stored(copy), Options(limit=5, dupes="keep"))
    assert kept.duplicates == kept.links == ()
    assert kept.fingerprint != collapsed.fingerprint
    assert collapsed.content is not None
    assert '<a href="https://feeds.example/entries/b">B</a>' in collapsed.content.value
    assert kept.content == Text(value="Text")
