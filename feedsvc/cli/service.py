"""The verbs that work until stopped: `run`, `poll`, `serve`; and `poll --once`."""

import asyncio
import json
import os
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..log import setup
from ..reports import PollReport, Summary
from ..round import poll_once
from ..runtime import Runtime
from ..supervisor import follow_parent, supervise
from .base import FOR_PEOPLE, Context, pass_context

_NAMED = 5
_NICENESS = 5


@click.command()
@pass_context
def run(context: Context) -> None:
    """Run poller and web server together until SIGTERM or Ctrl-C."""
    from ..web.server import check_address

    config = check_address(context.config)
    context.runtime(declare=True).close()
    bound = f"{config.web.host}:{config.web.port}"
    told = "" if urlsplit(config.site.base_url).netloc == bound else f" (listening on {bound})"
    click.echo(f"feedsvc: serving {config.site.base_url}{told}", err=True)
    supervise(context.arguments(), port=config.web.port)


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--once", is_flag=True, help="Poll what is due now, then exit with a summary.")
@click.option("--all", "everything", is_flag=True, help="With --once: whether due or not.")
@click.option("--json", "as_json", is_flag=True, help="With --once: the summary as JSON.")
@pass_context
def poll(
    context: Context, sources: tuple[str, ...], once: bool, everything: bool, as_json: bool
) -> None:
    """Run the poller alone, or poll once."""
    if not once and (sources or everything or as_json):
        raise click.UsageError("naming sources, --all and --json go with --once.")
    if once:
        setup(verbose=context.verbose, **FOR_PEOPLE)
    follow_parent()
    with context.runtime(declare=True) as runtime:
        if not once:
            from ..scheduler import run_poller

            # nobody waits for a poll, somebody for every answer
            os.nice(_NICENESS)
            run_poller(runtime)
            return
        summary = run_once(runtime, list(sources) or None, everything=everything)
    show_summary(summary, as_json=as_json)
    if summary.failed:
        raise SystemExit(1)


def run_once(runtime: Runtime, only: list[str] | None, *, everything: bool) -> Summary:
    """Polls once, with a progress bar on a terminal. Raises `NotFound` for an unknown source."""
    for id in only or ():
        runtime.store.source(id)
    console = Console(stderr=True)
    columns = (
        TextColumn("polling"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def progress(report: PollReport, claimed: int) -> None:
            bar.update(task, advance=1, total=claimed, description=report.source)

        return asyncio.run(
            poll_once(runtime, only=only, ignore_schedule=everything, progress=progress)
        )


def show_summary(summary: Summary, *, as_json: bool) -> None:
    """Prints what a run of polls came to."""
    new, updated, withdrawn = (summary.total(what) for what in ("new", "updated", "withdrawn"))
    if as_json:
        failures = [{"source": r.source, "error": r.error} for r in summary.failed]
        problems = [
            {"source": r.source, "document": p.name, "error": p.message}
            for r in summary.reports
            for p in r.problems
        ]
        click.echo(
            json.dumps(
                {
                    "polled": len(summary.reports),
                    "new": new,
                    "updated": updated,
                    "withdrawn": withdrawn,
                    "unchanged": summary.unchanged,
                    "failed": failures,
                    "problems": problems,
                    "left_alone": dict(summary.left_alone),
                    "seconds": round(summary.seconds, 3),
                }
            )
        )
        return
    click.echo(
        f"polled {len(summary.reports)} sources in {summary.seconds:.1f} s: {new} new, "
        f"{updated} updated, {withdrawn} withdrawn, {summary.unchanged} unchanged, "
        f"{len(summary.failed)} failed"
    )
    for report in summary.reports:
        for problem in report.problems:
            click.echo(f"  problem {report.source}: {problem.name}: {problem.message}", err=True)
    for report in summary.failed:
        click.echo(f"  failed {report.source}: {report.error}", err=True)
    for report in summary.reports:
        if report.result == "lost":
            click.echo(f"  lost {report.source}: another poller took it over", err=True)
    for reason in dict.fromkeys(summary.left_alone.values()):
        ids = [id for id, why in summary.left_alone.items() if why == reason]
        more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        click.echo(f"  left alone {', '.join(ids[:_NAMED])}{more}: {reason}", err=True)


@click.command()
@pass_context
def serve(context: Context) -> None:
    """Run the web server alone."""
    from ..web.server import check_address, serve_web

    config = check_address(context.config)
    follow_parent()
    context.runtime().close()
    serve_web(config)


COMMANDS = (run, poll, serve)
