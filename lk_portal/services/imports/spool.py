"""Checked rows on their way from the file to the database, on disk. For `services.imports` only.

The file is checked to its end before anything is written. Reading and parsing it a second time would take as
long as storing it, and keeping its rows in memory is no way; so they wait in a temporary file as numbers.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from types import TracebackType
from typing import Self

_BYTES = 8
Numbers = tuple[int, ...]


class Spool:
    """Rows of `width` integers in the order they were added."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._file = TemporaryFile()  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, rows: Iterable[Numbers]) -> None:
        """Put rows at the end."""
        array("q", chain.from_iterable(rows)).tofile(self._file)

    def batches(self, rows: int, *, width: int | None = None) -> Iterator[list[Numbers]]:
        """All rows from the first, so many at a time; of each the first `width` numbers."""
        self._file.seek(0)
        while piece := self._file.read(rows * self._width * _BYTES):
            numbers = array("q", piece)
            columns = (numbers[n :: self._width] for n in range(width or self._width))
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
