"""How a message gets to a browser's push service over the internet (RFC 8030, 8291, 8292). For the push job.

The address is one that a browser named, so it may be anybody's: only https is spoken, to public addresses,
asked of the very address the connection goes to, without following redirects, reading a few bytes at most.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from py_vapid import Vapid02
from pywebpush import WebPusher

from lk_portal.errors import InputError
from lk_portal.security.push import checked_endpoint, is_public, own_key
from lk_portal.services.push import GIVE_UP_AFTER
from lk_portal.settings import Settings

AT_ONCE = 10
TOKEN_LIVES = timedelta(hours=12)
"""RFC 8292 allows a day."""
MOST_WAIT = timedelta(hours=6)
GONE = frozenset({404, 410})
NOT_NOW = frozenset({408, 425, 429})


class Verdict(Enum):
    """What a push service said to a message."""

    TAKEN = auto()
    GONE = auto()
    """There is no such browser any more."""
    REFUSED = auto()
    """Never, as it is."""
    NOT_NOW = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict; `wait` is how long the push service asks to be left alone, `reason` is for the log."""

    verdict: Verdict
    reason: str = ""
    wait: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class OutgoingPush:
    """A message for one browser.

    Attributes:
        topic: A later message of the same topic takes the place of one that was not delivered yet.
        payload: What the browser's service worker gets to read.
    """

    endpoint: str
    p256dh: str
    auth: str
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class PushLimits:
    """How long a push service may take, in seconds; all of it must fit in `services.push.LEASE`."""

    connect_s: float = 10.0
    answer_s: float = 20.0


class PushSender(Protocol):
    """Takes messages, for one batch."""

    async def send(self, message: OutgoingPush, *, now: datetime) -> Answer:
        """Hand one message in; what the other side does is an answer and no exception."""

    async def close(self) -> None:
        """Let all connections go."""


class PublicResolver(AbstractResolver):
    """Names to addresses, none of which is inside anybody's network."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of a host.

        Raises:
            OSError: It has none, or one that is not public: whoever owns such a name is up to something.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        addresses = [(kind, str(address[0])) for kind, _type, _protocol, _name, address in found]
        if not addresses or not all(is_public(address) for _kind, address in addresses):
            raise OSError(f"{host} is not on the public internet")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=kind,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, address in addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


class WebSender:
    """Speaks to push services.

    Args:
        settings: For the portal's own key and address.
        limits: How long they may take.
        resolver: How names become addresses.
        trust: Whose certificates are believed; by default those this machine trusts.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        limits: PushLimits | None = None,
        resolver: AbstractResolver | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        limits = limits or PushLimits()
        self._vapid = Vapid02(own_key(settings.secret()))
        self._contact = f"mailto:{settings.mail_reply_to or settings.mail_sender[1]}"
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=AT_ONCE,
                resolver=resolver or PublicResolver(),
                use_dns_cache=False,
                ssl=trust or ssl.create_default_context(),
            ),
            timeout=aiohttp.ClientTimeout(total=limits.answer_s, sock_connect=limits.connect_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
        )

    async def send(self, message: OutgoingPush, *, now: datetime) -> Answer:
        """Encrypt, sign and hand in one message; `now` is aware UTC."""
        try:
            endpoint = checked_endpoint(message.endpoint)
        except InputError:
            return Answer(Verdict.REFUSED, "no public https address")
        body, headers = _encrypted(message), self._headers(message, now)
        try:
            async with self._http.post(endpoint, data=body, headers=headers, allow_redirects=False) as answer:
                return _answer_of(answer.status, answer.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Answer(Verdict.NOT_NOW, type(error).__name__)

    async def close(self) -> None:
        """Let all connections go."""
        await self._http.close()

    def _headers(self, message: OutgoingPush, now: datetime) -> dict[str, str]:
        parts = urlsplit(message.endpoint)
        claims = {
            "sub": self._contact,
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int((now + TOKEN_LIVES).timestamp()),
        }
        return {
            **self._vapid.sign(claims),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(int(GIVE_UP_AFTER.total_seconds())),
            "Topic": message.topic,
        }


def _encrypted(message: OutgoingPush) -> bytes:
    keys = {"p256dh": message.p256dh, "auth": message.auth}
    encoded = WebPusher({"endpoint": message.endpoint, "keys": keys}).encode(message.payload)
    return bytes(encoded["body"])


def _answer_of(status: int, retry_after: str) -> Answer:
    reason = str(status)
    if 200 <= status < 300:
        return Answer(Verdict.TAKEN)
    if status in GONE:
        return Answer(Verdict.GONE, reason)
    if status in NOT_NOW or status >= 500:
        is_number = retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 9
        wait = timedelta(seconds=int(retry_after)) if is_number else timedelta()
        return Answer(Verdict.NOT_NOW, reason, min(wait, MOST_WAIT))
    return Answer(Verdict.REFUSED, reason)
