"""Serves the portal: one process, one port - pages, websocket, sign-in, and the worker beside them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from datetime import timedelta

from granian.constants import Interfaces
from granian.server.embed import Server
from reflex_base.environment import environment

from lk_portal.errors import N_, ConfigurationError
from lk_portal.services import context
from lk_portal.services.context import Portal
from lk_portal.services.migrations import is_current
from lk_portal.serving.frontend import ROOT, build_environment, ensure_built
from lk_portal.settings import Settings

MAX_EVENT = 65_536
"""Bytes of one event: more than any form of ours; Reflex would take a million."""
PONG_WITHIN = timedelta(seconds=15)
"""So long after a ping, of which there is one every 25 s, a line is dead. By Reflex's two minutes a page
would look alive for longer than a person looks at it, and what is pressed meanwhile is lost."""


def serve(settings: Settings) -> None:
    """Build the pages if needed and serve until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: The database lacks migrations, or the pages cannot be built.
    """
    if not is_current(settings.database_address):
        raise ConfigurationError(detail=N_("the database needs `lk migrate` first"))
    ensure_built(settings)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    server = Server(
        make_asgi(settings),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        websockets=True,
        log_enabled=False,
        factory=True,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    await server.serve()


def make_asgi(settings: Settings):  # type: ignore[no-untyped-def]
    """The factory of the ASGI application; configures Reflex for a build that is already there."""
    os.chdir(ROOT)
    os.environ.update(build_environment(settings))
    os.environ["REFLEX_ENV_MODE"] = "prod"
    environment.REFLEX_SKIP_COMPILE.set(True)
    environment.REFLEX_SOCKET_MAX_HTTP_BUFFER_SIZE.set(MAX_EVENT)
    environment.REFLEX_SOCKET_TIMEOUT.set(PONG_WITHIN)
    context.install(Portal.from_settings(settings))
    from lk_portal.lk_portal import app

    return app
