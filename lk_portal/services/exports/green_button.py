"""Consumption as Green Button XML: ESPI 4.0 resources in an Atom feed. For `services.exports.files` only.

One usage point, one meter reading of one reading type, and its readings in blocks of a month. Energy that
lies in tariff zones is given by zone (`tou`), once: whoever adds the readings up has the whole. A hole has no
reading, for a missing value is no zero.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from lk_portal.metering.types import Quality
from lk_portal.services.exports import espi_feed as espi
from lk_portal.services.exports.espi_feed import Feed, seconds, span
from lk_portal.services.exports.rows import SUM_ZONE, ExportRow, Step, Wish
from lk_portal.services.periods import Basis

_QUALITIES = {
    Quality.MEASURED: espi.VALID,
    Quality.EDITED: espi.EDITED,
    Quality.ESTIMATED: espi.ESTIMATED,
}
_LENGTHS = {Step.HOUR: 3600, Step.DAY: 86_400}
NONE, BILLING, DAILY, MONTHLY, SPECIFIED = 0, 8, 11, 13, 32
"""TimePeriodOfInterest: fixed intervals need none but their length."""


async def xml_chunks(rows: AsyncIterator[ExportRow], feed: Feed, wish: Wish) -> AsyncIterator[bytes]:
    """The file in pieces, UTF-8."""
    series = _Series(feed, wish)
    yield series.head().encode()
    async for block in _blocks(rows):
        if readings := "".join(_readings(block)):
            yield series.block(block, readings).encode()
    yield espi.FOOT.encode()


async def _blocks(rows: AsyncIterator[ExportRow]) -> AsyncIterator[list[ExportRow]]:
    """Rows by the month they begin in."""
    block: list[ExportRow] = []
    async for row in rows:
        if block and (row.start.year, row.start.month) != (block[0].start.year, block[0].start.month):
            yield block
            block = []
        block.append(row)
    if block:
        yield block


@dataclass(frozen=True, slots=True)
class _Series:
    """The resources, and how they refer to each other."""

    feed: Feed
    wish: Wish

    def head(self) -> str:
        """All before the readings."""
        own = self._id("feed", f" {self.wish.first} {self.wish.after}")
        return self.feed.head(own, self._described())

    def block(self, rows: Sequence[ExportRow], readings: str) -> str:
        """An entry of readings."""
        start_s, end_s = seconds(rows[0].start), seconds(rows[-1].end)
        own = self._id(f"block {start_s}")
        return self.feed.block(own, self._id("MeterReading"), span(start_s, end_s - start_s), readings)

    def _described(self) -> Iterator[str]:
        kind = self._id("ReadingType")
        yield self.feed.local_time(min(self.wish.last, self.feed.now.date()).year)
        yield self.feed.usage_point()
        yield self.feed.meter_reading(self._id("MeterReading"), "MeterReading", kind)
        yield self.feed.reading_type(kind, self._reading_type())

    def _reading_type(self) -> dict[str, int]:
        length = _LENGTHS.get(self.wish.step)
        return {
            "accumulationBehaviour": espi.DELTA_DATA,
            "commodity": espi.PRIMARY if self.feed.point.is_transformed else espi.SECONDARY,
            "dataQualifier": espi.NORMAL,
            "defaultQuality": espi.VALID,
            "flowDirection": espi.direction_of(self.wish.quantity),
            **({"intervalLength": length} if length else {}),
            "kind": espi.ENERGY,
            "powerOfTenMultiplier": 0,
            "timeAttribute": _time_attribute(self.wish),
            "uom": espi.unit_code(self.wish.quantity),
        }

    def _id(self, name: str, more: str = "") -> UUID:
        wish = self.wish
        return self.feed.id_of(f"{name} {wish.quantity.name} {wish.step} {wish.basis}{more}")


def _time_attribute(wish: Wish) -> int:
    if wish.step is Step.MONTH:
        return BILLING if wish.basis is Basis.BILLING else MONTHLY
    return {Step.HOUR: NONE, Step.DAY: DAILY}.get(wish.step, SPECIFIED)


def _readings(block: Sequence[ExportRow]) -> Iterator[str]:
    for _start, rows in groupby(block, key=lambda row: row.start):
        yield from (_reading(row, value_wh) for row, value_wh in _parts(list(rows)) if row.covered_s)


def _parts(rows: Sequence[ExportRow]) -> Iterator[tuple[ExportRow, int]]:
    """What a slot is made of: its zones, and what is in none; the sum where there are no zones."""
    total, *zones = rows
    in_zones = sum(row.covered_s for row in zones)
    if in_zones < total.covered_s:
        rest_wh = (total.value_wh or 0) - sum(row.value_wh or 0 for row in zones)
        yield total, rest_wh
    yield from ((row, row.value_wh or 0) for row in zones)


def _reading(row: ExportRow, value_wh: int) -> str:
    start_s = seconds(row.start)
    return espi.interval_reading(
        start_s,
        seconds(row.end) - start_s,
        value_wh,
        qualities=_quality_codes(row),
        tou=0 if row.zone == SUM_ZONE else row.zone,
    )


def _quality_codes(row: ExportRow) -> Iterator[int]:
    """Only what differs from the reading type's default."""
    if len(row.qualities) > 1:
        yield espi.MIXED
    elif row.quality is not Quality.MEASURED:
        yield _QUALITIES[row.quality]
    if not row.is_complete:
        yield espi.QUESTIONABLE
