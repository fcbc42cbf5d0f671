"""The browser's half of the portal: how it is configured, built, and found again.

Reflex compiles pages to a static bundle, its texts included; so there is one for each language. They are
built once and kept; a fingerprint over all that they depend on tells when they are stale.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import reflex as rx
from reflex.utils.path_ops import file_lock
from reflex_base.plugins.base import Plugin

from lk_portal.errors import ConfigurationError
from lk_portal.services import plugins
from lk_portal.serving.prerender import ExamplesPlugin
from lk_portal.settings import KNOWN_LOCALES, Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
WEB_DIR = ROOT / ".web"
OUTPUT_DIR = WEB_DIR / "build" / "client"
PAGES_DIR = WEB_DIR / "_static"
"""One folder for each language. Tailwind looks for class names in all of .web but what Reflex's .gitignore
there names, and this it does: else every build would be made from the last one's words too."""
STAMP = WEB_DIR / "lk-build.json"
SOURCES = ("pages", "resources", "components", "state", "i18n", "serving")
FILES = ("assets", "reflex.lock")
STATE_JS = "utils/state.js"
OWN_LANGUAGE = "lang: document.documentElement.lang"
SOCKET_CHANGES = {
    "endpoint.hostname = frontend_hostname;": (
        "endpoint.hostname = frontend_hostname;\n    endpoint.port = window.location.port;"
    ),
    "query: { token },": f"query: {{ token, {OWN_LANGUAGE} }},",
    "opts.query = { token: getToken() };": f"opts.query = {{ token: getToken(), {OWN_LANGUAGE} }};",
}
"""What Reflex's module says of the websocket's address, and what ours says in its place."""


class OwnSocketPlugin(Plugin):
    """Makes the page's websocket follow the address the page came from, and tell the page's language.

    Reflex bakes the backend's port into the build and swaps only the host. One build must serve any port
    and any proxy, so the port is taken from the page too.
    """

    def pre_compile(self, **context: object) -> None:
        """Register the change of Reflex's own module."""
        add = context["add_modify_task"]
        assert callable(add)  # noqa: S101 - narrows the type Reflex promises
        add(STATE_JS, use_own_socket)


def use_own_socket(source: str) -> str:
    """Reflex's state.js with port and language taken from the page.

    Raises:
        ConfigurationError: Reflex's module has changed and does not contain a line that must be changed.
    """
    for theirs, ours in SOCKET_CHANGES.items():
        if ours in source:
            continue
        if source.count(theirs) != 1:
            raise ConfigurationError(detail=f"this Reflex version has no line {theirs!r} in {STATE_JS}")
        source = source.replace(theirs, ours)
    return source


def portal_config() -> rx.Config:
    """Reflex's configuration of the portal."""
    settings = load_settings()
    modes = rx.constants.StateManagerMode
    return rx.Config(
        app_name="lk_portal",
        api_url="http://localhost:8000",
        deploy_url=settings.public_url,
        telemetry_enabled=False,
        show_built_with_reflex=False,
        # On one machine states stay in memory, never in files; several share them through Redis.
        state_manager_mode=modes.REDIS if settings.redis_url else modes.MEMORY,
        redis_url=settings.redis_url or None,
        redis_token_expiration=settings.session_idle_minutes * 60,
        cors_allowed_origins=settings.own_origins,
        trusted_proxy_hops=settings.trusted_proxy_hops,
        plugins=[
            rx.plugins.TailwindV4Plugin({"plugins": [{"name": "daisyui"}]}),
            OwnSocketPlugin(),
            ExamplesPlugin(),
        ],
        disable_plugins=[rx.plugins.SitemapPlugin, rx.plugins.RadixThemesPlugin],
    )


def fingerprint(settings: Settings) -> str:
    """A hash over everything the bundles are made from."""
    digest = hashlib.sha256()
    files = [path for name in SOURCES for path in (ROOT / "lk_portal" / name).rglob("*") if path.is_file()]
    files += [ROOT / "rxconfig.py", ROOT / "lk_portal" / "lk_portal.py", ROOT / "requirements.lock"]
    files += [path for name in FILES for path in (ROOT / name).rglob("*") if path.is_file()]
    for path in sorted(set(files)):
        if path.suffix != ".pyc" and path.exists():
            digest.update(f"{path.relative_to(ROOT)}\0".encode())
            digest.update(_content(path))
    digest.update(plugins.digest().encode())
    digest.update(json.dumps([KNOWN_LOCALES, settings.utility_name, settings.utility_color]).encode())
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    """A file as it counts for the bundle: of JSON the meaning, for Reflex writes it in two ways."""
    if path.suffix != ".json":
        return path.read_bytes()
    return json.dumps(json.loads(path.read_bytes()), sort_keys=True).encode()


def _tidy_lock() -> None:
    """Write the lock's package.json in one form whenever Reflex has; else a build leaves a changed file."""
    path = ROOT / "reflex.lock" / "package.json"
    if path.exists():
        text = json.dumps(json.loads(path.read_bytes()), indent=2) + "\n"
        path.write_text(text, encoding="utf-8")


def pages_dir(locale: str) -> Path:
    """Where the pages of a language lie."""
    return PAGES_DIR / locale


def is_built(settings: Settings) -> bool:
    """Whether the bundles that are there are those that these sources and settings make."""
    if not STAMP.exists() or not all((pages_dir(name) / "index.html").exists() for name in KNOWN_LOCALES):
        return False
    return bool(json.loads(STAMP.read_text(encoding="ascii")).get("fingerprint") == fingerprint(settings))


def build(settings: Settings) -> None:
    """Build the bundles of all languages with the npm packages that reflex.lock names.

    Raises:
        ConfigurationError: A package's catalogue cannot be used, or a build failed; its last lines are in the
            message.
    """
    plugins.load_catalogues()  # else a bad one is told by the last lines of Reflex
    wanted = fingerprint(settings)
    STAMP.unlink(missing_ok=True)
    shutil.rmtree(PAGES_DIR, ignore_errors=True)
    for locale in KNOWN_LOCALES:
        _export(settings.model_copy(update={"locale": locale}))
        # Not before: the very first export lays .web anew.
        PAGES_DIR.mkdir(parents=True, exist_ok=True)
        OUTPUT_DIR.rename(pages_dir(locale))
    if different := ambiguous_names():
        raise ConfigurationError(detail=f"two languages have different files named {', '.join(different)}")
    _tidy_lock()
    STAMP.write_text(json.dumps({"fingerprint": wanted}), encoding="ascii")


def _export(settings: Settings) -> None:
    """Build the bundle of one language into OUTPUT_DIR, in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"],
        cwd=ROOT,
        env=build_environment(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode != 0 or not (OUTPUT_DIR / "index.html").exists():
        raise ConfigurationError(
            detail="the pages could not be built: " + " | ".join(result.stdout.splitlines()[-12:])
        )


def ambiguous_names() -> list[str]:
    """Names of files other than pages that mean different files in two languages.

    They are served whatever the language, and kept by browsers for ever: a name must mean one content.
    """
    contents: dict[str, bytes] = {}
    found = set()
    for locale in KNOWN_LOCALES:
        folder = pages_dir(locale)
        for path in folder.rglob("*"):
            if path.is_file() and path.suffix not in (".html", ".gz"):
                name, content = path.relative_to(folder).as_posix(), path.read_bytes()
                if contents.setdefault(name, content) != content:
                    found.add(name)
    return sorted(found)


def ensure_built(settings: Settings) -> None:
    """Build the bundles unless they are there already; two portals that start at once build one by one."""
    with file_lock(STAMP):
        if not is_built(settings):
            build(settings)


def build_environment(settings: Settings) -> dict[str, str]:
    """The environment for Reflex's tools: our settings, our bun, no calls to the outside but npm's."""
    environment = dict(os.environ)
    environment.update(
        LK_LOCALE=settings.locale,
        LK_UTILITY_NAME=settings.utility_name,
        LK_UTILITY_COLOR=settings.utility_color,
        LK_DATA_DIR=str(settings.data_dir),
        LK_PUBLIC_URL=settings.public_url,
        LK_PORT=str(settings.port),
        LK_REDIS_URL=settings.redis_url,
        LK_IS_WORKER_EMBEDDED="false",
        REFLEX_USE_SYSTEM_BUN="1",
        REFLEX_CHECK_LATEST_VERSION="0",
        REFLEX_TELEMETRY_ENABLED="false",
        PATH=os.pathsep.join((str(Path(sys.executable).parent), environment.get("PATH", ""))),
    )
    return environment
