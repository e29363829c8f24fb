"""The verbs that manage what is polled: `source …`, `opml …`."""

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..config import duration
from ..notes import notes
from ..pacing import account, upcoming
from ..polls import PageTroubles
from ..process import spoken
from ..remedies import remedy
from ..store.base import SourceStatus
from .base import Context, pass_context

_PAGE = 500


@click.group()
def source() -> None:
    """Add, list, show, poll and remove sources."""


@source.command()
@click.argument("location", metavar="URL_OR_PATH")
@click.option("--title", help="Instead of the title it gives itself.")
@click.option("--tag", "tags", multiple=True, help="A tag for all its entries; repeatable.")
@click.option("--interval", metavar="DURATION", help='How often to poll it, such as "1h".')
@click.option("--fulltext", is_flag=True, help="Read the page of each entry for its full text.")
@click.option("--force", is_flag=True, help="Even if it is no feed now, or cannot be had.")
@pass_context
def add(
    context: Context,
    location: str,
    title: str | None,
    tags: tuple[str, ...],
    interval: str | None,
    fulltext: bool,
    force: bool,
) -> None:
    """Add a feed or a directory; a web page leads to its feed."""
    from .. import subscribe

    every = duration(interval) if interval else None
    with context.runtime(declare=True) as runtime:
        added = subscribe.add(
            runtime,
            location,
            title=title,
            tags=tags,
            interval=every,
            fulltext=fulltext,
            force=force,
        )
    count = f" ({added.entries} entries)" if added.entries is not None else ""
    click.echo(f"added {added.source.id}: {added.source.location}{count}")
    for problem in added.problems:
        click.echo(f"  skipped {problem.name}: {problem.message}", err=True)
    if added.error:
        click.echo(
            f"  not read yet: {added.error}; the next poll is due at {_time(added.next_at)} UTC",
            err=True,
        )


@source.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_context
def list_(context: Context, as_json: bool) -> None:
    """List the sources with their last result and next poll."""
    with context.runtime(declare=True) as runtime:
        store, after = runtime.store, None
        # page by page: a long list is on its way at once, and stands in no memory
        while page := store.source_page(limit=_PAGE, after=after):
            unread = store.page_troubles([one.source.id for one in page]) if as_json else {}
            for status in page:
                facts = _as_json(status, unread.get(status.source.id)) if as_json else {}
                click.echo(json.dumps(facts, ensure_ascii=False) if as_json else _line(status))
            after = page[-1].source.id


@source.command()
@click.argument("id")
@click.option("--json", "as_json", is_flag=True)
@pass_context
def show(context: Context, id: str, as_json: bool) -> None:
    """Show everything known of one source."""
    with context.runtime(declare=True) as runtime:
        status = runtime.store.source(id)
        unread = runtime.store.page_troubles([id]).get(id)
    facts = _as_json(status, unread)
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    for name, value in facts.items():
        if name not in ("notes", "problems", "history") and value not in (None, [], ""):
            shown = ", ".join(value) if isinstance(value, list) else value
            click.echo(f"{name:10} {shown}")
    for note in notes(status.state, unread):
        click.echo(f"note       {note}")
    for problem in status.state.problems:
        click.echo(f"problem    {problem.name}: {problem.message}")
    if status.state.history:
        click.echo("history    newest first")
    for record in reversed(status.state.history):
        code = record.status or "-"
        result = f"{record.new} new" if record.new else record.outcome
        cost = f"{record.milliseconds / 1000:.3f} s, {record.bytes:,} bytes"
        click.echo(f"  {_time(record.at)}  {code!s:>3}  {result:9}  {cost}")


@source.command()
@click.argument("id")
@click.option("--purge", is_flag=True, help="Withdraw its entries too.")
@pass_context
def remove(context: Context, id: str, purge: bool) -> None:
    """Stop polling a source; its entries stay unless --purge."""
    with context.runtime(declare=True) as runtime:
        status = runtime.store.source(id)
        runtime.store.remove_source(id, purge=purge, now=runtime.clock())
    click.echo(f"removed {id}{' and its entries' if purge else '; its entries stay'}")
    if status.source.origin == "config":
        click.echo(
            f"{id} stands in the configuration: take it out there, or it comes back.", err=True
        )


@source.command()
@click.argument("id")
@pass_context
def poll(context: Context, id: str) -> None:
    """Poll one source now, whether due or not; one that was gone for good (410) once more."""
    from .service import run_once, show_summary

    with context.runtime(declare=True) as runtime:
        runtime.store.reenable(id)
        summary = run_once(runtime, [id], everything=True)
    show_summary(summary, as_json=False)
    if summary.failed or not summary.reports:
        raise SystemExit(1)


@click.group()
def opml() -> None:
    """Exchange subscription lists."""


@opml.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@pass_context
def import_(context: Context, file: Path) -> None:
    """Add every subscription in FILE; folders become tags. Exit code 1 if any is left out."""
    from .. import subscribe

    console = Console(stderr=True)
    columns = (TextColumn("importing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        context.runtime(declare=True) as runtime,
        Progress(*columns, console=console, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("", total=None)
        result = subscribe.import_opml(
            runtime,
            file.read_bytes(),
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
    for bad in result.bad:
        click.echo(f"  skipped {bad}", err=True)
    again = f", {result.repeated} repeated" if result.repeated else ""
    told = f"added {result.added} sources, {result.known} known, {len(result.bad)} skipped"
    click.echo(told + again)
    if result.bad:
        raise SystemExit(1)


@opml.command()
@pass_context
def export(context: Context) -> None:
    """Write the sources as OPML to standard output."""
    from .. import opml as outlines

    with context.runtime(declare=True) as runtime:
        statuses = runtime.store.sources()
        title = runtime.config.site.title
    listed = [replace(status.source, title=_title(status)) for status in statuses]
    sys.stdout.buffer.write(outlines.subscriptions(title, listed))


def polled_by(status: SourceStatus, now: datetime) -> str | None:
    """Which process polls a source at this moment, if one does."""
    running = status.owner is not None and status.until is not None and status.until > now
    return spoken(status.owner) if running and status.owner else None


def _title(status: SourceStatus) -> str | None:
    return status.source.title or (status.meta.title if status.meta else None)


def _line(status: SourceStatus) -> str:
    state = status.state
    if not status.source.enabled:
        result = "disabled"
    elif state.error:
        result = f"failed ({state.failures}): {state.error}"
    elif state.problems:
        result = f"ok, problems: {len(state.problems)}"
    else:
        result = "ok" if state.last_at else "not polled yet"
    return (
        f"{status.source.id:24} {status.source.kind:9} {status.source.origin:6} "
        f"{status.entries:7} entries  next {_time(state.next_at)}  {status.source.location}  "
        f"{result}"
    )


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "-"


def _as_json(status: SourceStatus, unread: PageTroubles | None) -> dict[str, object]:
    source, state = status.source, status.state
    next_at, why = upcoming(state, status.resting)
    return {
        "id": source.id,
        "kind": source.kind,
        "location": source.location,
        "origin": source.origin,
        "title": _title(status),
        "tags": list(source.tags),
        "enabled": source.enabled,
        "interval": source.interval.total_seconds() if source.interval else None,
        "fulltext": source.fulltext or None,
        "entries": status.entries,
        "added": status.added.isoformat(),
        "last": state.last_at.isoformat() if state.last_at else None,
        "last_ok": state.last_ok_at.isoformat() if state.last_ok_at else None,
        "next": next_at.isoformat() if next_at and source.enabled else None,
        "why": why,
        "polled_by": polled_by(status, datetime.now(UTC)),
        "status": state.status,
        "failures": state.failures,
        "error": state.error,
        "remedy": remedy(source, state),
        "moved": account(state.move) if state.move else None,
        "notes": list(notes(state, unread)),
        "problems": [{"document": p.name, "error": p.message} for p in state.problems],
        "history": [
            {
                "at": record.at.isoformat(),
                "outcome": record.outcome,
                "status": record.status,
                "new": record.new,
                "seconds": record.milliseconds / 1000,
                "bytes": record.bytes,
            }
            for record in state.history
        ],
    }


COMMANDS = (source, opml)
