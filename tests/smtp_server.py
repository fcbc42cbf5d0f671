"""A real SMTP server of a test's own (aiosmtpd), in a thread, with every bad habit a mail server has.

    with SmtpServer() as server:
        settings = load_settings(smtp_url=server.url)
        ...
        (letter,) = server.wait_for(1)
        assert "..." in plain_text(letter)

`server.mode` may be changed at any time; after `stop()` and `start()` it is back at the same port. The
thread makes it usable from blocking tests (browser) and from asyncio ones alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import logging
import re
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from enum import Enum, auto
from pathlib import Path
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.portal_process import free_port

PATIENCE_S = 60.0
START_S = 10.0
HOST = "127.0.0.1"
# Its every command, from another thread: thousands of lines in the report of a test that failed.
logging.getLogger("mail.log").setLevel(logging.WARNING)
_SECRET = re.compile(r"^ {4}(\S+)$", re.MULTILINE)


class Mode(Enum):
    """What the server does with the next letters."""

    ACCEPT = auto()
    REFUSE_RECIPIENT = auto()
    """550 for every recipient: there is no such mailbox."""
    TEMPORARY = auto()
    """451 for every recipient: try again later."""
    REFUSE_SENDER = auto()
    """553 for every sender: the portal may not send from this address."""
    REFUSE_MESSAGE = auto()
    """554 after the text: it looks like spam."""
    STALL = auto()
    """The text is taken, and then nothing is answered; the letter is not kept."""
    STALL_GREETING = auto()
    """The connection opens and nothing is said."""
    DROP = auto()
    """The connection is cut in the middle of the text; the letter is not kept."""
    DROP_AFTER_ACCEPTING = auto()
    """The letter is kept, and the connection cut before the answer: the sender cannot know."""


class Encryption(Enum):
    """How the connection is made safe."""

    NONE = auto()
    STARTTLS = auto()
    TLS = auto()


@dataclass(frozen=True)
class Received:
    """A letter the server kept, with the envelope it came in."""

    letter: EmailMessage
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    is_encrypted: bool
    user: str | None


@dataclass
class SmtpServer:
    """The server; start it by `with`, or by `start` and `stop`.

    Attributes:
        encryption: With STARTTLS or TLS it has a certificate of its own making, see `ca_file`.
        user: Who may log in; "" means that nobody has to.
        password: With which password.
        mode: See `Mode`.
        refused: Recipients that get 550 in every mode.
        greylisted: Recipients that get 451 in every mode.
        answers: Recipients that get an answer of their own in every mode.
        received: What was kept, in order.
        attempts: Recipients that anybody tried to send to, as often as they tried.
        connections: How many were opened.
        takes_utf8: Whether it says SMTPUTF8.
        on_data: Called with the raw text before the answer to it; for tests that kill somebody just then.
    """

    encryption: Encryption = Encryption.NONE
    user: str = ""
    password: str = ""
    mode: Mode = Mode.ACCEPT
    refused: set[str] = field(default_factory=set)
    greylisted: set[str] = field(default_factory=set)
    answers: dict[str, str] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    connections: int = 0
    takes_utf8: bool = True
    on_data: Callable[[bytes], None] | None = None

    def __post_init__(self) -> None:
        self.port = free_port()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._context: ssl.SSLContext | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._transports: set[asyncio.BaseTransport] = set()
        if self.encryption is not Encryption.NONE:
            self._folder = tempfile.TemporaryDirectory(prefix="lk-smtp-")
            self._context = _own_certificate(Path(self._folder.name))

    @property
    def url(self) -> str:
        """For LK_SMTP_URL."""
        login = f"{self.user}:{self.password}@" if self.user else ""
        match self.encryption:
            case Encryption.NONE:
                return f"smtp://{login}{HOST}:{self.port}"
            case Encryption.STARTTLS:
                return f"smtp://{login}localhost:{self.port}?tls=starttls"
            case Encryption.TLS:
                return f"smtps://{login}localhost:{self.port}"

    @property
    def ca_file(self) -> Path | None:
        """For LK_SMTP_CA_FILE: whoever trusts it trusts the server."""
        return Path(self._folder.name) / "cert.pem" if self._folder else None

    @property
    def letters(self) -> list[EmailMessage]:
        """The letters that were kept, parsed, in order."""
        return [entry.letter for entry in self.received]

    def start(self) -> Self:
        """Listen; after `stop` again at the same port."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="smtp-server", daemon=True)
        self._thread.start()
        if not ready.wait(START_S):
            raise RuntimeError("the SMTP server did not start")
        return self

    def stop(self) -> None:
        """Cut every connection and stop listening; what was kept stays."""
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_S)
        self._loop = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._folder is not None:
            self._folder.cleanup()

    def wait_for(self, count: int, *, patience_s: float = PATIENCE_S) -> list[EmailMessage]:
        """The letters, once there are at least `count`; for blocking tests."""
        deadline = time.monotonic() + patience_s
        while len(self.received) < count:
            assert time.monotonic() < deadline, f"{len(self.received)} letters came, not {count}"
            time.sleep(0.05)
        return self.letters

    async def has(self, count: int, *, patience_s: float = PATIENCE_S) -> list[EmailMessage]:
        """Like `wait_for`, for tests that run on an event loop."""
        deadline = time.monotonic() + patience_s
        while len(self.received) < count:
            assert time.monotonic() < deadline, f"{len(self.received)} letters came, not {count}"
            await asyncio.sleep(0.05)
        return self.letters

    def letters_to(self, address: str) -> list[EmailMessage]:
        """The letters that were kept for one recipient."""
        return [entry.letter for entry in self.received if address in entry.recipients]

    def _run(self, ready: threading.Event) -> None:
        self._loop = loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        direct = self._context if self.encryption is Encryption.TLS else None
        server = loop.run_until_complete(
            loop.create_server(self._protocol, HOST, self.port, ssl=direct, reuse_address=True)
        )
        loop.call_soon(ready.set)
        loop.run_forever()
        server.close()
        for transport in list(self._transports):
            transport.abort()  # type: ignore[attr-defined]
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()

    def _protocol(self) -> SMTP:
        self.connections += 1
        return _Conversation(
            self,
            hostname="mail.test",
            loop=self._loop,
            enable_SMTPUTF8=self.takes_utf8,
            tls_context=self._context if self.encryption is Encryption.STARTTLS else None,
            require_starttls=self.encryption is Encryption.STARTTLS,
            authenticator=self._authenticate,
            # Where TLS begins with the connection aiosmtpd does not see it, and would warn.
            auth_required=bool(self.user) and self.encryption is Encryption.STARTTLS,
            auth_require_tls=self.encryption is Encryption.STARTTLS,
        )

    def _authenticate(self, *details: Any) -> AuthResult:
        given = details[-1]
        assert isinstance(given, LoginPassword)
        is_right = (given.login, given.password) == (self.user.encode(), self.password.encode())
        return AuthResult(success=is_right, handled=False, auth_data=given)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """What is answered to a recipient."""
        self.attempts.append(address)
        if address in self.answers:
            return self.answers[address]
        if address in self.refused or self.mode is Mode.REFUSE_RECIPIENT:
            return "550 5.1.1 There is no such mailbox"
        if address in self.greylisted or self.mode is Mode.TEMPORARY:
            return "451 4.7.1 Come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """What is answered to a sender."""
        if self.mode is Mode.REFUSE_SENDER:
            return "553 5.7.1 You may not send from this address"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """What is answered to the text."""
        raw = envelope.original_content or b""
        if self.on_data is not None:
            await asyncio.to_thread(self.on_data, raw)
        match self.mode:
            case Mode.STALL:
                await asyncio.Event().wait()
            case Mode.REFUSE_MESSAGE:
                return "554 5.7.1 This looks like spam"
            case Mode.DROP_AFTER_ACCEPTING:
                self._keep(session, envelope, raw)
                server.transport.abort()  # type: ignore[union-attr]
                await asyncio.Event().wait()
        self._keep(session, envelope, raw)
        return "250 OK"

    def _keep(self, session: Session, envelope: Envelope, raw: bytes) -> None:
        letter = email.message_from_bytes(raw, policy=SMTP_POLICY)
        login = session.auth_data
        self.received.append(
            Received(
                letter=letter,
                sender=envelope.mail_from or "",
                recipients=tuple(envelope.rcpt_tos),
                raw=raw,
                is_encrypted=self.encryption is Encryption.TLS or session.ssl is not None,
                user=login.login.decode() if isinstance(login, LoginPassword) else None,
            )
        )


class _Conversation(SMTP):
    """aiosmtpd's own conversation, with the two bad habits that need its insides."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.event_handler._transports.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.event_handler._transports.discard(self.transport)
        super().connection_lost(error)

    async def push(self, status: Any) -> None:
        if self.event_handler.mode is Mode.STALL_GREETING:
            await asyncio.Event().wait()
        with contextlib.suppress(ConnectionError):
            await super().push(status)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        if self.event_handler.mode is Mode.DROP:
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            await self._reader.read(100)
            self.transport.abort()  # type: ignore[union-attr]
            return
        await super().smtp_DATA(arg)


def plain_text(letter: EmailMessage) -> str:
    """The letter's text part, with line ends as Python has them."""
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html_text(letter: EmailMessage) -> str:
    """The source of the letter's HTML part."""
    part = letter.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def secret_in(letter: EmailMessage) -> str:
    """The temporary password or code: it stands alone on an indented line."""
    found = _SECRET.findall(plain_text(letter))
    assert len(found) == 1, plain_text(letter)
    return str(found[0])


def _own_certificate(folder: Path) -> ssl.SSLContext:
    """A certificate for `localhost` that nobody but its own file vouches for."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context
