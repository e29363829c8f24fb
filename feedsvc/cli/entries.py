"""The verbs that read entries: `render`, `query`, `related`."""

import json
import sys

import click

from ..compose import Options
from ..formats import FORMATS
from ..model import StoredEntry
from ..suggest import suggestions
from .base import Context, pass_context

_LIMIT = click.IntRange(1, 500)


class _Asking(click.Command):
    """A verb whose argument may begin with a "-", as queries do; it has no options of one dash."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts what would pass for options of one dash behind the others."""
        end = args.index("--") if "--" in args else len(args)
        given = [arg for arg in args[:end] if arg[:1] == "-" and arg[1:2] != "-"]
        asked = [arg for arg in given if arg not in ("-", *ctx.help_option_names)]
        rest = [arg for arg in args[:end] if arg not in asked]
        return super().parse_args(ctx, [*rest, "--", *asked, *args[end + 1 :]])


@click.command(cls=_Asking)
@click.argument("query")
@click.option(
    "--format", "suffix", type=click.Choice(list(FORMATS)), default="atom", show_default=True
)
@click.option("--limit", type=_LIMIT, help="How many entries.  [default: site.page_size]")
@pass_context
def render(context: Context, query: str, suffix: str, limit: int | None) -> None:
    """Write the feed of QUERY to standard output; an empty QUERY is everything."""
    with context.runtime() as runtime:
        options = Options(limit=limit or runtime.config.site.page_size)
        request = runtime.composer.query(query, options)
        sys.stdout.buffer.write(runtime.composer.render(request, suffix))
        sys.stdout.buffer.flush()


@click.command(cls=_Asking)
@click.argument("query")
@click.option("--limit", type=_LIMIT, default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_context
def query(context: Context, query: str, limit: int, as_json: bool) -> None:
    """List the entries that match QUERY, newest first: those that its feed has."""
    with context.runtime() as runtime:
        request = runtime.composer.query(query, Options(limit=limit))
        page = runtime.composer.page(request)
        meant = () if page.entries else suggestions(runtime.store, request.query)
    for one in meant:
        click.echo(f"no entry has the tag {one.slug}: did you mean tag:{one.near}?", err=True)
    for stored in page.entries:
        click.echo(json.dumps(_as_json(stored), ensure_ascii=False) if as_json else _line(stored))


def _line(stored: StoredEntry) -> str:
    entry = stored.entry
    tags = " ".join(tag.slug for tag in entry.tags)
    return f"{entry.key}  {entry.published:%Y-%m-%d %H:%M}  {entry.title}  [{tags}]"


def _as_json(stored: StoredEntry) -> dict[str, object]:
    entry = stored.entry
    return {
        "key": entry.key,
        "id": entry.id,
        "title": entry.title,
        "link": entry.link,
        "published": entry.published.isoformat(),
        "updated": entry.updated.isoformat(),
        "source": entry.source_id,
        "tags": [tag.slug for tag in entry.tags],
    }


@click.command()
@click.argument("entry")
@pass_context
def related(context: Context, entry: str) -> None:
    """Show what ENTRY (its key, id or link) is linked to, and why."""
    with context.runtime() as runtime:
        stored = runtime.store.entry(runtime.store.lookup(entry) or entry)
        gathers = runtime.config.related.gathers
        story = runtime.store.story_of(stored.entry.key) if gathers else None
    click.echo(f"{stored.entry.title}")
    for link in stored.related:
        click.echo(f"  {link.kind:8}  {link.score:.2f}  {link.title}\n            {link.reason}")
    for reference in stored.unresolved:
        click.echo(f"  waiting         {reference}")
    if not stored.related and not stored.unresolved:
        click.echo("  nothing")
    if story is not None:
        click.echo(f"  story {story.key}, {len(story.members)} entries")
        for one in story.members:
            if one.key != stored.entry.key:
                click.echo(f"            {one.title} ({one.source_title})")


COMMANDS = (render, query, related)
