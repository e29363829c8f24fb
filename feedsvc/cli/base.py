"""The group all verbs hang on: global options, how errors become messages and exit codes."""

import errno
import sys
from collections import UserDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import __version__
from ..errors import ConfigError, FeedsvcError, OptionError, QueryError

if TYPE_CHECKING:
    from ..config import Config
    from ..runtime import Runtime

# verbs whose logs programs may read; the others are for people, and say themselves how polls went
SERVICES = ("run", "poll", "serve")
FOR_PEOPLE = {"json": False, "summary": True}


@dataclass
class Context:
    """What the global options said; the configuration is read when a verb first needs it."""

    path: Path | None
    verbose: bool

    @cached_property
    def config(self) -> "Config":
        """The configuration. Raises `ConfigError`."""
        from ..config import load

        return load(self.path)

    def runtime(self, *, declare: bool = False) -> "Runtime":
        """Opens store and tools with the schema up to date.

        Verbs that poll or manage sources `declare` those of the configuration; the others leave the
        list alone, so that asking a question with another configuration changes nothing.
        """
        from ..runtime import open_runtime, tagger

        tags = self.config.tags
        if tags.rules or tags.aliases or tags.stop:
            tagger(self.config)  # a mistake in them is told now, not by a parser process
        runtime = open_runtime(self.config)
        try:
            if declare:
                runtime.declare()
        except BaseException:
            runtime.close()
            raise
        return runtime

    def arguments(self) -> list[str]:
        """The global options again, for a child process."""
        options = ["--config", str(self.path)] if self.path else []
        return [*options, *(["--verbose"] if self.verbose else [])]


pass_context = click.make_pass_decorator(Context)


class Verbs(UserDict[str, click.Command]):
    """The verbs by name, each imported when it is first asked for, from the module that has it."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        super().__init__()
        self._modules = modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __getitem__(self, name: str) -> click.Command:
        if name not in self.data:
            module = import_module(f".{self._modules[name]}", __package__)
            self.data.update({command.name: command for command in module.COMMANDS})
        return self.data[name]


class Group(click.Group):
    """A group that shows our errors as one message instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the verb; ends the process with 1 or 2 on an error of ours."""
        try:
            return super().invoke(ctx)
        except QueryError as error:
            _say(f"bad query: {error}")
            if error.query:
                click.echo(error.pointer(), err=True)
            ctx.exit(2)
        except (ConfigError, OptionError) as error:
            _say(str(error))
            ctx.exit(2)
        except FeedsvcError as error:
            _say(str(error))
            ctx.exit(1)
        except BrokenPipeError:
            # the reader of our output went away (`| head`): nothing to report, nobody to report to
            sys.stderr.close()
            ctx.exit(1)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            _say("no space is left to write to; free some and try again")
            ctx.exit(1)


def _say(message: str) -> None:
    click.echo(f"feedsvc: {message}", err=True)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "path",
    envvar="FEEDSVC_CONFIG",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file.  [default: config/feedsvc.toml]",
)
@click.option("-v", "--verbose", is_flag=True, help="Log every step.")
@click.version_option(__version__, prog_name="feedsvc")
@click.pass_context
def cli(ctx: click.Context, path: Path | None, verbose: bool) -> None:
    """A self-hosted feed server: polls documents and feeds, publishes Atom, RSS and JSON feeds."""
    from ..log import setup

    setup(verbose=verbose, **({} if ctx.invoked_subcommand in SERVICES else FOR_PEOPLE))
    ctx.obj = Context(path=path, verbose=verbose)
