"""Letters as people read them: one Markdown file per kind and language becomes subject, text and HTML.

For the mail job. Both parts of a letter come from one source, so they say the same. A template is parsed
before anything is filled in, and values go into its texts only: whatever a value holds - Markdown, markup,
braces - is shown as it is. Links lead to the portal's own pages and to nowhere else.

Markdown instead of message ids, since a letter is one text: whoever translates it must see the whole.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt
from markdown_it.token import Token

FOLDER = Path(__file__).parent
SUFFIX = ".md"
TEXT_WIDTH = 72
GREETING, GREETING_NAMELESS, FOOTER = "_greeting", "_greeting_nameless", "_footer"
PAGES = ("login", "recover", "register", "settings", "accounts", "readings", "diagnostics")
TICKET = "ticket"
HOME = "home"

_FIELD = re.compile(r"\{(\w+)\}")
_STYLES = {
    "paragraph_open": "margin:0 0 16px",
    "ordered_list_open": "margin:0 0 16px;padding-left:24px",
    "bullet_list_open": "margin:0 0 16px;padding-left:24px",
    "link_open": "color:#1d4ed8;overflow-wrap:anywhere",
    "code_block": "margin:0 0 16px;padding:12px;background:#f3f4f6;border-radius:6px;text-align:center;"
    "font:bold 20px/1.4 Consolas,Menlo,monospace;white-space:pre-wrap;overflow-wrap:anywhere;user-select:all",
}
_markdown = MarkdownIt("commonmark", {"html": False})


@dataclass(frozen=True, slots=True)
class Rendered:
    """A letter's words: one line, plain text in lines of `TEXT_WIDTH`, and a whole HTML page."""

    subject: str
    text: str
    html: str


def render(
    kind: str, *, locale: str, values: Mapping[str, str], site: str, look: Mapping[str, str]
) -> Rendered:
    """The letter of a kind in a language.

    Args:
        kind: A template's name.
        locale: A language that has templates.
        values: For the template's fields; without a `name` it greets nobody by name.
        site: The portal's public address, without a slash at its end.
        look: `utility` and `color` for the frame of the page.

    Raises:
        KeyError: A field of the template has no value: a mistake in the program.
    """
    links = links_of(site, ticket=values.get("ticket", ""))
    known = {
        **values,
        **look,
        **{f"{page}_page": links[page] for page in (*PAGES, TICKET)},
        HOME: links[HOME],
    }
    greeting = GREETING if known.get("name") else GREETING_NAMELESS
    title, body = _parts(_filled(kind, locale, known, links))
    start, end = (_filled(name, locale, known, links) for name in (greeting, FOOTER))
    subject = "".join(_words(title))
    page = {"locale": locale, "subject": subject, **look}
    return Rendered(
        subject=subject,
        text=f"{_text([*start, *body])}\n\n--\n{_text(end)}\n",
        html=_layout().substitute(
            {name: escape(value) for name, value in page.items()},
            body=_html([*start, *body]),
            footer=_html(end),
        ),
    )


def links_of(site: str, *, ticket: str = "") -> dict[str, str]:
    """The addresses that letters may lead to, by the name that templates give them.

    One of them has a part that is not the same in all letters: the number of a ticket, digits only.
    """
    number = ticket if ticket.isascii() and ticket.isdecimal() else ""
    pages = {page: f"{site}/{page}" for page in PAGES}
    return {HOME: site, **pages, TICKET: f"{site}/support/{number}".rstrip("/")}


def template_names(locale: str) -> frozenset[str]:
    """The kinds that a language has templates for."""
    return frozenset(
        path.stem for path in (FOLDER / locale).glob(f"*{SUFFIX}") if not path.stem.startswith("_")
    )


def fields_of(name: str, locale: str) -> frozenset[str]:
    """The fields of a template, links' targets in angle brackets among them."""
    fields: set[str] = set()
    for token in _flat(_markdown.parse(_source(name, locale))):
        fields |= set(_FIELD.findall(token.content)) if not token.children else set()
        fields |= {f"<{token.attrs['href']}>"} if token.type == "link_open" else set()
    return frozenset(fields)


@cache
def _source(name: str, locale: str) -> str:
    return (FOLDER / locale / f"{name}{SUFFIX}").read_text(encoding="utf-8")


@cache
def _layout() -> Template:
    return Template((FOLDER / "layout.html").read_text(encoding="utf-8"))


def _filled(name: str, locale: str, values: Mapping[str, str], links: Mapping[str, str]) -> list[Token]:
    """The template's tokens with the values in their texts; parsed anew each time, for they are changed."""
    tokens = _markdown.parse(_source(name, locale))
    for token in _flat(tokens):
        if not token.children:
            token.content = _FIELD.sub(lambda found: values[found[1]], token.content.rstrip("\n"))
        if token.type == "link_open":
            token.attrs["href"] = links[str(token.attrs["href"])]
        if token.type in _STYLES:
            token.attrs["style"] = _STYLES[token.type]
    return tokens


def _flat(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from token.children or ()


def _parts(tokens: Sequence[Token]) -> tuple[Token, Sequence[Token]]:
    """The first heading, which is the subject, and what comes after it."""
    if tokens[0].type != "heading_open":
        raise ValueError("a letter's template begins with its subject as a heading")
    return tokens[1], tokens[3:]


def _html(tokens: Sequence[Token]) -> str:
    return str(_markdown.renderer.render(tokens, _markdown.options, {}))


def _text(tokens: Iterable[Token]) -> str:
    """Plain text: paragraphs apart, items of a list below each other, passwords alone on their line."""
    text, gap, marker = "", "", ""
    for token in tokens:
        match token.type:
            case "list_item_open":
                marker = f"{token.info}. " if token.info else "- "
            case "bullet_list_close" | "ordered_list_close":
                gap = "\n\n"
            case "inline":
                text += gap + _wrapped("".join(_words(token)), marker)
                gap, marker = ("\n" if marker else "\n\n"), ""
            case "code_block":
                text += f"{gap}    {token.content}"
                gap = "\n\n"
    return text


def _wrapped(text: str, marker: str) -> str:
    return textwrap.fill(
        text,
        TEXT_WIDTH,
        initial_indent=marker,
        subsequent_indent=" " * len(marker),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _words(token: Token) -> Iterator[str]:
    for child in token.children or ():
        yield " " if child.type in ("softbreak", "hardbreak") else child.content
