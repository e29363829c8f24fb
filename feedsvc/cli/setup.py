"""The verb that looks at the whole set-up: `doctor`."""

import asyncio
from collections.abc import Iterator

import click

from .. import doctor as examination
from ..config import DEFAULT_PATH
from ..errors import ConfigError, FeedsvcError
from .base import Context, pass_context


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


COMMANDS = (doctor,)
