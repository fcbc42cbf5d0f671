"""Reads a CSV file line by line and says what is wrong with it. Pure; for `services.imports`.

A file may have millions of lines, so it is never held in memory, and of bad lines only the first are kept.
UTF-8 with or without a mark at its beginning; anything else is named, with its line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
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

    def add(self, line: int, cells: Sequence[str], error: CellError) -> None:
        """Take one bad line; what is not even text is said to be that."""
        self.count += 1
        if len(self.lines) < MAX_NAMED:
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


def batches(path: Path, columns: Sequence[str], complaints: Complaints) -> Iterator[list[Line]]:
    """The lines of a file below its header, some hundreds at a time; empty lines are left out.

    Args:
        path: The file.
        columns: What its first line must be.
        complaints: Takes the lines that do not have as many cells.

    Raises:
        InputError: It is no such file at all.
        OSError: It cannot be read.
    """
    _refuse_binary(path)
    # Bytes that are no UTF-8 become lone surrogates, so that the line they stand in can be named.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        lines = _lines(csv.reader(file, strict=True), complaints)
        _check_header(next(lines, (1, [])), columns)
        while batch := list(islice(lines, LINES_AT_ONCE)):
            whole = [line for line in batch if len(line[1]) == len(columns)]
            if len(whole) < len(batch):
                _complain(batch, columns, complaints)
            yield whole


def _lines(reader: Any, complaints: Complaints) -> Iterator[Line]:
    number = 1
    while True:
        try:
            for cells in reader:
                if cells:
                    yield number, cells
                number = reader.line_num + 1
            return
        except csv.Error:
            complaints.add(number, (), CellError("", N_("quotes that do not match, or a cell without end")))
            number = reader.line_num + 1


def _complain(batch: Sequence[Line], columns: Sequence[str], complaints: Complaints) -> None:
    for number, cells in batch:
        if len(cells) != len(columns):
            wrong = CellError(
                "", N_("{count} cells instead of {wanted}"), count=len(cells), wanted=len(columns)
            )
            complaints.add(number, cells, wrong)


def _refuse_binary(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for mark, sentence in _KINDS.items():
        if head.startswith(mark):
            raise InputError(sentence, field="file")
    if b"\0" in head:
        raise InputError(N_("The file is no text."), field="file")


def _check_header(header: Line, columns: Sequence[str]) -> None:
    found = [cell.strip() for cell in header[1]]
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
