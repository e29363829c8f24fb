"""The verbs that give out and revoke feed tokens: `token …`."""

import json
import re
import secrets

import click

from ..keys import token_digest
from .base import Context, pass_context

# enough that nobody guesses one, and that a plain digest of it can be kept
_BYTES = 24
_NAME = re.compile(r"[\w.@+-]{1,64}", re.ASCII)


@click.group()
def token() -> None:
    """Give out and revoke tokens that open feeds."""


@token.command()
@click.argument("name")
@pass_context
def add(context: Context, name: str) -> None:
    """Make a token called NAME and show it, this once.

    Once there is a token, feeds and pages can only be read with one.
    """
    if not _NAME.fullmatch(name):
        raise click.BadParameter(
            "a name has at most 64 letters, digits and . _ @ + -, as in “phone”",
            param_hint="NAME",
        )
    made = secrets.token_urlsafe(_BYTES)
    base = context.config.site.base_url.rstrip("/")
    with context.runtime() as runtime:
        first = not context.config.web.feed_tokens and not runtime.store.tokens()
        runtime.store.add_token(name, token_digest(made), runtime.clock())
    if first:
        click.echo("feeds and pages can only be read with a token from now on", err=True)
    click.echo(f"it is not shown again; for example {base}/feeds/all.atom?token={made}", err=True)
    click.echo(made)


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@pass_context
def list_tokens(context: Context, as_json: bool) -> None:
    """List tokens by name; those of web.feed_tokens have none."""
    with context.runtime() as runtime:
        found = runtime.store.tokens()
    if as_json:
        rows = [{"name": one.name, "added": one.added.isoformat()} for one in found]
        click.echo(json.dumps(rows))
        return
    for one in found:
        click.echo(f"{one.name:24} added {one.added:%Y-%m-%d %H:%M} UTC")
    if configured := len(context.config.web.feed_tokens):
        click.echo(f"and {configured} of web.feed_tokens", err=True)


@token.command()
@click.argument("name")
@click.option("--public", is_flag=True, help="Though it is the last one: let everyone read.")
@pass_context
def remove(context: Context, name: str, public: bool) -> None:
    """Revoke the token called NAME, within a second and without a restart."""
    last = public or bool(context.config.web.feed_tokens)
    with context.runtime() as runtime:
        runtime.store.remove_token(name, last=last)
    click.echo(f"revoked {name}")


COMMANDS = (token,)
