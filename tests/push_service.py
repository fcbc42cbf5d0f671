"""A push service and browsers of a test's own: real HTTPS with a certificate of its own making, real keys.

    with PushService() as service:
        sender = WebSender(settings, resolver=service, trust=service.trust)
        ...
        assert device.read(service.received[-1]) == {...}

Its host is a name that only its own `resolve` knows, so the portal's rules for addresses stay in force.
`service.answers` says what a path is answered; without an entry it is 201.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import os
import ssl
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import http_ece
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from lk_portal.services.push import Subscription

HOST = "push.example"
STALL = 0
"""As an answer: none ever comes."""
START_S = 10.0


@dataclass(frozen=True)
class Received:
    """A message as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Browser:
    """A browser with the keys of one subscription; it alone can read what is sent to it."""

    path: str = "/send/one"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def subscription(self) -> Subscription:
        """What it hands to the page."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return Subscription(f"https://{HOST}{self.path}", text_of(point), text_of(self.auth))

    def read(self, received: Received) -> bytes:
        """Decrypt; raises when it is not for this browser."""
        return bytes(
            http_ece.decrypt(received.body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        )


def browser(endpoint: str) -> Subscription:
    """The subscription of some browser at an address."""
    made = Browser().subscription
    return Subscription(endpoint, made.p256dh, made.auth)


def text_of(content: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


class PushService(AbstractResolver):
    """The service, in a thread; also the resolver that finds it."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: dict[str, int | tuple[int, dict[str, str]]] = {}
        self.asked_for: list[str] = []
        self.port = 0
        self._folder = tempfile.TemporaryDirectory(prefix="lk-push-")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True, name="push-service")
        self._ready = threading.Event()
        _make_certificate(Path(self._folder.name))

    @property
    def trust(self) -> ssl.SSLContext:
        """For a sender that believes this service."""
        return ssl.create_default_context(cafile=str(Path(self._folder.name) / "cert.pem"))

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(START_S):
            raise RuntimeError("the push service did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_S)
        self._folder.cleanup()

    async def has(self, count: int, *, patience_s: float = 60.0) -> None:
        """Wait until so many messages came."""
        deadline = time.monotonic() + patience_s
        while len(self.received) < count:
            assert time.monotonic() < deadline, f"{len(self.received)} messages came, not {count}"
            await asyncio.sleep(0.05)

    async def resolve(self, host: str, *_: Any, **_more: Any) -> list[ResolveResult]:
        """Every name leads here."""
        self.asked_for.append(host)
        return [ResolveResult(hostname=host, host="127.0.0.1", port=self.port, family=2, proto=0, flags=0)]

    async def close(self) -> None:
        """The test closes the service itself."""

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(Path(self._folder.name) / "cert.pem", Path(self._folder.name) / "key.pem")
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        self._loop.run_until_complete(site.start())
        self.port = runner.addresses[0][1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _answer(self, request: web.Request) -> web.Response:
        self.received.append(Received(request.path, dict(request.headers), await request.read()))
        answer = self.answers.get(request.path, 201)
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if status == STALL:
            await asyncio.sleep(3600)
        return web.Response(status=status, headers=headers)


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(HOST), x509.DNSName(f"*.{HOST}")]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
