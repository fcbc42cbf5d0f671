"""A letter as it goes over the wire: headers, text and HTML. For the mail job; pure.

No value can become a header: addresses and names are checked and set as objects of the standard library,
subjects come from templates as one line, and the finished message is read back and must have exactly the
headers that were meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_location

from lk_portal.i18n import active_locale, moment_text, using_locale
from lk_portal.letters.fields import AT, clean
from lk_portal.letters.templates import Rendered, render
from lk_portal.settings import KNOWN_LOCALES, Settings

MAX_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known of a letter before it is composed.

    Attributes:
        kind: A template's name.
        locale: "" or an unknown one is the portal's.
        data: As `fields.checked` made it, with `at`.
        to_address: Its domain in ASCII.
        message_id: The part before the @, in ASCII without spaces.
        secret: The temporary password or code, for kinds that have one.
    """

    kind: str
    locale: str
    data: Mapping[str, str]
    to_address: str
    message_id: str
    secret: str | None = None


def compose(settings: Settings, draft: Draft, *, now: datetime) -> EmailMessage:
    """The message, dated `now` (aware UTC).

    Raises:
        ValueError: A header would not be what it should: nothing may be sent then.
    """
    locale = draft.locale if draft.locale in KNOWN_LOCALES else settings.locale
    with using_locale(locale):
        words = render(
            draft.kind,
            locale=locale,
            values=_values(settings, draft, now),
            site=settings.public_url,
            look={"utility": clean(settings.utility_name), "color": settings.utility_color},
        )
    message = _message(settings, draft, words, now=now)
    message.set_content(words.text)
    message.add_alternative(words.html, subtype="html")
    message["Content-Language"] = locale  # set earlier, it would have gone into the first part
    _require_only_ours(message)
    return message


def needs_utf8(to_address: str) -> bool:
    """Whether a mail server must know SMTPUTF8 to take a letter to this address."""
    return not to_address.isascii()


def _message(settings: Settings, draft: Draft, words: Rendered, *, now: datetime) -> EmailMessage:
    rules = policy.SMTPUTF8 if needs_utf8(draft.to_address) else policy.SMTP
    message = EmailMessage(policy=rules)
    name, address = settings.mail_sender
    message["From"] = _address(address, name=clean(name))
    message["To"] = _address(draft.to_address)
    if settings.mail_reply_to:
        message["Reply-To"] = _address(settings.mail_reply_to)
    message["Subject"] = clean(words.subject, limit=MAX_SUBJECT)
    message["Date"] = now.astimezone(settings.zone)
    message["Message-ID"] = f"<{draft.message_id}@{settings.mail_host}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    return message


def _address(address: str, *, name: str = "") -> Address:
    """In two halves, for the library takes a local part in another script only so."""
    local, _, domain = address.rpartition("@")
    return Address(display_name=name, username=local, domain=domain)


def _values(settings: Settings, draft: Draft, now: datetime) -> dict[str, str]:
    lifetime = timedelta(hours=settings.temporary_password_hours)
    return {
        **draft.data,
        "login": _readable(draft.to_address),
        "hours": str(settings.temporary_password_hours),
        "until": _moment(now + lifetime, settings.zone),
        "when": _moment(datetime.fromisoformat(draft.data[AT]).astimezone(UTC), settings.zone),
        **({"secret": draft.secret} if draft.secret is not None else {}),
    }


def _moment(value: datetime, zone: ZoneInfo) -> str:
    """With the zone's city, e.g. "24.11.2026, 15:42 (Омск)": the reader may be elsewhere."""
    city = get_timezone_location(zone, locale=active_locale(), return_city=True)
    return f"{moment_text(value, zone)} ({city})"


def _readable(address: str) -> str:
    """A domain in the script its owner knows it by."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain.encode('ascii').decode('idna')}"
    except UnicodeError:
        return address


def _require_only_ours(message: EmailMessage) -> None:
    """Read the finished message back: a break that got into a value would show as a header too many."""
    read = message_from_bytes(message.as_bytes(), policy=message.policy)
    if read.keys() != message.keys() or read.defects:
        raise ValueError("the message's headers are not what they should be")
