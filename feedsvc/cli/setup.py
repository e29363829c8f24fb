"""The verbs that look at the set-up: `config …`, `doctor`."""

import asyncio
from collections.abc import Iterator

import click

from .. import doctor as examination
from ..config import DEFAULT_PATH
from ..config import show as rows
from ..config.lists import check_lists
from ..errors import ConfigError, FeedsvcError
from ..runtime import tagger
from .base import Context, pass_context


@click.group()
def config() -> None:
    """Check and show the configuration."""


@config.command()
@pass_context
def check(context: Context) -> None:
    """Read the configuration and say whether it is right."""
    found = context.config
    tagger(found)
    listed = check_lists(found)
    lists = f" and {listed} in subscription lists" if found.opml else ""
    click.echo(
        f"the configuration is right: {len(found.sources)} sources{lists}, {len(found.feeds)} feeds"
    )


@config.command()
@pass_context
def show(context: Context) -> None:
    """Print every key with its value and where it came from; secrets are masked."""
    for row in rows(context.config):
        click.echo(f"{row.key:28} {row.value:44} {row.origin}")


@click.command()
@pass_context
def doctor(context: Context) -> None:
    """Examine the set-up and say what to do."""
    failed = False
    for finding in _findings(context):
        click.echo(f"{finding.state:8} {finding.subject}: {finding.message}")
        if finding.state != "ok" and finding.remedy:
            click.echo(f"         -> {finding.remedy}")
        failed = failed or finding.state == "failed"
    if failed:
        raise SystemExit(1)


def _findings(context: Context) -> Iterator[examination.Finding]:
    try:
        found = context.config
        yield from examination.examine_configuration(found, context.path or DEFAULT_PATH)
        runtime = context.runtime(declare=True)
    except FeedsvcError as error:
        if isinstance(error, ConfigError):
            subject, remedy = "configuration", "correct that; feedsvc config check looks again"
        else:
            subject, remedy = "store", "see docs/operations.md"
        yield examination.Finding(
            state="failed", subject=subject, message=str(error), remedy=remedy
        )
        return
    with runtime:
        yield from examination.examine_store(runtime)
        yield from examination.examine_sources(runtime)
        yield from examination.examine_pollers(runtime)
        yield asyncio.run(examination.examine_address(runtime))


COMMANDS = (config, doctor)
