"""Readings of registers as Green Button XML (ESPI 4.0). For `services.exports.register_file` only.

ESPI's form for what a meter's dials show is a reading type with accumulationBehaviour bulkQuantity: "the dial
reading at the meter ... not the consumption over a specific period of time". Each register of each meter is a
meter reading of its own; a tariff zone's reading type has `tou`. A reading lasts 0 seconds. The consumption
between readings is not in the file: that is what the chart's export gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from lk_portal.metering.types import Quantity
from lk_portal.services.exports import espi_feed as espi
from lk_portal.services.exports.espi_feed import Feed, seconds, span
from lk_portal.services.register_table import SUM, Nature, RegisterRow
from lk_portal.services.register_texts import register_text, registers_of


def xml_of(feed: Feed, rows: Sequence[RegisterRow], quantity: Quantity) -> str:
    """The whole file; `rows` oldest first."""
    year = (rows[-1].at if rows else feed.now).astimezone(feed.point.tz).year
    registers = registers_of(rows)
    described = [
        feed.local_time(year),
        feed.usage_point(),
        *(_Register(feed, quantity, number).kind() for number in registers),
    ]
    own = feed.id_of(f"registers {quantity.name} {[row.at.isoformat() for row in rows]}")
    series = (part for number in registers for part in _Register(feed, quantity, number).series(rows))
    return feed.head(own, described) + "".join(series) + espi.FOOT


@dataclass(frozen=True, slots=True)
class _Register:
    """One register of every meter of the point."""

    feed: Feed
    quantity: Quantity
    number: int

    def kind(self) -> str:
        """What its readings are."""
        return self.feed.reading_type(
            self._kind_id,
            {
                "accumulationBehaviour": espi.BULK_QUANTITY,
                "commodity": espi.SECONDARY,
                "dataQualifier": espi.NORMAL,
                "defaultQuality": espi.VALID,
                "flowDirection": espi.direction_of(self.quantity),
                "kind": espi.ENERGY,
                "powerOfTenMultiplier": 0,
                "timeAttribute": 0,
                **({} if self.number == SUM else {"tou": self.number}),
                "uom": espi.unit_code(self.quantity),
            },
        )

    def series(self, rows: Sequence[RegisterRow]) -> Iterator[str]:
        """Its readings, meter by meter, each with what it is called."""
        for serial in dict.fromkeys(row.serial for row in rows):
            readings = [
                (row, value_wh)
                for row in rows
                if row.serial == serial and (value_wh := row.values_wh[self.number]) is not None
            ]
            if readings:
                yield from self._of_meter(serial, readings)

    def _of_meter(self, serial: str, readings: Sequence[tuple[RegisterRow, int]]) -> Iterator[str]:
        own = self._id("MeterReading", f" {serial}")
        first_s, last_s = seconds(readings[0][0].at), seconds(readings[-1][0].at)
        yield self.feed.meter_reading(own, f"{serial} · {register_text(self.number)}", self._kind_id)
        yield self.feed.block(
            self._id("block", f" {serial} {first_s}"),
            own,
            span(first_s, last_s - first_s),
            "".join(self._reading(row, value_wh) for row, value_wh in readings),
        )

    def _reading(self, row: RegisterRow, value_wh: int) -> str:
        qualities = (espi.QUESTIONABLE,) if row.nature is Nature.REVIEW else ()
        return espi.interval_reading(seconds(row.at), 0, value_wh, qualities=qualities, tou=self.number)

    @property
    def _kind_id(self) -> UUID:
        return self._id("ReadingType")

    def _id(self, name: str, more: str = "") -> UUID:
        return self.feed.id_of(f"registers {name} {self.quantity.name} {self.number}{more}")
