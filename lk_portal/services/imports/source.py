"""Reads a CSV file line by line and says what is wrong with it. Pure; for `services.imports`.

A file may have millions of lines, so it is never held in memory, and of bad lines only the first are kept.
UTF-8 with or without a mark at its beginning; anything else is named, with its line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from lk_portal.errors import N_, InputError, PortalError

MAX_NAMED = 100
LINES_AT_ONCE = 300
"""So few that they are gone before the garbage collector looks: with many it takes half of the time."""
_KINDS = {
    b"\x1f\x8b": N_("The file is compressed; unpack it first."),
    b"PK\x03\x04": N_("The file is a workbook or an archive; save it as CSV."),
    b"\xff\xfe": N_("The file is in UTF-16; save it as UTF-8."),
    b"\xfe\xff": N_("The file is in UTF-16; save it as UTF-8."),
}
_HEAD_BYTES = 4096
NOT_UTF8 = N_("not in UTF-8; save the file as UTF-8")

Line = tuple[int, list[str]]
"""The number of a line, from 1, and its cells."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """Why a line cannot be taken; `reason` is a message id and `data` fills it.

    Attributes:
        line: Its number in the file, from 1.
        column: The name of the cell; "" for the line as a whole.
        reason: A message id.
        data: What fills it.
    """

    line: int
    column: str
    reason: str
    data: tuple[tuple[str, Any], ...] = ()


class BadLinesError(PortalError):
    """Some lines cannot be taken, so nothing was written. `lines` are the first of them."""

    message = N_("Wrong lines: {count}. Nothing was written.")

    def __init__(self, lines: Sequence[BadLine], count: int) -> None:
        super().__init__(count=count)
        self.lines = tuple(lines)


@dataclass(slots=True)
class Complaints:
    """What is wrong so far."""

    lines: list[BadLine] = field(default_factory=list)
    count: int = 0
    most: int = MAX_NAMED

    def add(self, line: int, cells: Sequence[str], error: CellError) -> None:
        """Take one bad line; what is not even text is said to be that."""
        self.count += 1
        if len(self.lines) < self.most:
            reason, column, data = error.reason, error.column, error.data
            if any(_is_broken(cell) for cell in cells):
                reason, column, data = NOT_UTF8, "", ()
            self.lines.append(BadLine(line, column, reason, data))

    def refuse(self) -> None:
        """Raise if there is anything.

        Raises:
            BadLinesError: There is.
        """
        if self.count:
            raise BadLinesError(sorted(self.lines, key=lambda bad: bad.line), self.count)


class CellError(Exception):
    """A line cannot be taken; caught by whoever reads the lines."""

    def __init__(self, column: str, reason: str, **data: Any) -> None:
        super().__init__(reason)
        self.column, self.reason, self.data = column, reason, tuple(data.items())


@dataclass(frozen=True, slots=True)
class Batch:
    """Some neighbouring lines: their numbers, from 1, and their cells."""

    numbers: Sequence[int]
    cells: Sequence[list[str]]

    def lines(self) -> Iterator[Line]:
        """Number and cells of each."""
        return zip(self.numbers, self.cells, strict=True)


def batches(
    path: Path,
    columns: Sequence[str],
    complaints: Complaints,
    *,
    encoding: str = "utf-8-sig",
    delimiter: str = ",",
) -> Iterator[Batch]:
    """The lines of a file below its header, some hundreds at a time; empty lines are left out.

    Args:
        path: The file.
        columns: What its first line must be.
        complaints: Takes the lines that do not have as many cells.
        encoding: Of the file.
        delimiter: Between cells.

    Raises:
        InputError: It is no such file at all.
        OSError: It cannot be read.
    """
    _refuse_binary(path)
    # Bytes that are no UTF-8 become lone surrogates, so that the line they stand in can be named.
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
        lines = _Lines(csv.reader(file, strict=True, delimiter=delimiter), complaints)
        check_header(lines.read(1), columns)
        while batch := lines.read(LINES_AT_ONCE):
            if set(map(len, batch.cells)) <= {len(columns)}:
                yield batch
            else:
                yield _complete(batch, columns, complaints)


class _Lines:
    """The lines of a file with their numbers; a line may hold line breaks in quotes."""

    def __init__(self, reader: Any, complaints: Complaints) -> None:
        self._reader, self._complaints = reader, complaints
        self._next = 1

    def read(self, most: int) -> Batch | None:
        """Up to `most` more lines, without the empty ones; None at the end."""
        first, is_broken = self._next, False
        cells: list[list[str]] = []
        try:
            cells.extend(islice(self._reader, most))  # which keeps what came before an error
        except csv.Error:
            is_broken = True
        self._next = self._reader.line_num + 1
        if self._next - first == len(cells) and all(cells):
            return Batch(range(first, self._next), cells) if cells else None
        numbers = list(accumulate(map(_height, cells), initial=first))
        if is_broken:
            wrong = CellError("", N_("quotes that do not match, or a cell without end"))
            self._complaints.add(numbers[-1], (), wrong)
        full = [line for line in zip(numbers, cells, strict=False) if line[1]]
        return Batch([number for number, _cells in full], [cells for _number, cells in full])


def _height(cells: Sequence[str]) -> int:
    """How many lines of the file these cells take."""
    return 1 + sum(len(cell.splitlines()) - 1 for cell in cells if "\n" in cell or "\r" in cell)


def _complete(batch: Batch, columns: Sequence[str], complaints: Complaints) -> Batch:
    """The lines that have all cells; the others are complained of."""
    whole = []
    for number, cells in batch.lines():
        if len(cells) == len(columns):
            whole.append((number, cells))
            continue
        reason = N_("{count} cells instead of {wanted}")
        complaints.add(number, cells, CellError("", reason, count=len(cells), wanted=len(columns)))
    return Batch([number for number, _cells in whole], [cells for _number, cells in whole])


def _refuse_binary(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for mark, sentence in _KINDS.items():
        if head.startswith(mark):
            raise InputError(sentence, field="file")
    if b"\0" in head:
        raise InputError(N_("The file is no text."), field="file")


def check_header(header: Batch | None, columns: Sequence[str]) -> None:
    """Refuse a file whose first line is another than `columns`.

    Raises:
        InputError: It is.
    """
    found = [cell.strip() for cell in header.cells[0]] if header and header.cells else []
    if any(_is_broken(cell) for cell in found):
        raise InputError(N_("Line 1: not in UTF-8; save the file as UTF-8."), field="file")
    if found != list(columns):
        raise InputError(
            N_("The first line must be: {wanted}. It is: {found}."),
            field="file",
            wanted=",".join(columns),
            found=",".join(found)[:200] or "-",
        )


def _is_broken(cell: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in cell)
