"""A simulated meter with an archive, polled over a real socket at times of our choosing. For replays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pymodbus.framer import FramerType
from sqlalchemy import select

from lk_portal.jobs.replaying import Replaying
from lk_portal.metering.maps import load_maps
from lk_portal.metering.modbus import ModbusAdapter
from lk_portal.metering.poller import Poller, PollLimits
from lk_portal.metering.simulator import ArchiveFaults, LoadCurve, SimulatedGateway, SimulatedMeter
from lk_portal.metering.types import GatewayTarget, Quality, Quantity
from lk_portal.models import AuditEntry, DayRollup, Interval, IntervalVersion, Role, User
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.polling import due_gateways
from lk_portal.services.readings import ReadingStore
from lk_portal.services.replay_view import ArchiveView, archive_of
from lk_portal.services.replays import ask_for_replay
from lk_portal.services.tables import table_of
from lk_portal.services.users import create_user
from lk_portal.services.visit import Visit
from lk_portal.settings import load_settings
from tests import factories

MODEL = "simulated-profile"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BEFORE = datetime(2026, 11, 10, 3, 50, tzinfo=UTC)
"""Polled every ten minutes from here on, until the silence."""
SILENT = datetime(2026, 11, 10, 6, 20, tzinfo=UTC)
BACK = datetime(2026, 11, 10, 10, 40, tzinfo=UTC)
GAP = [datetime(2026, 11, 10, hour, tzinfo=UTC) for hour in range(6, 11)]
"""The hours that the silence touches."""
DEFAULT_S = 600


@dataclass
class Bench:
    """One polled meter, its clock, and the portal that polls it."""

    portal: Portal
    point: factories.MeteredPoint
    meter: SimulatedMeter
    line: SimulatedGateway
    clock: dict[str, datetime] = field(default_factory=lambda: {"now": BEFORE})
    replaying: Replaying = field(init=False)
    poller: Poller = field(init=False)

    def __post_init__(self) -> None:
        store = ReadingStore(self.database, clock=self.now, default_interval_s=DEFAULT_S)
        self.poller = Poller(
            store, clock=self.now, adapters=self._adapter, limits=PollLimits(attempts=1, backoff_s=0.01)
        )
        self.replaying = Replaying(self.portal, self.poller)

    @property
    def database(self) -> Database:
        return self.portal.database

    def now(self) -> datetime:
        return self.clock["now"]

    def show(self, **faults: Any) -> None:
        """Let the archive have these faults from now on."""
        assert self.meter.archive is not None
        self.meter.archive.faults = ArchiveFaults(**faults)

    async def poll(self, *moments: datetime) -> None:
        """Poll at these moments, and do after each what a batch does."""
        for at in moments:
            self.clock["now"] = at
            gateways = await due_gateways(
                self.database, now=at, default_interval_s=DEFAULT_S, serials=[self.point.serial]
            )
            outcomes = await self.poller.poll(gateways)
            await self.replaying.after_poll(gateways, outcomes)

    async def poll_every(self, start: datetime, end: datetime, step: timedelta = 10 * MINUTE) -> None:
        """From `start` to `end`, both included."""
        await self.poll(*(start + step * n for n in range((end - start) // step + 1)))

    async def be_silent(self) -> None:
        """Polled, then silent for four hours, then polled once."""
        await self.poll_every(BEFORE, SILENT)
        await self.poll(BACK)

    async def ask(self, start: datetime, end: datetime) -> None:
        await ask_for_replay(
            self.database,
            serial=self.point.serial,
            start=start,
            end=end,
            default_interval_s=DEFAULT_S,
            staff_id=await self.admin(),
            visit=Visit("192.0.2.1", "test", self.now()),
        )

    async def view(self) -> ArchiveView:
        return await archive_of(
            self.database, serial=self.point.serial, now=self.now(), default_interval_s=DEFAULT_S
        )

    async def admin(self) -> int:
        found = await self.rows(User, email="admin@example.com")
        if found:
            return int(found[0].id)
        return await create_user(
            self.database,
            self.portal.settings,
            email="admin@example.com",
            phone=None,
            role=Role.ADMIN,
            display_name="Admin",
            password="Correct-horse-2026",
            subscriber_id=None,
            now=BEFORE,
        )

    async def rows(self, model: Any, **wanted: Any) -> list[Any]:
        table = table_of(model)
        query = select(table).order_by(*table.primary_key)
        async with self.database.reading() as connection:
            for name, value in wanted.items():
                query = query.where(table.c[name] == value)
            return list((await connection.execute(query)).all())

    async def hours(self, quantity: Quantity = Quantity.A_PLUS) -> dict[datetime, Any]:
        """The stored intervals by their start."""
        found = await self.rows(Interval, point_id=self.point.point_id, quantity=quantity)
        return {row.start: row for row in found}

    async def versions(self) -> list[Any]:
        return await self.rows(IntervalVersion)

    async def days(self) -> list[Any]:
        return await self.rows(DayRollup, point_id=self.point.point_id)

    async def entries(self, action: str) -> list[Any]:
        return await self.rows(AuditEntry, action=action)

    def true_wh(self, start: datetime, end: datetime, quantity: Quantity = Quantity.A_PLUS) -> int:
        value_wh = self.meter.curve.value_wh
        return value_wh(end, quantity) - value_wh(start, quantity)

    def _adapter(self, gateway: GatewayTarget) -> ModbusAdapter:
        return ModbusAdapter(gateway, framer=FramerType.SOCKET, clock=self.now)


@asynccontextmanager
async def a_bench(
    database: Database,
    tmp_path: Path,
    *,
    model: str = MODEL,
    ct_ratio: int = 1,
    tariff_id: int | None = None,
    timezone: str = "Asia/Omsk",
    **settings: Any,
) -> AsyncIterator[Bench]:
    """A meter that stands at a point since 2020, behind a started line."""
    load_maps()
    portal = Portal(load_settings(data_dir=tmp_path, bcrypt_rounds=4, **settings), database)
    curve = LoadCurve(11, annual_wh=9_000_000, utc_offset=6 * HOUR)
    meter = SimulatedMeter("S1", model, curve=curve)
    clock = {"now": BEFORE}
    async with SimulatedGateway([meter], clock=lambda: clock["now"]) as line:
        point = await factories.a_metered_point(
            database, map_name=model, ct_ratio=Decimal(ct_ratio), tariff_id=tariff_id, timezone=timezone
        )
        gateway_id = await factories.gateway(database, port=line.port)
        await factories.connection(database, meter_id=point.meter_id, gateway_id=gateway_id, device_id=1)
        ticking = Portal(portal.settings, database, lambda: clock["now"])
        bench = Bench(ticking, point, meter, line, clock)
        try:
            yield bench
        finally:
            await bench.poller.close()


def is_measured(row: Any) -> bool:
    return row.quality is Quality.MEASURED and row.covered_s == row.duration_s
