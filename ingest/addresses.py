"""Which addresses may be asked: a publisher's name leads to public ones alone, or to this machine where the host says so (a stand-in)."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

# IANA's special-purpose addresses, by the rule that what is not given to anybody on the internet is no publisher's. Listed here and not asked
# of Python, whose versions differ. Last: where Azure's machines ask their host, which is a public address by its number alone.
_SPECIAL_IPV4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
            "203.0.113.0/24", "224.0.0.0/3", "168.63.129.16/32",
        ),
    )
)  # fmt: skip
# The only IPv6 addresses that are given to anybody, and those of them that are not, or that carry an IPv4 address (Teredo, 6to4).
_UNICAST = ipaddress.IPv6Network("2000::/3")
_SPECIAL_IPV6 = tuple(
    map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
)
# An IPv4 address behind a translator (RFC 6052): as public as the address that its last four bytes are.
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


class NotPublic(Exception):
    """An address that no publisher has."""


def checked(host: str, port: int | None, connect: Callable[[], socket.socket]) -> socket.socket:
    """A connection to a host, whose address was looked at before and after: the name is looked up twice.

    Raises:
        NotPublic: one of the addresses is no public one.
    """
    _check_every(host, port)
    connected = connect()
    try:
        check_address(host, str(connected.getpeername()[0]))
    except NotPublic:
        connected.close()
        raise
    return connected


def _check_every(host: str, port: int | None) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return  # connecting says so
    for *_, address in found:
        check_address(host, str(address[0]))


def check_address(host: str, text: str) -> None:
    """See that an address is a public one, or this machine's where the host says so.

    Raises:
        NotPublic: it is neither.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address in _TRANSLATED:
            address = ipaddress.IPv4Address(address.packed[-4:])
        else:
            address = address.ipv4_mapped or address
    if is_loopback(host) and address.is_loopback:
        return
    if isinstance(address, ipaddress.IPv4Address):
        is_public = not any(address in network for network in _SPECIAL_IPV4)
    else:
        is_public = address in _UNICAST and not any(address in network for network in _SPECIAL_IPV6)
    if not is_public:
        raise NotPublic(str(address))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: localhost, 127.0.0.0/8, ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_address(url: str) -> bool:
    """Whether an address that a publisher names can be asked for at all."""
    try:
        return urlsplit(url).port != 0 and bool(url.encode())
    except ValueError:  # a bracket without its pair, a port that is none, half a pair of UTF-16
        return False
