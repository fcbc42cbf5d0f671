"""Markdown as HTML that is safe to put into a page. Pure; for states that show texts of the utility's staff.

Two layers, either of which would do: markup in the source is shown as text (html is off), and what comes out
is cleaned by nh3, which lets through the few tags that Markdown makes. No script, style, frame or form, no
image from elsewhere (it would tell a stranger who reads), no link but to the web, to mail and to telephones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

_BLOCKS = ("h1", "h2", "h3", "h4", "h5", "h6", "p", "hr", "blockquote", "pre", "ul", "ol", "li")
_TABLES = ("table", "thead", "tbody", "tr", "th", "td")
_WORDS = ("a", "br", "code", "em", "img", "s", "strong")
TAGS = frozenset((*_BLOCKS, *_TABLES, *_WORDS))
ATTRIBUTES = {
    **{f"h{level}": {"id"} for level in range(1, 7)},
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
}
SCHEMES = frozenset(["http", "https", "mailto", "tel"])
LINK_REL = "noopener noreferrer"
SECTION = "section-"
"""Ids of headings begin so, lest one takes the place of a name that scripts know."""
WITH_WORDS = ("inline", "fence", "code_block")
BREAKS = ("softbreak", "hardbreak")

SizeOf = Callable[[str], tuple[int, int] | None]
"""Width and height of the image at an address, in pixels; None when they are not known."""

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the text; `id` is its anchor."""

    level: int
    text: str
    id: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """The HTML of a text, and its headings in order."""

    html: str
    headings: tuple[Heading, ...]


@lru_cache(maxsize=64)
def render(text: str, size_of: SizeOf | None = None) -> Rendered:
    """The HTML for a Markdown text, whoever wrote it; images of known size keep their place."""
    tokens = _markdown.parse(text)
    headings = tuple(_number_headings(tokens))
    _drop_foreign_images(tokens)
    if size_of:
        _keep_places(tokens, size_of)
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    return Rendered(clean(html), headings)


@lru_cache(maxsize=256)
def plain(text: str) -> str:
    """The words of a Markdown text without its marks and images, a line for each block. It is no HTML."""
    tokens = [token for token in _markdown.parse(text) if token.type in WITH_WORDS]
    for token in tokens:
        if token.children:
            token.children = [part for part in token.children if part.type != "image"]
    return "\n".join(filter(None, map(_words, tokens)))


def clean(html: str) -> str:
    """`html` without anything harmful; used on everything that is shown as markup."""
    return nh3.clean(
        html,
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes=set(SCHEMES),
        link_rel=LINK_REL,
        attribute_filter=_kept_value,
    )


def is_own(address: str) -> bool:
    """Whether an image's address is a path of the portal itself, by every browser's reading."""
    if not address.startswith("/") or address.startswith("//") or "\\" in address:
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc and not any(ord(sign) <= 0x20 for sign in address)


def _kept_value(tag: str, attribute: str, value: str) -> str | None:
    if tag == "img" and attribute == "src":
        return value if is_own(value) else None
    if attribute == "id":
        return value if value.startswith(SECTION) else None
    return value


def _number_headings(tokens: list[Token]) -> Iterator[Heading]:
    """Give every heading an id; says what they are."""
    number = 0
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open":
            number += 1
            anchor = f"{SECTION}{number}"
            opening.attrSet("id", anchor)
            yield Heading(int(opening.tag[1:]), _words(content), anchor)


def _words(content: Token) -> str:
    if content.children is None:
        return content.content.strip()
    parts = (" " if part.type in BREAKS else part.content for part in content.children)
    return "".join(parts).strip()


def _drop_foreign_images(tokens: list[Token]) -> None:
    """Leave of an image from elsewhere what it is called."""
    for token in tokens:
        for part in token.children or ():
            if part.type == "image" and not is_own(str(part.attrGet("src") or "")):
                part.type, part.tag, part.children = "text", "", None


def _keep_places(tokens: list[Token], size_of: SizeOf) -> None:
    images = (part for token in tokens for part in token.children or () if part.type == "image")
    for image in images:
        if size := size_of(str(image.attrGet("src"))):
            image.attrSet("width", str(size[0]))
            image.attrSet("height", str(size[1]))
