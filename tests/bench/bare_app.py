"""The floor: a bare Reflex counter page built with the portal's plugins, served like the portal."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.portal_process import ROOT, free_port, stop

RXCONFIG = """
import reflex as rx

config = rx.Config(
    app_name="bare",
    api_url="http://localhost:{port}",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    plugins=[rx.plugins.TailwindV4Plugin({{"plugins": [{{"name": "daisyui"}}]}})],
    disable_plugins=[rx.plugins.SitemapPlugin, rx.plugins.RadixThemesPlugin],
)
"""
APP = """
import reflex as rx


class Counter(rx.State):
    count: int = 0

    @rx.event
    def add(self):
        self.count += 1


def index():
    return rx.el.main(rx.el.button("+", on_click=Counter.add, id="add"), rx.el.p(Counter.count))


app = rx.App()
app.add_page(index, route="/")
"""
SERVE = """
import asyncio, sys
from granian.constants import Interfaces
from granian.server.embed import Server
from reflex_base.environment import environment

environment.REFLEX_SKIP_COMPILE.set(True)
environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.set(True)
from bare.bare import app


async def main():
    port = int(sys.argv[1])
    await Server(app, port=port, interface=Interfaces.ASGI, factory=True, log_enabled=False).serve()


asyncio.run(main())
"""
START_S = 60


@contextlib.contextmanager
def running_bare_app(directory: Path) -> Iterator[str]:
    """Build and serve the counter in `directory`; gives its URL."""
    port = free_port()
    (directory / "bare").mkdir()
    (directory / "rxconfig.py").write_text(RXCONFIG.format(port=port))
    (directory / "bare" / "__init__.py").write_text("")
    (directory / "bare" / "bare.py").write_text(APP)
    (directory / "serve.py").write_text(SERVE)
    shutil.copytree(ROOT / "reflex.lock", directory / "reflex.lock")
    environment = {
        **os.environ,
        "REFLEX_USE_SYSTEM_BUN": "1",
        "REFLEX_CHECK_LATEST_VERSION": "0",
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
    }
    build = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    subprocess.run(build, cwd=directory, env=environment, check=True, capture_output=True)
    process = subprocess.Popen(
        [sys.executable, "serve.py", str(port)],
        cwd=directory,
        env={**environment, "REFLEX_ENV_MODE": "prod"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


def _wait(url: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url).status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    raise RuntimeError("the bare application did not start")
