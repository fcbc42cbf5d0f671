"""Texts of the utility's staff become HTML; whatever is in them, nothing of it acts."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.security.markup import ATTRIBUTES, TAGS, Heading, clean, plain, render


class Seen(HTMLParser):
    """Tags and attributes as a browser finds them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<style>body{display:none}</style>",
    "<form action='https://evil.example'><input name=password></form>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&#58;alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:msgbox)",
    "[x](\tjavascript:alert(1))",
    '[x](https://a.example "onmouseover=alert(1)")',
    "![x](https://evil.example/pixel.png)",
    "![x](//evil.example/pixel.png)",
    "![x](/\\evil.example/pixel.png)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x][r]\n\n[r]: https://evil.example/pixel.png",
    "<https://evil.example/'onclick=alert(1)>",
    "# <b id=login>x</b>",
    "`<script>alert(1)</script>`",
    "```html\n<script>alert(1)</script>\n```",
    "a\0b <b\0>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_acts(text: str) -> None:
    harmless(render(text).html)


@given(st.text(alphabet=st.sampled_from("<>&\"'#[]()!`*\\/:\n javascript=onerrorsrc\0"), max_size=80))
def test_nor_does_anything_random(text: str) -> None:
    harmless(render(text).html)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_cleaner_alone_would_do(text: str) -> None:
    harmless(clean(text))


def harmless(html: str) -> None:
    for tag, attributes in Seen(html).tags:
        assert tag in TAGS, html
        assert set(attributes) <= ATTRIBUTES.get(tag, set()) | {"rel"}, html
        source = attributes.get("src")
        assert source is None or (source[:1] == "/" and source[1:2] not in ("/", "\\")), html
        href = (attributes.get("href") or "").strip().lower()
        assert ":" not in href.split("/")[0] or href.startswith(("http:", "https:", "mailto:", "tel:")), html


def test_markup_is_shown_as_text() -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in render("<script>alert(1)</script>").html


def test_what_markdown_is_for_comes_through() -> None:
    html = render(
        "## Как войти\n\nНажмите **Войти**, см. [помощь](/info/agreement?version=1) и "
        "[сайт](https://utility.example/).\n\n1. раз\n2. два\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        "![Схема](/pictures/1.png)"
    ).html

    assert '<h2 id="section-1">Как войти</h2>' in html
    assert "<strong>Войти</strong>" in html
    assert 'href="/info/agreement?version=1"' in html
    assert '<a href="https://utility.example/" rel="noopener noreferrer">' in html
    assert "<li>раз</li>" in html
    assert "<td>1</td>" in html
    assert '<img src="/pictures/1.png" alt="Схема">' in html


def test_a_picture_from_elsewhere_leaves_its_words() -> None:
    html = render("перед ![Схема сети](https://evil.example/1.png) после").html

    assert "<img" not in html
    assert "evil.example" not in html
    assert "перед Схема сети после" in html


def test_an_image_of_known_size_keeps_its_place() -> None:
    sizes = {"/pictures/1.png": (390, 844), "https://evil.example/1.png": (1, 2)}
    html = render(
        "![a](/pictures/1.png) ![b](/pictures/2.png) ![c](https://evil.example/1.png)", sizes.get
    ).html

    assert '<img src="/pictures/1.png" alt="a" width="390" height="844">' in html
    assert '<img src="/pictures/2.png" alt="b">' in html
    assert html.count("width=") == 1


def test_headings_are_named_for_a_table_of_contents() -> None:
    headings = render("# Одно *и* другое\n\n## `code`\n\n## Одно и другое").headings

    assert headings == (
        Heading(1, "Одно и другое", "section-1"),
        Heading(2, "code", "section-2"),
        Heading(2, "Одно и другое", "section-3"),
    )


def test_the_plain_words_are_without_marks_and_images() -> None:
    text = (
        "# Как *войти*\n\nНажмите\n**Войти**, см. [помощь](/info/help)![снимок](/a.png).\n\n"
        "- раз\n- `два`\n\n```\nкод\n```"
    )

    assert plain(text) == "Как войти\nНажмите Войти, см. помощь.\nраз\nдва\nкод"


@pytest.mark.parametrize("text", ["<b>x</b>", "&lt;", "a\0b", ""])
def test_plain_words_of_anything_are_text(text: str) -> None:
    assert isinstance(plain(text), str)
    assert plain("<b>жирно</b>") == "<b>жирно</b>"
