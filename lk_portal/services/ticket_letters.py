"""The letter about an answered or closed обращение. For `services.ticket_desk`.

It says which ticket and how it stands, and leads to it; what was written stays in the cabinet, for a
mailbox is read by others too.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.i18n import _, using_locale
from lk_portal.models import LetterKind, TicketStatus, User
from lk_portal.services import letters, notifications
from lk_portal.services.tables import table_of
from lk_portal.services.ticket_rows import TicketRow
from lk_portal.services.ticket_rules import STATUSES

_user = table_of(User)


async def tell_answered(
    connection: AsyncConnection, ticket: TicketRow, *, status: TicketStatus, now: datetime
) -> None:
    """Tell whoever sent the ticket, in the caller's transaction, by letter and push as she chose.

    Nobody is told when the login was erased.

    Args:
        connection: Of the transaction that answers or closes.
        ticket: As it was before.
        status: What it is from now on.
        now: Aware UTC.
    """
    query = select(_user.c.id, _user.c.email, _user.c.locale, _user.c.display_name).where(
        _user.c.id == ticket.author_user_id, _user.c.is_active
    )
    person = (await connection.execute(query)).one_or_none()
    if person is None or not await notifications.tell_answered(
        connection, user_id=person.id, page=f"/support/{ticket.id}", now=now
    ):
        return
    with using_locale(person.locale):
        words = _(STATUSES[status])
    await letters.write(
        connection,
        kind=LetterKind.TICKET_ANSWERED,
        to_address=person.email,
        now=now,
        user_id=ticket.author_user_id,
        locale=person.locale,
        data={
            "ticket": ticket.id,
            "subject": ticket.subject,
            "status": words,
            "name": person.display_name,
        },
    )
