"""Web Push as far as it is keys and addresses: the portal's own key, and what browsers may give.

For `services.push` and the job that sends. A browser names the address to push to, so anybody can: a request
goes over TLS to the public internet, or it does not go.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lk_portal.errors import InputError

MAX_ENDPOINT = 1000
TLS_PORT = 443
AUTH_BYTES = 16
_CURVE = ec.SECP256R1()
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve P-256 (FIPS 186-5): private keys are the numbers below it."""
_WIDE = 48
"""Bytes to make a private key of: 16 more than it has, so that the remainder is even."""
_TUNNELS = tuple(ip_network(net) for net in ("64:ff9b::/32", "2001::/32", "2002::/16"))
"""Addresses of IPv6 that stand for one of IPv4, which may be anywhere."""


@lru_cache(maxsize=4)
def own_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """The key the portal shows itself by at push services (VAPID, RFC 8292).

    Derived from the portal's secret, so that every machine that shares the secret has the same one, and
    nothing else must be kept. With another secret, devices have to be subscribed anew.
    """
    wide = HKDF(SHA256(), length=_WIDE, salt=None, info=b"lk-portal push").derive(secret)
    return ec.derive_private_key(int.from_bytes(wide) % (_ORDER - 1) + 1, _CURVE)


def own_public_key(secret: bytes) -> str:
    """The public half as browsers want it: an uncompressed point in base64url without padding."""
    point = own_key(secret).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).decode("ascii").rstrip("=")


def checked_endpoint(url: str) -> str:
    """The address a browser gave, if a push service could have it.

    Where the name leads is asked when something is sent, each time anew.

    Raises:
        InputError: It is no https address of a host with a public name or number.
    """
    try:
        parts = urlsplit(url)
        is_plain = parts.port in (None, TLS_PORT) and not parts.username and not parts.password
    except ValueError:
        raise InputError(field="endpoint") from None
    is_short = len(url) <= MAX_ENDPOINT and url.isascii() and url.isprintable() and " " not in url
    host = parts.hostname or ""
    if parts.scheme != "https" or not is_short or not is_plain or parts.fragment or not _may_be_public(host):
        raise InputError(field="endpoint")
    return url


def checked_keys(p256dh: str, auth: str) -> tuple[str, str]:
    """A browser's public key and its secret for the encryption (RFC 8291).

    Raises:
        InputError: They are none.
    """
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, _decoded(p256dh))
        is_secret = len(_decoded(auth)) == AUTH_BYTES
    except (ValueError, binascii.Error):
        raise InputError(field="keys") from None
    if not is_secret:
        raise InputError(field="keys")
    return p256dh.rstrip("="), auth.rstrip("=")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, seen through every way to write one of IPv4."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    is_tunnel = isinstance(found, IPv6Address) and any(found in net for net in _TUNNELS)
    return found.is_global and not found.is_multicast and not found.is_reserved and not is_tunnel


def _may_be_public(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return "." in host.strip(".")
    return is_public(host)


def _decoded(text: str) -> bytes:
    """Base64url, with padding or without; nothing else may stand in it."""
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
