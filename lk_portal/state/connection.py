"""The state of /admin/connections/[meter]: how a meter is reached, and what comes of "Опросить сейчас"."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import reflex as rx

from lk_portal.errors import NotFoundError, PortalError
from lk_portal.i18n import _, moment_text, say
from lk_portal.services.access import Role
from lk_portal.services.changes import connection_topic
from lk_portal.services.connections import ConnectionView, ask_for_poll, connection_of
from lk_portal.services.context import current
from lk_portal.services.poll_texts import advice_text, kind_text
from lk_portal.services.replay_view import archive_of
from lk_portal.services.replays import ask_for_replay
from lk_portal.state.accounts_view import Row, reading_row
from lk_portal.state.address_bar import named_in
from lk_portal.state.archive_view import archive_texts, span_of
from lk_portal.state.guard import STAFF, requires, user_id, who
from lk_portal.state.live import follow
from lk_portal.state.load_view import word_of
from lk_portal.state.visits import visit_of

DASH = "—"


class ConnectionState(rx.State):
    """The meter that the address names; `phase` is waiting, good, bad, off or "" (never tried)."""

    serial: str = ""
    facts: list[Row] = []
    phase: str = ""
    headline: str = ""
    when: str = ""
    advice: str = ""
    technical: str = ""
    registers: list[Row] = []
    load_state: str = ""
    load_word: str = ""
    gateway: str = ""
    gateway_url: str = ""
    problem: str = ""
    may_poll: bool = False
    has_archive: bool = False
    archive_note: str = ""
    holes: list[Row] = []
    holes_note: str = ""
    replay_phase: str = ""
    replay: str = ""
    replay_advice: str = ""
    replay_parts: list[Row] = []
    replay_problem: str = ""
    is_shown: bool = False

    @rx.event
    @requires(*STAFF)
    async def load(self) -> Any:
        """The page was opened, or its address changed."""
        serial = named_in(self, "/admin/connections")
        if serial != self.serial:
            self.reset()
        self.serial, self.problem, self.replay_problem = serial, "", ""
        try:
            await self._read()
        except NotFoundError:
            self.reset()
            return rx.redirect("/not-found", replace=True)
        return None

    @rx.event
    @requires(Role.ADMIN)
    async def poll_now(self) -> None:
        """Let the meter be read at once; what comes of it comes by itself."""
        self.problem = ""
        try:
            await ask_for_poll(
                current().database, serial=self.serial, staff_id=user_id(), visit=visit_of(self)
            )
            await self._read()
        except PortalError as error:
            self.problem = say(error)

    @rx.event
    @requires(Role.ADMIN)
    async def fill_hole(self, key: str) -> None:
        """Let a hole be filled from the meter's archive; what comes of it comes by itself."""
        self.replay_problem = ""
        span = span_of(key)
        if span is None:
            return
        portal = current()
        try:
            await ask_for_replay(
                portal.database,
                serial=self.serial,
                start=span[0],
                end=span[1],
                default_interval_s=portal.settings.poll_interval_s,
                staff_id=user_id(),
                visit=visit_of(self),
            )
            await self._read()
        except PortalError as error:
            self.replay_problem = say(error)

    async def _show(self) -> None:
        """Something came of a poll."""
        await self._read()

    async def _read(self) -> None:
        portal = current()
        found = await connection_of(
            portal.database,
            serial=self.serial,
            now=portal.clock(),
            default_interval_s=portal.settings.poll_interval_s,
        )
        follow(self.router.session.client_token, type(self), frozenset({connection_topic(found.meter_id)}))
        archive = await archive_of(
            portal.database,
            serial=self.serial,
            now=portal.clock(),
            default_interval_s=portal.settings.poll_interval_s,
        )
        identity = who()
        self.may_poll = identity is not None and identity.role is Role.ADMIN
        texts = texts_of(found, portal.settings.zone)
        texts |= archive_texts(archive, portal.settings.zone, now=portal.clock())
        for name, value in texts.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
        self.is_shown = True


def texts_of(found: ConnectionView, zone: ZoneInfo) -> dict[str, Any]:
    """What the page shows of a connection, by the names of its vars."""
    is_bad = found.failures_in_row > 0
    is_refused = bool(
        found.last_error_at and found.last_success_at and found.last_error_at >= found.last_success_at
    )
    code = found.error_code if is_bad or is_refused else ""
    tried = [at for at in (found.last_success_at, found.last_error_at) if at is not None]
    return {
        "phase": _phase(found, is_bad=bool(code), has_tried=bool(tried)),
        "headline": _headline(found, code, has_tried=bool(tried)),
        "when": moment_text(max(tried), zone) if tried else "",
        "advice": advice_text(code),
        "technical": f"{code}: {found.error}" if code else "",
        "registers": [reading_row(one, zone) for one in found.registers],
        "load_state": found.load.state.value,
        "load_word": word_of(found.load.state),
        "gateway": found.gateway,
        "gateway_url": f"/admin/polling/{found.gateway_id}",
        "facts": _facts(found, zone),
    }


def _phase(found: ConnectionView, *, is_bad: bool, has_tried: bool) -> str:
    if found.is_suspended or not found.is_placed:
        return "off"
    if found.is_waiting:
        return "waiting"
    if not has_tried:
        return ""
    return "bad" if is_bad else "good"


def _headline(found: ConnectionView, code: str, *, has_tried: bool) -> str:
    if not found.is_placed:
        return _("The meter stands nowhere, so it is not read")
    if found.is_suspended:
        return _("Polling is suspended")
    if found.is_waiting:
        return _("Waiting for the poll")
    if not has_tried:
        return _("Not polled yet")
    return kind_text(code) if code else _("The meter was read")


def _facts(found: ConnectionView, zone: ZoneInfo) -> list[Row]:
    def moment(at: Any) -> str:
        return moment_text(at, zone) if at else DASH

    rate = f"{found.successes * 100 // found.attempts} %" if found.attempts else DASH
    pairs = (
        (_("Model"), found.model),
        (_("Protocol"), found.protocol),
        (_("Address"), found.endpoint),
        (_("Address on the line"), str(found.device_id)),
        (_("Seconds between polls"), str(found.interval_s)),
        (_("Next poll"), moment(found.next_poll_at)),
        (_("Last success"), moment(found.last_success_at)),
        (_("Last error"), _error(found, zone)),
        (_("Success rate"), rate),
        (_("Failures in a row"), str(found.failures_in_row)),
    )
    return [{"name": name, "value": value} for name, value in pairs]


def _error(found: ConnectionView, zone: ZoneInfo) -> str:
    if found.last_error_at is None:
        return DASH
    return f"{moment_text(found.last_error_at, zone)}, {kind_text(found.error_code)}"
