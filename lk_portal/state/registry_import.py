"""The state of /admin/import: the last file, or the one that the address names, and how far it is."""

from __future__ import annotations

import asyncio
from typing import Any

import reflex as rx

from lk_portal.errors import NotFoundError, PortalError
from lk_portal.i18n import _, moment_text, ngettext, say
from lk_portal.security.navigation import IMPORT
from lk_portal.services.access import Role, identity_of
from lk_portal.services.context import current
from lk_portal.services.imports import runs
from lk_portal.services.imports.registry import RegistryReport, report_text
from lk_portal.services.imports.registry_template import reason_of
from lk_portal.services.imports.runs import Run
from lk_portal.services.registry_import_texts import status_text
from lk_portal.state.flash import flash_of
from lk_portal.state.guard import requires, user_id, who
from lk_portal.state.visits import visit_of

SHOWN_BAD = 50
TURN_S = 1.0
FORM = "registry-import"


class RegistryImportState(rx.State):
    """`bad` are the first bad rows: number, column, reason; `left` says that perhaps no worker runs."""

    name: str = ""
    began: str = ""
    status: str = ""
    status_words: str = ""
    progress: str = ""
    report: str = ""
    problem: str = ""
    left: str = ""
    refused: str = ""
    bad: list[list[str]] = []
    more_bad: str = ""
    report_url: str = ""
    is_running: bool = False
    is_loaded: bool = False
    _run: int = 0

    @rx.event
    @requires(Role.ADMIN)
    async def load(self) -> Any:
        """The page was opened, or its address changed."""
        self.reset()
        self.refused = flash_of(self, FORM).message
        asked = self.router.url.query_parameters.get("run", "")
        is_number = asked.isascii() and asked.isdecimal() and len(asked) < 10
        self._run = int(asked) if is_number else await runs.last_run(current().database) or 0
        await self._read()
        self.is_loaded = True
        return RegistryImportState.watch if self.is_running else None

    @rx.event
    @requires(Role.ADMIN)
    async def write(self) -> Any:
        """A file that was checked is to be written."""
        try:
            await runs.apply(current(), self._run, actor=user_id(), visit=visit_of(self))
        except NotFoundError:
            await self._read()
            return None
        except PortalError as error:
            self.problem = say(error)
            return None
        await self._read()
        return RegistryImportState.watch

    @rx.event(background=True)
    @requires(Role.ADMIN)
    async def watch(self) -> None:
        """Show how far it is until it is done; whoever may not see it any more is shown nothing more."""
        while True:
            async with self:
                if not await _is_still_admin():
                    return
                await self._read()
                if not self.is_running:
                    return
            await asyncio.sleep(TURN_S)

    async def _read(self) -> None:
        portal = current()
        try:
            found = await runs.run_of(portal.database, self._run, now=portal.clock())
        except NotFoundError:
            self.status, self.is_running = "", False
            return
        self._show(found)

    def _show(self, found: Run) -> None:
        self.name, self.began = (
            found.name,
            moment_text(found.created_at, current().settings.zone),
        )
        self.status, self.is_running = found.status.value, found.is_under_way
        self.status_words = status_text(found.status, is_waiting=found.is_waiting)
        self.left = _left() if found.is_left else ""
        self.progress = ngettext("{count} row", "{count} rows", found.rows) if found.rows else ""
        self.report = report_text(RegistryReport(found.rows, **found.report)) if found.report else ""
        self.problem = say(PortalError(found.problem, **found.data)) if found.problem else ""
        self.bad = [[str(bad.line), bad.column, reason_of(bad)] for bad in found.bad_rows[:SHOWN_BAD]]
        self.more_bad = _("The first {count} are shown; the report has all.", count=SHOWN_BAD)
        if len(found.bad_rows) <= SHOWN_BAD:
            self.more_bad = ""
        self.report_url = f"{IMPORT}/{found.run_id}/report.csv" if found.bad_rows else ""


def _left() -> str:
    return _(
        "No worker has been heard of for a while. The file is kept: as soon as a worker runs, the work goes "
        "on by itself, and the file need not be sent again."
    )


async def _is_still_admin() -> bool:
    """A loop goes on when the session has ended: ask anew, at every turn."""
    portal, identity = current(), who()
    if identity is None:
        return False
    now = await identity_of(
        portal.database,
        portal.settings,
        session_hash=identity.session_hash,
        now=portal.clock(),
        is_activity=False,
    )
    return now is not None and now.role is Role.ADMIN
