"""Built pages over HTTP: the language, the address and the policy of each, and what is the same for all."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from lk_portal.i18n import using_locale
from lk_portal.web.guard import content_policy
from lk_portal.web.pages import BuiltPages, PagesByLanguage, inline_script_hashes

TEXTS = {"ru": "Войти", "en": "Sign in"}


@pytest.fixture
def site(tmp_path: Path) -> httpx.AsyncClient:
    """The same four pages in two languages, with files of their own and one of both."""
    for locale, text in TEXTS.items():
        for page in ("index.html", "login/index.html", "a/b/index.html", "info/_/index.html", "404.html"):
            write(tmp_path / locale / page, f"<html>{page} {text}<script>{page} {text}</script></html>")
        write(tmp_path / locale / "theme.js", "both")
        write(tmp_path / locale / "assets" / f"page-{locale}345678.js", text)
    pages = {
        locale: BuiltPages(tmp_path / locale, StaticFiles(directory=tmp_path / locale, html=True))
        for locale in TEXTS
    }
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(PagesByLanguage(pages, drawn_at=drawn_at)),
        base_url="http://portal.example",
    )


def drawn_at(path: str) -> str | None:
    """Of all below /info one example is drawn; of all below /meters none; nothing else is a page."""
    return {"info": "/info/_", "meters": "/meters/_"}.get(path.split("/")[1])


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("locale", TEXTS)
@pytest.mark.parametrize(
    ("path", "page", "status"),
    [
        ("/", "index.html", 200),
        ("/index.html", "index.html", 200),
        ("/login", "login/index.html", 200),
        ("/login/", "login/index.html", 200),
        ("/login.html", "login/index.html", 200),
        ("/login?next=/a", "login/index.html", 200),
        ("/a/b", "a/b/index.html", 200),
        ("/info/help", "info/_/index.html", 200),
        ("/info/help/", "info/_/index.html", 200),
        ("/meters/1", "404.html", 200),
        ("/a", "404.html", 404),
        ("/none", "404.html", 404),
        ("/none.html", "404.html", 404),
        ("/404", "404.html", 404),
        ("/404.html", "404.html", 404),
        ("/assets", "404.html", 404),
        ("/meters/123", "404.html", 200),
        ("/meters/%00", "404.html", 200),
        ("/%00", "404.html", 404),
        ("/login%00", "404.html", 404),
        ("/%ff", "404.html", 404),
        ("/%", "404.html", 404),
        ("/%0a", "404.html", 404),
        (f"/{'a' * 5000}", "404.html", 404),
        ("/login/index.html/", "404.html", 404),
    ],
)
async def test_a_page_is_served_at_its_address_in_the_language_asked_for(
    site: httpx.AsyncClient, locale: str, path: str, page: str, status: int
) -> None:
    with using_locale(locale):
        answer = await site.get(path)

    assert answer.status_code == status
    assert answer.text.startswith(f"<html>{page} {TEXTS[locale]}")
    assert answer.headers["vary"].endswith("Cookie")


@pytest.mark.parametrize(
    "path", ["//login", "/./login", "/login/.", "/a/../login", "/.", "//portal.example/.."]
)
async def test_there_is_one_way_to_write_an_address(site: httpx.AsyncClient, path: str) -> None:
    """A browser or httpx would tidy such a path up; others send it as it is."""

    async def as_it_came(scope: Scope, receive: Receive, send: Send) -> None:
        await site._transport.app({**scope, "path": path}, receive, send)  # type: ignore[attr-defined]

    transport = httpx.ASGITransport(as_it_came)
    async with httpx.AsyncClient(transport=transport, base_url=site.base_url) as raw:
        with using_locale("en"):
            answer = await raw.get("/")

    assert answer.status_code == 404
    assert answer.text.startswith("<html>404.html")


async def test_a_page_allows_its_own_scripts_and_no_others(site: httpx.AsyncClient, tmp_path: Path) -> None:
    with using_locale("en"):
        answer = await site.get("/login")

    policy = answer.headers.get_list("content-security-policy")
    own = inline_script_hashes(tmp_path / "en" / "login" / "index.html")
    assert policy == [content_policy(own).decode()]
    assert len(own) == 1
    for other in ("ru/login/index.html", "en/index.html"):
        [foreign] = inline_script_hashes(tmp_path / other)
        assert foreign not in policy[0]


async def test_what_is_drawn_once_for_many_addresses_allows_its_own_scripts(
    site: httpx.AsyncClient, tmp_path: Path
) -> None:
    with using_locale("ru"):
        answer = await site.get("/info/help")

    policy = answer.headers.get_list("content-security-policy")
    assert policy == [
        content_policy(inline_script_hashes(tmp_path / "ru" / "info" / "_" / "index.html")).decode()
    ]


async def test_a_page_that_is_kept_says_what_it_depends_on(site: httpx.AsyncClient) -> None:
    """304 has no content type; a cache must know all the same."""
    with using_locale("ru"):
        first = await site.get("/login")
        again = await site.get("/login", headers={"if-none-match": first.headers["etag"]})
    with using_locale("en"):
        other = await site.get("/login", headers={"if-none-match": first.headers["etag"]})

    assert (again.status_code, again.headers["vary"]) == (304, "Cookie")
    assert (other.status_code, "Sign in" in other.text) == (200, True)


@pytest.mark.parametrize("locale", TEXTS)
@pytest.mark.parametrize("path", ["/theme.js", "/assets/page-ru345678.js", "/assets/page-en345678.js"])
async def test_what_is_no_page_is_the_same_for_everybody(
    site: httpx.AsyncClient, locale: str, path: str
) -> None:
    """A page of the other language may still be open in another tab, and go on to its next chunk."""
    with using_locale(locale):
        answer = await site.get(path)

    assert answer.status_code == 200
    assert "vary" not in answer.headers
    assert answer.text == {"r": "Войти", "e": "Sign in"}.get(path[13:14], "both")


def test_inline_scripts_are_allowed_by_their_hash_only(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text('<script>let a = 1</script><script src="/x.js"></script>', encoding="utf-8")
    hashes = inline_script_hashes(page)

    assert len(hashes) == 1
    assert hashes[0].encode() in content_policy(hashes)
    assert b"unsafe-eval" not in content_policy(hashes)
