"""The templates and the static files: loaded once, filled with what a page hands over.

`digest` names the whole look, so that entity tags change when a template does.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .. import __version__
from ..config import SiteConfig
from .site import Site

_HERE = Path(__file__).parent
_STATIC_TYPES = MappingProxyType(
    {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml; charset=utf-8"}
)


class Templates:
    """Renders pages under one base URL."""

    def __init__(self, config: SiteConfig, site: Site, *, stories: bool = True) -> None:
        self._site = site
        self.static: Mapping[str, tuple[str, bytes]] = {
            path.name: (_STATIC_TYPES[path.suffix], path.read_bytes())
            for path in sorted((_HERE / "static").iterdir())
        }
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            auto_reload=False,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters.update(iso=_iso, day=_day, minute=_minute)
        self._environment.globals.update(
            site=config, link=site.link, asset=self.asset, version=__version__, here=None, q=""
        )
        self._environment.globals["stories_on"] = stories
        self.digest = self._digest(config, stories)

    def render(self, name: str, /, **context: object) -> bytes:
        """Fills a template; strings are escaped unless they are `Markup`."""
        return self._environment.get_template(name).render(context).encode("utf-8", "replace")

    def asset(self, name: str) -> str:
        """The URL of a static file, which changes when its content does."""
        digest = hashlib.sha256(self.static[name][1]).hexdigest()[:12]
        return self._site.link(f"/static/{name}", v=digest)

    def _digest(self, config: SiteConfig, stories: bool) -> bytes:
        shown = f"{__version__}\n{self._site.prefix}\n{config!r}\n{stories}"
        digest = hashlib.sha256(shown.encode())
        for path in sorted((_HERE / "templates").iterdir()):
            digest.update(path.read_bytes())
        for name in sorted(self.static):
            digest.update(self.static[name][1])
        return digest.digest()


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%-d %B %Y}"


def _minute(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    # a date without a time of day was read as midnight: claim no more than was said
    return (
        _day(moment) if moment.strftime("%H%M%S") == "000000" else f"{moment:%-d %B %Y, %H:%M} UTC"
    )
