"""Where a request really comes from."""

import ipaddress
from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest

_FORWARDING = (
    *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port"),
    *("Forwarded", "X-Real-IP", "Via"),
)


def client_address(request: HttpRequest) -> str:
    """Return the network to count a caller by: an IPv4 address or an IPv6 /56.

    `X-Forwarded-For` is believed only when the socket's peer is one of
    `TRUSTED_PROXIES`, and then only its last entry, which that proxy wrote itself.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if address in settings.TRUSTED_PROXIES:
        address = request.headers.get("X-Forwarded-For", address).split(",")[-1].strip()
    parsed = _parsed(address)
    if parsed is None:
        return ""
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 56), strict=False))
    return str(parsed)


def is_from_this_host(request: HttpRequest) -> bool:
    """Tell whether the socket's peer is loopback and no proxy stands between."""
    return is_trusted_peer(request, ["loopback"])


def is_trusted_peer(request: HttpRequest, trusted: Sequence[str]) -> bool:
    """Tell whether the socket's peer is in one of these networks, and no proxy between.

    `loopback` stands for this host. No header can claim it.
    """
    if any(header in request.headers for header in _FORWARDING):
        return False
    peer = _parsed(request.META.get("REMOTE_ADDR", ""))
    if peer is None:
        return False
    return any(
        peer.is_loopback if each == "loopback" else peer in ipaddress.ip_network(each)
        for each in trusted
    )


def is_from_elsewhere(request: HttpRequest) -> bool:
    """Tell whether a browser says that another site made it send this request."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return True
    origin = request.headers.get("Origin")
    own = f"{'https' if request.is_secure() else 'http'}://{request.get_host()}"
    return origin is not None and origin != own


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address; a socket for both versions shows IPv4 ones wrapped in IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        return parsed.ipv4_mapped
    return parsed
