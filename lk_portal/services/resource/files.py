"""A resource's rows for a file: what the list shows, all of it, in its order. For the route.

Read page by page, so a million rows need no more memory than a thousand. What people typed cannot become
a formula in somebody's spreadsheet.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from lk_portal.i18n import _
from lk_portal.services.database import Database
from lk_portal.services.exports.cells import Cell, text_cell
from lk_portal.services.resource.reading import View, read_all
from lk_portal.services.resource.spec import Resource
from lk_portal.services.resource.texts import cell_text


async def rows_of(
    database: Database, resource: Resource, view: View, *, now: datetime, zone: ZoneInfo
) -> AsyncIterator[Sequence[Cell]]:
    """The headings, then the texts of every row."""
    yield [text_cell(_(one.label)) for one in resource.columns if not one.is_way]
    async for values in read_all(database, resource, view, now=now):
        pairs = [pair for pair in zip(resource.columns, values, strict=True) if not pair[0].is_way]
        yield [text_cell(cell_text(column, value, zone=zone)) for column, value in pairs]
