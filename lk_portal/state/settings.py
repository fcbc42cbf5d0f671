"""The state of /settings: a person's own data, sessions and history, and the forms that change them.

What sets the session's cookie - a new password, consent taken back, erasure - is a plain form; its route
leaves its answer in the flash. Everything else is a handler here that asks one service.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.errors import InputError, NotFoundError, PortalError
from lk_portal.i18n import _, moment_text, say
from lk_portal.services import audit, email_change, own_data, profile, sessions
from lk_portal.services.access import Identity, Role
from lk_portal.services.context import current
from lk_portal.state.flash import flash_of
from lk_portal.state.guard import ANYBODY_SIGNED_IN, requires, who
from lk_portal.state.opening import is_kept
from lk_portal.state.settings_view import (
    YES,
    document_rows,
    history_row,
    phone_text,
    session_row,
)
from lk_portal.state.shell import ShellState
from lk_portal.state.visits import visit_of

NAME, EMAIL, PHONE, PASSWORD = "name", "email", "phone", "password"
ROWS = (NAME, EMAIL, PHONE, PASSWORD)
WANTED_EMAIL = "wanted_email"
SESSIONS, WITHDRAW, ERASE, EXPORT = "sessions", "withdraw", "erase", "export"
PLAIN_FORMS = (PASSWORD, WITHDRAW, ERASE, EXPORT)
FIELDS = (
    NAME,
    WANTED_EMAIL,
    "code",
    PHONE,
    "old",
    PASSWORD,
    "password2",
    SESSIONS,
    EXPORT,
    "withdraw-sure",
    "erase-sure",
    "own-password",
)
"""Ids of the places where the page says what is wrong."""
LONGEST_FIELD = 1000


class SettingsState(rx.State):
    """The rows, the form that is open, what is wrong beside which field, and what was done in which part."""

    is_loaded: bool = False
    is_subscriber: bool = False
    name: str = ""
    email: str = ""
    phone: str = ""
    theme: str = ""
    editing: str = ""
    errors: dict[str, str] = dict.fromkeys(FIELDS, "")
    done_at: str = ""
    done: str = ""
    new_email: str = ""
    new_email_until: str = ""
    sessions: list[dict[str, str]] = []
    history: list[dict[str, str]] = []
    documents: list[dict[str, str]] = []

    @rx.event
    @requires(*ANYBODY_SIGNED_IN, is_reading=True)
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may return events
        """The page was opened, perhaps by the answer to one of its plain forms, or its connection is back."""
        if await is_kept(self):
            await self._show()
            return None
        self._forget_answers()
        self.editing = ""
        await self._show()
        flash = flash_of(self, *PLAIN_FORMS)
        if flash.message:
            place = _place_of(flash.form, flash.field)
            self._refuse(place, flash.message)
            self.editing = PASSWORD if flash.form == PASSWORD else ""
            return rx.set_focus(place)
        if flash.notice:
            self._tell(flash.form, flash.notice)
        return None

    @rx.event
    @requires(*ANYBODY_SIGNED_IN)
    async def edit(self, row: str) -> None:
        """A row's button: its form opens, another one closes."""
        if isinstance(row, str) and row in ROWS:
            self._forget_answers()
            self.editing = "" if self.editing == row else row

    @rx.event
    @requires(*ANYBODY_SIGNED_IN, is_reading=True)
    async def close(self, row: str):  # type: ignore[no-untyped-def]
        """The form is given up; the keyboard is where it came from."""
        if not isinstance(row, str) or row not in ROWS:
            return None
        self._forget_answers()
        self.editing = ""
        return rx.set_focus(f"edit-{row}")

    @rx.event
    @requires(*ANYBODY_SIGNED_IN)
    async def save_name(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """Take another name."""
        self._forget_answers()
        try:
            kept = await profile.change_name(
                current().database, user_id=_me().user_id, name=_typed(form, NAME), visit=visit_of(self)
            )
        except PortalError as error:
            return self._refuse(NAME, say(error))
        shell = await self.get_state(ShellState)
        shell.name = kept
        return await self._saved(NAME, _("The name was changed."))

    @rx.event
    @requires(*ANYBODY_SIGNED_IN)
    async def save_phone(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """Take another phone number."""
        self._forget_answers()
        try:
            await profile.change_phone(
                current().database, user_id=_me().user_id, phone=_typed(form, PHONE), visit=visit_of(self)
            )
        except PortalError as error:
            return self._refuse(PHONE, say(error))
        return await self._saved(PHONE, _("The phone number was changed."))

    @rx.event
    @requires(*ANYBODY_SIGNED_IN)
    async def save_email(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """Ask for another e-mail: a code goes to it, and the field for the code appears."""
        self._forget_answers()
        try:
            await email_change.start(
                current().database,
                user_id=_me().user_id,
                new_email=_typed(form, WANTED_EMAIL),
                visit=visit_of(self),
            )
        except PortalError as error:
            return self._refuse(WANTED_EMAIL, say(error))
        self.editing = ""
        await self._show()
        return None

    @rx.event
    @requires(*ANYBODY_SIGNED_IN)
    async def confirm_email(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """The code from the letter was typed."""
        self._forget_answers()
        portal = current()
        try:
            await email_change.confirm(
                portal.database,
                portal.settings,
                user_id=_me().user_id,
                code=_typed(form, "code"),
                visit=visit_of(self),
            )
        except InputError as error:
            await self._show()
            # Over for good, and the address has to be typed again - or only the code.
            self.editing = EMAIL if error.field == EMAIL else ""
            return self._refuse(WANTED_EMAIL if error.field == EMAIL else "code", say(error))
        return await self._saved(EMAIL, _("The e-mail was changed. Use the new one to sign in."))

    @rx.event
    @requires(*ANYBODY_SIGNED_IN)
    async def cancel_email(self, address: str):  # type: ignore[no-untyped-def]
        """The e-mail stays as it is; `address` is the one that waits for its code."""
        if not self.new_email or address != self.new_email:
            return None
        self._forget_answers()
        await email_change.cancel(current().database, user_id=_me().user_id, visit=visit_of(self))
        await self._show()
        return rx.set_focus(f"edit-{EMAIL}")

    @rx.event
    @requires(*ANYBODY_SIGNED_IN)
    async def end_session(self, reference: str) -> None:
        """End another session of one's own."""
        if not isinstance(reference, str) or reference == self._current_reference():
            return
        self._forget_answers()
        try:
            await sessions.end(
                current().database, user_id=_me().user_id, reference=reference, visit=visit_of(self)
            )
        except NotFoundError:  # it has ended by itself; the list below shows that
            pass
        else:
            self._tell(SESSIONS, _("The session was ended."))
        await self._show()

    @rx.event
    @requires(*ANYBODY_SIGNED_IN)
    async def end_other_sessions(self, reference: str) -> None:
        """End all sessions but this one, which `reference` names: no other page can mean it by chance."""
        if not reference or reference != self._current_reference():
            return
        self._forget_answers()
        identity = _me()
        await sessions.end_others(
            current().database,
            user_id=identity.user_id,
            session_hash=identity.session_hash,
            visit=visit_of(self),
        )
        self._tell(SESSIONS, _("All other sessions were ended."))
        await self._show()

    async def _saved(self, row: str, sentence: str):  # type: ignore[no-untyped-def]
        self.editing = ""
        self._tell(row, sentence)
        await self._show()
        return rx.set_focus(f"edit-{row}")

    async def _show(self) -> None:
        """Read everything anew: a deed of one part is a line in another."""
        portal, identity = current(), _me()
        zone, user_id = portal.settings.zone, identity.user_id
        own = await profile.profile_of(portal.database, user_id=user_id)
        waiting = await email_change.pending(portal.database, user_id=user_id, now=portal.clock())
        opened = await sessions.own_sessions(
            portal.database,
            portal.settings,
            user_id=user_id,
            session_hash=identity.session_hash,
            now=portal.clock(),
        )
        self.name, self.email = own.display_name, own.email
        self.phone, self.theme = phone_text(own.phone), own.theme.value
        self.new_email = waiting.new_email if waiting else ""
        self.new_email_until = moment_text(waiting.expires_at, zone) if waiting else ""
        self.sessions = [session_row(session, zone) for session in opened]
        entries = await audit.own_entries(portal.database, user_id=user_id)
        self.history = [history_row(entry, zone, utility=portal.settings.utility_name) for entry in entries]
        self.is_subscriber = identity.role is Role.SUBSCRIBER
        if self.is_subscriber:
            accepted = await own_data.accepted_documents(portal.database, user_id=user_id)
            self.documents = document_rows(accepted, zone)
        self.is_loaded = True

    def _forget_answers(self) -> None:
        self.errors = dict.fromkeys(FIELDS, "")
        self.done_at = self.done = ""

    def _refuse(self, field: str, sentence: str) -> None:
        self.errors = {**self.errors, field if field in FIELDS else NAME: sentence}

    def _tell(self, part: str, sentence: str) -> None:
        self.done_at, self.done = part, sentence

    def _current_reference(self) -> str:
        own = (session["reference"] for session in self.sessions if session["is_current"] == YES)
        return next(own, "")


def _me() -> Identity:
    """The person whose event this is; the guard has let no visitor through."""
    identity = who()
    if identity is None:
        raise NotFoundError
    return identity


def _typed(form: object, name: str) -> str:
    """What was typed into a field; what is no text was sent by no form of ours."""
    value = form.get(name, "") if isinstance(form, dict) else ""
    return value[: LONGEST_FIELD + 1] if isinstance(value, str) else ""


def _place_of(form: str, field: str) -> str:
    """Where to say it: at the field, else at the form's first; two forms have a box of the same name."""
    if field in FIELDS:
        return field
    return {PASSWORD: "old", EXPORT: EXPORT}.get(form, f"{form}-sure")
