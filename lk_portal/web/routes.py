"""The plain HTTP routes as one small application: forms that set cookies, pictures, health."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lk_portal.services.context import current
from lk_portal.services.health import check_health
from lk_portal.web import duties, sign_in
from lk_portal.web.attachments import attachment_routes
from lk_portal.web.captcha import captcha_routes
from lk_portal.web.consents import consents_routes
from lk_portal.web.desk import desk_routes
from lk_portal.web.exports import export_routes
from lk_portal.web.info_pages import info_page_routes
from lk_portal.web.install import install_routes
from lk_portal.web.preferences import preferences_routes
from lk_portal.web.profile import profile_routes
from lk_portal.web.registry_import import registry_import_routes
from lk_portal.web.resources import resource_routes
from lk_portal.web.support import support_routes
from lk_portal.web.viewing import viewing_routes


async def healthz(_request: Request) -> Response:
    """GET /healthz: 200 when the database answers and the worker is at work, else 503 with what is not."""
    health = await check_health(current())
    return JSONResponse(
        {"status": "ok" if health.is_well else "failing", "failing": list(health.failing)},
        status_code=200 if health.is_well else 503,
        headers={"Cache-Control": "no-store"},
    )


def make_routes() -> Starlette:
    """The plain routes as one small application."""
    return Starlette(
        routes=[
            Route("/auth/login", sign_in.login, methods=["POST"]),
            Route("/auth/logout", sign_in.logout, methods=["POST"]),
            Route("/auth/new-password", duties.new_password, methods=["POST"]),
            Route("/auth/password", duties.change_password, methods=["POST"]),
            Route("/auth/consent", duties.consent, methods=["POST"]),
            Route("/auth/second-factor", duties.enter_second_factor, methods=["POST"]),
            Route("/auth/second-factor/enrol", duties.enrol, methods=["POST"]),
            Route("/auth/second-factor/on", duties.turn_on_second_factor, methods=["POST"]),
            Route("/auth/second-factor/off", duties.turn_off_second_factor, methods=["POST"]),
            Route("/healthz", healthz, methods=["GET"]),
            *captcha_routes(),
            *consents_routes(),
            *export_routes(),
            *info_page_routes(),
            *install_routes(),
            *preferences_routes(),
            *profile_routes(),
            *registry_import_routes(),
            *resource_routes(),
            *support_routes(),
            *attachment_routes(),
            *desk_routes(),
            *viewing_routes(),
        ]
    )
