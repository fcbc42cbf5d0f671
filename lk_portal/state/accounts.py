"""The state of /accounts: the list, the form that adds an account, and the dialogs of one of them."""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.errors import N_, InputError, NotFoundError, PortalError, by_field
from lk_portal.i18n import _, say
from lk_portal.services import account_changes
from lk_portal.services.access import Role
from lk_portal.services.account_changes import Added, read_account
from lk_portal.services.accounts import accounts_of
from lk_portal.services.changes import point_topic, subscriber_topic
from lk_portal.services.context import current
from lk_portal.state.accounts_view import Row, account_row
from lk_portal.state.address import AddressState
from lk_portal.state.form_once import in_steady_time, text_in
from lk_portal.state.guard import requires, subscriber_id, user_id
from lk_portal.state.live import follow
from lk_portal.state.opening import is_kept
from lk_portal.state.visits import visit_of

ACCOUNT, ADDRESS, MATCH, NOTE = "account", "address", "match", "note"
FIELDS = (ACCOUNT, ADDRESS, MATCH, NOTE)
RENAME, REMOVE = "rename", "remove"
DONE = "accounts-done"
ADD_BUTTON = "add-account"


class AccountsState(rx.State):
    """The accounts, the form or dialog that is open, what is wrong beside which field, what was done."""

    is_loaded: bool = False
    accounts: list[Row] = []
    is_adding: bool = False
    is_sending: bool = False
    dialog: str = ""
    number: str = ""
    note: str = ""
    errors: Row = dict.fromkeys(FIELDS, "")
    problem: str = ""
    done: str = ""
    claimed: str = ""

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def load(self) -> None:
        """The page was opened, or its connection is back."""
        if not await is_kept(self):
            self._forget_answers()
            self.is_adding, self.dialog = False, ""
        await self._show()

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def open_form(self) -> None:
        """The button "Добавить лицевой счет": the form opens, or closes again."""
        self._forget_answers()
        self.is_adding = not self.is_adding
        suggestions = await self.get_state(AddressState)
        suggestions.rows, suggestions.status = [], ""

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def close_form(self):  # type: ignore[no-untyped-def]  # a Reflex handler may return events
        """The form is given up; the keyboard is where it came from."""
        self._forget_answers()
        self.is_adding = False
        return rx.set_focus(ADD_BUTTON)

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def add(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """The form was sent."""
        if not isinstance(form, dict) or not self.is_adding or self.is_sending:
            return
        self._forget_answers()
        self.is_sending = True
        yield
        place = DONE
        try:
            await self._add(form)
        except PortalError as error:
            place = self._refuse(error)
        finally:
            self.is_sending = False
        await self._show()
        yield rx.set_focus(place)

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def ask_rename(self, number: str) -> None:
        """The dialog with the note of one of the accounts."""
        row = self._row(number)
        if row is not None:
            self._open(RENAME, row)

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def ask_remove(self, number: str) -> None:
        """The question whether one of the accounts shall go."""
        row = self._row(number)
        if row is not None:
            self._open(REMOVE, row)

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def close_dialog(self) -> None:
        """Nothing is to be changed; assets/dialog.js takes the keyboard back to where it came from."""
        self._forget_answers()
        self.dialog = ""

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def rename(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """The note was typed."""
        if not isinstance(form, dict) or self.dialog != RENAME:
            return None
        self._forget_answers()
        try:
            kept = await account_changes.rename(
                current().database,
                user_id=user_id(),
                subscriber_id=subscriber_id(),
                number=self.number,
                note=text_in(form, NOTE),
                visit=visit_of(self),
            )
        except NotFoundError:  # it was removed meanwhile; the list shows that
            return await self._done("")
        except PortalError as error:
            self.errors = {**self.errors, NOTE: say(error)}
            return rx.set_focus(NOTE)
        return await self._done(_("The note was saved.") if kept else _("The note was taken away."))

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def remove(self, number: str):  # type: ignore[no-untyped-def]
        """The question was answered with yes; `number` is the account that it named."""
        if self.dialog != REMOVE or number != self.number:
            return None
        self._forget_answers()
        try:
            await account_changes.remove(
                current().database,
                user_id=user_id(),
                subscriber_id=subscriber_id(),
                number=number,
                visit=visit_of(self),
            )
        except NotFoundError:
            return await self._done("")
        except PortalError as error:
            self.dialog, self.problem = "", say(error)
            return None
        await self._done(_("Account {number} was removed from the cabinet.", number=number))
        return rx.set_focus(DONE)

    async def _add(self, form: dict[str, Any]) -> None:
        checked = read_account({name: text_in(form, name) for name in (ACCOUNT, ADDRESS)})
        async with in_steady_time():
            outcome = await account_changes.add(
                current().database,
                user_id=user_id(),
                subscriber_id=subscriber_id(),
                form=checked,
                visit=visit_of(self),
            )
        if outcome is Added.THERE_ALREADY:
            raise InputError(N_("This account is in your cabinet already."), field=ACCOUNT)
        self.is_adding = False
        if outcome is Added.CLAIM_KEPT:
            self.claimed = checked.account
        elif outcome is Added.RETURNED:
            self.done = _("The account is back in your cabinet.")
        else:
            self.done = _("The account was added.")

    def _refuse(self, error: PortalError) -> str:
        """Put every sentence where it belongs; gives the id of where to go."""
        errors = dict.fromkeys(FIELDS, "")
        for field, one in by_field(error).items():
            if field in errors:
                errors[field] = say(one)
            else:
                self.problem = say(one)
        self.errors = errors
        return ADDRESS if errors[ADDRESS] and not errors[ACCOUNT] else ACCOUNT

    async def _done(self, sentence: str) -> None:
        self.dialog, self.done = "", sentence
        await self._show()

    async def _show(self) -> None:
        """Read the accounts again; also called when something of a meter has changed."""
        portal = current()
        lines = await accounts_of(
            portal.database,
            subscriber_id=subscriber_id(),
            now=portal.clock(),
            default_interval_s=portal.settings.poll_interval_s,
        )
        points = {point_topic(meter.point_id) for line in lines for meter in line.meters}
        topics = frozenset({subscriber_topic(subscriber_id()), *points})
        follow(self.router.session.client_token, type(self), topics)
        rows = [account_row(line) for line in lines]
        if rows != self.accounts:
            self.accounts = rows
        self.is_loaded = True

    def _row(self, number: object) -> Row | None:
        return next((dict(row) for row in self.accounts if row["number"] == number), None)

    def _open(self, dialog: str, row: Row) -> None:
        self._forget_answers()
        self.is_adding, self.dialog = False, dialog
        self.number, self.note = row["number"], row["note"]

    def _forget_answers(self) -> None:
        self.errors = dict.fromkeys(FIELDS, "")
        self.problem = self.done = self.claimed = ""
