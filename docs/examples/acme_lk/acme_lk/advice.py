"""/advice: what Acme advises a subscriber; its item in the menu counts what is new."""

import reflex as rx
from sqlalchemy import func, select

from acme_lk.models import Advice
from lk_portal.components.kit import card
from lk_portal.i18n import _
from lk_portal.models import Account
from lk_portal.pages.registry import portal_page
from lk_portal.services.access import Role
from lk_portal.services.badges import Asking, Badge, badge_topic
from lk_portal.services.context import current
from lk_portal.services.owned import is_owned
from lk_portal.state.guard import requires, subscriber_id
from lk_portal.state.live import follow


async def new_advice(asking: Asking) -> int:
    """How much was written for her accounts since she looked."""
    query = select(func.count()).select_from(Advice).join(Account)
    query = query.where(is_owned(asking.subscriber_id), Advice.changed_at > asking.seen_at)
    async with asking.database.reading() as connection:
        return await connection.scalar(query)


BADGE = Badge("acme_advice", new_advice, changed_at=Advice.changed_at, whose=Account.subscriber_id)


class AdviceState(rx.State):
    """The texts, the newest first."""

    texts: list[str] = []

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def load(self) -> None:
        """The page was opened."""
        await self._show()

    async def _show(self) -> None:
        """Read; also called when there is something new."""
        topic = badge_topic(BADGE.name, subscriber_id())
        follow(self.router.session.client_token, type(self), frozenset({topic}))
        query = select(Advice.text).join(Account).where(is_owned(subscriber_id()))
        async with current().database.reading() as connection:
            found = await connection.scalars(query.order_by(Advice.changed_at.desc()).limit(50))
            self.texts = list(found)


@portal_page(
    route="/advice",
    title=_("Acme's advice"),
    icon="info",
    menu="main",
    badge=BADGE,
    on_load=(AdviceState.load,),
)
def advice() -> rx.Component:
    """The page."""
    return card(rx.el.ul(rx.foreach(AdviceState.texts, rx.el.li), id="advice"))
