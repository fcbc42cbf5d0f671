"""The state of the shell around every page: who is signed in, what is new, and what went wrong.

Page states do not inherit from it; its `enter` runs when a page opens, and the page's own loads with it
(`state.opening`).

What is new stands as a number on the items of the main menu. Opening a section makes what is behind it seen;
so does leaving it, for what came while it was open was seen as it came. Neither writes when nothing was new.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import reflex as rx

from lk_portal.i18n import _, clock_text
from lk_portal.services.access import Identity, Role
from lk_portal.services.badges import cleared_by_opening, topics_of
from lk_portal.services.changes import INFO, person_topic, point_topic, subscriber_topic
from lk_portal.services.context import current
from lk_portal.services.seen import MOST, News, Section, mark_seen, news, peek
from lk_portal.state.guard import ANYBODY_SIGNED_IN, public, requires, who
from lk_portal.state.live import Slot, follow, once
from lk_portal.state.opening import load_page
from lk_portal.state.sections import section_of

MAX_NUMBER_LENGTH = 16
NOTHING_NEW = {section.value: "" for section in Section}


class ShellState(rx.State):
    """Name and role of the person, for the menu; how much is new by section; a problem to tell."""

    name: str = ""
    role: str = ""
    problem: str = ""
    news: dict[str, str] = NOTHING_NEW
    all_news: str = ""
    viewing: str = ""

    # The section whose page is open, and what of it came while it was.
    _here: str = ""

    @rx.event
    @requires(*ANYBODY_SIGNED_IN, is_reading=True)
    async def enter(self, route: str = "") -> list[Any]:
        """A signed-in page was opened. Visitors never get here: the guard sends them to sign in."""
        self._remember()
        await self._arrive()
        return await load_page(self, route)

    @rx.event
    @public
    async def enter_public(self, route: str = "") -> list[Any]:
        """A page for everybody was opened."""
        self._remember()
        await self._arrive()
        return await load_page(self, route)

    @rx.event
    @public
    async def tell_problem(self, number: str) -> None:
        """An event of this page failed; the log has the traceback under `number`."""
        number = "".join(character for character in str(number) if character.isalnum())[:MAX_NUMBER_LENGTH]
        self.problem = _("Something went wrong. Error number {number}.", number=number)

    @rx.event
    @public
    async def dismiss_problem(self) -> None:
        """The person has read it."""
        self.problem = ""

    @rx.event
    @public
    async def say_only_looking(self) -> None:
        """Somebody who looks through a subscriber's eyes tried to change something."""
        self.problem = _("You are only looking. Nothing was changed.")

    async def _show(self) -> None:
        """Something may be new; what comes to the page that is open is not, for it is seen."""
        identity = who()
        if identity is None or identity.subscriber_id is None:
            return
        found = await once(("news", identity.user_id), lambda: _news_of(identity))
        self._follow(identity, found)
        self._tell(found, seen=cleared_by_opening([self._here]))

    def _remember(self) -> None:
        identity = who()
        self.name = identity.display_name if identity else ""
        self.role = identity.role.value if identity else ""
        self.problem = ""
        self.viewing = _viewing_text(identity)

    async def _arrive(self) -> None:
        """Count what is new, and let what is behind this page, and the one before it, be seen."""
        identity = who()
        left, here = self._here, section_of(self.router.url.path)
        self._here = here or ""
        if identity is None or identity.subscriber_id is None:
            self._tell(News(), seen=[])
            return
        looked_at = current().clock()
        found = await _news_of(identity)
        seen = cleared_by_opening(section for section in found.counts if section in (left, self._here))
        if seen and not identity.is_viewing:
            await mark_seen(
                current().database,
                user_id=identity.user_id,
                sections=seen,
                data_until=found.data_until,
                looked_at=looked_at,
                clock=current().clock,
            )
        self._follow(identity, found)
        self._tell(found, seen=[] if identity.is_viewing else seen)

    def _follow(self, identity: Identity, found: News) -> None:
        topics = {INFO, person_topic(identity.user_id), subscriber_topic(identity.subscriber_id or 0)}
        topics |= {point_topic(point_id) for point_id in found.point_ids}
        topics |= topics_of(identity.subscriber_id or 0)
        follow(self.router.session.client_token, type(self), frozenset(topics), slot=Slot.FRAME)

    def _tell(self, found: News, *, seen: Iterable[str]) -> None:
        counts = {str(section): count for section, count in found.counts.items() if section not in seen}
        shown = {**NOTHING_NEW, **{section: _number(count) for section, count in counts.items()}}
        if shown != self.news:
            self.news = shown
            self.all_news = _number(sum(counts.values()))

    @rx.var
    def is_subscriber(self) -> bool:
        """Whether the cabinet's menu is for this person."""
        return self.role == Role.SUBSCRIBER.value

    @rx.var
    def is_staff(self) -> bool:
        """Whether the staff's menu is for this person."""
        return self.role in (Role.OPERATOR.value, Role.ADMIN.value)

    @rx.var
    def is_admin(self) -> bool:
        """Whether all of the staff's menu is."""
        return self.role == Role.ADMIN.value


async def _news_of(identity: Identity) -> News:
    portal, whose = current(), {"user_id": identity.user_id, "subscriber_id": identity.subscriber_id or 0}
    if identity.is_viewing:
        return await peek(portal.database, now=portal.clock(), **whose)
    return await news(portal.database, clock=portal.clock, **whose)


def _viewing_text(identity: Identity | None) -> str:
    """What the banner says; "" for whoever is in her own cabinet."""
    if identity is None or identity.viewing_until is None:
        return ""
    until = clock_text(identity.viewing_until, current().settings.zone)
    name = identity.display_name
    return _("You are looking through the eyes of subscriber {name}, until {time}.", name=name, time=until)


def _number(count: int) -> str:
    """A badge's text: "" for none, "99+" for many."""
    return "" if count == 0 else f"{MOST}+" if count > MOST else str(count)
