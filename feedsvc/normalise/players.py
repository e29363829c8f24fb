"""Players of sound and video that may stay embedded: who they are, and what becomes of others.

A frame is left only where its host and path are those of a known player; it is then loaded over
https in a sandbox. Any other becomes a link. The web pages allow these hosts and no more.
"""

import re
from collections.abc import Mapping
from html import escape
from urllib.parse import urlsplit

from .urls import absolute, host, without_tracking

_SANDBOX = "allow-scripts allow-same-origin allow-popups allow-presentation"
_SIZE = re.compile(r"\d{1,5}%?\Z")
_CLIMBS = re.compile(r"\.\.|%2e|\\|//", re.IGNORECASE)

_PEERTUBE = r"/(?:videos|video-playlists)/embed/"
#: The hosts of known players, and how the paths of their players begin; told in docs/html.md.
PLAYERS: Mapping[str, str] = {
    "archive.org": r"/embed/",
    "art19.com": r"/shows/.+/embed",
    "bandcamp.com": r"/EmbeddedPlayer",
    "embed.acast.com": r"/",
    "embed.music.apple.com": r"/",
    "embed.nicovideo.jp": r"/watch/",
    "embed.podcasts.apple.com": r"/",
    "embed.ted.com": r"/",
    "embed.tidal.com": r"/",
    "fast.wistia.net": r"/embed/",
    "geo.dailymotion.com": r"/player",
    "html5-player.libsyn.com": r"/embed/",
    "media.ccc.de": r"/v/.+/oembed",
    "odysee.com": r"/\$/embed/",
    "open.spotify.com": r"/embed",
    "play.libsyn.com": r"/embed/",
    "player.bilibili.com": r"/player\.html",
    "player.captivate.fm": r"/",
    "player.simplecast.com": r"/",
    "player.twitch.tv": r"/",
    "player.vimeo.com": r"/video/",
    "player-widget.mixcloud.com": r"/widget/",
    "playlist.megaphone.fm": r"/",
    "rumble.com": r"/embed/",
    "share.transistor.fm": r"/e/",
    "streamable.com": r"/[eos]/",
    "vimeo.com": r"/(?:event|showcase)/.+/embed",
    "w.soundcloud.com": r"/player",
    "widget.deezer.com": r"/widget/",
    "widget.spreaker.com": r"/player",
    "www.buzzsprout.com": r"/\d",
    "www.dailymotion.com": r"/embed/",
    "www.mixcloud.com": r"/widget/",
    "www.podbean.com": r"/(?:player-v2|media/player)",
    "www.youtube-nocookie.com": r"/(?:embed|v)/",
    # instances of PeerTube
    "diode.zone": _PEERTUBE,
    "framatube.org": _PEERTUBE,
    "makertube.net": _PEERTUBE,
    "media.libreplanet.org": _PEERTUBE,
    "peertube.debian.social": _PEERTUBE,
    "peertube.tv": _PEERTUBE,
    "tilvids.com": _PEERTUBE,
    "video.blender.org": _PEERTUBE,
}
_PATHS = {netloc: re.compile(path) for netloc, path in PLAYERS.items()}
_SAME = {
    **dict.fromkeys(
        ("youtube.com", "www.youtube.com", "m.youtube.com", "youtube-nocookie.com"),
        "www.youtube-nocookie.com",
    ),
    "dailymotion.com": "www.dailymotion.com",
    "mixcloud.com": "www.mixcloud.com",
    "podbean.com": "www.podbean.com",
    "buzzsprout.com": "www.buzzsprout.com",
    "www.archive.org": "archive.org",
    "www.bandcamp.com": "bandcamp.com",
    "www.vimeo.com": "vimeo.com",
}


def embedded(attributes: Mapping[str, str]) -> str:
    """A frame as HTML, by its `src` and what else its element said: a player, a link, or nothing.

    The values are plain text; what comes back is serialised as nh3 does it.
    """
    src = without_tracking(attributes["src"])
    kept = {"src": _player(src)}
    if not kept["src"]:
        said = " ".join(attributes.get("title", "").split()) or host(src)
        return f'<a href="{escape(src)}">{escape(said, quote=False)}</a>'
    for side in ("width", "height"):
        if _SIZE.match(attributes.get(side, "")):
            kept[side] = attributes[side]
    if attributes.get("title"):
        kept["title"] = attributes["title"]
    # a player may run its own scripts, but neither leave its frame nor move the page
    return f'<iframe{write(kept)} sandbox="{_SANDBOX}" allowfullscreen=""></iframe>'


def write(attributes: Mapping[str, str]) -> str:
    """Attributes as HTML, each with a blank before it; values as nh3 writes them."""
    return "".join(
        f' {name}="{escape(value).replace("&#x27;", chr(39)).replace(chr(160), "&nbsp;")}"'
        for name, value in attributes.items()
    )


def _player(src: str) -> str:
    """The address of a known player over https; empty for anything else."""
    parts = urlsplit(src)
    netloc = parts.netloc.lower()
    netloc = _SAME.get(netloc, netloc)
    known = _PATHS.get(netloc)
    if known is None or not known.match(parts.path) or _CLIMBS.search(parts.path):
        return ""
    url = parts._replace(scheme="https", netloc=netloc).geturl()
    return absolute(url) or ""
