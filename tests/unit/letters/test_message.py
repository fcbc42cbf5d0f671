"""The message on the wire: which headers it has, and that nothing typed by anybody adds one."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.letters.fields import AT, checked
from lk_portal.letters.message import Draft, compose
from lk_portal.models import LetterKind
from lk_portal.services.letters import WITH_SECRET
from lk_portal.services.outbox_texts import KINDS
from lk_portal.settings import KNOWN_LOCALES, load_settings
from tests.smtp_server import html_text, plain_text, secret_in

NOW = datetime(2026, 11, 24, 9, 42, tzinfo=UTC)
DATA = {
    LetterKind.CLAIM_KEPT: {"account": "5500000001"},
    LetterKind.CLAIM_ACCEPTED: {"account": "5500000001"},
    LetterKind.CLAIM_REFUSED: {"account": "5500000001"},
    LetterKind.ACCOUNT_MOVED: {"account": "5500000001"},
    LetterKind.TICKET_ANSWERED: {"ticket": 12, "subject": "Нет света", "status": "В работе"},
    LetterKind.EMAIL_CHANGED: {"new_email": "new@mail.example"},
    LetterKind.PHONE_CHANGED: {"new_phone": "+79131234567"},
    LetterKind.NEW_DEVICE: {"browser": "Firefox/132 Linux", "address": "203.0.113.7"},
    LetterKind.METER_EVENT: {"what": "Critical events", "list": "Home: 2 events"},
    LetterKind.UNUSUAL_CONSUMPTION: {"list": "Home: 312 kWh"},
    LetterKind.VERIFICATION_DUE: {"list": "Home: due"},
}
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
]


def draft(kind: LetterKind = LetterKind.WELCOME, **changes: Any) -> Draft:
    data = {**DATA.get(kind, {}), **changes.pop("data", {})}
    values: dict[str, Any] = {
        "kind": str(kind),
        "locale": "ru",
        "to_address": "ivan@mail.example",
        "message_id": "abc-_123",
        "secret": "abcde-fghjk" if kind in WITH_SECRET else None,
    }
    return Draft(data={**checked(kind, data), AT: NOW.isoformat()}, **(values | changes))


def sent(made: Draft, **settings: Any) -> EmailMessage:
    """The message as the receiver parses it."""
    chosen = load_settings(
        **{"public_url": "https://lk.energo.example", "timezone": "Asia/Omsk", "locale": "ru", **settings}
    )
    raw = compose(chosen, made, now=NOW).as_bytes()
    assert b"\r\n" in raw
    assert b"\n" not in raw.replace(b"\r\n", b"")
    parsed = message_from_bytes(raw, policy=policy.SMTP)
    assert isinstance(parsed, EmailMessage)
    return parsed


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
@pytest.mark.parametrize("kind", list(LetterKind))
def test_every_letter_in_every_language_is_a_sound_message(kind: LetterKind, locale: str) -> None:
    message = sent(draft(kind, locale=locale))

    assert message.keys() == HEADERS
    assert not message.defects
    assert message["Content-Language"] == locale
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert "{" not in plain_text(message)
    assert f'lang="{locale}"' in html_text(message)


def test_every_letter_has_a_name_in_the_staff_s_list() -> None:
    assert set(KINDS) == set(LetterKind)


def test_the_headers_say_what_they_should() -> None:
    message = sent(draft())

    assert message["From"].addresses[0].addr_spec == "no-reply@lk.energo.example"
    assert message["From"].addresses[0].display_name == "ЭнергоМир"
    assert message["To"] == "ivan@mail.example"
    assert message["Subject"] == "Временный пароль для входа в личный кабинет"
    assert message["Date"].datetime == NOW
    assert message["Message-ID"] == "<abc-_123@lk.energo.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert secret_in(message) == "abcde-fghjk"


def test_sender_and_reply_address_are_settings() -> None:
    message = sent(draft(), mail_from="Омскэнерго <lk@omsk.example>", mail_reply_to="support@omsk.example")

    assert message["From"].addresses[0].display_name == "Омскэнерго"
    assert message["From"].addresses[0].addr_spec == "lk@omsk.example"
    assert message["Reply-To"] == "support@omsk.example"


def test_an_unknown_or_missing_language_is_the_portals() -> None:
    for locale in ("", "xx"):
        assert sent(draft(locale=locale), locale="en")["Content-Language"] == "en"
    assert sent(draft(locale="ru"), locale="en")["Content-Language"] == "ru"


def test_times_are_of_the_utilitys_zone() -> None:
    text = " ".join(plain_text(sent(draft(LetterKind.NEW_DEVICE))).split())

    assert "24.11.2026, 15:42 (Омск" in text
    assert "Firefox, Linux" in text
    until = " ".join(plain_text(sent(draft(), temporary_password_hours=48)).split())
    assert "26.11.2026, 15:42" in until
    assert "48 ч" in until


def test_names_and_domains_in_cyrillic_arrive() -> None:
    message = sent(
        draft(data={"name": "Ёлкин Ярослав"}, to_address="ivan@xn--80a1acny.xn--p1ai"),
        public_url="https://кабинет.рф",
        utility_name="Очень длинное название сбытовой компании, которое не помещается в строку",
    )

    assert message["To"] == "ivan@xn--80a1acny.xn--p1ai"
    assert message["From"].addresses[0].addr_spec == f"no-reply@{'кабинет.рф'.encode('idna').decode()}"
    assert message["From"].addresses[0].display_name.endswith("не помещается в строку")
    assert "Здравствуйте, Ёлкин Ярослав!" in plain_text(message)
    assert "ivan@почта.рф" in plain_text(message)


def test_a_cyrillic_mailbox_goes_in_utf8() -> None:
    settings = load_settings(public_url="https://lk.example")
    raw = compose(settings, draft(to_address="иван@xn--80a1acny.xn--p1ai"), now=NOW).as_bytes()

    assert "To: иван@xn--80a1acny.xn--p1ai\r\n".encode() in raw


BREAKS = ("\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x00", "\r\n ", "\n\n")
INJECTED = "Bcc: spy@evil.example"


@pytest.mark.parametrize("line_break", BREAKS)
@pytest.mark.parametrize("field", ["name", "account", "utility_name"])
def test_a_break_in_a_value_adds_no_header(field: str, line_break: str) -> None:
    value = f"Иван{line_break}{INJECTED}{line_break}{line_break}<b>body</b>"
    kind = LetterKind.CLAIM_KEPT if field == "account" else LetterKind.WELCOME
    if field == "utility_name":
        message = sent(draft(), utility_name=value)
    else:
        message = sent(draft(kind, data={field: value}))

    assert message.keys() == HEADERS
    assert not any(line.startswith("Bcc") for line in plain_text(message).splitlines())


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("field", ["to_address", "message_id"])
def test_a_break_where_none_can_be_stops_the_letter(field: str, line_break: str) -> None:
    value = f"ivan{line_break}{INJECTED}@mail.example"
    with pytest.raises(ValueError):
        sent(draft(**{field: value}))


@given(st.text(max_size=250), st.text(max_size=60))
def test_whatever_is_typed_the_headers_are_ours(name: str, account: str) -> None:
    message = sent(draft(LetterKind.CLAIM_KEPT, data={"name": name, "account": account}))

    assert message.keys() == HEADERS
    assert len(list(message.iter_parts())) == 2
