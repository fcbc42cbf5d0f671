"""Settings of the mail: how a server is written, what is refused, and that no password shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from lk_portal.errors import ConfigurationError
from lk_portal.settings import Encryption, MailServer, load_settings


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LK_SMTP_URL", "LK_MAIL_FROM", "LK_PUBLIC_URL", "LK_UTILITY_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", MailServer("mail.example", 587, Encryption.STARTTLS)),
        ("smtp://mail.example:25?tls=none", MailServer("mail.example", 25, Encryption.NONE)),
        ("smtp://mail.example:25?tls=starttls", MailServer("mail.example", 25, Encryption.STARTTLS)),
        ("smtps://mail.example/", MailServer("mail.example", 465, Encryption.TLS)),
        ("smtp://localhost:25", MailServer("localhost", 25, Encryption.NONE)),
        ("smtp://127.0.0.1:25", MailServer("127.0.0.1", 25, Encryption.NONE)),
        ("smtp://[::1]:25", MailServer("::1", 25, Encryption.NONE)),
        ("smtp://u:p@localhost:25", MailServer("localhost", 25, Encryption.NONE, "u", "p")),
        (
            "smtps://lk%40mail.example:p%2Fw%3A%23%3F%40@mail.example:8465",
            MailServer("mail.example", 8465, Encryption.TLS, "lk@mail.example", "p/w:#?@"),
        ),
    ],
)
def test_a_server_is_read_from_its_address(url: str, server: MailServer) -> None:
    assert load_settings(smtp_url=url).mail_server == server


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example:port",
        "smtp://mail.example:99999",
        "smtp://mail.example/path",
        "smtp://mail.example?tls=maybe",
        "smtp://mail.example?starttls=1",
        "smtp://mail.example#fragment",
        "smtps://mail.example?tls=none",
        "smtp://user@mail.example",
        "smtp://u:Canary1@mail.example?tls=none",
        "smtp://u:Canary/1@mail.example",
        "smtp://u:Canary#1@mail.example",
        "smtp://u:Canary?1@mail.example",
        "smtp://[::1:25",
    ],
)
def test_a_wrong_one_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="LK_SMTP_URL") as caught:
        load_settings(smtp_url=url)

    assert "Canary" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_password_shows_nowhere() -> None:
    settings = load_settings(smtp_url="smtps://user:Canary1@mail.example")

    assert "Canary1" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert "Canary1" not in repr(settings.mail_server)
    assert settings.mail_server is not None
    assert settings.mail_server.password == "Canary1"


def test_without_a_server_letters_go_to_the_data_directory(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)

    assert settings.mail_server is None
    assert settings.letters_dir == tmp_path / "letters"


@pytest.mark.parametrize(
    ("public_url", "sender"),
    [
        ("https://lk.energo.example", "no-reply@lk.energo.example"),
        ("http://127.0.0.1:8000", "no-reply@localhost"),
        ("https://[2001:db8::1]", "no-reply@localhost"),
        ("https://кабинет.рф", f"no-reply@{'кабинет.рф'.encode('idna').decode()}"),
    ],
)
def test_the_sender_follows_from_the_public_address(public_url: str, sender: str) -> None:
    settings = load_settings(public_url=public_url, utility_name="Омскэнерго")

    assert settings.mail_sender == ("Омскэнерго", sender)


def test_the_sender_may_be_set() -> None:
    full = load_settings(mail_from="Отдел сбыта <sales@energo.example>")
    address = load_settings(mail_from="sales@почта.рф", utility_name="Омскэнерго")

    assert full.mail_sender == ("Отдел сбыта", "sales@energo.example")
    assert address.mail_sender == ("Омскэнерго", "sales@xn--80a1acny.xn--p1ai")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mail_from", "nobody"),
        ("mail_from", "Name <>"),
        ("mail_from", "a@mail.example\r\nBcc: spy@evil.example"),
        ("mail_from", "Name\n <a@mail.example>"),
        ("mail_reply_to", "nobody"),
        ("mail_reply_to", "a@mail.example\nBcc: spy@evil.example"),
        ("letters_keep_days", "0"),
    ],
)
def test_wrong_addresses_are_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"LK_{name.upper()}"):
        load_settings(**{name: value})
