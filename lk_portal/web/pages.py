"""Serves the built pages: in the language that is asked for, each at its own address and with its own policy.

Pages are built once per language. What carries a hash of its content in its name, and what is the same in
every language, is served to everybody, so a page goes on in its language whatever another tab chooses. A
page's policy names its own inline scripts only: with those of all pages it would outgrow what proxies take.

The static files would redirect /login to /login/. That costs a telephone one round trip, and behind a TLS
proxy it would name the wrong scheme; so the slash is added here.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lk_portal.i18n import active_locale
from lk_portal.web.guard import content_policy

INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)
INDEX = "index.html"
NOT_A_FILE = "404.html"
"""What stands at an address of no page, and where nothing is drawn ahead."""


def inline_script_hashes(page: Path) -> list[str]:
    """CSP sources for the inline scripts the build wrote into a page."""
    scripts = INLINE_SCRIPT.findall(page.read_text(encoding="utf-8"))
    digests = {hashlib.sha256(script.encode("utf-8")).digest() for script in scripts}
    return sorted(f"'sha256-{base64.b64encode(digest).decode('ascii')}'" for digest in digests)


@dataclass(frozen=True, slots=True)
class BuiltPages:
    """The pages of one language: where they lie, and the application that serves their files."""

    folder: Path
    files: ASGIApp

    def addresses(self) -> dict[str, bytes]:
        """Every address that has a page, `NOT_A_FILE` for all others, and its policy."""
        found = {_address(page, self.folder): page for page in sorted(self.folder.rglob(INDEX))}
        found[NOT_A_FILE] = self.folder / NOT_A_FILE
        return {address: content_policy(inline_script_hashes(page)) for address, page in found.items()}

    def shared(self) -> set[str]:
        """The addresses of all that is no page."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and ".html" not in path.name)
        return {f"/{path.relative_to(self.folder).as_posix()}" for path in files}


def _address(page: Path, folder: Path) -> str:
    relative = page.parent.relative_to(folder).as_posix()
    return "/" if relative == "." else f"/{relative}"


class PagesByLanguage:
    """Serves the pages of several languages; `active_locale()` says which one is asked for.

    `drawn_at` says at which address the page of another one is drawn, as /info/_ for /info/help.
    """

    def __init__(self, languages: Mapping[str, BuiltPages], drawn_at: Callable[[str], str]) -> None:
        self.languages = languages
        self.drawn_at = drawn_at
        self.policies = {locale: pages.addresses() for locale, pages in languages.items()}
        self.holders = {address: pages for pages in languages.values() for address in pages.shared()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if holder := self.holders.get(scope["path"]):
            await holder.files(scope, receive, send)
            return
        locale = active_locale()
        policies = self.policies[locale]
        address = scope["path"].removesuffix(f"/{INDEX}").removesuffix(".html").rstrip("/") or "/"
        if address not in policies:
            address = self.drawn_at(address)
        policy = policies.get(address, policies[NOT_A_FILE])

        async def as_page(message: Message) -> None:
            await send({**message, "headers": _of_page(message, policy)} if "headers" in message else message)

        if address in policies:
            path = f"{address.rstrip('/')}/"
            scope = {**scope, "path": path, "raw_path": path.encode("ascii")}
        await self.languages[locale].files(scope, receive, as_page)


def _of_page(message: Message, policy: bytes) -> list[tuple[bytes, bytes]]:
    """The headers of a page: its policy, and that it depends on the cookie of the language."""
    headers = [(key, value) for key, value in message["headers"] if key != b"vary"]
    vary = [value for key, value in message["headers"] if key == b"vary"]
    return [*headers, (b"vary", b", ".join([*vary, b"Cookie"])), (b"content-security-policy", policy)]
