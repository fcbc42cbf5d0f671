"""The report of consents as a file, piece by piece. For routes.

Names are what people typed: no cell of it can be taken for a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from lk_portal.i18n import _
from lk_portal.services.consents import Deed, Person, Wish, everybody
from lk_portal.services.database import Database
from lk_portal.services.exports.cells import text_cell
from lk_portal.services.exports.files import MEDIA_TYPES, FileFormat, file_name

FORMATS = frozenset({FileFormat.CSV, FileFormat.XLSX})
HEADER = (
    "name",
    "email",
    "agreement_version",
    "agreement_accepted_at",
    "consent_version",
    "consent_accepted_at",
    "consent_withdrawn_at",
)
WIDTHS = (34, 34, 14, 20, 14, 20, 20)
_LINES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ConsentsFile:
    """What is to be written, and how; times are those of `zone`.

    Attributes:
        database: Where from.
        wish: Which people.
        form: CSV or XLSX.
        zone: The utility's.
        now: Aware UTC; for the name.
    """

    database: Database
    wish: Wish
    form: FileFormat
    zone: ZoneInfo
    now: datetime

    @property
    def name(self) -> str:
        """A name for the file, with the day."""
        return file_name("consents", self.now.astimezone(self.zone).date(), form=self.form)

    @property
    def media_type(self) -> str:
        """For the Content-Type."""
        return MEDIA_TYPES[self.form]

    def chunks(self) -> AsyncIterator[bytes]:
        """The file in pieces."""
        return self._csv() if self.form is FileFormat.CSV else self._xlsx()

    async def _csv(self) -> AsyncIterator[bytes]:
        rows: list[Sequence[object]] = [HEADER]
        async for person in everybody(self.database, self.wish):
            rows.append([_as_text(cell) for cell in _cells(person, self.zone)])
            if len(rows) == _LINES_AT_ONCE:
                yield _joined(rows)
                rows = []
        yield _joined(rows)

    async def _xlsx(self) -> AsyncIterator[bytes]:
        from openpyxl import Workbook  # takes a while, and few want one

        from lk_portal.services.exports.workbook import (
            TIME_FORMAT,
            head_cell,
            new_sheet,
            number_cell,
            pieces,
        )

        book: Any = Workbook(write_only=True)
        sheet = new_sheet(book, _("Consents"), WIDTHS)
        sheet.freeze_panes = "A2"
        sheet.append([head_cell(sheet, text) for text in headings()])
        async for person in everybody(self.database, self.wish):
            row = []
            for cell in _cells(person, self.zone):
                if isinstance(cell, datetime):
                    row.append(number_cell(sheet, TIME_FORMAT))
                    row[-1].value = cell.replace(tzinfo=None)
                else:
                    row.append(cell)
            sheet.append(row)
        async for piece in pieces(book):
            yield piece


def headings() -> tuple[str, ...]:
    """The names of a workbook's columns."""
    return (
        _("Subscriber"),
        _("E-mail"),
        _("Agreement, version"),
        _("Agreement accepted"),
        _("Consent, version"),
        _("Consent given"),
        _("Consent withdrawn"),
    )


def _cells(person: Person, zone: ZoneInfo) -> tuple[str | int | datetime | None, ...]:
    agreement, consent = person.agreement, person.consent
    return (
        text_cell(person.name),
        text_cell(person.email),
        *_deed(agreement, zone),
        *_deed(consent, zone),
        consent.withdrawn_at.astimezone(zone) if consent and consent.withdrawn_at else None,
    )


def _deed(deed: Deed | None, zone: ZoneInfo) -> tuple[int | None, datetime | None]:
    return (deed.version, deed.accepted_at.astimezone(zone)) if deed else (None, None)


def _as_text(cell: str | int | datetime | None) -> str | int:
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    return "" if cell is None else cell


def _joined(rows: Sequence[Sequence[object]]) -> bytes:
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows(rows)
    return target.getvalue().encode("utf-8")
