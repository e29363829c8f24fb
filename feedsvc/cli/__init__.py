"""The command line: click verbs that read arguments, call one verb of the house, print its answer.

No logic lives here. Exit codes: 0 done, 1 failed, 2 wrong usage, configuration or query. A verb is
imported when it is called: most of a short verb's time would else go into what it does not need.
"""

from .base import Verbs, cli

cli.commands = Verbs(
    {
        "run": "service",
        "poll": "service",
        "serve": "service",
        "render": "entries",
        "query": "entries",
        "related": "entries",
        "source": "sources",
        "opml": "sources",
        "tags": "tags",
        "token": "tokens",
        "store": "upkeep",
        "relate": "upkeep",
        "retag": "upkeep",
        "config": "configuration",
        "doctor": "setup",
    }
)


def main() -> None:
    """The entry point of the `feedsvc` program."""
    cli(prog_name="feedsvc", auto_envvar_prefix=None)


__all__ = ["cli", "main"]
