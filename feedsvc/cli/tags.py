"""The verbs that tell of tags and help to make rules for them: `tags …`."""

import json
from collections.abc import Iterator
from dataclasses import asdict

import click

from ..advice import proposals
from ..months import month_text
from ..query import parse
from ..tagging.proposals import AliasProposal, RuleProposal
from .base import Context, pass_context


@click.group()
def tags() -> None:
    """Tell of tags, and suggest rules for them."""


@tags.command()
@click.argument("tag")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@pass_context
def show(context: Context, tag: str, as_json: bool) -> None:
    """Show how many entries carry TAG, in which months, and which tags stand beside it."""
    with context.runtime() as runtime:
        found = runtime.store.tag(tag, runtime.clock())
    if as_json:
        told = {
            "tag": found.tag.slug,
            "label": found.tag.label,
            "entries": found.tag.count,
            "months": {month_text(month): count for month, count in found.months},
            "beside": {one.slug: together for one, together in found.beside},
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"{found.tag.label} ({found.tag.slug}): {found.tag.count:,} entries")
    for month, count in found.months:
        click.echo(f"  {month_text(month)}  {count:>8,}")
    for one, together in found.beside:
        click.echo(f"  with {one.slug}: {together:,}")


@tags.command()
@click.argument("query", default="")
@click.option(
    "--newest",
    type=click.IntRange(1, 20_000),
    default=2_000,
    show_default=True,
    help="How many entries to look at.",
)
@click.option(
    "--fewest",
    type=click.IntRange(2),
    default=5,
    show_default=True,
    help="In how many of them a phrase must stand.",
)
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_context
def suggest(
    context: Context, query: str, newest: int, fewest: int, limit: int, as_json: bool
) -> None:
    """Suggest tag rules for phrases that recur in the newest entries (of QUERY) without a tag.

    And aliases for tags that are spelt in two ways. What is written can be pasted into the
    configuration; `feedsvc retag` then applies it to what is there already.
    """
    with context.runtime() as runtime:
        rules, aliases = proposals(runtime, parse(query), newest=newest, most=limit, fewest=fewest)
    if as_json:
        for kind, found in (("rule", rules), ("alias", aliases)):
            for one in found:
                click.echo(json.dumps({"kind": kind, **asdict(one)}, ensure_ascii=False))
        return
    if not rules and not aliases:
        click.echo("nothing recurs that has no tag yet", err=True)
        return
    for line in (*_rules(rules), *_aliases(aliases)):
        click.echo(line)


def _rules(found: tuple[RuleProposal, ...]) -> Iterator[str]:
    for one in found:
        days = "1 day" if one.days == 1 else f"{one.days} days"
        yield f"# {one.entries} entries on {days}: {'; '.join(one.examples)}"
        yield "[[tags.rules]]"
        yield f"tag = {_toml(one.tag)}"
        yield f"any = [{_toml(one.phrase)}]"
        yield ""


def _aliases(found: tuple[AliasProposal, ...]) -> Iterator[str]:
    if found:
        yield "[tags.aliases]"
    for one in found:
        yield f"{_toml(one.slug)} = {_toml(one.tag)}  # {one.entries} and {one.of_tag} entries"


def _toml(text: str) -> str:
    # a JSON string without halves of characters is a basic string of TOML
    return json.dumps(text, ensure_ascii=False)


COMMANDS = (tags,)
