"""Where composed letters go: to a mail server over SMTP, or into files. For the mail job and `lk doctor`.

A post is opened, takes letters one by one, and is closed. It says of each letter one of three things:
taken (it returns), `RefusedError` (this letter never), `NotTakenError` (not now).
"""

from __future__ import annotations

import asyncio
import os
import ssl
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

import aiosmtplib

from lk_portal.logs import redact
from lk_portal.settings import Encryption, MailServer, Settings

QUIT_S = 3.0
PERMANENT = 500
OURS = frozenset({500, 501, 502, 503, 504, 521, 530, 534, 535, 538})
"""Refusals of commands, logins and the connection: they say nothing of the recipient."""
NO_UTF8 = "the mail server takes no addresses in other scripts (SMTPUTF8)"


class NotTakenError(Exception):
    """The letter could not be handed in now: the server is away, busy or wrongly set up."""


class RefusedError(Exception):
    """The server will never take this letter."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A composed letter.

    Attributes:
        message: With all headers.
        sender: The envelope's sender.
        recipient: The envelope's only recipient.
        name: Of its file: unique to the letter, the same at every attempt.
    """

    message: EmailMessage
    sender: str
    recipient: str
    name: str


@dataclass(frozen=True, slots=True)
class PostLimits:
    """How long a mail server may take, in seconds. All for one letter must fit in `services.letters.LEASE`.

    Attributes:
        connect_s: To answer the connection, encryption and login included.
        answer_s: To answer one command.
        data_s: To take the text; servers look for spam meanwhile, and RFC 5321 asks for patience here, for
            who hangs up too early sends the letter twice.
    """

    connect_s: float = 45.0
    answer_s: float = 30.0
    data_s: float = 150.0


class Post(Protocol):
    """Takes letters; for one batch."""

    @property
    def is_open(self) -> bool:
        """Whether it can take a letter now."""

    async def open(self) -> None:
        """Get ready; may be called again after the connection was lost.

        Raises:
            NotTakenError: The server, or the disk, is not there.
        """

    async def hand_in(self, letter: Outgoing) -> None:
        """Hand one letter in; when this returns, the letter is the other side's.

        Raises:
            NotTakenError: Not now; the post may have been closed by it.
            RefusedError: Never.
        """

    async def close(self) -> None:
        """Say goodbye; never raises."""


class SmtpPost:
    """Hands letters in at a mail server over one connection."""

    def __init__(self, server: MailServer, *, settings: Settings, limits: PostLimits) -> None:
        self._server = server
        self._ca_file = settings.smtp_ca_file
        self._own_name = settings.mail_host
        self._limits = limits
        self._client: aiosmtplib.SMTP | None = None

    @property
    def is_open(self) -> bool:
        """Whether the connection is up."""
        return self._client is not None and self._client.is_connected

    async def open(self) -> None:
        """Connect, encrypt, log in.

        Raises:
            NotTakenError: One of them did not work.
        """
        try:
            client = self._client = await self._new_client()
            async with asyncio.timeout(self._limits.connect_s):
                await client.connect()
                if client.is_ehlo_or_helo_needed:
                    await client.ehlo()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            self._hang_up()
            raise NotTakenError(_reason(error)) from error

    async def hand_in(self, letter: Outgoing) -> None:
        """Hand one letter in.

        Raises:
            NotTakenError: Not now.
            RefusedError: Never.
        """
        if self._client is None or not self.is_open:
            raise NotTakenError("not connected")
        try:
            await self._converse(self._client, letter)
        except aiosmtplib.SMTPRecipientRefused as error:
            await self._start_over()
            raise _verdict(error) from error
        except aiosmtplib.SMTPDataError as error:
            await self._start_over()
            raise _verdict(error) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            await self._start_over()
            raise NotTakenError(_reason(error)) from error
        except asyncio.CancelledError:
            self._hang_up()
            raise

    async def close(self) -> None:
        """QUIT, if the server still listens."""
        if self._client is not None and self.is_open:
            with suppress(aiosmtplib.SMTPException, OSError, ValueError):
                await self._client.quit(timeout=QUIT_S)
        self._hang_up()

    async def _new_client(self) -> aiosmtplib.SMTP:
        server = self._server
        context = None
        if server.encryption is not Encryption.NONE:
            context = await asyncio.to_thread(_trust, self._ca_file)
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            local_hostname=self._own_name,
            timeout=self._limits.answer_s,
            use_tls=server.encryption is Encryption.TLS,
            start_tls=server.encryption is Encryption.STARTTLS,
            tls_context=context,
        )

    async def _converse(self, client: aiosmtplib.SMTP, letter: Outgoing) -> None:
        is_utf8 = letter.message.policy.utf8  # type: ignore[attr-defined]
        if is_utf8 and not client.supports_extension("smtputf8"):
            raise RefusedError(NO_UTF8)
        options = ["SMTPUTF8", "BODY=8BITMIME"] if is_utf8 else []
        encoding = "utf-8" if is_utf8 else "ascii"
        await client.mail(letter.sender, options=options, encoding=encoding)
        await client.rcpt(letter.recipient, encoding=encoding)
        await client.data(letter.message.as_bytes(), timeout=self._limits.data_s)

    async def _start_over(self) -> None:
        """Make the connection ready for the next letter, or give it up."""
        if self._client is None or not self.is_open:
            return
        try:
            await self._client.rset()
        except (aiosmtplib.SMTPException, OSError, ValueError):
            self._hang_up()

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None


class FilePost:
    """Writes letters as .eml files, whole or not at all, for the owner's eyes only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def is_open(self) -> bool:
        """A folder does not go away."""
        return True

    async def open(self) -> None:
        """Make the folder.

        Raises:
            NotTakenError: It cannot be made.
        """
        try:
            await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise NotTakenError(_reason(error)) from error

    async def hand_in(self, letter: Outgoing) -> None:
        """Write one letter; at another attempt its file is replaced.

        Raises:
            NotTakenError: The disk is full or read-only.
        """
        path = self._folder / f"{letter.name}.eml"
        try:
            await asyncio.to_thread(_write, path, letter.message.as_bytes())
        except OSError as error:
            raise NotTakenError(_reason(error)) from error

    async def close(self) -> None:
        """Nothing to close."""


def open_post(settings: Settings, limits: PostLimits) -> Post:
    """The post that the settings name; not opened yet."""
    server = settings.mail_server
    if server is None:
        return FilePost(settings.letters_dir)
    return SmtpPost(server, settings=settings, limits=limits)


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    """The authorities this machine trusts, and the one in `ca_file`."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def _verdict(error: aiosmtplib.SMTPResponseException) -> RefusedError | NotTakenError:
    """A 5xx answer to a recipient or a text is final, unless it complains of how it was asked."""
    is_final = error.code >= PERMANENT and error.code not in OURS
    return RefusedError(_reason(error)) if is_final else NotTakenError(_reason(error))


def _reason(error: Exception) -> str:
    """What staff are told: the server's own words, or what is wrong with the connection."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return redact(f"{error.code} {error.message}")
    return redact(str(error)) or type(error).__name__


def _write(path: Path, content: bytes) -> None:
    """Write and rename, so that whoever watches the folder never sees half a letter; mode 600."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".letter-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).rename(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
