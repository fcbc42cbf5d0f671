"""The state of the tab "Таблица показаний" of /readings; the address says which page of it is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import reflex as rx

from lk_portal.errors import InputError, NotFoundError
from lk_portal.i18n import say
from lk_portal.metering.types import Quantity
from lk_portal.services.access import Role
from lk_portal.services.changes import point_topic
from lk_portal.services.context import current
from lk_portal.services.register_table import RegisterPage, register_page
from lk_portal.services.table_choice import TableChoice, table_choice_of, table_query_of
from lk_portal.state.guard import requires, subscriber_id
from lk_portal.state.live import follow
from lk_portal.state.readings_table_view import table_view_of
from lk_portal.state.readings_url import fields_of, table_url


class ReadingsTableState(rx.State):
    """A page of register readings, and the form above it."""

    serial: str = ""
    energy: str = Quantity.A_PLUS.name
    day: str = ""
    error: str = ""

    heading: str = ""
    columns: list[str] = []
    rows: list[list[str]] = []
    has_serials: bool = False
    consumption_column: str = ""
    ratio_note: str = ""
    empty_title: str = ""
    empty_advice: str = ""
    earlier: str = ""
    later: str = ""
    export_query: str = ""

    # The query of the address that is shown. A text, for Reflex wraps dataclasses in its state.
    _shown: str = ""

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may return events
        """The tab was opened, or its address changed."""
        query = dict(self.router.url.query_parameters)
        try:
            choice = table_choice_of(query)
        except InputError as error:
            # What was shown before is not what the address asks for.
            self.error, self._shown = say(error), ""
            self.heading, self.columns, self.rows, self.empty_title = "", [], [], ""
            return None
        self._shown = self.export_query = table_query_of(choice)
        try:
            await self._show()
        except NotFoundError:
            return rx.redirect("/not-found", replace=True)
        return None

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def show(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """The form was sent ("Показать"): go to the address of what was chosen."""
        try:
            choice = table_choice_of({**fields_of(form), "before": ""})
        except InputError as error:
            self.error = say(error)
            return None
        return rx.redirect(table_url(choice))

    async def _show(self) -> None:
        """Read the chosen page again and show it; also called when new values have come."""
        if not self._shown:
            return
        choice = table_choice_of(dict(parse_qsl(self._shown)))
        portal = current()
        page = await register_page(
            portal.database,
            subscriber_id=subscriber_id(),
            serial=choice.serial,
            quantity=choice.quantity,
            before=choice.before or choice.day or portal.clock(),
        )
        follow(self.router.session.client_token, type(self), frozenset({point_topic(page.point_id)}))
        self._fill_form(choice, page)
        view = table_view_of(page, choice.quantity)
        for name in view.__dataclass_fields__:
            if getattr(self, name) != getattr(view, name):
                setattr(self, name, getattr(view, name))
        self.earlier = _address(choice, page.earlier)
        self.later = _address(choice, page.later)
        self.error = ""

    def _fill_form(self, choice: TableChoice, page: RegisterPage) -> None:
        self.serial, self.energy = choice.serial, choice.quantity.name
        self.day = _shown_day(choice, page, current().clock()).isoformat()


def _shown_day(choice: TableChoice, page: RegisterPage, now: datetime) -> date:
    """The date the form offers: the chosen one, or that of the newest row of a page turned to."""
    if choice.day and not choice.before:
        return choice.day
    newest = page.rows[0].at if page.rows and choice.before else now
    return newest.astimezone(ZoneInfo(page.timezone)).date()


def _address(choice: TableChoice, before: datetime | None) -> str:
    return table_url(replace(choice, day=None, before=before)) if before else ""
