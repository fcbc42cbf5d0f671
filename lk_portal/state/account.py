"""The state of /accounts/[account]: the card of one account, its meters, and what was replaced."""

from __future__ import annotations

import reflex as rx

from lk_portal.errors import NotFoundError
from lk_portal.services.access import Role
from lk_portal.services.accounts import account_card
from lk_portal.services.changes import point_topic, subscriber_topic
from lk_portal.services.context import current
from lk_portal.state.accounts_view import Row, account_facts, meter_row, replacement_row
from lk_portal.state.address_bar import named_in
from lk_portal.state.guard import requires, subscriber_id
from lk_portal.state.live import follow


class AccountState(rx.State):
    """The account that the address names."""

    number: str = ""
    address: str = ""
    facts: list[Row] = []
    meters: list[Row] = []
    replacements: list[Row] = []
    is_gone: bool = False

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may yield events
        """The page was opened, or its address changed."""
        number = named_in(self, "/accounts")
        if number != self.number:
            self.reset()
            yield
        self.number = number
        await self._show()
        if self.is_gone:
            self.reset()
            yield rx.redirect("/not-found", replace=True)

    async def _show(self) -> None:
        """Read the account again; also called when something of it, or of the cabinet, has changed."""
        try:
            await self._read()
        except NotFoundError:
            number = self.number
            self.reset()
            self.number, self.is_gone = number, True
        else:
            self.is_gone = False

    async def _read(self) -> None:
        portal = current()
        card = await account_card(
            portal.database,
            subscriber_id=subscriber_id(),
            number=self.number,
            now=portal.clock(),
            default_interval_s=portal.settings.poll_interval_s,
        )
        topics = {subscriber_topic(subscriber_id()), *(point_topic(one.point_id) for one in card.meters)}
        follow(self.router.session.client_token, type(self), frozenset(topics))
        self.address = card.address
        self.facts = account_facts(card)
        self.meters = [meter_row(meter) for meter in card.meters]
        self.replacements = [replacement_row(one) for one in card.replacements]
