"""Files to import; for the tests beside it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from lk_portal.services.database import Database
from lk_portal.services.imports.source import BadLinesError
from lk_portal.services.imports.work import Job, Phase

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
INTERVALS = "meter_serial,quantity,start,end,value_wh,quality"
READINGS = "meter_serial,quantity,zone,taken_at,value_wh"
EVENTS = "meter_serial,occurred_at,journal,code"


def write(path: Path, header: str, lines: Iterable[str]) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.write(header + "\n")
        file.writelines(f"{line}\n" for line in lines)
    return path


def hour_line(serial: str, start: datetime, value_wh: object, quality: str = "measured") -> str:
    return f"{serial},A_PLUS,{start.isoformat()},{(start + HOUR).isoformat()},{value_wh},{quality}"


def job(
    database: Database,
    path: Path,
    *,
    is_dry_run: bool = False,
    told: list[Any] | None = None,
    took: timedelta = timedelta(),
) -> Job:
    """An import that begins at `NOW` and, when it has written, looks at the clock `took` later."""

    def progress(phase: Phase, rows: int) -> None:
        if told is not None:
            told.append((phase, rows))

    return Job(database, path, NOW, is_dry_run, progress, lambda: NOW + took)


async def count(database: Database, table: str) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


def named(error: BadLinesError) -> list[tuple[int, str, str]]:
    """Line, column and reason of each bad line."""
    return [(bad.line, bad.column, bad.reason) for bad in error.lines]
