"""A file of consumption in one of the formats, piece by piece. For routes and commands."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lk_portal.services.database import Database
from lk_portal.services.exports.csv_file import csv_chunks
from lk_portal.services.exports.espi_feed import Feed
from lk_portal.services.exports.green_button import xml_chunks
from lk_portal.services.exports.rows import Wish
from lk_portal.services.exports.source import ExportPoint, export_rows

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


class FileFormat(StrEnum):
    """The formats by the endings of their names."""

    CSV = "csv"
    XLSX = "xlsx"
    XML = "xml"


MEDIA_TYPES = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.XML: "application/xml",
}


def file_name(*parts: object, form: FileFormat) -> str:
    """A name for a file, of letters that every system takes."""
    return f"{_NOT_IN_NAMES.sub('_', '_'.join(str(part) for part in parts))}.{form}"


@dataclass(frozen=True, slots=True)
class ExportFile:
    """What is to be written, and how.

    Attributes:
        database: Where from.
        point: Whose consumption.
        wish: What of it.
        form: The format.
        author: Who gives it away, the utility.
        now: Aware UTC; later there is nothing.
    """

    database: Database
    point: ExportPoint
    wish: Wish
    form: FileFormat
    author: str
    now: datetime

    @property
    def name(self) -> str:
        """A name for the file: the meter, the energy, from which day to which."""
        wish = self.wish
        return file_name(wish.serial, wish.quantity.name, wish.first, wish.last, form=self.form)

    @property
    def media_type(self) -> str:
        """For the Content-Type."""
        return MEDIA_TYPES[self.form]

    def chunks(self) -> AsyncIterator[bytes]:
        """The file in pieces; nothing is held in memory but a piece (XLSX: in a temporary file)."""
        rows = export_rows(self.database, self.point, self.wish, now=self.now)
        if self.form is FileFormat.CSV:
            return csv_chunks(rows, self.wish.quantity)
        if self.form is FileFormat.XML:
            return xml_chunks(rows, Feed(self.point, self.author, self.now), self.wish)

        from lk_portal.services.exports.xlsx_file import xlsx_chunks  # takes a while, and few want one

        return xlsx_chunks(rows, self.point, self.wish)
