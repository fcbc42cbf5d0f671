"""A point with intervals, and its exports read back; for the tests beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from lxml import etree

from lk_portal.metering.types import Quality, Quantity
from lk_portal.models.types import to_milliseconds
from lk_portal.services.database import Database
from lk_portal.services.exports.files import ExportFile, FileFormat
from lk_portal.services.exports.rows import Step, Wish
from lk_portal.services.exports.source import find_point
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.periods import Basis, ReadingDays

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCHEMAS = Path(__file__).parents[3] / "data" / "espi"
NAMES = {"atom": "http://www.w3.org/2005/Atom", "espi": "http://naesb.org/espi"}


def hours(point_id: int, start: datetime, values: Iterable[int | None], **changes: Any) -> list[IntervalRow]:
    """Measured hours from `start` on; None is a hole."""
    return [
        IntervalRow(
            point_id, 1, to_milliseconds(start + n * HOUR), 3600, value, 3600, Quality.MEASURED, 0
        )._replace(**changes)
        for n, value in enumerate(values)
        if value is not None
    ]


async def store(database: Database, rows: Iterable[IntervalRow]) -> None:
    await import_intervals(database, rows, clock=lambda: NOW)


@dataclass(frozen=True)
class Asked:
    """An export of one meter."""

    database: Database
    serial: str
    first: date
    last: date
    step: Step = Step.HOUR
    quantity: Quantity = Quantity.A_PLUS
    basis: Basis = Basis.CALENDAR
    now: datetime = NOW

    async def file(self, form: FileFormat) -> bytes:
        wish = Wish(
            self.serial,
            self.quantity,
            self.first,
            self.last + timedelta(days=1),
            self.step,
            self.basis,
            reading_days=ReadingDays(25),
        )
        point = await find_point(self.database, serial=self.serial)
        made = ExportFile(self.database, point, wish, form, "АО «Энергомир»", self.now)
        return b"".join([chunk async for chunk in made.chunks()])

    async def csv(self) -> list[dict[str, str]]:
        text = (await self.file(FileFormat.CSV)).decode("ascii")
        return list(csv.DictReader(io.StringIO(text)))

    async def xml(self) -> etree._ElementTree:
        """The Green Button file, found valid by the schemas."""
        tree = etree.parse(io.BytesIO(await self.file(FileFormat.XML)))
        validate(tree)
        return tree


def validate(tree: etree._ElementTree) -> None:
    """By ESPI 4.0 and the wrapper around it."""
    schema = etree.XMLSchema(etree.parse(SCHEMAS / "atom.xsd"))
    schema.assertValid(tree)


def wh(text: str) -> int:
    """The Wh of a cell of kWh."""
    whole, fraction = text.split(".")
    return int(whole) * 1000 + int(fraction)


def sums(rows: Iterable[dict[str, str]], zone: int = 0) -> list[int | None]:
    """The values of a zone in Wh; None for a hole."""
    found = [row["value_kwh"] for row in rows if row["zone"] == str(zone)]
    return [wh(value) if value else None for value in found]


def texts(tree: etree._ElementTree, path: str) -> list[str]:
    """The texts of all elements of a path."""
    return [str(found.text) for found in tree.iterfind(path, NAMES)]
