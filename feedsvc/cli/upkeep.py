"""The verbs that keep a store: `store …`, `relate`, `retag`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from .. import upkeep
from ..config import duration
from ..store import open_store
from .base import Context, pass_context


@contextmanager
def _counting(what: str) -> Iterator[Callable[[int], None]]:
    """A counter on a terminal, silence elsewhere."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}: {task.completed}"))
    with Progress(
        *columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done: bar.update(task, advance=done)


@click.group()
def store() -> None:
    """Look after the database."""


@store.command()
@pass_context
def migrate(context: Context) -> None:
    """Bring the schema up to this program's version."""
    opened = open_store(context.config.store.url)
    try:
        click.echo(f"schema {opened.migrate()}")
    finally:
        opened.close()


@store.command()
@pass_context
def check(context: Context) -> None:
    """Look for damage."""
    with context.runtime() as runtime:
        findings = runtime.store.check()
    for finding in findings:
        click.echo(finding)
    if findings:
        raise SystemExit(1)
    click.echo("the store is sound")


@store.command()
@pass_context
def stats(context: Context) -> None:
    """Count what is stored."""
    with context.runtime() as runtime:
        counts = runtime.store.stats()
    rows: list[tuple[str, object]] = [
        ("backend", counts.backend),
        ("schema", counts.schema),
        ("entries", counts.entries),
        ("withdrawn", counts.withdrawn),
        ("pruned", counts.pruned),
        ("sources", counts.sources),
        ("tags", counts.tags),
        ("related links", counts.related),
        ("unresolved headlines", counts.unresolved),
        ("waiting to be linked", counts.waiting),
        ("  by content", counts.unlinked),
        ("  into a story", counts.apart),
        ("to be indexed anew", counts.unindexed),
        ("earlier versions", counts.revisions),
        ("bytes", counts.bytes),
        ("oldest", counts.oldest or "-"),
        ("newest", counts.newest or "-"),
        *counts.details,
    ]
    for name, value in rows:
        click.echo(f"{name:21} {value}")


@store.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_context
def backup(context: Context, file: Path) -> None:
    """Write a consistent copy to FILE while the service runs."""
    with context.runtime() as runtime:
        runtime.store.backup(file)
    click.echo(f"backed up to {file}")


@store.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.confirmation_option(prompt="This replaces everything in the store. Go on?")
@pass_context
def restore(context: Context, file: Path) -> None:
    """Replace everything in the store by the backup FILE."""
    with context.runtime() as runtime:
        runtime.store.restore(file)
    click.echo(f"restored from {file}")


@store.command()
@click.option("--older-than", metavar="DURATION", help="Instead of store.retention.")
@pass_context
def prune(context: Context, older_than: str | None) -> None:
    """Forget entries older than the retention; they never come back as new."""
    with context.runtime() as runtime:
        keep = duration(older_than) if older_than else None
        count = upkeep.prune(runtime, retention=keep)
    click.echo(f"pruned {count} entries")


@click.command()
@click.option("--rebuild", is_flag=True, help="Link every entry afresh.")
@pass_context
def relate(context: Context, rebuild: bool) -> None:
    """Link the entries that wait for it; resumes where an earlier run stopped."""
    with context.runtime() as runtime, _counting("linking") as progress:
        work = upkeep.relate_rebuild if rebuild else upkeep.relate
        done = work(runtime, progress)
    click.echo(f"linked {done} entries")


@click.command()
@pass_context
def retag(context: Context) -> None:
    """Apply the tag rules of the configuration to every stored entry."""
    with context.runtime() as runtime, _counting("tagging") as progress:
        seen, changed = upkeep.retag(runtime, progress)
    click.echo(f"looked at {seen} entries, changed the tags of {changed}")


COMMANDS = (store, relate, retag)
