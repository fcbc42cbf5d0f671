"""Which pictures there are: a table. For `make pictures`; a line more is a picture more.

Of the demo's pages, so a route may name its meters and accounts; `{month}`, `{hole_month}` and `{day}` are
periods that the demo has data for, whenever the pictures are made.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from lk_portal.services import demo_plan
from lk_portal.services.demo_history import HOLES
from lk_portal.services.demo_plan import DemoUser
from tests.docs import hands

ROOT = Path(__file__).resolve().parents[2]
HELP = ROOT / "assets" / "pictures"
"""Served with the pages; the help's texts name them as /pictures/..."""
README = ROOT / "docs" / "pictures"
LOCALES = ("ru", "en")
DESKTOP, TELEPHONE = 1280, 390
TALLEST = {DESKTOP: 960, TELEPHONE: 1280}
"""Pixels of a picture's height at most: what is below is cut off."""

METER = demo_plan.TWO_ZONE_METER.serial
METER_WITH_HOLES = demo_plan.HOLES_METER.serial
ACCOUNT = demo_plan.SUBSCRIBERS[0].accounts[0].number
CHART = ".barlayer .point path:visible"
MAIN = "main#main h1"


Deed = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True)
class Shot:
    """A picture of a page.

    Attributes:
        name: Of the file; in the help with the language after it.
        wait_for: A selector; the picture is taken once it is seen and nothing moves.
        user: Who has signed in; None: nobody.
        do: What is done on the page before.
        part: A selector of what alone is pictured; "": the top of the page.
        is_apart: Whether it has a session of its own, for what is done ends or changes it.
        for_readme: Whether it is a PNG for README, in Russian only.
    """

    name: str
    route: str
    wait_for: str = MAIN
    width: int = DESKTOP
    scheme: str = "light"
    user: DemoUser | None = demo_plan.DEMO_USER
    do: Deed | None = None
    part: str = ""
    is_apart: bool = False
    for_readme: bool = False

    def files(self) -> dict[str, Path]:
        """Where the picture goes, by language."""
        if self.for_readme:
            return {"ru": README / f"{self.name}.png"}
        return {locale: HELP / f"{self.name}-{locale}.webp" for locale in LOCALES}


def _staff(name: str, route: str, wait_for: str, do: Deed | None = None, **more: Any) -> Shot:
    """A page of the staff, as administrators see it unless told otherwise."""
    return Shot(f"staff-{name}", route, wait_for, do=do, **{"user": demo_plan.ADMIN, **more})


def _chart(serial: str, interval: str, period: str) -> str:
    return f"/readings?meter={serial}&interval={interval}&period={period}&energy=A_PLUS"


_MONTH = _chart(METER, "month", "{month}")
_HOLES = _chart(METER_WITH_HOLES, "month", "{hole_month}")
_DAY = _chart(METER, "day", "{day}")

SHOTS = (
    Shot("login-telephone", "/login", "#login", TELEPHONE, user=None),
    Shot("register-telephone", "/register", "img[src^='data:']", TELEPHONE, user=None),
    Shot("recover-telephone", "/recover", "img[src^='data:']", TELEPHONE, user=None),
    Shot("settings-telephone", "/settings", "main h2", TELEPHONE),
    Shot("home-telephone", "/", "main h2", TELEPHONE),
    Shot("readings-month", _MONTH, CHART),
    Shot("readings-day-telephone", _DAY, CHART, TELEPHONE),
    Shot("readings-holes-telephone", _HOLES, CHART, TELEPHONE),
    Shot("info-telephone", "/info", "main h2", TELEPHONE),
    Shot("accounts-telephone", "/accounts", "main h2", TELEPHONE),
    Shot("meter-telephone", f"/meters/{METER}", "main h2", TELEPHONE),
    Shot("diagnostics", "/diagnostics", "main h2"),
    Shot("support-telephone", "/support/1", "main h2", TELEPHONE),
    _staff("desk", "/admin", "#count-tickets"),
    _staff("tickets", "/admin/tickets?queue=open", "main li"),
    _staff("ticket", "/admin/tickets/4", "#answer-text"),
    _staff("claims", "/admin/claims", "main tbody tr"),
    _staff("meters", "/admin/meters?f.place=standing", "main tbody tr"),
    _staff("conflict", f"/admin/meters?q={hands.CHANGED}", "#both-versions", hands.change_in_two_tabs),
    _staff("replacement", f"/admin/meters/{METER}/replace", "#removed_at"),
    _staff("import", "/admin/import", "main tbody tr", hands.send_bad_rows),
    _staff("zones", "/admin/zones", "main tbody tr"),
    _staff("connection", f"/admin/connections/{METER_WITH_HOLES}", "#poll-result"),
    _staff("polling", "/admin/polling", CHART, part="main .card:has(#map-summary)"),
    _staff("editor", "/admin/info/new?kind=news", "[data-lk-preview] h2", hands.write_news),
    _staff("consents", "/admin/agreement?tab=consents", "main li"),
    _staff("letters", "/admin/letters", "main tbody tr"),
    _staff("viewing", "/admin/as/1", "main h2", hands.open_cabinet, user=demo_plan.OPERATOR, is_apart=True),
    _staff("users", "/admin/users", "main tbody tr"),
    _staff("audit", "/admin/audit", "main tbody tr"),
    Shot("readings-month", _MONTH, CHART, for_readme=True),
    Shot("readings-holes", _HOLES, CHART, for_readme=True),
    Shot("home-telephone", "/", "main h2", TELEPHONE, for_readme=True),
    Shot("readings-day-telephone", _DAY, CHART, TELEPHONE, "dark", for_readme=True),
)


def periods(today: date) -> dict[str, str]:
    """What the routes' periods are today, at the demo's premises."""
    return {
        "month": f"{today.replace(day=1) - timedelta(days=1):%Y-%m}",
        "hole_month": f"{today - timedelta(days=HOLES[0][0] - 2):%Y-%m}",
        "day": f"{today - timedelta(days=1):%Y-%m-%d}",
    }
