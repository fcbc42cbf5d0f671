"""Holes are filled from the meter's own archive: what it knows, and nothing measured is touched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from lk_portal.errors import InputError, NotFoundError
from lk_portal.metering.types import IntervalFlag, Quality, Quantity
from lk_portal.models import ArchiveReplay, Installation, Interval, MeterConnection
from lk_portal.services.archive_fill import Fate
from lk_portal.services.database import Database
from lk_portal.services.intervals import import_intervals, interval_row
from lk_portal.services.replay_store import keep
from lk_portal.services.replays import ASKED, FILLED, due_replays
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.jobs.replayed import (
    BACK,
    BEFORE,
    GAP,
    HOUR,
    MINUTE,
    SILENT,
    Bench,
    a_bench,
    is_measured,
)

AFTER = BACK + 30 * MINUTE
"""The hour of the return is over, and the wish of the portal itself is due."""
FIRST = datetime(2026, 11, 10, 4, tzinfo=UTC)
"""The first whole hour that was polled."""


@pytest.fixture
async def bench(database: Database, tmp_path: Path) -> AsyncIterator[Bench]:
    async with a_bench(database, tmp_path) as made:
        yield made


@pytest.fixture
async def by_hand(database: Database, tmp_path: Path) -> AsyncIterator[Bench]:
    """One whose portal wishes for nothing by itself."""
    async with a_bench(database, tmp_path, is_archive_replayed=False) as made:
        yield made


def fates(parts: object, quantity: Quantity = Quantity.A_PLUS) -> list[tuple[Fate, int]]:
    return [(part.fate, part.slots) for part in parts if part.quantity is quantity]  # type: ignore[attr-defined]


async def registered_wh(bench: Bench) -> int:
    """What the register grew by between the first poll and the last one."""
    async with bench.database.reading() as connection:
        query = "SELECT max(value_wh) - min(value_wh) FROM register_reading WHERE quantity = 1 AND zone = 0"
        return int(await connection.scalar(text(query)) or 0)


async def test_after_a_silence_the_hours_are_what_the_meter_counted(bench: Bench) -> None:
    await bench.be_silent()
    spread = await bench.hours()
    assert [spread[at].quality for at in GAP] == [Quality.ESTIMATED] * 5

    await bench.poll_every(BACK + 10 * MINUTE, AFTER)

    for quantity in (Quantity.A_PLUS, Quantity.R_PLUS):
        hours = await bench.hours(quantity)
        for at in GAP:
            assert is_measured(hours[at])
            assert hours[at].flags == IntervalFlag.ARCHIVE
            assert hours[at].value_wh == bench.true_wh(at, at + HOUR, quantity)
    hours = await bench.hours()
    assert sum(row.value_wh for row in hours.values()) == await registered_wh(bench) > 0
    day = next(row for row in await bench.days() if row.quantity is Quantity.A_PLUS)
    assert (day.total_wh, day.estimated_s) == (sum(row.value_wh for row in hours.values()), 0)
    assert len(await bench.versions()) == 10
    (entry,) = await bench.entries(FILLED)
    assert (entry.actor_user_id, entry.detail["filled"], entry.detail["left"]) == (None, 10, 0)
    view = await bench.view()
    assert view.last is not None
    assert [hole.end for hole in view.holes] == [FIRST]  # nothing was known of before
    assert (view.last.is_open, view.last.error_code) == (False, "")
    assert fates(view.last.parts) == [(Fate.FILLED, 5)]


async def test_before_the_hour_is_over_nothing_is_asked_and_a_short_gap_needs_nothing(bench: Bench) -> None:
    await bench.poll_every(BEFORE, SILENT)
    assert await bench.rows(ArchiveReplay) == []
    await bench.poll(SILENT + 55 * MINUTE)
    assert await bench.rows(ArchiveReplay) == []
    await bench.poll(BACK)
    (wish,) = await bench.rows(ArchiveReplay)
    assert (wish.due_at, wish.asked_by) == (datetime(2026, 11, 10, 11, 5, tzinfo=UTC), None)
    questions = bench.line.questions
    await bench.poll(BACK + 10 * MINUTE)
    (wish,) = await bench.rows(ArchiveReplay)
    assert wish.finished_at is None
    assert bench.line.questions == questions + 1


async def test_a_portal_told_not_to_wishes_for_nothing(by_hand: Bench) -> None:
    await by_hand.be_silent()
    await by_hand.poll_every(BACK + 10 * MINUTE, AFTER)
    assert await by_hand.rows(ArchiveReplay) == []
    hole, older = (await by_hand.view()).holes
    assert (hole.start, hole.end, hole.missing, hole.estimated) == (GAP[0], GAP[-1], 0, 4)
    assert (older.end, older.missing, older.estimated) == (FIRST, 30 * 24 - 8, 0)


async def test_asked_for_by_hand_at_once_and_again_for_the_hour_that_was_not_over(by_hand: Bench) -> None:
    await by_hand.be_silent()
    await by_hand.ask(GAP[0], GAP[-1])
    (link,) = await by_hand.rows(MeterConnection)
    assert link.next_poll_at == BACK
    await by_hand.poll(BACK + MINUTE)

    hours = await by_hand.hours()
    assert [is_measured(hours[at]) for at in GAP] == [True] * 4 + [False]
    (entry,) = await by_hand.entries(ASKED)
    assert entry.actor_user_id == await by_hand.admin()
    assert entry.detail["meter"] == by_hand.point.serial

    await by_hand.poll_every(BACK + 10 * MINUTE, BACK + 2 * HOUR)
    hole = (await by_hand.view()).holes[0]
    assert (hole.start, hole.end) == (GAP[-1], GAP[-1] + HOUR)
    await by_hand.ask(hole.start, hole.end)
    await by_hand.poll(by_hand.now() + MINUTE)
    hours = await by_hand.hours()
    assert all(is_measured(hours[at]) for at in GAP)
    assert sum(row.value_wh for row in hours.values()) == await registered_wh(by_hand)


async def test_a_second_time_changes_nothing(by_hand: Bench) -> None:
    await by_hand.be_silent()
    await by_hand.poll_every(BACK + 10 * MINUTE, AFTER)
    await by_hand.ask(GAP[0], GAP[-1] + HOUR)
    await by_hand.poll(AFTER + MINUTE)
    hours, versions = await by_hand.hours(), await by_hand.versions()
    assert all(is_measured(hours[at]) for at in GAP)

    with pytest.raises(InputError, match="not there any more"):
        await by_hand.ask(GAP[0], GAP[-1])
    async with by_hand.database.writing() as connection:  # as after a crash before it was noted as done
        await connection.execute(text("UPDATE archive_replay SET finished_at = NULL"))
    await by_hand.poll(AFTER + 2 * MINUTE)

    again = await by_hand.hours()
    assert {at: again[at] for at in GAP} == {at: hours[at] for at in GAP}
    assert await by_hand.versions() == versions
    last = (await by_hand.view()).last
    assert last is not None
    assert (last.is_open, last.filled, last.left) == (False, 10, 0)


async def test_what_the_archive_has_not_stays_estimated_and_all_together_is_the_register(
    bench: Bench,
) -> None:
    bench.show(unpowered=((GAP[1], GAP[2] + 30 * MINUTE),))
    await bench.be_silent()
    await bench.poll_every(BACK + 10 * MINUTE, AFTER)

    hours = await bench.hours()
    assert [is_measured(hours[at]) for at in GAP] == [True, False, False, True, True]
    for at in (GAP[1], GAP[2]):
        assert (hours[at].quality, hours[at].flags) == (Quality.ESTIMATED, IntervalFlag.SPREAD)
    assert hours[GAP[0]].value_wh == bench.true_wh(GAP[0], GAP[1])
    missing_wh = hours[GAP[1]].value_wh + hours[GAP[2]].value_wh
    assert abs(missing_wh - bench.true_wh(GAP[1], GAP[3])) <= 3
    last = (await bench.view()).last
    assert last is not None
    assert fates(last.parts) == [
        (Fate.FILLED, 1),
        (Fate.ABSENT, 1),
        (Fate.PARTIAL, 1),
        (Fate.FILLED, 2),
    ]
    assert (last.filled, last.left) == (6, 4)
    before = await bench.hours()
    await bench.ask(GAP[1], GAP[3])
    await bench.poll(AFTER + MINUTE)
    after = await bench.hours()
    assert {at: after[at] for at in GAP} == {at: before[at] for at in GAP}


@pytest.mark.parametrize("percent", [50, 150])
async def test_an_archive_that_the_register_contradicts_is_not_taken(bench: Bench, percent: int) -> None:
    bench.show(percent=percent)
    await bench.be_silent()
    spread = await bench.hours()
    await bench.poll_every(BACK + 10 * MINUTE, AFTER)

    hours = await bench.hours()
    assert [hours[at] for at in GAP[:4]] == [spread[at] for at in GAP[:4]]
    last = (await bench.view()).last
    assert last is not None
    assert fates(last.parts) == [(Fate.DISAGREES, 5)]
    part = last.parts[0]
    assert abs(part.register_wh - bench.true_wh(GAP[0], GAP[-1] + HOUR)) <= 3
    assert abs(part.archive_wh - part.register_wh * percent // 100) <= 10
    (entry,) = await bench.entries(FILLED)
    assert (entry.detail["filled"], entry.detail["disagreed"]) == (0, 10)


async def test_it_is_noticed_before_the_last_hour_is_over_too(by_hand: Bench) -> None:
    by_hand.show(percent=50)
    await by_hand.be_silent()
    await by_hand.ask(GAP[0], GAP[-1])
    await by_hand.poll(BACK + MINUTE)
    last = (await by_hand.view()).last
    assert last is not None
    assert fates(last.parts) == [(Fate.DISAGREES, 4)]


async def test_nothing_is_taken_by_a_wrong_clock_and_the_reason_is_told(bench: Bench) -> None:
    bench.show(clock_off=-HOUR)
    await bench.be_silent()
    await bench.poll_every(BACK + 10 * MINUTE, AFTER)
    hours = await bench.hours()
    assert [is_measured(hours[at]) for at in GAP] == [False] * 5
    last = (await bench.view()).last
    assert last is not None
    assert (last.is_open, last.error_code, last.parts) == (False, "clock", ())
    assert "3600 s" in last.error


async def test_silence_of_the_archive_leaves_the_wish_open_for_a_later_poll(bench: Bench) -> None:
    bench.show(is_silent=True)
    async with bench.database.writing() as connection:
        await connection.execute(text("UPDATE gateway SET timeout_s = 0.5"))
    await bench.be_silent()
    await bench.poll_every(BACK + 10 * MINUTE, AFTER)
    last = (await bench.view()).last
    assert last is not None
    assert (last.is_open, last.error_code) == (True, "timeout")
    bench.show()
    await bench.poll(AFTER + 10 * MINUTE)
    hours = await bench.hours()
    assert all(is_measured(hours[at]) for at in GAP)
    last = (await bench.view()).last
    assert last is not None
    assert (last.is_open, last.error_code) == (False, "")


async def test_it_is_given_up_after_some_failures(bench: Bench) -> None:
    bench.show(is_silent=True)
    async with bench.database.writing() as connection:
        await connection.execute(text("UPDATE gateway SET timeout_s = 0.5"))
    await bench.be_silent()
    await bench.poll_every(BACK + 10 * MINUTE, AFTER + 50 * MINUTE)
    (wish,) = await bench.rows(ArchiveReplay)
    assert (wish.failures, wish.error_code, wish.finished_at is not None) == (5, "timeout", True)


async def test_energies_are_multiplied_by_the_ratios_once(database: Database, tmp_path: Path) -> None:
    async with a_bench(database, tmp_path, ct_ratio=30) as bench:
        await bench.be_silent()
        await bench.poll_every(BACK + 10 * MINUTE, AFTER)
        hours = await bench.hours()
        for at in GAP:
            assert is_measured(hours[at])
            assert hours[at].value_wh == 30 * bench.true_wh(at, at + HOUR)


async def test_what_a_person_edited_and_what_was_measured_stays(by_hand: Bench) -> None:
    await by_hand.be_silent()
    stored = table_of(Interval)
    async with by_hand.database.writing() as connection:
        for at, quality, value_wh in ((GAP[2], Quality.EDITED, 777), (GAP[3], Quality.MEASURED, 888)):
            is_it = (stored.c.start == at) & (stored.c.quantity == Quantity.A_PLUS)
            values = {"quality": quality, "value_wh": value_wh}
            await connection.execute(update(stored).where(is_it).values(values))
    await by_hand.poll_every(BACK + 10 * MINUTE, AFTER)
    await by_hand.ask(GAP[0], GAP[-1] + HOUR)
    await by_hand.poll(AFTER + MINUTE)
    hours = await by_hand.hours()
    assert (hours[GAP[2]].value_wh, hours[GAP[2]].quality) == (777, Quality.EDITED)
    assert (hours[GAP[3]].value_wh, hours[GAP[3]].quality) == (888, Quality.MEASURED)


async def test_half_hours_from_a_file_are_not_mixed_with_hours(by_hand: Bench) -> None:
    half = GAP[0] - 4 * HOUR + 30 * MINUTE  # before the first poll
    row = interval_row(
        point_id=by_hand.point.point_id,
        quantity=Quantity.A_PLUS,
        start=half,
        end=half + 30 * MINUTE,
        value_wh=5,
        quality=Quality.MEASURED,
    )
    await import_intervals(by_hand.database, [row], clock=by_hand.now)
    await by_hand.poll_every(BEFORE, SILENT)
    await by_hand.ask(half - 30 * MINUTE, half + 30 * MINUTE)
    await by_hand.poll(SILENT + MINUTE)
    last = (await by_hand.view()).last
    assert last is not None
    assert fates(last.parts) == [(Fate.SPLIT, 1)]
    assert (await by_hand.hours())[half].value_wh == 5


async def test_marks_of_the_meter_are_kept_to(by_hand: Bench) -> None:
    by_hand.show(marked=((GAP[1], GAP[1] + 30 * MINUTE, 1), (GAP[2], GAP[3], 2)))
    await by_hand.be_silent()
    await by_hand.poll_every(BACK + 10 * MINUTE, AFTER)
    await by_hand.ask(GAP[0], GAP[-1] + HOUR)
    await by_hand.poll(AFTER + MINUTE)
    hours = await by_hand.hours()
    assert not is_measured(hours[GAP[1]])
    assert (hours[GAP[2]].quality, hours[GAP[2]].flags) == (Quality.ESTIMATED, IntervalFlag.ARCHIVE)
    assert hours[GAP[2]].value_wh == by_hand.true_wh(GAP[2], GAP[3])
    last = (await by_hand.view()).last
    assert last is not None
    assert fates(last.parts) == [(Fate.FILLED, 1), (Fate.MARKED, 1), (Fate.FILLED, 3)]
    holes = (await by_hand.view()).holes
    assert (holes[0].start, holes[0].end) == (GAP[1], GAP[2])


async def test_days_before_the_portal_knew_the_meter_are_filled_without_a_comparison(by_hand: Bench) -> None:
    await by_hand.poll_every(BEFORE, BEFORE + 10 * MINUTE)
    start = datetime(2026, 11, 8, 18, tzinfo=UTC)
    await by_hand.ask(start, start + 24 * HOUR)
    await by_hand.poll(BEFORE + 20 * MINUTE)
    hours = await by_hand.hours()
    filled = [start + n * HOUR for n in range(24)]
    assert all(
        is_measured(hours[at]) and hours[at].value_wh == by_hand.true_wh(at, at + HOUR) for at in filled
    )
    last = (await by_hand.view()).last
    assert last is not None
    assert fates(last.parts) == [(Fate.UNCHECKED, 24)]
    whole = [(day.quantity, day.day) for day in await by_hand.days() if day.covered_s == 24 * 3600]
    assert whole == [(Quantity.A_PLUS, date(2026, 11, 9)), (Quantity.R_PLUS, date(2026, 11, 9))]


async def test_zones_that_cut_hours_are_filled_from_half_hours(database: Database, tmp_path: Path) -> None:
    cut = ((1, 7 * 60, 15 * 60 + 30), (2, 15 * 60 + 30, 7 * 60))
    tariff_id = await factories.tariff(database, zones=cut)
    async with a_bench(database, tmp_path, tariff_id=tariff_id) as bench:
        await bench.be_silent()
        await bench.poll_every(BACK + 10 * MINUTE, AFTER)
        hours = await bench.hours()
        at = datetime(2026, 11, 10, 9, tzinfo=UTC)  # 15:00 in Omsk
        halves = [hours[at], hours[at + 30 * MINUTE]]
        assert [(row.duration_s, row.zone) for row in halves] == [(1800, 1), (1800, 2)]
        assert [row.value_wh for row in halves] == [
            bench.true_wh(at, at + 30 * MINUTE),
            bench.true_wh(at + 30 * MINUTE, at + HOUR),
        ]
        assert all(map(is_measured, halves))


async def test_only_the_time_at_the_own_place_is_filled(by_hand: Bench) -> None:
    came = GAP[2]
    async with by_hand.database.writing() as connection:
        await connection.execute(update(table_of(Installation)).values(installed_at=came))
    await by_hand.poll_every(BACK, AFTER)
    await by_hand.ask(GAP[0], GAP[-1])
    await by_hand.poll(AFTER + MINUTE)
    assert sorted(await by_hand.hours()) == [*GAP[2:], GAP[-1] + HOUR]


async def test_models_without_an_archive_say_so(database: Database, tmp_path: Path) -> None:
    async with a_bench(database, tmp_path, model="schneider-iem3155") as bench:
        await bench.be_silent()
        await bench.poll_every(BACK + 10 * MINUTE, AFTER)
        assert await bench.rows(ArchiveReplay) == []
        view = await bench.view()
        assert (view.profile, view.holes[0].start) == (None, GAP[0])
        with pytest.raises(InputError, match="no archive"):
            await bench.ask(GAP[0], GAP[-1])


async def test_what_cannot_be_asked_for_is_refused(by_hand: Bench) -> None:
    await by_hand.be_silent()
    for start, end in ((GAP[1], GAP[0]), (GAP[0] - timedelta(days=90), GAP[1]), (GAP[0], BACK + HOUR)):
        with pytest.raises(InputError):
            await by_hand.ask(start, end)
    by_hand.point = factories.MeteredPoint(0, 0, 0, 0, "no such\0serial", 0)
    with pytest.raises(NotFoundError):
        await by_hand.ask(GAP[0], GAP[1])
    with pytest.raises(NotFoundError):
        await by_hand.view()
    assert await by_hand.rows(ArchiveReplay) == []
    assert await by_hand.entries(ASKED) == []


async def test_asked_for_early_the_wish_of_the_portal_stays_for_the_last_hour(bench: Bench) -> None:
    await bench.be_silent()
    await bench.ask(GAP[0], GAP[-1])
    await bench.poll(BACK + MINUTE)
    last = (await bench.view()).last
    assert last is not None
    assert (last.is_open, last.filled, last.due_at) == (True, 8, GAP[-1] + HOUR + 5 * MINUTE)
    await bench.poll_every(BACK + 10 * MINUTE, AFTER)
    hours = await bench.hours()
    assert all(is_measured(hours[at]) for at in GAP)
    assert sum(row.value_wh for row in hours.values()) == await registered_wh(bench)
    last = (await bench.view()).last
    assert last is not None
    assert (last.is_open, last.filled, last.left) == (False, 10, 0)
    assert fates(last.parts) == [(Fate.FILLED, 4), (Fate.FILLED, 1)]


async def test_a_wish_made_wider_while_it_is_done_stays_open(by_hand: Bench) -> None:
    await by_hand.be_silent()
    await by_hand.poll_every(BACK + 10 * MINUTE, AFTER)
    await by_hand.ask(GAP[0], GAP[1])
    ids, profile = [by_hand.point.meter_id], (await by_hand.view()).profile
    assert profile is not None
    (begun,) = await due_replays(by_hand.database, ids, now=AFTER, most=5)
    await by_hand.ask(GAP[2], GAP[3])
    await keep(by_hand.database, begun, profile, (), now=AFTER)
    (wish,) = await by_hand.rows(ArchiveReplay)
    assert (wish.since, wish.until, wish.finished_at) == (GAP[0], GAP[3], None)
    await by_hand.poll(AFTER + MINUTE)
    (wish,) = await by_hand.rows(ArchiveReplay)
    assert wish.finished_at == AFTER + MINUTE
    hours = await by_hand.hours()
    assert [is_measured(hours[at]) for at in GAP] == [True, True, True, False, False]
