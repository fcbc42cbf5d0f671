"""New intervals straight into their table. For `services.intervals` only.

A first import has nothing to merge with. Then the detour over a staging table would be half of the time; on
PostgreSQL so would the parsing of text, hence binary COPY (its manual, COPY, "Binary Format").
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.services.staging import Row, is_sqlite, storage_errors

_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = b"\xff\xff"
_POSTGRES_EPOCH_MS = 946_684_800_000
# The number of fields, then for each its length in bytes and its value.
_ROW = struct.Struct(">h ii ih iq ih iq ih ih ih ih")
_COLUMNS = "point_id, quantity, start, duration_s, value_wh, covered_s, quality, flags, zone"
_COPY = f"COPY interval ({_COLUMNS}) FROM STDIN WITH (FORMAT BINARY)"
_INSERT = f"INSERT INTO interval ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_BATCH_ROWS = 10_000


async def copy_intervals(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Copy rows, `IntervalRow` and the tariff zone, none of which may be there yet.

    Raises:
        StorageError: The database could not take them.
    """
    driver = (await connection.get_raw_connection()).driver_connection
    with storage_errors():
        if is_sqlite(connection):  # which keeps times as these milliseconds
            await driver.executemany(_INSERT, rows)  # type: ignore[union-attr]
            return
        async with driver.cursor() as cursor, cursor.copy(_COPY) as copy:  # type: ignore[union-attr]
            await copy.write(_HEADER)
            for start in range(0, len(rows), _BATCH_ROWS):
                await copy.write(b"".join(_packed(rows[start : start + _BATCH_ROWS])))
            await copy.write(_TRAILER)


def _packed(rows: Sequence[Row]) -> Iterable[bytes]:
    pack = _ROW.pack
    return [
        pack(
            9, 4, point, 2, quantity, 8, (start_ms - _POSTGRES_EPOCH_MS) * 1000, 2, duration_s,
            8, value_wh, 2, covered_s, 2, quality, 2, flags, 2, zone,
        )
        for point, quantity, start_ms, duration_s, value_wh, covered_s, quality, flags, zone in rows
    ]  # fmt: skip
