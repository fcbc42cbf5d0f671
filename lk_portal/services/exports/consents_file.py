"""The report of consents as a file, piece by piece. For routes.

Names are what people typed: no cell of it can be taken for a formula.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from lk_portal.i18n import _
from lk_portal.services.consents import Deed, Person, Wish, everybody
from lk_portal.services.database import Database
from lk_portal.services.exports.cells import Cell, text_cell
from lk_portal.services.exports.files import MEDIA_TYPES, FileFormat, file_name
from lk_portal.services.exports.table_csv import csv_pieces
from lk_portal.services.exports.workbook import table_pieces

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
        if self.form is FileFormat.CSV:
            return csv_pieces(self._rows(HEADER))
        return table_pieces(self._rows(headings()), _("Consents"), WIDTHS)

    async def _rows(self, first: Sequence[Cell]) -> AsyncIterator[Sequence[Cell]]:
        yield first
        async for person in everybody(self.database, self.wish):
            yield _cells(person, self.zone)


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


def _cells(person: Person, zone: ZoneInfo) -> tuple[Cell, ...]:
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
