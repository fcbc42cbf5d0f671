"""The composition root: the Reflex application, its pages, guards, routes and tasks.

Only this module imports everything. Reflex finds `app` here by its name in rxconfig.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import pkgutil
from collections.abc import AsyncIterator
from typing import Any, cast

import reflex as rx
from reflex.event import EventSpec
from reflex.utils.precompressed_staticfiles import PrecompressedStaticFiles
from reflex_base.environment import environment
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from lk_portal import i18n, pages, resources
from lk_portal.components.first_paint import first_theme
from lk_portal.components.shell import offline_banner, shell
from lk_portal.i18n import _
from lk_portal.jobs.protocols import load_protocols
from lk_portal.logs import report
from lk_portal.pages.admin.resources import register_resources
from lk_portal.pages.registry import Layout, PageSpec, all_pages, main_menu, staff_menu
from lk_portal.services import context, plugins
from lk_portal.services.context import Portal
from lk_portal.services.health import unwatch, watch
from lk_portal.serving.frontend import pages_dir
from lk_portal.serving.prerender import example_of
from lk_portal.settings import KNOWN_LOCALES, Settings, load_settings
from lk_portal.state.guard import AccessMiddleware
from lk_portal.state.live import Broadcaster
from lk_portal.state.opening import OpeningMiddleware, PortalApp, load_with_frame
from lk_portal.state.shell import ShellState
from lk_portal.web.guard import Guard
from lk_portal.web.install import MANIFEST
from lk_portal.web.pages import BuiltPages, PagesByLanguage
from lk_portal.web.routes import make_routes

RESTART_AFTER_S = 2.0
MAX_BROWSER_ERROR = 400

log = logging.getLogger(__name__)


def make_app(portal: Portal) -> rx.App:
    """The application over one portal."""
    settings = portal.settings
    i18n.use_locale(settings.locale)
    application = PortalApp(
        html_lang=settings.locale,
        html_custom_attrs={"style": {"--lk-brand": settings.utility_color}},  # type: ignore[dict-item]
        stylesheets=["/portal.css"],
        head_components=[
            rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
            rx.el.link(rel="manifest", href=MANIFEST),
            rx.el.link(rel="apple-touch-icon", href="/icons/180.png"),
            rx.el.meta(name="theme-color", content=settings.utility_color),
            first_theme(),
            rx.el.script(src="/theme.js", defer=True),
            rx.el.script(src="/combobox.js", defer=True),
            rx.el.script(src="/dialog.js", defer=True),
            rx.el.script(src="/once.js", defer=True),
            rx.el.script(src="/tickets.js", defer=True),
            rx.el.script(src="/push.js", defer=True),
            rx.el.meta(name="color-scheme", content="light dark"),
        ],
        toaster=None,
        app_wraps={},
        extra_app_wraps={(5, "OfflineBanner"): lambda _stateful: offline_banner()},
        api_transformer=[lambda inner: _with_routes(inner, settings)],
        backend_exception_handler=tell_problem,
        frontend_exception_handler=note_browser_error,
    )
    _load_pages()
    for page in all_pages():
        _add(application, page, settings)
    application.add_middleware(AccessMiddleware())
    application.add_middleware(OpeningMiddleware())
    application.register_lifespan_task(run_portal)
    return application


def tell_problem(exception: Exception) -> EventSpec:
    """Log an error of a handler under a number, and show the number on the page."""
    return ShellState.tell_problem(report(exception))


def note_browser_error(exception: Exception) -> None:
    """Log what went wrong in a browser; anybody can send this, so it is cut and never a traceback."""
    log.warning("browser:error", extra={"reason": str(exception)[:MAX_BROWSER_ERROR]})


@contextlib.asynccontextmanager
async def run_portal(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001 - Reflex passes its application
    """What runs beside the pages in this process: the broadcaster and, on one machine, the worker."""
    portal = context.current()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(portal.close)
        broadcaster = asyncio.create_task(_keep_running(Broadcaster(_application(), portal)))
        stack.callback(broadcaster.cancel)
        _know_maps(portal.settings)
        if portal.settings.is_worker_embedded:
            await stack.enter_async_context(_worker(portal))
        yield


def _know_maps(settings: Settings) -> None:
    """Also where somebody else polls: the pages of the registry ask which register maps there are."""
    try:
        load_protocols(settings)
    except Exception as error:
        report(error)
        raise


@contextlib.asynccontextmanager
async def _worker(portal: Portal) -> AsyncIterator[None]:
    """The polling in this process; one that cannot start keeps the portal from starting, and says why."""
    from lk_portal.jobs.worker import Worker

    worker = Worker(portal)
    try:
        await worker.start()
    except Exception as error:
        report(error)
        raise
    signs = worker.signs_of_life()
    for name, is_alive in signs.items():
        watch(name, is_alive)
    try:
        yield
    finally:
        for name in signs:
            unwatch(name)
        await worker.stop()


async def _keep_running(broadcaster: Broadcaster) -> None:
    while True:
        try:
            await broadcaster.run()
        except Exception as error:
            report(error)
        await asyncio.sleep(RESTART_AFTER_S)


def _application() -> rx.App:
    return app


def _load_pages() -> None:
    """Import every page, resource and plugin, so that they register themselves."""
    for module in pkgutil.walk_packages(pages.__path__, prefix=f"{pages.__name__}."):
        importlib.import_module(module.name)
    for module in pkgutil.iter_modules(resources.__path__, prefix=f"{resources.__name__}."):
        importlib.import_module(module.name)
    plugins.load()
    register_resources()


def _add(application: rx.App, page: PageSpec, settings: Settings) -> None:
    application.add_page(
        _of_its_own_module(lambda: _framed(page, settings), page),
        route=page.route,
        title=_browser_title(page, settings.utility_name),
        on_load=_entering(page),
    )
    if page.route == "/not-found":
        application.add_page(page.layout, route="404", title=_("Not found"))


def _entering(page: PageSpec) -> list[Any]:
    """The events of opening a page: one, if its own loads can be run within the frame's."""
    enter: Any = ShellState.enter if page.roles else ShellState.enter_public
    if load_with_frame(page.route, page.on_load, enter=enter, is_public=not page.roles):
        return [enter(page.route)]
    return [enter(""), *page.on_load]


def _browser_title(page: PageSpec, utility: str) -> str | rx.Var[str]:
    """What the page is about, then whose portal it is."""
    fixed = f"{page.title} — {utility}"
    if page.tab is None:
        return fixed
    return rx.cond(page.tab != "", page.tab + f" — {utility}", fixed)


def _of_its_own_module(layout: Layout, page: PageSpec) -> Layout:
    """Reflex cuts scripts by the module of a page's function: each page loads its own only."""
    layout.__module__ = page.layout.__module__
    return layout


def _framed(page: PageSpec, settings: Settings) -> rx.Component:
    if not page.has_shell:
        return page.layout()
    return shell(
        page.layout(),
        title=page.title,
        route=f"{page.under}{page.route}",
        utility=settings.utility_name,
        main=main_menu(page.roles),
        admin=staff_menu(page.roles),
    )


def _with_routes(inner: ASGIApp, settings: Settings) -> ASGIApp:
    routed = make_routes()
    if environment.REFLEX_SKIP_COMPILE.get():  # pages are built already; else Reflex's tools serve them
        cast("Starlette", inner).routes.append(Mount("", app=_built_pages()))
    routed.routes.append(Mount("", app=inner))
    return Guard(routed, settings)


def _built_pages() -> PagesByLanguage:
    """The bundles of all languages, as files."""
    languages = {}
    for locale in KNOWN_LOCALES:
        files = PrecompressedStaticFiles(directory=pages_dir(locale), html=True, encodings=["gzip"])
        languages[locale] = BuiltPages(pages_dir(locale), files)
    return PagesByLanguage(languages, drawn_at=_drawn_at)


def _drawn_at(path: str) -> str | None:
    """Where the page of an address without a file is drawn: at the example of its route; None: no page."""
    route = None if path.strip("/") in ("404", "index") else _application().router(path)
    return None if route is None else example_of(route)


def _installed_portal() -> Portal:
    """The portal the server or a test installed; under Reflex's own tools, one from the settings."""
    with contextlib.suppress(RuntimeError):
        return context.current()
    return context.install(Portal.from_settings(load_settings()))


app = make_app(_installed_portal())
