"""A page of the table of readings as a file. For routes.

A page has a few dozen rows, so a file is made at once; it says what the table says, oldest row first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from lk_portal.metering.types import Quantity
from lk_portal.services.exports.cells import kwh_cell, text_cell
from lk_portal.services.exports.espi_feed import Feed
from lk_portal.services.exports.files import MEDIA_TYPES, FileFormat, file_name
from lk_portal.services.exports.register_xml import xml_of
from lk_portal.services.exports.source import ExportPoint
from lk_portal.services.exports.table_csv import csv_bytes
from lk_portal.services.register_table import RegisterPage, RegisterRow

HEADER = (
    "taken_at",
    "meter_serial",
    "quantity",
    "sum_kwh",
    "t1_kwh",
    "t2_kwh",
    "t3_kwh",
    "t4_kwh",
    "consumption_kwh",
    "quality",
)


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """What is to be written, and how.

    Attributes:
        point: Whose readings.
        page: The readings.
        quantity: Of which energy they are.
        form: The format.
        author: Who gives it away, the utility.
        now: Aware UTC.
    """

    point: ExportPoint
    page: RegisterPage
    quantity: Quantity
    form: FileFormat
    author: str
    now: datetime

    @property
    def rows(self) -> list[RegisterRow]:
        """The readings, oldest first."""
        return list(reversed(self.page.rows))

    @property
    def name(self) -> str:
        """A name for the file: the meter, the energy, from which day to which."""
        days = [str(self._local(row.at).date()) for row in self.rows]
        parts = (self.point.serial, self.quantity.name, "readings", *days[:1], *days[-1:])
        return file_name(*parts, form=self.form)

    @property
    def media_type(self) -> str:
        """For the Content-Type."""
        return MEDIA_TYPES[self.form]

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file in pieces."""
        if self.form is FileFormat.CSV:
            yield csv_bytes([HEADER, *map(self._cells, self.rows)])
        elif self.form is FileFormat.XML:
            yield xml_of(Feed(self.point, self.author, self.now), self.rows, self.quantity).encode()
        else:
            from lk_portal.services.exports.register_xlsx import xlsx_chunks  # takes a while, as in `files`

            async for piece in xlsx_chunks(self.rows, self.point, self.quantity, ratio=self.page.ratio):
                yield piece

    def _cells(self, row: RegisterRow) -> tuple[str, ...]:
        values = ("" if value is None else kwh_cell(value) for value in (*row.values_wh, row.consumption_wh))
        return (
            self._local(row.at).isoformat(),
            text_cell(row.serial),
            self.quantity.name,
            *values,
            row.nature.value,
        )

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self.point.tz)
