"""Serves the built pages: in the language that is asked for, each at its own address and with its own policy.

Pages are built once per language. What carries a hash of its content in its name, and what is the same in
every language, is served to everybody, so a page goes on in its language whatever another tab chooses. A
page's policy names its own inline scripts only: with those of all pages it would outgrow what proxies take.

The static files are asked for what is known to be there only. They would redirect /login to /login/, which
costs a telephone one round trip and names the wrong scheme behind a TLS proxy; they would serve //login with
another page's policy, and say "Not Found" of %00 and of very long names in a way of their own.
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
NOWHERE = "/404"
"""What static files are asked for then: a name that no file has."""


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
    """Serves the pages of several languages; `active_locale()` says which one is asked for."""

    def __init__(self, languages: Mapping[str, BuiltPages], *, drawn_at: Callable[[str], str | None]) -> None:
        """Make it of the builds.

        Args:
            languages: The pages by locale.
            drawn_at: At which address the page of one without a file is drawn, as /info/_ for /info/help;
                None: there is no such page.
        """
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
        drawn = address if address in policies else self.drawn_at(scope["path"])
        is_found = drawn is not None
        file = drawn if drawn is not None and drawn in policies else NOT_A_FILE
        policy = policies[file]

        async def as_page(message: Message) -> None:
            await send(_of_page(message, policy, is_found=is_found) if "headers" in message else message)

        path = NOWHERE if file == NOT_A_FILE else f"{file.rstrip('/')}/"
        scope = {**scope, "path": path, "raw_path": path.encode("ascii")}
        await self.languages[locale].files(scope, receive, as_page)


def _of_page(message: Message, policy: bytes, *, is_found: bool) -> Message:
    """The start of a page's answer: its policy, and that it depends on the cookie of the language."""
    headers = [(key, value) for key, value in message["headers"] if key != b"vary"]
    vary = [value for key, value in message["headers"] if key == b"vary"]
    headers += [(b"vary", b", ".join([*vary, b"Cookie"])), (b"content-security-policy", policy)]
    status = 200 if is_found and message["status"] == 404 else message["status"]
    return {**message, "status": status, "headers": headers}
