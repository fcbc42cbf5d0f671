"""The state of /meters/[meter]: the card of one meter, and the dialog that renames it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.errors import NotFoundError, PortalError
from lk_portal.i18n import _, say
from lk_portal.services import meters
from lk_portal.services.access import Role
from lk_portal.services.changes import point_topic, subscriber_topic
from lk_portal.services.context import current
from lk_portal.services.meters import MeterCard, meter_card
from lk_portal.state import accounts_view as view
from lk_portal.state.accounts_view import Row
from lk_portal.state.address_bar import named_in
from lk_portal.state.form_once import text_in
from lk_portal.state.guard import requires, subscriber_id, user_id
from lk_portal.state.live import follow
from lk_portal.state.opening import is_kept
from lk_portal.state.visits import visit_of

NAME = "name"
NOTHING_SAID = dict.fromkeys(("load_state", "load", "load_at", "reason", "advice"), "")


class MeterState(rx.State):
    """The meter that the address names."""

    serial: str = ""
    name: str = ""
    account: str = ""
    account_link: str = ""
    gone: str = ""
    replaced_by_link: str = ""
    load_texts: Row = NOTHING_SAID
    facts: list[Row] = []
    verification: list[Row] = []
    warning: str = ""
    is_overdue: bool = False
    seal: str = ""
    earlier_seals: list[str] = []
    readings: list[Row] = []
    fresh: str = ""
    late: str = ""
    next_poll: str = ""
    chart_link: str = ""
    events_link: str = ""
    is_shown: bool = False
    is_gone: bool = False
    is_renaming: bool = False
    error: str = ""
    done: str = ""

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may yield events
        """The page was opened, or its address changed."""
        serial = named_in(self, "/meters")
        if serial != self.serial:
            self.reset()
            yield
        self.serial = serial
        if not await is_kept(self):
            self.is_renaming, self.error, self.done = False, "", ""
        await self._show()
        if self.is_gone:
            self.reset()
            yield rx.redirect("/not-found", replace=True)

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def ask_name(self) -> None:
        """The dialog "Переименование ПУ"."""
        self.error = self.done = ""
        self.is_renaming = self.is_shown and not self.gone

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def close_dialog(self) -> None:
        """The name stays; assets/dialog.js takes the keyboard back to where it came from."""
        self.error, self.is_renaming = "", False

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def rename(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """The name was typed."""
        if not isinstance(form, dict) or not self.is_renaming:
            return None
        self.error = self.done = ""
        try:
            kept = await meters.rename(
                current().database,
                user_id=user_id(),
                subscriber_id=subscriber_id(),
                serial=self.serial,
                name=text_in(form, NAME),
                visit=visit_of(self),
            )
            self.is_renaming = False
            await self._show()
        except NotFoundError:
            self.reset()
            return rx.redirect("/not-found", replace=True)
        except PortalError as error:
            self.error = say(error)
            return rx.set_focus(NAME)
        self.done = _("The meter was renamed.") if kept else _("The meter is called by its number again.")
        return None

    async def _show(self) -> None:
        """Read the meter again; also called when something of it, or of the cabinet, has changed."""
        try:
            await self._read()
        except NotFoundError:
            serial = self.serial
            self.reset()
            self.serial, self.is_gone = serial, True
        else:
            self.is_gone = False

    async def _read(self) -> None:
        portal = current()
        card = await meter_card(
            portal.database,
            subscriber_id=subscriber_id(),
            serial=self.serial,
            now=portal.clock(),
            default_interval_s=portal.settings.poll_interval_s,
        )
        topics = {subscriber_topic(subscriber_id()), point_topic(card.placed.point_id)}
        follow(self.router.session.client_token, type(self), frozenset(topics))
        self._show_place(card)
        self._show_verification(card)
        self._show_readings(card)
        self.is_shown = True

    def _show_place(self, card: MeterCard) -> None:
        placed = card.placed
        self.name = placed.name
        self.account = f"{placed.account} {placed.address}"
        self.account_link = view.account_link(placed.account)
        self.gone = view.gone_text(card)
        self.replaced_by_link = view.meter_link(card.replaced_by) if self.gone and card.replaced_by else ""
        self.load_texts = view.load_texts(card)
        self.facts = view.meter_facts(placed)

    def _show_verification(self, card: MeterCard) -> None:
        today = current().clock().astimezone(card.placed.zone).date()
        # Of a meter that is gone nothing comes due any more.
        self.warning = "" if self.gone else view.verification_warning(card.verifications, today)
        self.is_overdue = bool(self.warning) and card.verifications.is_overdue(today)
        self.verification = view.verification_facts(card.verifications)
        self.seal, self.earlier_seals = view.seal_texts(card.seals)

    def _show_readings(self, card: MeterCard) -> None:
        placed = card.placed
        self.readings = [view.reading_row(one, placed.zone) for one in card.readings]
        self.chart_link, self.events_link = view.chart_link(self.serial), view.events_link(self.serial)
        if self.gone:
            self.fresh = self.late = self.next_poll = ""
            return
        self.fresh = view.fresh_text(placed.data_until, placed.zone)
        self.late = view.late_text(card.polling)
        self.next_poll = view.next_text(card.polling, now=current().clock(), zone=placed.zone)
