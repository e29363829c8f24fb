"""The verbs that look at the configuration: `config …`."""

import click

from ..config import show as rows
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
    lists = ""
    if found.opml:
        from ..config.lists import check_lists

        lists = f" and {check_lists(found)} in subscription lists"
    click.echo(
        f"the configuration is right: {len(found.sources)} sources{lists}, {len(found.feeds)} feeds"
    )


@config.command()
@pass_context
def show(context: Context) -> None:
    """Print every key with its value and where it came from; secrets are masked."""
    for row in rows(context.config):
        click.echo(f"{row.key:28} {row.value:44} {row.origin}")


COMMANDS = (config,)
