"""Files of the registry; for the tests beside it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from lk_portal.services.imports.registry_row import COLUMNS

ROW = {
    "account": "7700000001",
    "subscriber": "Иванов Иван",
    "email": "ivanov@example.com",
    "phone": "8 913 123-45-67",
    "settlement": "г. Омск",
    "street": "ул. Ленина",
    "house": "1",
    "flat": "2",
    "timezone": "Asia/Omsk",
    "contract": "Д-1",
    "amenities": "газ",
    "tariff": "",
    "point_name": "Дом",
    "place": "подъезд",
    "meter_serial": "М-1",
    "model": "МИР С-07",
    "ct": "1,5",
    "installed_at": "2026-01-31",
    "initial_t1": "10,5",
    "initial_t2": "0.5",
    "verified_on": "2026-01-15",
    "due_on": "2042-01-15",
    "seal": "П-1",
    "gateway_host": "10.0.0.1",
    "gateway_port": "4001",
    "device_id": "7",
}


def row(number: int = 1, **changed: Any) -> dict[str, Any]:
    """A whole row of a meter of its own."""
    own = {
        "account": f"77{number:08}",
        "subscriber": f"Иванов {number}",
        "email": f"i{number}@example.com",
        "phone": "",
        "flat": str(number),
        "meter_serial": f"М-{number}",
        "seal": f"П-{number}",
        "device_id": str(number),
    }
    return {**ROW, **own, **changed}


def cells(of: dict[str, Any]) -> list[Any]:
    return [of.get(name, "") for name in COLUMNS]


def csv_file(
    path: Path, rows: Iterable[dict[str, Any]], *, encoding: str = "utf-8", delimiter: str = ","
) -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(COLUMNS)
        writer.writerows(cells(one) for one in rows)
    return path


def workbook(path: Path, rows: Sequence[Sequence[Any]], *, merged: str = "") -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(COLUMNS))
    for one in rows:
        sheet.append(list(one))
    if merged:
        sheet.merge_cells(merged)
    book.save(path)
    return path
