"""The browser's half of the portal: how it is configured, built, and found again.

Reflex compiles pages to a static bundle. It is built once and kept; a fingerprint over all that it depends
on tells when it is stale.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import reflex as rx
from reflex_base.plugins.base import Plugin

from lk_portal.errors import ConfigurationError
from lk_portal.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
WEB_DIR = ROOT / ".web"
STATIC_DIR = WEB_DIR / "build" / "client"
STAMP = WEB_DIR / "lk-build.json"
SOURCES = ("pages", "components", "state", "i18n", "serving")
FILES = ("assets", "reflex.lock")
STATE_JS = "utils/state.js"
FIXED_PORT = "endpoint.hostname = frontend_hostname;"
OWN_PORT = "endpoint.hostname = frontend_hostname;\n    endpoint.port = window.location.port;"


class OwnPortPlugin(Plugin):
    """Makes the page's websocket follow the address the page came from.

    Reflex bakes the backend's port into the build and swaps only the host. One build must serve any port
    and any proxy, so the port is taken from the page too.
    """

    def pre_compile(self, **context: object) -> None:
        """Register the change of Reflex's own module."""
        add = context["add_modify_task"]
        assert callable(add)  # noqa: S101 - narrows the type Reflex promises
        add(STATE_JS, use_own_port)


def use_own_port(source: str) -> str:
    """Reflex's state.js with the port taken from the page.

    Raises:
        ConfigurationError: Reflex's module has changed and does not contain the line.
    """
    if OWN_PORT in source:
        return source
    if FIXED_PORT not in source:
        raise ConfigurationError(detail="this Reflex version swaps the websocket's host in another way")
    return source.replace(FIXED_PORT, OWN_PORT)


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
        plugins=[rx.plugins.TailwindV4Plugin({"plugins": [{"name": "daisyui"}]}), OwnPortPlugin()],
        disable_plugins=[rx.plugins.SitemapPlugin, rx.plugins.RadixThemesPlugin],
    )


def fingerprint(settings: Settings) -> str:
    """A hash over everything the bundle is made from."""
    digest = hashlib.sha256()
    files = [path for name in SOURCES for path in (ROOT / "lk_portal" / name).rglob("*") if path.is_file()]
    files += [ROOT / "rxconfig.py", ROOT / "lk_portal" / "lk_portal.py", ROOT / "requirements.lock"]
    files += [path for name in FILES for path in (ROOT / name).rglob("*") if path.is_file()]
    for path in sorted(set(files)):
        if path.suffix != ".pyc" and path.exists():
            digest.update(f"{path.relative_to(ROOT)}\0".encode())
            digest.update(_content(path))
    digest.update(json.dumps([settings.locale, settings.utility_name, settings.utility_color]).encode())
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


def is_built(settings: Settings) -> bool:
    """Whether the bundle that is there is the one these sources and settings make."""
    if not STAMP.exists() or not (STATIC_DIR / "index.html").exists():
        return False
    return bool(json.loads(STAMP.read_text(encoding="ascii")).get("fingerprint") == fingerprint(settings))


def build(settings: Settings) -> None:
    """Build the bundle, in a process of its own, with the npm packages that reflex.lock names.

    Raises:
        ConfigurationError: The build failed; its last lines are in the message.
    """
    wanted = fingerprint(settings)
    STAMP.unlink(missing_ok=True)
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
    if result.returncode != 0 or not (STATIC_DIR / "index.html").exists():
        raise ConfigurationError(
            detail="the pages could not be built: " + " | ".join(result.stdout.splitlines()[-12:])
        )
    _tidy_lock()
    STAMP.write_text(json.dumps({"fingerprint": wanted}), encoding="ascii")


def ensure_built(settings: Settings) -> None:
    """Build the bundle unless it is there already."""
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
