"""The demo's обращения: answered, closed, late and new ones; templates.

For `services.demo` only. The rows are written as they would stand by now; nobody gets letters about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models import Account, AnswerTemplate, Ticket, TicketCategory, TicketStatus, User
from lk_portal.security.tokens import new_token
from lk_portal.services.database import Database
from lk_portal.services.demo_plan import DEMO_USER, SECOND_USER, ZONE, DemoUser
from lk_portal.services.desk_counts import OURS
from lk_portal.services.tables import table_of
from lk_portal.services.ticket_rows import add_message
from lk_portal.services.ticket_rules import reply_by

_ticket, _account, _user = table_of(Ticket), table_of(Account), table_of(User)


@dataclass(frozen=True, slots=True)
class DemoTicket:
    """A ticket and its dialogue; messages are (hours ago, whether the staff's, text).

    Nobody has taken a new one; an answer is promised for those in which it is the utility's turn.
    """

    subject: str
    category: TicketCategory
    status: TicketStatus
    messages: tuple[tuple[int, bool, str], ...]
    author: DemoUser = DEMO_USER


TICKETS = (
    DemoTicket(
        "Повышенное потребление ночью",
        TicketCategory.READINGS,
        TicketStatus.WAITING,
        (
            (
                50,
                False,
                "Здравствуйте! По графику ночью расходуется больше, чем раньше, хотя мы ничего нового не "
                "включали. Как проверить, что прибор считает правильно?",
            ),
            (
                27,
                True,
                "Здравствуйте! Мы посмотрели показания: с начала месяца ночью постоянно включена нагрузка "
                "около 0,3 кВт. Отключите, пожалуйста, на час автоматы в квартире и посмотрите на "
                "часовой график. Если потребление не станет нулевым, напишите нам.",
            ),
        ),
    ),
    DemoTicket(
        "Когда поверка прибора учета?",
        TicketCategory.METER,
        TicketStatus.CLOSED,
        (
            (24 * 40, False, "Нужно ли мне в этом году что-то делать для поверки прибора учета?"),
            (
                24 * 39,
                True,
                "Нет, срок поверки вашего прибора еще не подошел. Дата видна в разделе «Абонент».",
            ),
        ),
    ),
    DemoTicket(
        "Не сходятся показания за прошлый месяц",
        TicketCategory.READINGS,
        TicketStatus.IN_WORK,
        (
            (
                24 * 12,
                False,
                "В квитанции за прошлый месяц другие показания, чем в личном кабинете. Какие из них верны?",
            ),
        ),
        SECOND_USER,
    ),
    DemoTicket(
        "Как перейти на двухзонный тариф?",
        TicketCategory.ACCOUNT,
        TicketStatus.NEW,
        ((3, False, "Хочу перейти на двухзонный тариф. Подойдет ли мой прибор учета и что нужно принести?"),),
        SECOND_USER,
    ),
)


TEMPLATES = (
    (
        "Обращение принято",
        "Здравствуйте! Мы получили ваше обращение и разбираемся. Ответим до указанного срока.",
    ),
    (
        "Нужен снимок прибора учета",
        "Здравствуйте! Пришлите, пожалуйста, снимок прибора учета, на котором видны показания и номер.",
    ),
    (
        "Показания верны",
        "Здравствуйте! Мы проверили показания прибора учета: они верны. Если остались вопросы, напишите нам.",
    ),
)
"""Title and text, in their order."""


async def add(database: Database, *, staff: DemoUser, now: datetime) -> None:
    """Write the dialogues of the demo's logins, unless there are tickets or a login is gone."""
    async with database.writing() as connection:
        people = {row.email: row for row in await connection.execute(_PEOPLE)}
        has_tickets = await connection.scalar(select(_ticket.c.id).limit(1)) is not None
        if has_tickets or not {staff.email, *(one.author.email for one in TICKETS)} <= people.keys():
            return
        rows = [
            {"title": title, "text": words, "position": place}
            for place, (title, words) in enumerate(TEMPLATES, start=1)
        ]
        await connection.execute(insert(AnswerTemplate), rows)
        for ticket in TICKETS:
            await _add(connection, ticket, people[ticket.author.email], people[staff.email].id, now=now)


_PEOPLE = select(_user.c.id, _user.c.email, _user.c.subscriber_id)


async def _add(
    connection: AsyncConnection,
    ticket: DemoTicket,
    author: Row[Any, Any, Any],
    staff_id: int,
    *,
    now: datetime,
) -> None:
    """One ticket, about the first account of its author."""
    of_author = select(_account.c.id).where(_account.c.subscriber_id == author.subscriber_id)
    account_id = await connection.scalar(of_author.order_by(_account.c.id))
    times = [now - timedelta(hours=hours) for hours, _is_staff, _text in ticket.messages]
    row = {
        "subscriber_id": author.subscriber_id,
        "account_id": account_id,
        "author_user_id": author.id,
        "assigned_user_id": None if ticket.status is TicketStatus.NEW else staff_id,
        "category": ticket.category,
        "subject": ticket.subject,
        "status": ticket.status,
        "created_at": times[0],
        "updated_at": times[-1],
        "reply_by": reply_by(ticket.category, now=times[-1], zone=ZONE) if ticket.status in OURS else None,
        "closed_at": times[-1] if ticket.status is TicketStatus.CLOSED else None,
    }
    key = (await connection.execute(insert(_ticket).values(row))).inserted_primary_key
    for at, (_hours, is_staff, text) in zip(times, ticket.messages, strict=True):
        await add_message(
            connection,
            ticket_id=key[0] if key else 0,
            user_id=staff_id if is_staff else author.id,
            text=text,
            send_key=new_token(),
            now=at,
            is_staff=is_staff,
        )
