"""Checked rows of a registry file on disk, and what two of them say against each other. For the import only.

A scratch database on disk, so that neither the number of rows nor the search for doubles takes memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from lk_portal.errors import N_
from lk_portal.services.imports.registry_row import Row
from lk_portal.services.imports.source import CellError

FIELDS = Row._fields
AT_ONCE = 2000
_OF_ACCOUNT = ("subscriber", "person", "phone", "settlement", "street", "house", "flat", "timezone")
_ONLY_ONCE = (
    ("meter_serial", "meter_serial", "meter_serial <> ''"),
    ("point_code", "point_code", "point_code <> ''"),
    ("device_id", "gateway_host, gateway_port, device_id", "device_id IS NOT NULL"),
)
_MEANS = {"person": "email"}
"""Fields that a file has under another name."""
Numbered = tuple[int, Row]
"""The number of a row in the file, and its meaning."""


class Scratch:
    """Rows in the order of the file.

    Args:
        folder: Where they lie; None: where the system keeps temporary files.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = TemporaryDirectory(dir=folder)
        self._database = sqlite3.connect(
            Path(self._folder.name) / "rows.sqlite3", isolation_level=None, check_same_thread=False
        )
        self._database.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384;"
            f"CREATE TABLE row (line INTEGER PRIMARY KEY, {', '.join(FIELDS)})"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        self._folder.cleanup()

    def add(self, rows: Iterable[Numbered]) -> None:
        """Put rows in."""
        places = ", ".join("?" * (1 + len(FIELDS)))
        self._database.execute("BEGIN")
        self._database.executemany(
            f"INSERT INTO row VALUES ({places})",  # noqa: S608 - a number of question marks
            ((line, *row) for line, row in rows),
        )
        self._database.execute("COMMIT")

    def batches(self) -> Iterator[list[Numbered]]:
        """All rows, so many at a time, in the order of the file."""
        line = 0
        query = "SELECT * FROM row WHERE line > ? ORDER BY line LIMIT ?"
        while found := self._database.execute(query, (line, AT_ONCE)).fetchall():
            yield [(number, Row(*rest)) for number, *rest in found]
            line = found[-1][0]

    def doubles(self) -> Iterator[tuple[int, CellError]]:
        """Rows that speak against an earlier one, with the reason."""
        self._database.execute("CREATE INDEX IF NOT EXISTS by_account ON row (account, line)")
        for name, key, condition in _ONLY_ONCE:
            self._database.execute(f"CREATE INDEX IF NOT EXISTS by_{name} ON row ({key}, line)")
            query = f"""
                SELECT line, first FROM (SELECT line, min(line) OVER (PARTITION BY {key}) AS first
                FROM row WHERE {condition}) WHERE line > first ORDER BY line
            """  # noqa: S608 - constants of ours
            for line, first in self._database.execute(query):
                yield line, CellError(name, N_("the same as in line {line}"), line=first)
        query = f"""
            SELECT row.line, a.line, {", ".join(f"row.{name} IS a.{name}" for name in _OF_ACCOUNT)}
            FROM row
            JOIN row AS a ON a.line = (SELECT min(b.line) FROM row AS b WHERE b.account = row.account)
            WHERE row.line > a.line AND ({" OR ".join(f"row.{name} IS NOT a.{name}" for name in _OF_ACCOUNT)})
            ORDER BY row.line
        """  # noqa: S608
        for line, first, *is_same in self._database.execute(query):
            name = _OF_ACCOUNT[is_same.index(0)]
            reason = N_("line {line} says something else of this account")
            yield line, CellError(_MEANS.get(name, name), reason, line=first)
