"""Feeds on the Web: fetched conditionally, and read whatever format they turn out to be in.

`parse_feed` is the one door to feed parsers: it finds out what a body is, has it read, and says in
words what it is where it is no feed. Schedules live in pacing, requests in the HTTP client.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import compress

from ..errors import ParseError
from ..model import ParsedEntry, PollState, Problem, Source, SourceKind, SourceMeta
from ..polls import Hints
from . import feedmap
from .base import Fetched, FetchTools, Reading
from .charset import to_utf8
from .cutting import Memory, slices
from .discovery import discover, header_links
from .fields import bounded, join
from .jsonfeed import parse_jsonfeed
from .saxdriver import Parsed, drive

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.5"
)

# more is written at once than others should have to wait for, and no feed of news is so long
_MOST_ENTRIES = 20_000
_MISC = re.compile(
    rb"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE\b[^\[>]*(?:\[.*?\]\s*)?>)", re.DOTALL | re.IGNORECASE
)
_ROOT = re.compile(rb"\s*<([A-Za-z_][\w.:-]*)")
_HTML = re.compile(rb"<!DOCTYPE\s+html\b", re.IGNORECASE)
_FEED = re.compile(rb"<(?:[\w.-]+:)?(?:rss|feed|RDF)[\s>]", re.IGNORECASE)
# the header fields that an entry's meaning may depend on
_CONTEXT = ("content-language", "content-location")
_FEED_ROOTS = frozenset({"channel", "entry", "feed", "rdf", "rss"})
_PAGE_ROOTS = frozenset({"body", "head", "html", "meta", "title"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a fetch brings for parsing: the body, where it came from, its header fields."""

    body: bytes
    url: str
    headers: Mapping[str, str]


class FeedReader:
    """The source kind `feed`: Atom, RSS 0.9 to 2.0, RSS 1.0 (RDF) and JSON Feed over HTTP."""

    kind: SourceKind = "feed"

    async def fetch(self, source: Source, state: PollState, tools: FetchTools) -> Fetched:
        """Gets the feed unless it is the one we have: by its validators, else by its digest.

        Raises `FetchError`, or `SourceGone` when it was removed for good.
        """
        from ..httpclient import demands

        response = await tools.http.get(
            source.location,
            headers={"accept": ACCEPT, **{name.lower(): text for name, text in source.headers}},
            etag=state.etag,
            last_modified=state.last_modified,
            auth=source.auth,
        )
        headers = response.headers
        etag, modified = headers.get("etag"), headers.get("last-modified")
        digest, payload, memory = state.digest, None, None
        unchanged = response.status == 304
        if unchanged:
            # it may renew a validator (RFC 9110 §15.4.5); one it leaves out stays as it was
            etag, modified = etag or state.etag, modified or state.last_modified
        else:
            digest = hashlib.sha256(response.body).hexdigest()
            unchanged = digest == state.digest
        if not unchanged:
            payload = Body(body=response.body, url=response.url, headers=dict(headers))
            memory = Memory.read(state.cursor)
        return Fetched(
            status=response.status,
            unchanged=unchanged,
            payload=payload,
            etag=etag,
            last_modified=modified,
            digest=digest,
            cursor=state.cursor,
            memory=memory,
            demands=demands(headers, tools.now),
            bytes=len(response.body),
            moved_to=response.permanent_url,
        )

    def parse(self, source: Source, fetched: Fetched) -> Reading:
        """Reads what is new in the feed, the newest `max_entries` of it. Raises `ParseError`."""
        payload: Body = fetched.payload
        limit = source.max_entries
        # which entries are the newest cannot be told without those that would be cut
        memory = fetched.memory if limit is None else None
        reading = parse_feed(payload.body, url=payload.url, headers=payload.headers, memory=memory)
        count = len(reading.entries)
        most = _MOST_ENTRIES if limit is None else min(limit, _MOST_ENTRIES)
        kept = _newest(reading.entries, most)
        if len(kept) == count:
            return reading
        if limit is None:
            said = f"it has {count:,} entries; the newest {_MOST_ENTRIES:,} are taken"
            problem = Problem(name="feed", message=said)
            reading = replace(reading, problems=bounded([*reading.problems, problem]))
        return replace(reading, entries=kept, outline=None)


def parse_feed(
    body: bytes,
    *,
    url: str | None = None,
    headers: Mapping[str, str] | None = None,
    memory: Memory | None = None,
) -> Reading:
    """Reads a feed of any format from its bytes; never opens or fetches anything.

    `url` is where it finally came from, `headers` are its header fields with names in lower case:
    Content-Type, Content-Language, Content-Location and Link matter. Entries that `memory` knows
    may be left out: the reading's outline tells which. Ill-formed XML that entries could be read
    from gives a problem beside them. Raises `ParseError` naming what was found
    instead of a feed, with the line where that helps.
    """
    headers = headers or {}
    if not body.strip(b" \t\r\n\0"):
        raise ParseError("there is nothing in it: the document is empty")
    if _is_json(body, headers):
        reading = parse_jsonfeed(body, url=url)
    else:
        reading = _parse_xml(body, url, headers, memory)
    meta = reading.meta and _with_header(reading.meta, url, headers.get("link"))
    return replace(reading, meta=meta, hints=reading.hints or Hints())


def _with_header(meta: SourceMeta, url: str | None, value: str | None) -> SourceMeta:
    """What the `Link` header field says of hub and topic comes before the feed (WebSub §4)."""
    hubs: list[str | None] = []
    topics: list[str | None] = []
    for link in header_links(value):
        rels = link.get("rel", "").lower().split()
        hubs += [join(url, link["href"])] if "hub" in rels else []
        topics += [join(url, link["href"])] if "self" in rels else []
    return replace(
        meta,
        hub=hubs[0] if hubs else meta.hub,
        self_link=topics[0] if topics else meta.self_link,
    )


def _parse_xml(
    body: bytes, url: str | None, headers: Mapping[str, str], memory: Memory | None
) -> Reading:
    data = to_utf8(body, headers)
    root = _root(data)
    problems: list[Problem] = []
    if root not in _FEED_ROOTS:
        if root in _PAGE_ROOTS or (root is None and _HTML.search(data[:1000])):
            raise ParseError(_page(body, url, headers))
        start = _FEED.search(data)
        if start is not None:
            problems.append(
                Problem(name="feed", message="something stands before the feed; it was left out")
            )
            data = data[start.start() :]
            root = _root(data)
    if root is None:
        raise ParseError(_no_feed(root, body))
    # an RSS feed's relative URLs are relative to its site, not to where the feed lies
    document = url or headers.get("content-location")
    atom = root in ("entry", "feed")
    sliced = None if problems else slices(data, memory)
    outline = sliced.outline(memory, url, *map(headers.get, _CONTEXT)) if sliced else None
    cut = outline.cut if outline else {}
    if sliced and cut:
        data = sliced.without(cut)
    parsed = _drive(data, (document or "") if atom else "", headers, body)
    exact = outline is not None and len(parsed.entries) == len(outline.marks)
    if cut and (parsed.error is not None or not exact):
        return _parse_xml(body, url, headers, None)
    if parsed.error is not None:
        problems.append(_ill_formed(parsed, root))
    elif not cut and not parsed.entries and not parsed.version and root != "channel":
        raise ParseError(_no_feed(root, body))
    reading = _reading(parsed, document, problems, atom=atom)
    reading = replace(reading, outline=outline if exact and not reading.problems else None)
    gone = feedmap.deleted(parsed.feed)
    return _without(reading, gone) if gone else reading


def _without(reading: Reading, gone: Mapping[str, datetime | None]) -> Reading:
    """Holds entries against what says that they were deleted: the later of both counts.

    So RFC 6721 §3 has it; an entry that does not say when it was updated stays.
    """

    def stands(entry: ParsedEntry) -> bool:
        when = gone.get(entry.uid or "")
        said = entry.updated or entry.published
        return when is None or said is None or said > when

    standing = list(map(stands, reading.entries))
    entries = tuple(compress(reading.entries, standing))
    outline = reading.outline
    if outline is not None:
        # what is left out is read again, lest it is no longer said to be deleted
        outline = replace(outline, marks=tuple(compress(outline.marks, standing)))
    left = {entry.uid for entry in entries}
    removed = tuple(uid for uid in gone if uid not in left)
    return replace(reading, entries=entries, removed=removed, outline=outline)


def _drive(data: bytes, base: str, headers: Mapping[str, str], body: bytes) -> Parsed:
    try:
        return drive(data, base=base, lang=headers.get("content-language"), original=body)
    except (ParseError, MemoryError):
        raise
    except Exception as error:  # feedparser trips over odd elements in ways of its own
        raise ParseError(f"the parser stumbled over it: {type(error).__name__}: {error}") from error


def _reading(
    parsed: Parsed, document: str | None, problems: list[Problem], *, atom: bool
) -> Reading:
    meta = feedmap.meta(parsed.feed, document)
    base = document if atom else join(document, meta.link)
    feed = feedmap.Feed(atom=atom, base=base, lang=meta.lang)
    entries, unread = feedmap.entries(parsed.entries, feed)
    return Reading(
        entries=tuple(entries),
        problems=bounded(problems + unread),
        meta=meta,
        hints=feedmap.hints(parsed.feed),
    )


def _ill_formed(parsed: Parsed, root: str) -> Problem:
    where = f" in line {parsed.line}" if parsed.line else ""
    message = f"the XML is ill-formed{where} ({parsed.error})"
    if not parsed.entries:
        if root not in _FEED_ROOTS:
            message = f"this is not a feed, and {message}"
        raise ParseError(f"{message}; no entry could be read", line=parsed.line)
    count = "1 entry" if len(parsed.entries) == 1 else f"{len(parsed.entries)} entries"
    return Problem(name="feed", message=f"{message}; {count} could be read all the same")


# -- what it is instead ------------------------------------------------------------------


def _is_json(body: bytes, headers: Mapping[str, str]) -> bool:
    start = body[:64].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")[:1]
    declared = "json" in (headers.get("content-type") or "").lower()
    return start in (b"{", b"[") or (declared and start != b"<")


def _root(data: bytes) -> str | None:
    """The local name of the root element in lower case; None when there is no element to see."""
    position = 0
    while match := _MISC.match(data, position):
        position = match.end()
    found = _ROOT.match(data, position)
    return found[1].decode("ascii", "replace").rpartition(":")[2].lower() if found else None


def _page(body: bytes, url: str | None, headers: Mapping[str, str]) -> str:
    feeds = discover(body, url, headers)
    if not feeds:
        return "this is an HTML page, not a feed, and it names none"
    verb = "feed is" if len(feeds) == 1 else "feeds are"
    return f"this is an HTML page, not a feed; its {verb} {', '.join(feed.url for feed in feeds)}"


def _no_feed(root: str | None, body: bytes) -> str:
    if root == "opml":
        return "this is an OPML subscription list; bring it in with `feedsvc opml import`"
    if root in ("urlset", "sitemapindex"):
        return "this is a sitemap, not a feed"
    if root is not None:
        return f"this is an XML document, not a feed: its root element is <{root}>"
    if body.startswith(b"\x1f\x8b"):
        return "this is not a feed but gzip data, which its server should have said"
    start = body[:40].decode("utf-8", "replace").strip()
    shown = repr(start) if start.isprintable() and "\ufffd" not in start else "binary data"
    return f"this is not a feed: it begins with {shown}"


def _newest(entries: Sequence[ParsedEntry], limit: int) -> tuple[ParsedEntry, ...]:
    if len(entries) <= limit:
        return tuple(entries)
    newest = list(range(len(entries)))
    dates = [entry.published or entry.updated for entry in entries]
    known = [date for date in dates if date is not None]
    if len(known) == len(entries):
        newest.sort(key=known.__getitem__, reverse=True)
    return tuple(entries[index] for index in sorted(newest[:limit]))
