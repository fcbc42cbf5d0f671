"""The demo's data: who and what is there, and that the year of history adds up to the watt-hour."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from lk_portal.errors import ConfigurationError
from lk_portal.metering.maps import load_maps
from lk_portal.metering.simulator.fleet import start_all, stop_all, targets
from lk_portal.metering.types import LoadState, Quality, Quantity
from lk_portal.models.types import to_milliseconds
from lk_portal.services import access, demo, demo_plan, own_data
from lk_portal.services.access import Visit
from lk_portal.services.database import Database
from lk_portal.services.demo_meters import gateways
from lk_portal.services.desk_counts import desk_counts
from lk_portal.services.meters import meter_card
from lk_portal.services.migrations import migrate
from lk_portal.settings import Settings, load_settings
from tests import factories

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 11, 24, 10, 40, 17, tzinfo=UTC)
HOUR_START = NOW.replace(minute=0, second=0)


@dataclass
class Seeded:
    """A seeded database."""

    database: Database
    settings: Settings

    async def rows(self, query: str, **values: object) -> list[tuple[object, ...]]:
        async with self.database.reading() as connection:
            return [tuple(row) for row in await connection.execute(text(query), values)]

    async def one(self, query: str, **values: object) -> int:
        ((value,),) = await self.rows(query, **values)
        return int(str(value))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seeded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Seeded]:
    folder = tmp_path_factory.mktemp("demo")
    settings = load_settings(
        data_dir=folder, environment="demo", timezone="Asia/Omsk", database_url="", bcrypt_rounds=4
    )
    migrate(settings.database_address)
    database = Database(settings.database_address)
    assert await demo.seed(database, settings, now=NOW)
    yield Seeded(database, settings)
    await database.close()


async def test_the_staff_has_something_to_do(seeded: Seeded) -> None:
    counts = await desk_counts(seeded.database, now=NOW, today=NOW.date())

    assert (counts.tickets, counts.overdue) == (2, 1)
    assert (counts.claims, counts.letters, counts.verifications) == (1, 1, 1)


POINT = """SELECT n.point_id FROM installation n JOIN meter m ON m.id = n.meter_id WHERE m.serial = :serial"""


async def test_a_second_seeding_changes_nothing(seeded: Seeded) -> None:
    counts = """SELECT (SELECT count(*) FROM interval), (SELECT count(*) FROM register_reading),
        (SELECT count(*) FROM portal_user), (SELECT count(*) FROM ticket), (SELECT count(*) FROM letter),
        (SELECT count(*) FROM account_claim)"""
    before = await seeded.rows(counts)

    assert not await demo.seed(seeded.database, seeded.settings, now=NOW + timedelta(days=3))

    assert await seeded.rows(counts) == before


@pytest.mark.parametrize("user", demo_plan.USERS, ids=lambda user: user.role)
async def test_every_login_works(seeded: Seeded, user: demo_plan.DemoUser) -> None:
    visit = Visit(address="127.0.0.1", agent="test", at=NOW)

    signed_in = await access.sign_in(
        seeded.database, seeded.settings, login=user.email, password=user.password, visit=visit
    )
    assert signed_in.duty is access.Duty.NONE, "nothing stands between a demo login and its cabinet"


async def test_the_first_meter_is_the_manuals(seeded: Seeded) -> None:
    rows = await seeded.rows(
        """SELECT a.number, p.street, p.house, a.amenities, m.model, o.place, s.number,
          v.verified_on, v.due_on
        FROM meter m JOIN installation n ON n.meter_id = m.id JOIN metering_point o ON o.id = n.point_id
        JOIN account a ON a.id = o.account_id JOIN premises p ON p.id = a.premises_id
        JOIN seal s ON s.meter_id = m.id JOIN verification v ON v.meter_id = m.id
        WHERE m.serial = '44103814060174' GROUP BY v.verified_on"""
    )
    installed = await seeded.one(
        """SELECT installed_at FROM installation n JOIN meter m ON m.id = n.meter_id
        WHERE serial = '44103814060174'"""
    )

    assert rows == [
        (
            "13225468216", "ул.Садовая", "5 А", "Газовая плита", "МИР С-07", "Внутреннее (в здании)",
            "ВМ 234798", "2020-06-24", "2036-06-24",
        )
    ]  # fmt: skip
    assert datetime.fromtimestamp(installed / 1000, demo_plan.ZONE).date().isoformat() == "2020-01-21"


async def test_the_subscriber_has_two_accounts_and_three_standing_meters(seeded: Seeded) -> None:
    owned = """FROM account a JOIN subscriber s ON s.id = a.subscriber_id
        JOIN portal_user u ON u.subscriber_id = s.id AND u.email = :email"""
    standing = f"""SELECT count(*) {owned} JOIN metering_point o ON o.account_id = a.id
        JOIN installation n ON n.point_id = o.id AND n.removed_at IS NULL"""

    demo_email, second_email = demo_plan.DEMO_USER.email, demo_plan.SECOND_USER.email
    assert await seeded.one(f"SELECT count(*) {owned}", email=demo_email) == 2
    assert await seeded.one(standing, email=demo_email) == 3
    assert await seeded.one(standing, email=second_email) == 1


async def test_the_history_is_over_twelve_months_and_ends_with_the_last_full_hour(seeded: Seeded) -> None:
    rows = await seeded.rows("SELECT point_id, min(start), max(start) FROM interval GROUP BY point_id")

    assert len(rows) == 4 + demo_plan.NEIGHBOURS
    for _point, first, last in rows:
        assert int(str(first)) < to_milliseconds(NOW - timedelta(days=365))
        assert int(str(last)) == to_milliseconds(HOUR_START) - 3_600_000


async def test_hours_add_up_to_the_registers(seeded: Seeded) -> None:
    """For every point without holes and every quantity; a replaced meter's point over both meters."""
    rows = await seeded.rows(
        """SELECT i.point_id, i.quantity, i.total, g.grown
        FROM (SELECT point_id, quantity, sum(value_wh) AS total FROM interval GROUP BY 1, 2) i
        JOIN (SELECT n.point_id, r.quantity, sum(r.grown) AS grown FROM installation n
              JOIN (SELECT meter_id, quantity, max(value_wh) - min(value_wh) AS grown
                    FROM register_reading WHERE zone = 0 GROUP BY 1, 2) r ON r.meter_id = n.meter_id
              GROUP BY 1, 2) g ON g.point_id = i.point_id AND g.quantity = i.quantity"""
    )
    ((holed,),) = await seeded.rows(POINT, serial=demo_plan.HOLES_METER.serial)

    assert len(rows) == 3 * 4 + 2 * (1 + demo_plan.NEIGHBOURS)
    for point, quantity, total, grown in rows:
        if point == holed and quantity != Quantity.A_MINUS:
            assert int(str(total)) < int(str(grown))
        else:
            assert total == grown, (point, quantity)


async def test_tariff_registers_add_up_to_the_sum(seeded: Seeded) -> None:
    rows = await seeded.rows(
        """SELECT sum(value_wh) FILTER (WHERE zone = 0), sum(value_wh) FILTER (WHERE zone > 0)
        FROM register_reading r JOIN meter m ON m.id = r.meter_id
        WHERE m.serial = :serial AND quantity = 1 GROUP BY taken_at""",
        serial=demo_plan.TWO_ZONE_METER.serial,
    )
    zones = await seeded.rows(
        f"""SELECT zone, sum(value_wh) FROM interval
        WHERE quantity = 1 AND point_id = ({POINT}) GROUP BY zone""",
        serial=demo_plan.TWO_ZONE_METER.serial,
    )

    assert len(rows) > 390
    assert all(total == parts for total, parts in rows)
    assert [zone for zone, _total in zones] == [1, 2]
    assert all(int(str(total)) > 0 for _zone, total in zones)


async def test_there_are_holes_and_estimated_hours(seeded: Seeded) -> None:
    rows = await seeded.rows(
        f"SELECT start, quality FROM interval WHERE quantity = 1 AND point_id = ({POINT}) ORDER BY start",
        serial=demo_plan.HOLES_METER.serial,
    )
    starts = [int(str(start)) for start, _quality in rows]
    gaps = [(later - earlier) // 3_600_000 - 1 for earlier, later in pairwise(starts)]
    missing = [gap for gap in gaps if gap]

    assert missing == [96, 24, 5]
    assert sum(quality == Quality.ESTIMATED for _start, quality in rows) == 9


async def test_nothing_was_read_in_a_hole(seeded: Seeded) -> None:
    readings = await seeded.rows(
        """SELECT taken_at FROM register_reading r JOIN meter m ON m.id = r.meter_id
        WHERE m.serial = :serial AND quantity = 1 AND zone = 0 ORDER BY taken_at""",
        serial=demo_plan.HOLES_METER.serial,
    )
    days = [datetime.fromtimestamp(int(str(at)) / 1000, demo_plan.ZONE).date() for (at,) in readings]
    jumps = [(later - earlier).days for earlier, later in pairwise(days)]

    assert max(jumps) == 5
    assert jumps.count(1) > 350


async def test_the_year_of_a_replaced_meter_has_no_spike(seeded: Seeded) -> None:
    serial = demo_plan.REPLACING_METER.serial
    rows = await seeded.rows(
        f"""SELECT start, value_wh, covered_s FROM interval
        WHERE quantity = 1 AND point_id = ({POINT}) ORDER BY start""",
        serial=serial,
    )
    ends = await seeded.rows(
        """SELECT m.serial, r.is_final, r.value_wh FROM installation_reading r
        JOIN installation n ON n.id = r.installation_id JOIN meter m ON m.id = n.meter_id
        WHERE m.serial IN (:old, :new) ORDER BY n.installed_at, r.is_final""",
        old=demo_plan.REPLACED_METER.serial,
        new=serial,
    )
    starts = [int(str(start)) for start, *_rest in rows]

    assert [(row[0], row[1]) for row in ends] == [
        (demo_plan.REPLACED_METER.serial, 0),
        (demo_plan.REPLACED_METER.serial, 1),
        (serial, 0),
    ]
    assert int(str(ends[2][2])) < 5_000 < int(str(ends[1][2]))
    assert starts == list(range(starts[0], starts[-1] + 1, 3_600_000))
    assert all(0 <= int(str(value)) < 6_000 and covered == 3600 for _start, value, covered in rows)


@pytest.mark.parametrize("quantity", [Quantity.A_MINUS, Quantity.R_PLUS, Quantity.R_MINUS])
async def test_other_energies_have_a_history_too(seeded: Seeded, quantity: Quantity) -> None:
    hours = await seeded.one(
        f"SELECT count(*) FROM interval WHERE quantity = {int(quantity)} AND point_id = ({POINT})",
        serial=demo_plan.TWO_ZONE_METER.serial,
    )

    assert hours > 365 * 24


async def test_the_marks_stand_where_the_simulated_meters_go_on(seeded: Seeded) -> None:
    """What a meter shows at the last full hour is its mark: the first live reading counts from there."""
    load_maps()
    replaced_at = await demo.replaced_when(seeded.database)
    lines = gateways([0] * len(demo_plan.LINES), replaced_at=replaced_at)
    rows = await seeded.rows(
        """SELECT m.serial, k.quantity, k.zone, k.taken_at, k.value_wh
        FROM register_mark k JOIN meter m ON m.id = k.meter_id"""
    )
    meters = {meter.serial: meter for line in lines for meter in line.meters.values()}

    live = [row for row in rows if row[0] in meters]
    # All four energies, the two-zone meter's two tariffs too; only two where that is all the meter counts.
    assert len(live) == 2 * 4 + 6 + 2 * (1 + demo_plan.NEIGHBOURS)
    for serial, quantity, zone, at, value in live:
        meter = meters[str(serial)]
        shown = meter.value_wh(HOUR_START, Quantity(int(str(quantity))), int(str(zone)))
        assert int(str(at)) == to_milliseconds(HOUR_START)
        assert abs(int(str(value)) - shown) <= 2  # a float of kWh shows that much less or more


async def test_lines_of_the_plan_answer_with_their_meters(seeded: Seeded) -> None:
    load_maps()
    lines = gateways([0] * len(demo_plan.LINES), replaced_at=await demo.replaced_when(seeded.database))
    await start_all(lines)
    try:
        ports = {line.name: started.port for line, started in zip(demo_plan.LINES, lines, strict=True)}
        await demo.point_lines(seeded.database, ports)
        assert len(targets(lines)) == len(ports)
    finally:
        await stop_all(lines)

    stored = await seeded.rows("SELECT name, port FROM gateway")
    assert {str(name): port for name, port in stored} == ports


async def test_one_load_is_on_and_one_may_be_switched_on_and_says_why(seeded: Seeded) -> None:
    owner = await seeded.one("SELECT subscriber_id FROM account WHERE number = '13225468216'")

    cards = {
        serial: await meter_card(
            seeded.database, subscriber_id=owner, serial=serial, now=NOW, default_interval_s=1800
        )
        for serial in (
            demo_plan.TWO_ZONE_METER.serial,
            demo_plan.HOLES_METER.serial,
            demo_plan.REPLACING_METER.serial,
        )
    }
    on, ready, unknown = cards.values()

    assert (on.placed.load.state, unknown.placed.load.state) == (LoadState.ON, LoadState.UNKNOWN)
    assert ready.placed.load.state is LoadState.READY
    assert ready.story.off is not None
    assert ready.story.permitted is not None
    assert ready.story.off.at < ready.story.permitted.at < NOW
    assert on.placed.load.read_at is not None


async def test_a_later_start_tells_the_loads_anew(seeded: Seeded) -> None:
    later = NOW + timedelta(days=5)
    await demo.seed(seeded.database, seeded.settings, now=later)

    rows = await seeded.rows("SELECT read_at FROM meter_load_state")

    assert rows == [(to_milliseconds(later),)] * len(demo_plan.RELAYS)


async def test_other_data_are_left_alone(sqlite_database: Database, tmp_path: Path) -> None:
    await factories.a_metered_point(sqlite_database)
    settings = load_settings(data_dir=tmp_path, environment="demo", bcrypt_rounds=4)

    with pytest.raises(ConfigurationError):
        await demo.seed(sqlite_database, settings, now=NOW)

    async with sqlite_database.reading() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM portal_user")) == 0


async def test_a_seeding_cut_off_before_the_logins_is_completed(seeded: Seeded) -> None:
    async with seeded.database.writing() as connection:
        await connection.execute(text("DELETE FROM user_session"))
        await connection.execute(text("DELETE FROM portal_user"))

    assert not await demo.seed(seeded.database, seeded.settings, now=NOW)

    assert await seeded.one("SELECT count(*) FROM portal_user") == len(demo_plan.USERS)


async def test_a_login_that_was_changed_or_erased_is_no_hindrance(seeded: Seeded) -> None:
    owner = "SELECT subscriber_id FROM portal_user WHERE email = 'demo@energomir.example'"
    before = await seeded.one(owner)
    async with seeded.database.writing() as connection:
        await connection.execute(
            text("UPDATE portal_user SET email = 'new@example.com' WHERE email = 'demo@energomir.example'")
        )

    assert not await demo.seed(seeded.database, seeded.settings, now=NOW)
    assert await seeded.one("SELECT count(*) FROM portal_user") == len(demo_plan.USERS)

    visit = Visit(address="127.0.0.1", agent="test", at=NOW)
    user_id = await seeded.one("SELECT id FROM portal_user WHERE email = 'new@example.com'")
    await own_data.erase(
        seeded.database,
        seeded.settings,
        user_id=user_id,
        password=demo_plan.DEMO_USER.password,
        visit=visit,
    )
    assert not await demo.seed(seeded.database, seeded.settings, now=NOW)
    assert await seeded.one(owner) == before
