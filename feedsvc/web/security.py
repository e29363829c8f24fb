"""What a page may load, and what a feed shown by a browser may do: Content-Security-Policy."""

from ..normalise.players import PLAYERS

# players that the sanitiser leaves in place; every other frame stays empty
_FRAMES = " ".join(f"https://{netloc}" for netloc in sorted(PLAYERS))

#: No scripts at all, pictures and sound from anywhere, everything else from us or not at all.
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "img-src * data:",
        "style-src 'self'",
        "media-src *",
        f"frame-src {_FRAMES}",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

#: A feed that a browser shows as a page of its own must not act as one.
FEED_POLICY = "default-src 'none'; sandbox"
