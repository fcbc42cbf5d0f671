"""A subscriber, a stranger and an operator, and what they do with tickets; for the tests of tickets."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, select

from lk_portal.models import Account, Role, Ticket, TicketMessage
from lk_portal.services import ticket_desk, tickets
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.tickets import Author, NewTicket
from lk_portal.settings import Settings
from tests import factories
from tests.integration.services.persons import person, visit

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_numbers = itertools.count(1)


def key() -> str:
    """What a form of its own has."""
    return f"a-key-of-a-form-{next(_numbers):08}"


@dataclass(frozen=True)
class Writer:
    """A subscriber with one account, and the few steps the tests are made of."""

    database: Database
    author: Author
    placed: factories.MeteredPoint
    number: str
    staff_id: int

    @classmethod
    async def of(cls, database: Database, settings: Settings, name: str = "ivanov") -> Writer:
        placed = await factories.a_metered_point(database)
        user_id = await person(
            database, settings, name, role=Role.SUBSCRIBER, subscriber_id=placed.subscriber_id
        )
        staff_id = await person(database, settings, f"operator-of-{name}")
        account = table_of(Account)
        async with database.reading() as connection:
            number = await connection.scalar(
                select(account.c.number).where(account.c.id == placed.account_id)
            )
        return cls(database, Author(user_id, placed.subscriber_id), placed, str(number), staff_id)

    def form(self, **changes: Any) -> NewTicket:
        values = {"subject": "Нет света", "category": "load", "account": self.number, "text": "С утра."}
        return NewTicket(**{**values, **changes})

    async def create(self, *, after: timedelta = timedelta(), send_key: str = "", **changes: Any) -> int:
        files = changes.pop("files", ())
        return await tickets.create(
            self.database,
            author=self.author,
            ticket=self.form(**changes),
            send_key=send_key or key(),
            visit=visit(after=after),
            files=files,
        )

    async def write(
        self, ticket_id: int, text: str = "Еще.", *, after: timedelta = HOUR, send_key: str = "", **more: Any
    ) -> None:
        await tickets.write(
            self.database,
            author=self.author,
            ticket_id=ticket_id,
            text=text,
            send_key=send_key or key(),
            visit=visit(after=after),
            **more,
        )

    async def answer(
        self,
        ticket_id: int,
        text: str = "Чиним.",
        *,
        after: timedelta = HOUR,
        send_key: str = "",
        **more: Any,
    ) -> None:
        await ticket_desk.answer(
            self.database,
            staff_id=self.staff_id,
            ticket_id=ticket_id,
            text=text,
            send_key=send_key or key(),
            visit=visit(after=after),
            **more,
        )

    async def note(self, ticket_id: int, text: str, *, after: timedelta = HOUR) -> None:
        await ticket_desk.note(
            self.database,
            staff_id=self.staff_id,
            ticket_id=ticket_id,
            text=text,
            send_key=key(),
            visit=visit(after=after),
        )

    async def close(self, ticket_id: int, *, after: timedelta = HOUR) -> None:
        await tickets.close(self.database, author=self.author, ticket_id=ticket_id, visit=visit(after=after))

    async def reopen(self, ticket_id: int, *, after: timedelta = DAY) -> None:
        await tickets.reopen(self.database, author=self.author, ticket_id=ticket_id, visit=visit(after=after))

    async def row(self, ticket_id: int) -> Row[Any]:
        ticket = table_of(Ticket)
        async with self.database.reading() as connection:
            return (await connection.execute(select(ticket).where(ticket.c.id == ticket_id))).one()

    async def texts(self, ticket_id: int) -> list[str]:
        message = table_of(TicketMessage)
        query = select(message.c.text).where(message.c.ticket_id == ticket_id).order_by(message.c.id)
        async with self.database.reading() as connection:
            return list((await connection.scalars(query)).all())
