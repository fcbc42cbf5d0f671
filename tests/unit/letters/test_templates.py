"""All letters in all languages: complete, equal in both parts, calm, and closed to whoever fills them."""

from __future__ import annotations

import re
from html import unescape

import pytest

from lk_portal.letters.fields import FIELDS, OPTIONAL
from lk_portal.letters.templates import (
    FOLDER,
    FOOTER,
    GREETING,
    GREETING_NAMELESS,
    TEXT_WIDTH,
    Rendered,
    fields_of,
    links_of,
    render,
    template_names,
)
from lk_portal.models import LetterKind
from lk_portal.services.letters import WITH_PASSWORD, WITH_SECRET
from lk_portal.settings import KNOWN_LOCALES

SITE = "https://lk.example"
LOOK = {"utility": "ЭнергоМир", "color": "#0b5fa5"}
ALWAYS = {"login", "hours", "until", "when", "utility", "home"}
VALUES = {
    "name": "Иванов Иван",
    "secret": "abcde-fghjk-23456-mnpqr",
    "login": "ivan@mail.example",
    "hours": "24",
    "until": "25.11.2026, 15:42 (Омск)",
    "when": "24.11.2026, 15:42 (Омск)",
    "account": "5500000001",
    "new_email": "i***@new.example",
    "new_phone": "***4567",
    "browser": "Firefox, Android",
    "address": "203.0.113.7",
    "ticket": "12",
    "subject": "Нет света",
    "status": "В работе",
    "what": "Критические события прибора учета",
    "list": "Дача: 3 события, последнее — 24.11.2026, 15:42; МИР С-07 № 7: 1 событие",
}
EVERY = [(kind, locale) for kind in LetterKind for locale in KNOWN_LOCALES]


def letter(kind: str = "welcome", *, locale: str = "ru", **values: str) -> Rendered:
    return render(kind, locale=locale, values={**VALUES, **values}, site=SITE, look=LOOK)


def shown(html: str) -> str:
    """What a person reads of the HTML part, without the frame's repetition of the subject."""
    body = html.partition("</h1>")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def read(text: str) -> str:
    """What a person reads of the text part, without numbers and dashes of lists, which HTML makes itself."""
    lines = (re.sub(r"^(\d+\.|-) ", "", line) for line in text.splitlines() if line != "--")
    return " ".join(" ".join(lines).split())


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
def test_every_kind_has_a_template_in_every_language(locale: str) -> None:
    assert template_names(locale) == {str(kind) for kind in LetterKind}


@pytest.mark.parametrize(("kind", "locale"), EVERY)
def test_a_letter_has_a_subject_a_text_and_a_page(kind: LetterKind, locale: str) -> None:
    made = letter(kind, locale=locale)

    assert made.subject
    assert "\n" not in made.subject
    assert f'<html lang="{locale}">' in made.html
    assert LOOK["utility"] in made.text
    assert not re.search(r"[{}]|\$\w", made.text + made.subject)
    is_russian = bool(re.search("[а-яё]", made.subject + made.text.replace(VALUES["name"], "")))
    assert is_russian == (locale == "ru") or locale == "en"
    assert ("Здравствуйте" if locale == "ru" else "Hello") in made.text


@pytest.mark.parametrize(("kind", "locale"), EVERY)
def test_both_parts_say_the_same(kind: LetterKind, locale: str) -> None:
    made = letter(kind, locale=locale)

    assert read(made.text) == shown(made.html)


@pytest.mark.parametrize(("kind", "locale"), EVERY)
def test_all_languages_tell_the_same_things(kind: LetterKind, locale: str) -> None:
    assert fields_of(kind, locale) == fields_of(kind, KNOWN_LOCALES[0])


@pytest.mark.parametrize(("kind", "locale"), EVERY)
def test_a_template_asks_for_what_its_kind_is_given(kind: LetterKind, locale: str) -> None:
    given = ALWAYS | OPTIONAL | FIELDS[kind] | ({"secret"} if kind in WITH_SECRET else set())
    asked = {name for name in fields_of(kind, locale) if not name.startswith("<")}

    assert {name for name in asked if not name.endswith("_page")} <= given
    assert asked >= FIELDS[kind]
    assert ("secret" in asked) == (kind in WITH_SECRET)


@pytest.mark.parametrize(("kind", "locale"), EVERY)
def test_a_letter_loads_nothing_and_leads_to_the_portal_only(kind: LetterKind, locale: str) -> None:
    html = letter(kind, locale=locale).html
    links = re.findall(r'href="([^"]*)"', html)

    assert links
    assert set(links) <= set(links_of(SITE, ticket="12").values())
    assert not re.search(r"<(img|script|link|iframe|form|object)\b|\bsrc=|url\(|@import", html, re.IGNORECASE)


@pytest.mark.parametrize(("kind", "locale"), EVERY)
def test_lines_of_the_text_are_short(kind: LetterKind, locale: str) -> None:
    text = letter(kind, locale=locale).text

    assert max(len(line) for line in text.splitlines()) <= TEXT_WIDTH


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
@pytest.mark.parametrize("kind", sorted(WITH_PASSWORD))
def test_a_password_stands_alone_and_everything_about_it_is_said(kind: str, locale: str) -> None:
    made = letter(kind, locale=locale)

    assert re.findall(r"^ {4}(\S+)$", made.text, re.MULTILINE) == [VALUES["secret"]]
    assert f"<code>{VALUES['secret']}</code>" in made.html
    for told in ("24", VALUES["until"], VALUES["login"], f"{SITE}/login"):
        assert told in " ".join(made.text.split())


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
def test_without_a_name_nobody_is_greeted_by_name(locale: str) -> None:
    greeting = letter(locale=locale, name="").text.splitlines()[0]

    assert "{" not in greeting
    assert letter(locale=locale).text.splitlines()[0] != greeting


HOSTILE = (
    "<b>x</b>",
    "<script>alert(1)</script>",
    "&lt;i&gt; &amp;",
    "*bold* _it_ `code`",
    "[here](https://evil.example)",
    "![](https://evil.example/pixel.png)",
    "{secret} {utility} $subject ${body}",
    "# head",
    "1. one",
    "    indented",
    '"quoted" onload=x',
)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("field", ["name", "account", "login", "secret"])
def test_a_value_is_shown_as_it_is(field: str, value: str) -> None:
    kind = "claim_kept" if field == "account" else "welcome"
    made = letter(kind, **{field: value})
    plain = letter(kind, **{field: "X"})

    seen = " ".join(value.split())
    assert seen in read(made.text) or seen in made.text
    assert seen in shown(made.html)
    assert re.findall(r"<(\w+)", made.html) == re.findall(r"<(\w+)", plain.html)
    assert re.findall(r'href="[^"]*"', made.html) == re.findall(r'href="[^"]*"', plain.html)


def test_a_letter_leads_to_its_ticket_and_no_number_leads_elsewhere() -> None:
    assert f'href="{SITE}/support/12"' in letter("ticket_answered").html
    for odd in ("", "1/../../x", "//evil.example", "١٢"):
        assert f'href="{SITE}/support"' in letter("ticket_answered", ticket=odd).html


def test_the_utilitys_name_is_escaped_too() -> None:
    made = render("welcome", locale="ru", values=VALUES, site=SITE, look={**LOOK, "utility": "<b>ООО</b> $x"})

    assert "&lt;b&gt;ООО&lt;/b&gt; $x" in made.html
    assert "<b>ООО" not in made.html


def test_a_missing_field_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="account"):
        render("claim_kept", locale="ru", values={"name": ""}, site=SITE, look=LOOK)


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
def test_no_file_lies_there_unused(locale: str) -> None:
    frame = {GREETING, GREETING_NAMELESS, FOOTER}
    files = {path.stem for path in (FOLDER / locale).iterdir()}

    assert files == frame | {str(kind) for kind in LetterKind}
