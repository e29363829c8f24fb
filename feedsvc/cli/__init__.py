"""The command line: click verbs that read arguments, call one verb of the house, print its answer.

No logic lives here. Exit codes: 0 done, 1 failed, 2 wrong usage, configuration or query.
"""

from . import entries, service, setup, sources, upkeep
from .base import cli

for module in (service, entries, sources, upkeep, setup):
    for command in module.COMMANDS:
        cli.add_command(command)


def main() -> None:
    """The entry point of the `feedsvc` program."""
    cli(prog_name="feedsvc", auto_envvar_prefix=None)


__all__ = ["cli", "main"]
