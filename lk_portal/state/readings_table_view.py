"""From a page of register readings to the texts of the table. Pure; for `state.readings_table`."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from lk_portal.i18n import _, day_text, kwh, moment_text
from lk_portal.metering.types import Quantity
from lk_portal.services.quantity_texts import unit_of
from lk_portal.services.register_table import RegisterPage, RegisterRow
from lk_portal.services.register_texts import nature_text, ratio_text, register_text, registers_of

UNKNOWN = "—"


@dataclass(frozen=True, slots=True)
class TableView:
    """What the table shows; a row: moment, serial, quality, consumption, then registers as in `columns`."""

    heading: str
    columns: list[str]
    rows: list[list[str]]
    has_serials: bool
    consumption_column: str
    ratio_note: str
    empty_title: str
    empty_advice: str


def table_view_of(page: RegisterPage, quantity: Quantity) -> TableView:
    """Build the view of one page; registers that no row has get no column."""
    zone, unit = ZoneInfo(page.timezone), unit_of(quantity)
    shown = registers_of(page.rows)
    title, advice = _empty_texts(page, zone)
    return TableView(
        heading=_heading(page, zone),
        columns=[f"{register_text(number)}, {unit}" for number in shown],
        rows=[_row(row, shown, zone) for row in page.rows],
        has_serials=len({row.serial for row in page.rows}) > 1,
        consumption_column=f"{_('Consumption')}, {unit}",
        ratio_note=ratio_text(page.ratio),
        empty_title=title,
        empty_advice=advice,
    )


def _row(row: RegisterRow, shown: list[int], zone: ZoneInfo) -> list[str]:
    registers = [_value(row.values_wh[number]) for number in shown]
    return [
        moment_text(row.at, zone),
        row.serial,
        nature_text(row.nature),
        _value(row.consumption_wh),
        *registers,
    ]


def _value(energy_wh: int | None) -> str:
    return UNKNOWN if energy_wh is None else kwh(energy_wh)


def _heading(page: RegisterPage, zone: ZoneInfo) -> str:
    if not page.rows:
        return ""
    first, last = (moment_text(page.rows[index].at, zone) for index in (-1, 0))
    return f"{first} — {last}"


def _empty_texts(page: RegisterPage, zone: ZoneInfo) -> tuple[str, str]:
    if page.rows:
        return "", ""
    if page.later:
        day = day_text(page.since.astimezone(zone).date())
        return _("No readings up to this date"), _(
            "The meter was installed on {day}. Choose a later date.", day=day
        )
    return _("There are no readings yet"), _("Choose another type of energy or another meter.")
