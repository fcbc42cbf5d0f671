"""Checked rows on their way from the file to the database, on disk. For `services.imports` only.

The file is checked to its end before anything is written. Reading and parsing it a second time would take as
long as storing it, and keeping its rows in memory is no way; so they wait in a temporary file as numbers.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from types import TracebackType
from typing import Self

_BYTES = 8
Numbers = tuple[int, ...]


class Spool:
    """Rows of `width` integers in the order they were added; a file for each column."""

    def __init__(self, width: int) -> None:
        self._files = [TemporaryFile() for _column in range(width)]  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()

    def add(self, columns: Sequence[Sequence[int]]) -> None:
        """Put rows at the end, given as their columns; none at all where there are no rows."""
        for file, column in zip(self._files, columns, strict=bool(columns)):
            array("q", column).tofile(file)

    def batches(self, rows: int, *, width: int | None = None) -> Iterator[list[Numbers]]:
        """All rows from the first, so many at a time; of each the first `width` numbers."""
        files = self._files[:width]
        for file in files:
            file.seek(0)
        while (columns := [array("q", file.read(rows * _BYTES)) for file in files])[0]:
            yield list(zip(*columns, strict=True))


class SortedReadings:
    """Readings of registers in the order of their time, whatever the order of the file.

    A scratch database sorts on disk. Of several lines for one register and moment the first counts.
    """

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self._scratch = sqlite3.connect(Path(self._folder.name) / "readings.sqlite3", isolation_level=None)
        self._scratch.executescript(_SCRATCH)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.close()
        self._folder.cleanup()

    def add(self, rows: Iterable[Numbers]) -> None:
        """Put rows in: at (ms), meter, quantity, zone, value, number of the line."""
        self._scratch.execute("BEGIN")
        self._scratch.executemany(_ADD, rows)
        self._scratch.execute("COMMIT")

    def contradictory_lines(self, most: int) -> tuple[list[int], int]:
        """Lines that give another value than an earlier one for the same moment: the first, and how many."""
        lines = [row[0] for row in self._scratch.execute(_FIRST_CONTRADICTORY, (most,))]
        return lines, int(self._scratch.execute(_COUNT_CONTRADICTORY).fetchone()[0])

    def meters(self) -> list[int]:
        """All meters there are readings of, in order."""
        return [row[0] for row in self._scratch.execute("SELECT DISTINCT meter FROM reading ORDER BY meter")]

    def rows(self) -> Iterator[Numbers]:
        """At (ms), meter, quantity, zone, value; by time and meter."""
        return self._scratch.execute(_IN_ORDER)


_SCRATCH = """
PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384;
CREATE TABLE reading (at INTEGER, meter INTEGER, quantity INTEGER, zone INTEGER, value INTEGER,
  line INTEGER, contradicted_by INTEGER, PRIMARY KEY (at, meter, quantity, zone)) WITHOUT ROWID
"""
_ADD = """
INSERT INTO reading VALUES (?, ?, ?, ?, ?, ?, NULL) ON CONFLICT DO UPDATE
SET contradicted_by = coalesce(contradicted_by, excluded.line) WHERE value <> excluded.value
"""
_FIRST_CONTRADICTORY = """
SELECT contradicted_by FROM reading WHERE contradicted_by IS NOT NULL ORDER BY contradicted_by LIMIT ?
"""
_COUNT_CONTRADICTORY = "SELECT count(*) FROM reading WHERE contradicted_by IS NOT NULL"
_IN_ORDER = "SELECT at, meter, quantity, zone, value FROM reading ORDER BY at, meter, quantity, zone"
