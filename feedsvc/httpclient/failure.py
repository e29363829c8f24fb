"""Turns what can go wrong with a request into a sentence its user understands.

Each names the host and, where there is one, the setting or the remedy; no URL with credentials and
no library's wording unless nothing else is known.
"""

import errno
from datetime import datetime, timedelta
from http import HTTPStatus

import aiohttp

from ..errors import Fault, FetchError, SourceGone
from .caching import freshness, retry_after
from .coding import CodingError
from .message import Headers
from .private import SETTING, Asked

_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def connection_failure(asked: Asked, error: Exception) -> FetchError:
    """The error for a request that got no usable answer."""
    return FetchError(_sentence(asked, error), fault=_fault(asked, error))


def status_failure(
    asked: Asked, status: int, headers: Headers, *, lasting: bool | None, now: datetime
) -> FetchError:
    """The error for an answer that brings no feed.

    `lasting` says whether only permanent redirects led to it, None if there was none: a 410 at the
    end of a temporary redirect says nothing of the feed itself.
    """
    message = f"{asked} answered {status} {_PHRASES.get(status, '')}".rstrip()
    wait = retry_after(headers, now)
    if wait:
        message += f" and asks us to wait {_duration(wait)}"
    if status == 401 and lasting is None:
        message += "; set auth for this source"
    elif status == 401:
        message += "; auth does not follow a redirect to another origin, so give the final URL"
    elif status == 410 and lasting is not False:
        return SourceGone(f"{message}: this feed was removed for good", status=status)
    return FetchError(
        message,
        status=status,
        retry_after=wait,
        host=asked.endpoint().lower(),
        fresh=freshness(headers, now),
    )


def too_large(asked: Asked, limit: int) -> FetchError:
    """The error for a body above `poll.max_bytes`."""
    return FetchError(
        f"{asked} sent more than {limit:,} bytes; raise poll.max_bytes if that is as it should be",
        fault="too large",
    )


def timed_out(asked: Asked, seconds: float) -> FetchError:
    """The error for a request that took too long as a whole."""
    return FetchError(f"{asked} timed out after {seconds:g} s (poll.timeout)", fault="timeout")


def _fault(asked: Asked, error: Exception) -> Fault:
    if asked.refused:
        return "private"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return "tls"
    if isinstance(error, aiohttp.ClientConnectorDNSError | UnicodeError | aiohttp.InvalidURL):
        return "name"
    unreadable = isinstance(error, CodingError | aiohttp.ClientResponseError)
    return "protocol" if unreadable else "connection"


def _sentence(asked: Asked, error: Exception) -> str:
    if asked.refused:
        where = "" if asked.host == asked.refused[0] else f" ({asked.refused[0]})"
        return (
            f"{asked}{where} is not on the public Internet; "
            f'add "{asked.endpoint()}" to {SETTING} if it is to be polled'
        )
    if isinstance(error, CodingError):
        return f"{asked} sent something unreadable: {error}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = getattr(error.certificate_error, "verify_message", "") or "it is not valid"
        return f"the TLS certificate of {asked} cannot be trusted: {reason}"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return f"{asked} does not speak TLS; is it an http: address?"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the host name {asked.host} cannot be found: {_reason(error.os_error)}"
    if isinstance(error, UnicodeError | aiohttp.InvalidURL):
        return f"{asked.host} is not a valid host name"
    if isinstance(error, aiohttp.ClientConnectorError):
        if error.os_error.errno == errno.ECONNREFUSED:
            return f"{asked} refused the connection"
        return f"{asked} cannot be reached: {_reason(error.os_error)}"
    if isinstance(error, aiohttp.ClientPayloadError):
        return f"{asked} broke the connection off in the middle of the body"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{asked} did not answer in proper HTTP: {error.message.strip().splitlines()[0]}"
    if isinstance(error, aiohttp.ClientConnectionError):
        return f"{asked} closed the connection without an answer"
    return f"no request to {asked} can be made: {error}"


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__


def _duration(wait: timedelta) -> str:
    seconds = round(wait.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds:,} s"
