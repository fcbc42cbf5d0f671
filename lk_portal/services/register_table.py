"""What the registers of a metering point's meters showed, page by page, and the consumption between readings.

For states of subscribers. Pages follow each other by time, so any of them costs two statements and a few
hundred rows, whatever the table holds. Consumption is told within one installation only, never across meters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import NotFoundError
from lk_portal.metering.types import IntervalFlag, Quantity
from lk_portal.models import (
    Account,
    Installation,
    InstallationReading,
    Meter,
    MeteringPoint,
    Premises,
    RegisterReading,
)
from lk_portal.models.types import to_milliseconds
from lk_portal.services.clocks import day_bounds
from lk_portal.services.database import Database
from lk_portal.services.owned import is_owned
from lk_portal.services.register_steps import Mark, Span, Step, advance, limits_of
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable

PAGE_ROWS = 50
CONTEXT_ROWS = 5
"""Read before a page, so that its first rows are compared with accepted values and not with a stray one."""
SUM, ZONES = 0, (1, 2, 3, 4)
_TICK = timedelta(milliseconds=1)


class Nature(StrEnum):
    """How a row's consumption came to be, or why there is none."""

    MEASURED = "measured"
    FIRST = "first"
    """Nothing to compare with is known."""
    ROLLOVER = "rollover"
    """The register passed its capacity and began at zero."""
    REBASED = "rebased"
    """The register had begun anew; what it counted since is known, the jump is not."""
    REVIEW = "review"
    """The value cannot be true and was not counted; a person looks at it."""


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """All registers of one energy at one moment.

    Attributes:
        at: Aware UTC.
        serial: Of the meter that was read.
        values_wh: As the meter shows them, before ratios: the sum, then T1 to T4; None where it has none.
        consumption_wh: Since the last accepted reading, after ratios; None when it is not known.
        nature: What is to be known of it.
    """

    at: datetime
    serial: str
    values_wh: tuple[int | None, ...]
    consumption_wh: int | None
    nature: Nature


@dataclass(frozen=True, slots=True)
class RegisterPage:
    """A page of readings, newest first.

    Attributes:
        point_id: Whose readings.
        timezone: IANA zone of the premises.
        since: When the point's first meter was installed, aware UTC.
        rows: At most `PAGE_ROWS`.
        earlier: `before` of the page with older readings; None when there are none.
        later: `before` of the page with newer ones.
        ratio: КТТ x КТН of the newest row's meter.
    """

    point_id: int
    timezone: str
    since: datetime
    rows: tuple[RegisterRow, ...]
    earlier: datetime | None
    later: datetime | None
    ratio: Decimal


@dataclass(slots=True)
class _Place:
    """An installation and what was read in it: values by zone, oldest first."""

    meter_id: int
    serial: str
    map_name: str
    since: datetime
    until: datetime | None
    ratio: Decimal
    initial: dict[int, int] = field(default_factory=dict)
    values: dict[int, dict[datetime, int]] = field(default_factory=lambda: defaultdict(dict))


async def register_page(
    database: Database, *, subscriber_id: int, serial: str, quantity: Quantity, before: datetime | date
) -> RegisterPage:
    """The newest readings up to a moment or the end of a day, at the point where `serial` stands or stood.

    Args:
        database: Where from.
        subscriber_id: Whose point it has to be.
        serial: Of the present meter or an earlier one; the page has all meters of the point.
        quantity: Which energy.
        before: Aware UTC, or a day at the premises.

    Raises:
        NotFoundError: The subscriber has no such meter.
    """
    if not is_storable(serial):
        raise NotFoundError
    asked = {"subscriber_id": subscriber_id, "serial": serial, "quantity": quantity}
    async with database.reading() as connection:
        rows = (await connection.execute(_PLACES, asked)).all()
        if not rows:
            raise NotFoundError
        # A meter may have stood at two points of hers: it is asked for where it came last, as in the chart.
        last = next(row for row in reversed(rows) if row.serial == serial)
        point_id, timezone = last.point_id, last.timezone
        places = _places(row for row in rows if row.point_id == point_id)
        newer = await _read(connection, places, quantity, _moment(before, ZoneInfo(timezone)))
    shown = sorted(_rows(places, quantity), key=lambda row: row.at, reverse=True)
    page = tuple(shown[:PAGE_ROWS])
    return RegisterPage(
        point_id,
        timezone,
        min(place.since for place in places),
        page,
        page[-1].at if len(shown) > PAGE_ROWS else None,
        _later(newer),
        _ratio_at(places, page),
    )


def _moment(before: datetime | date, tz: ZoneInfo) -> datetime:
    return before if isinstance(before, datetime) else day_bounds(before, tz)[1]


def _places(rows: Iterable[Any]) -> list[_Place]:
    found: dict[int, _Place] = {}
    for row in rows:
        place = found.setdefault(
            row.id,
            _Place(
                row.meter_id,
                row.serial,
                row.map_name,
                row.installed_at,
                row.removed_at,
                row.ct_ratio * row.vt_ratio,
            ),
        )
        if row.zone is not None:
            place.initial[row.zone] = row.value_wh
    return list(found.values())


async def _read(
    connection: AsyncConnection, places: Sequence[_Place], quantity: Quantity, before: datetime
) -> list[datetime]:
    """Fill the places with what was read before the moment; gives the first moments from it on."""
    parts = [
        part
        for number, place in enumerate(places)
        for zone in (SUM, *ZONES)
        for part in (_older(number, place, quantity, zone, before), _newer(place, quantity, zone, before))
    ]
    newer = set()
    # Values come oldest first, whatever the database does with the order of a union.
    for number, zone, at, value_wh in sorted(
        (await connection.execute(union_all(*parts))).all(), key=lambda row: row[2]
    ):
        if number == _NEWER:
            newer.add(at)
        else:
            places[number].values[zone][at] = value_wh
    return sorted(newer)


_NEWER = -1
"""Instead of a place's number: the row only tells that there are newer readings, and when."""


def _older(number: int, place: _Place, quantity: Quantity, zone: int, before: datetime) -> Select[Any]:
    newest = _register(number, place, quantity, zone).where(_reading.c.taken_at < before)
    limited = newest.order_by(_reading.c.taken_at.desc()).limit(PAGE_ROWS + CONTEXT_ROWS)
    return select(*limited.subquery().c)


def _newer(place: _Place, quantity: Quantity, zone: int, before: datetime) -> Select[Any]:
    next_ones = _register(_NEWER, place, quantity, zone).where(_reading.c.taken_at >= before)
    return select(*next_ones.order_by(_reading.c.taken_at).limit(PAGE_ROWS + 1).subquery().c)


def _register(number: int, place: _Place, quantity: Quantity, zone: int) -> Select[Any]:
    """One register in the time of one installation: a range of the table's key."""
    columns = (literal(number).label("place"), _reading.c.zone, _reading.c.taken_at, _reading.c.value_wh)
    chosen = select(*columns).where(
        _reading.c.meter_id == place.meter_id,
        _reading.c.quantity == quantity,
        _reading.c.zone == zone,
        _reading.c.taken_at >= place.since,
    )
    return chosen if place.until is None else chosen.where(_reading.c.taken_at < place.until)


def _later(newer: Sequence[datetime]) -> datetime | None:
    """`before` of a page with the next newer rows."""
    if not newer:
        return None
    return newer[PAGE_ROWS] if len(newer) > PAGE_ROWS else newer[-1] + _TICK


def _ratio_at(places: Sequence[_Place], page: Sequence[RegisterRow]) -> Decimal:
    standing = [place for place in places if not page or place.since <= page[0].at]
    return standing[-1].ratio


def _rows(places: Iterable[_Place], quantity: Quantity) -> Iterable[RegisterRow]:
    for place in places:
        steps = {zone: _steps(place, quantity, zone) for zone in place.values}
        for at in sorted({at for values in place.values.values() for at in values}):
            values = {zone: read[at] for zone, read in place.values.items() if at in read}
            consumption_wh, nature = _used({zone: steps[zone][at] for zone in values}, place.ratio)
            yield RegisterRow(at, place.serial, _shown(values), consumption_wh, nature)


def _shown(values: Mapping[int, int]) -> tuple[int | None, ...]:
    """The sum and the zones; a meter that has no register for the sum shows what its zones add up to."""
    total = values.get(SUM, sum(values.values()))
    return total, *(values.get(zone) for zone in ZONES)


def _steps(place: _Place, quantity: Quantity, zone: int) -> dict[datetime, Step | None]:
    """What each value of a register means beside the accepted one before it, as at the time it was stored."""
    values = place.values[zone]
    is_from_the_beginning = len(values) < PAGE_ROWS + CONTEXT_ROWS
    limits = limits_of(place.map_name, quantity, zone)
    initial = place.initial.get(zone) if is_from_the_beginning else None
    mark = None if initial is None else Mark(to_milliseconds(place.since), initial)
    found: dict[datetime, Step | None] = {}
    for at, value_wh in values.items():
        found[at] = step = advance(mark, to_milliseconds(at), value_wh, limits)
        mark = step.mark if step else mark
    return found


def _used(steps: Mapping[int, Step | None], ratio: Decimal) -> tuple[int | None, Nature]:
    """Energy after ratios, by the register of the sum or else by those of all zones together."""
    chosen = [steps[SUM]] if SUM in steps else list(steps.values())
    natures = [_nature(step) for step in chosen]
    worst = max(natures, key=_BADNESS.index)
    spans = [step.span for step in chosen if step is not None and step.span is not None]
    if worst in (Nature.FIRST, Nature.REVIEW) or len(spans) < len(chosen):
        return None, worst
    return _together(spans).scaled_wh(ratio), worst


def _nature(step: Step | None) -> Nature:
    if step is not None and step.is_rebased:
        return Nature.REBASED
    if step is not None and step.reason is not None:
        return Nature.REVIEW
    if step is None or step.span is None:
        return Nature.FIRST
    return Nature.ROLLOVER if step.span.flags & IntervalFlag.ROLLOVER else Nature.MEASURED


_BADNESS = (Nature.MEASURED, Nature.ROLLOVER, Nature.REBASED, Nature.FIRST, Nature.REVIEW)


def _together(spans: Sequence[Span]) -> Span:
    first = spans[0]
    return Span(
        first.start_ms,
        first.end_ms,
        sum(span.from_wh for span in spans),
        sum(span.delta_wh for span in spans),
    )


_account, _premises, _point = table_of(Account), table_of(Premises), table_of(MeteringPoint)
_place, _meter, _initial = table_of(Installation), table_of(Meter), table_of(InstallationReading)
_reading = table_of(RegisterReading)
_there = _place.alias("any_installation")
_asked = _meter.alias("asked_meter")
_PLACES = (
    select(
        _place.c.id,
        _place.c.point_id,
        _place.c.meter_id,
        _meter.c.serial,
        _meter.c.map_name,
        _place.c.installed_at,
        _place.c.removed_at,
        _place.c.ct_ratio,
        _place.c.vt_ratio,
        _premises.c.timezone,
        _initial.c.zone,
        _initial.c.value_wh,
    )
    .select_from(_account)
    .join(_premises, _premises.c.id == _account.c.premises_id)
    .join(_point, _point.c.account_id == _account.c.id)
    .join(_place, _place.c.point_id == _point.c.id)
    .join(_meter, _meter.c.id == _place.c.meter_id)
    .outerjoin(
        _initial,
        (_initial.c.installation_id == _place.c.id)
        & (_initial.c.quantity == bindparam("quantity"))
        & _initial.c.is_final.is_(False),
    )
    .where(
        is_owned(),
        _point.c.id.in_(
            select(_there.c.point_id)
            .join(_asked, _asked.c.id == _there.c.meter_id)
            .where(_asked.c.serial == bindparam("serial"))
        ),
    )
    .order_by(_place.c.installed_at)
)
