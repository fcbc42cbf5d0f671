"""Reads the rows of a table somebody made in a spreadsheet: CSV or XLSX. Pure; for `services.imports`.

CSV may be in UTF-8 or, as Excel writes it in Russia, in Windows-1251 with semicolons. A workbook is read row
by row, so its length does not matter; what cannot be trusted in it - formulas, merged cells, errors - is
refused with the cell named.
"""

from __future__ import annotations

import codecs
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from lk_portal.errors import N_, InputError
from lk_portal.services.imports.source import Batch, CellError, Complaints, batches, check_header

ROWS_AT_ONCE = 500
MAX_UNPACKED = 1 << 30
"""Of a workbook: a small file can be made to unpack to anything."""
MAX_EXACT_DIGITS = 15
"""A spreadsheet keeps no more of a number."""
NO_ENCODING = N_("The file is neither in UTF-8 nor in Windows-1251. Save it as CSV UTF-8.")
_WORKBOOK = b"PK\x03\x04"
_READ_BYTES = 1 << 18
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+(\d+):[A-Z]+\d+)"')
_OVERLAP = 200
_FOREIGN = re.compile(r"[^\x00-\x7fА-Яа-яЁё№«»„“”–—…°²³·§©®±\u00a0]")
_RIGHT_WAY, _WRONG_WAY = re.compile(r"[А-ЯЁ][а-яё]"), re.compile(r"[а-яё][А-ЯЁ]")


def sheet_rows(path: Path, columns: Sequence[str], complaints: Complaints) -> Iterator[Batch]:
    """The rows below the header, some hundreds at a time; empty ones are left out.

    Args:
        path: The file.
        columns: What its first row must be.
        complaints: Takes what is wrong with single rows.

    Raises:
        InputError: It is no such file at all.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(len(_WORKBOOK))
    if head == _WORKBOOK:
        yield from _workbook_rows(path, columns, complaints)
        return
    encoding = encoding_of(path)
    yield from batches(path, columns, complaints, encoding=encoding, delimiter=_delimiter(path, encoding))


def encoding_of(path: Path) -> str:
    """utf-8-sig or cp1251.

    Raises:
        InputError: It looks like another one.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while piece := file.read(_READ_BYTES):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _checked_cp1251(path)
    return "utf-8-sig"


def _checked_cp1251(path: Path) -> str:
    """Nearly every byte is a letter of Windows-1251, so its words must look like Russian ones.

    KOI8-R read so has capitals and small letters exchanged, IBM 866 letters that Russian does not have.
    """
    right = wrong = foreign = 0
    with path.open(encoding="cp1251", errors="replace") as file:
        while piece := file.read(_READ_BYTES):
            right += len(_RIGHT_WAY.findall(piece))
            wrong += len(_WRONG_WAY.findall(piece))
            foreign += len(_FOREIGN.findall(piece))
    if wrong > right or foreign > right:
        raise InputError(NO_ENCODING, field="file")
    return "cp1251"


def _delimiter(path: Path, encoding: str) -> str:
    with path.open(encoding=encoding, errors="replace") as file:
        header = file.readline(4096)
    return ";" if header.count(";") > header.count(",") else ","


def _workbook_rows(path: Path, columns: Sequence[str], complaints: Complaints) -> Iterator[Batch]:
    try:
        _refuse_bombs(path)  # first of all: opening a workbook already reads all of its texts
        # As an open file, for of a path openpyxl asks how its name ends.
        with path.open("rb") as file, closing(load_workbook(file, read_only=True)) as book:
            sheet = book.worksheets[0]
            _complain_of_merged(path, sheet, complaints)
            # What the file says of its own size is not to be trusted: a million columns of nothing.
            sheet.reset_dimensions()
            yield from _batches(sheet.iter_rows(max_col=len(columns) + 1), columns, complaints)
    except (zipfile.BadZipFile, KeyError, IndexError, ValueError, TypeError, SyntaxError, EOFError):
        raise InputError(N_("The workbook cannot be read. Save it as XLSX again."), field="file") from None


def _refuse_bombs(path: Path) -> None:
    with zipfile.ZipFile(path) as parts:
        if sum(part.file_size for part in parts.infolist()) > MAX_UNPACKED:
            raise InputError(N_("The workbook is too large. Save it as CSV."), field="file")


def _complain_of_merged(path: Path, sheet: Any, complaints: Complaints) -> None:
    """Of merged cells only the first has the value; which rows the others meant nobody can know."""
    with zipfile.ZipFile(path) as parts, parts.open(sheet._worksheet_path.lstrip("/")) as source:
        rest = b""
        seen: set[bytes] = set()
        while piece := source.read(_READ_BYTES):
            part = rest + piece
            for found in _MERGED.finditer(part) if b"mergeCell" in part else ():
                if found[1] not in seen:
                    seen.add(found[1])
                    wrong = CellError("", N_("merged cells {cells}; split them"), cells=found[1].decode())
                    complaints.add(int(found[2]), (), wrong)
            rest = part[-_OVERLAP:]


def _batches(rows: Iterator[Any], columns: Sequence[str], complaints: Complaints) -> Iterator[Batch]:
    numbered = enumerate(rows, start=1)
    header = next(numbered, None)
    names = [] if header is None else [str(cell.value or "").strip() for cell in header[1]]
    while names and not names[-1]:
        names.pop()
    check_header(Batch([1], [names]), columns)
    while part := list(islice(numbered, ROWS_AT_ONCE)):
        batch = _batch(part, columns, complaints)
        if batch.cells:
            yield batch


def _batch(part: Sequence[Any], columns: Sequence[str], complaints: Complaints) -> Batch:
    numbers, found = [], []
    for number, cells in part:
        if all(cell.value is None for cell in cells):
            continue
        try:
            texts = [_text(cell, number, index, columns) for index, cell in enumerate(cells)]
        except CellError as error:
            complaints.add(number, (), error)
            continue
        if any(texts):
            numbers.append(number)
            found.append((texts + [""] * len(columns))[: len(columns)])
    return Batch(numbers, found)


def _text(cell: Any, row: int, index: int, columns: Sequence[str]) -> str:
    """What stands in a cell, as it would stand in a CSV file."""
    value = cell.value
    if value is None:
        return ""
    where = f"{get_column_letter(index + 1)}{row}"
    if index >= len(columns):
        raise CellError("", N_("cell {cell} is beyond the last column"), cell=where)
    name = columns[index]
    if cell.data_type == "f":
        raise CellError(name, N_("cell {cell} has a formula; put its value there"), cell=where)
    if cell.data_type == "e" or isinstance(value, bool):
        raise CellError(name, N_("cell {cell} has no text and no number"), cell=where)
    if isinstance(value, int | float) and abs(value) >= 10**MAX_EXACT_DIGITS:
        raise CellError(name, N_("cell {cell}: so long a number has to be text"), cell=where)
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return repr(value) if isinstance(value, float) else str(value).strip()
