"""All tags of an entry, merged: where each came from is kept, and the first origin wins.

The order is that of precedence: the source's configured tags, labels its reader found (folder,
front matter, feed), the publisher's categories, rules, automatic tags. Every slug then passes the
aliases and the stop list.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote, urlsplit

from ..errors import ConfigError
from ..memo import Memo
from ..model import Category, Entry, Source, Tag, TagOrigin, slugify
from .auto import auto_tags
from .gazetteer import gazetteer
from .rule import Condition, TagRule, View
from .rules import RULES
from .text import word_set

MOST_TAGS = 30
_LONGEST_LABEL = 80
_EVIDENCE = 160
# what publishing programs write when nobody chose a category
_NO_CATEGORY = word_set("uncategorized uncategorised non-classe sin-categoria")
_KIND_SCHEME = re.compile(r"schemas\.google\.com/\w+/\d{4}#kind$")
_SLUGS = Memo(slugify)


class Tagger:
    """Gives entries their tags; pure, and built from plain values so that it travels to processes.

    `aliases` map a tag to the one it is written as (chains are followed), `stop` are tags nobody
    gets, `auto` switches automatic tags. Raises `ConfigError` for aliases that lead in a circle or
    to nothing, and for rules that cannot hold or do not compile.
    """

    def __init__(
        self,
        rules: Sequence[TagRule] = (),
        aliases: Mapping[str, str] | None = None,
        stop: Collection[str] = (),
        auto: bool = True,
    ) -> None:
        self._plain = (tuple(rules), dict(aliases or {}), tuple(stop), auto)
        self._auto = auto
        self._aliases = _resolve(aliases or {})
        self._stop = frozenset(slugify(tag) for tag in stop)
        self._rules = tuple(_compile(rule, number) for number, rule in enumerate(rules, 1))

    def __reduce__(self) -> tuple[type["Tagger"], tuple[object, ...]]:
        return (Tagger, self._plain)

    def tag(
        self, entry: Entry, labels: Sequence[tuple[str, TagOrigin]], source: Source
    ) -> tuple[Tag, ...]:
        """The tags of an entry, at most 30; `labels` are what its reader found, with origins."""
        merged: dict[str, Tag] = {}
        for tag in self._candidates(entry, labels, source):
            alias = self._aliases.get(tag.slug)
            if alias is not None:
                slug, label = alias
                evidence = tag.label if tag.evidence is None else tag.evidence
                tag = Tag(slug=slug, label=label, origin=tag.origin, evidence=evidence)
            if tag.slug and tag.slug not in self._stop:
                merged.setdefault(tag.slug, tag)
        return tuple(merged.values())[:MOST_TAGS]

    def _candidates(
        self, entry: Entry, labels: Sequence[tuple[str, TagOrigin]], source: Source
    ) -> Iterator[Tag]:
        for label in source.tags:
            yield _tag(label, "source")
        for label, origin in labels:
            yield _tag(label, origin)
        for label in _category_labels(entry.categories):
            yield _tag(label, "feed")
        if not self._rules and not self._auto:
            return
        view = View(entry, source)
        for rule, conditions in self._rules:
            evidence = [condition.evidence(view) for condition in conditions]
            if None not in evidence:
                said = "; ".join(part for part in evidence if part)
                yield _tag(rule.tag, "rule", said)
        if self._auto:
            for found in auto_tags(view.tokens, entry.lang):
                yield Tag(
                    slug=found.slug,
                    label=found.label,
                    origin="auto",
                    evidence=found.evidence[:_EVIDENCE],
                )


def reader_labels(tags: Iterable[Tag]) -> tuple[tuple[str, TagOrigin], ...]:
    """The labels among stored tags that only reading the document again could tell.

    They are what `Tagger.tag` wants to tag an entry anew: source tags, rules and automatic tags
    follow from elsewhere. A label that an alias changed is given as it was written; one that a
    stop tag removed is lost until its document is read again.
    """
    kept = ("folder", "front-matter", "feed")
    return tuple((tag.evidence or tag.label, tag.origin) for tag in tags if tag.origin in kept)


def _tag(label: str, origin: TagOrigin, evidence: str | None = None) -> Tag:
    shown = " ".join(label.split())[:_LONGEST_LABEL].strip()
    return Tag(
        slug=_SLUGS[shown],
        label=shown,
        origin=origin,
        evidence=evidence[:_EVIDENCE] if evidence is not None else None,
    )


def _category_labels(categories: Iterable[Category]) -> Iterator[str]:
    """What a publisher calls its categories; program-made ones are left out."""
    for category in categories:
        if category.scheme and _KIND_SCHEME.search(category.scheme):
            continue
        label = category.label or category.term
        if label.startswith(("http://", "https://")):
            try:
                parts = urlsplit(label)
            except ValueError:
                continue
            label = unquote(parts.fragment or parts.path.rstrip("/").rpartition("/")[2])
        if _SLUGS[label] not in _NO_CATEGORY:
            yield label


def _resolve(aliases: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Follows chains of aliases to their ends: slug → (slug, label)."""
    steps: dict[str, tuple[str, str]] = {}
    for name, target in aliases.items():
        key = f"tags.aliases.{name}"
        slug, goal = slugify(name), slugify(target)
        if not slug or not goal:
            raise ConfigError(f"{key}: {name!r} = {target!r} has no letter or digit", key=key)
        if slug in steps and steps[slug][0] != goal:
            raise ConfigError(
                f"{key}: the tag {slug} is already an alias of {steps[slug][0]}; keep one", key=key
            )
        if slug == goal:
            continue  # "USA" = "usa" says nothing wrong
        steps[slug] = (goal, target)
    resolved: dict[str, tuple[str, str]] = {}
    for slug in steps:
        path = [slug]
        end = steps[slug]
        while end[0] in steps:
            if end[0] in path:
                circle = " → ".join([*path, end[0]])
                raise ConfigError(
                    f"tags.aliases: {circle} leads in a circle; remove one of them",
                    key="tags.aliases",
                )
            path.append(end[0])
            end = steps[end[0]]
        resolved[slug] = (end[0], _label(*end))
    return resolved


def _label(slug: str, written: str) -> str:
    """How an alias shows: as it was written, or by the known name where that is a bare slug."""
    known = gazetteer().tags.get(slug)
    return known.label if known is not None and written == slug else " ".join(written.split())


def _compile(rule: TagRule, number: int) -> tuple[TagRule, tuple[Condition, ...]]:
    place = f"tags.rules, rule {number} ({rule.tag!r})"
    if not slugify(rule.tag):
        raise ConfigError(f"{place}: the tag has no letter or digit", key="tags.rules")
    conditions: list[Condition] = []
    for name, kind in RULES.items():
        values: tuple[str, ...] = getattr(rule, name)
        if values:
            try:
                conditions.append(kind.compile(values, rule.title_only))
            except ValueError as error:
                raise ConfigError(f"{place}: {name}: {error}", key="tags.rules") from error
    if not conditions:
        raise ConfigError(
            f"{place}: it has no condition; give it one of {', '.join(RULES)}", key="tags.rules"
        )
    return rule, tuple(conditions)
