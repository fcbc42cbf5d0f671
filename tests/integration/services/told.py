"""Subscribers with meters and browsers, and what they were told; for the tests of notifications."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from lk_portal.models import Channel, MeteringPoint, Notified, PushMessage, PushSubscription
from lk_portal.security.tokens import hash_of
from lk_portal.services import notification_choices, notifications, push
from lk_portal.services.access import Role
from lk_portal.services.database import Database
from lk_portal.services.notification_choices import NotificationKind
from lk_portal.services.tables import table_of
from lk_portal.settings import Settings
from tests import factories
from tests.integration.services.persons import NOW, letters_written, person, sign_in, visit
from tests.push_service import Browser

MONTH = date(2026, 11, 1)
TODAY = NOW.date()


@dataclass
class Told:
    """A portal's database, and a clock that is moved by hand."""

    database: Database
    settings: Settings
    now: datetime = NOW
    _names: list[str] = field(default_factory=lambda: [f"person{number}" for number in range(99, 0, -1)])

    async def subscriber(self, *, name: str = "Дача") -> Owner:
        """A person with one metered point, who signed up a while ago."""
        placed = await factories.a_metered_point(self.database)
        login = self._names.pop()
        user_id = await person(
            self.database, self.settings, login, role=Role.SUBSCRIBER, subscriber_id=placed.subscriber_id
        )
        point = table_of(MeteringPoint)
        async with self.database.writing() as connection:
            await connection.execute(update(point).where(point.c.id == placed.point_id).values(name=name))
        return Owner(self, user_id, placed, f"{login}@example.com")

    async def look(self, *, after: timedelta = timedelta()) -> int:
        """One look for everything, after some time."""
        self.now += after
        events = await notifications.tell_events(self.database, self.settings, now=self.now)
        return events + await notifications.tell_limits(self.database, self.settings, now=self.now)

    async def letters(self) -> list[tuple[str, str]]:
        """Kind and address of all letters that are told of."""
        kinds = ("meter_event", "unusual_consumption", "verification_due")
        return [
            (row.kind.value, row.to_address)
            for row in await letters_written(self.database)
            if row.kind in kinds
        ]

    async def lists(self) -> list[str]:
        """What those letters name."""
        return [row.data["list"] for row in await letters_written(self.database) if "list" in row.data]

    async def pushes(self) -> list[tuple[str, str]]:
        """Kind and page of what waits to be pushed."""
        message = table_of(PushMessage)
        async with self.database.reading() as connection:
            rows = await connection.execute(select(message.c.kind, message.c.data).order_by(message.c.id))
            return [(row.kind.value, row.data["page"]) for row in rows]

    async def rows(self, table: Any = Notified) -> list[Any]:
        async with self.database.reading() as connection:
            return list((await connection.execute(select(table_of(table)))).all())


@dataclass(frozen=True)
class Owner:
    """One of the subscribers."""

    told: Told
    user_id: int
    placed: factories.MeteredPoint
    email: str

    async def event(self, *, ago: timedelta = timedelta(minutes=1), **values: Any) -> int:
        """Her meter has just reported something."""
        occurred_at = self.told.now - ago
        return await factories.meter_event(
            self.told.database, meter_id=self.placed.meter_id, occurred_at=occurred_at, **values
        )

    async def choose(self, kind: NotificationKind, channel: Channel, *, is_wanted: bool) -> None:
        await notification_choices.choose(
            self.told.database,
            user_id=self.user_id,
            kind=kind,
            channel=channel,
            is_wanted=is_wanted,
            visit=visit(),
        )

    async def limit(self, typed: str) -> None:
        await notification_choices.set_limit(
            self.told.database,
            user_id=self.user_id,
            subscriber_id=self.placed.subscriber_id,
            point_id=self.placed.point_id,
            typed=typed,
            visit=visit(),
        )

    async def used(self, kwh: int, *, month: date = MONTH) -> None:
        await factories.month_of(
            self.told.database, point_id=self.placed.point_id, month=month, total_wh=kwh * 1000
        )

    async def due(self, day: date) -> None:
        await factories.verification(
            self.told.database,
            meter_id=self.placed.meter_id,
            verified_on=day - timedelta(days=3650),
            due_on=day,
        )

    async def session(self) -> str:
        """The hash of a new session of hers, in a browser of its own."""
        return hash_of(await sign_in(self.told.database, self.told.settings, self.email))

    async def subscribe(self, device: Browser | None = None, *, session_hash: str = "") -> Browser:
        """A browser of hers is pushed to."""
        device = device or Browser(path=f"/send/{self.user_id}")
        await push.subscribe(
            self.told.database,
            user_id=self.user_id,
            session_hash=session_hash,
            subscription=device.subscription,
            locale="ru",
            visit=visit(),
        )
        return device

    async def endpoints(self) -> list[str]:
        subscription = table_of(PushSubscription)
        query = select(subscription.c.endpoint).where(subscription.c.user_id == self.user_id)
        async with self.told.database.reading() as connection:
            return list((await connection.scalars(query)).all())
