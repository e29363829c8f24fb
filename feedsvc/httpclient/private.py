"""Refuses to connect to addresses that are not on the public Internet, unless they are excepted.

Asked at the moment a socket is made, for the very address it will connect to, so that names,
literals, redirects and names that change their address are all judged alike.
"""

import ipaddress
import re
import socket
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

SETTING = "poll.allow_private"
_HOSTNAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")

# the special-purpose registries of RFC 6890 as kept by IANA, and multicast; written out because
# `is_global` differs between Python versions
_NOT_GLOBAL_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# of IPv6 only this block is given out; loopback, IPv4-mapped, NAT64, unique local, link-local,
# site-local and multicast addresses all lie outside it
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_GLOBAL_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocols, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 wraps any IPv4 address
        "3fff::/20",  # documentation
    )
)


def is_global(address: IPAddress) -> bool:
    """Whether an address belongs to the public Internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_GLOBAL_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _NOT_GLOBAL_V6)


@dataclass(slots=True)
class Asked:
    """The host and port a request asked for, and the addresses refused on its way there."""

    host: str
    port: int
    refused: list[str] = field(default_factory=list)

    def endpoint(self) -> str:
        """`host:port`, as an exception is written."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return self.host if self.port in (80, 443) else self.endpoint()


asking: ContextVar[Asked] = ContextVar("asking")


class PrivateAddressError(OSError):
    """An address was refused before anything was sent to it."""


class AddressGuard:
    """Makes sockets for public and excepted addresses only.

    `allow` holds exact exceptions: `host:port`, a host name, an address or a network. Raises
    `ConfigError` naming an entry that is none of these.
    """

    def __init__(self, allow: Sequence[str]) -> None:
        self._hosts: set[str] = set()
        self._endpoints: set[tuple[str, int]] = set()
        self._networks: list[IPNetwork] = []
        for entry in allow:
            self._except(entry.strip().lower())

    def allows(self, host: str, address: str, port: int) -> bool:
        """Whether a connection to `address`, reached as `host`, may be made."""
        ip = ipaddress.ip_address(address.partition("%")[0])
        if is_global(ip):
            return True
        host = host.lower().rstrip(".")
        return (
            host in self._hosts
            or (host, port) in self._endpoints
            or (str(ip), port) in self._endpoints
            or any(ip in network for network in self._networks)
        )

    def open_socket(self, addr_info: tuple[Any, ...]) -> socket.socket:
        """Makes the socket for one resolved address (aiohttp's `socket_factory`).

        Raises `PrivateAddressError`, and notes the address in the request's `asking`.
        """
        family, kind, protocol, _, where = addr_info
        asked = asking.get()
        if not self.allows(asked.host, where[0], where[1]):
            asked.refused.append(where[0])
            raise PrivateAddressError(f"{where[0]} is not a public address")
        return socket.socket(family=family, type=kind, proto=protocol)

    def _except(self, entry: str) -> None:
        host, port = _split_port(entry)
        if "/" in entry:
            self._networks.append(_network(entry))
        elif port is not None and _is_host(host):
            self._endpoints.add((host.rstrip("."), port))
        elif _is_address(entry.strip("[]")):
            self._networks.append(_network(entry.strip("[]")))
        elif _HOSTNAME.fullmatch(entry):
            self._hosts.add(entry.rstrip("."))
        else:
            raise ConfigError(
                f"{SETTING}: {entry!r} is not an exception we know; write "
                '"host:port", "host.name" or a network like "10.1.0.0/16"',
                key=SETTING,
            )


def _split_port(entry: str) -> tuple[str, int | None]:
    host, colon, digits = entry.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not digits.isdecimal() or (":" in host and not bracketed):
        return entry, None
    port = int(digits[:6])
    return (host.strip("[]"), port) if 0 < port < 65536 else (entry, None)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_host(text: str) -> bool:
    return _is_address(text) or _HOSTNAME.fullmatch(text) is not None


def _network(entry: str) -> IPNetwork:
    try:
        return ipaddress.ip_network(entry)
    except ValueError as error:
        raise ConfigError(f"{SETTING}: {error}", key=SETTING) from error
