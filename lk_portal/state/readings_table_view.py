"""From a page of register readings to the texts of the table. Pure; for `state.readings_table`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from lk_portal.i18n import _, day_text, kwh, moment_text
from lk_portal.metering.types import Quantity
from lk_portal.services.quantity_texts import unit_of
from lk_portal.services.register_table import SUM, Nature, RegisterPage, RegisterRow

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
    shown = [number for number in range(5) if any(row.values_wh[number] is not None for row in page.rows)]
    title, advice = _empty_texts(page, zone)
    return TableView(
        heading=_heading(page, zone),
        columns=[f"{_register(number)}, {unit}" for number in shown],
        rows=[_row(row, shown, zone) for row in page.rows],
        has_serials=len({row.serial for row in page.rows}) > 1,
        consumption_column=f"{_('Consumption')}, {unit}",
        ratio_note=_ratio_note(page.ratio),
        empty_title=title,
        empty_advice=advice,
    )


def nature_text(row: RegisterRow) -> str:
    """How good the consumption is, or why there is none."""
    return {
        Nature.MEASURED: _("measured"),
        Nature.FIRST: _("no data before it"),
        Nature.ROLLOVER: _("measured, the register passed its end"),
        Nature.REBASED: _("the meter began to count anew"),
        Nature.REVIEW: _("under review, not counted"),
    }[row.nature]


def _row(row: RegisterRow, shown: list[int], zone: ZoneInfo) -> list[str]:
    registers = [_value(row.values_wh[number]) for number in shown]
    return [moment_text(row.at, zone), row.serial, nature_text(row), _value(row.consumption_wh), *registers]


def _value(energy_wh: int | None) -> str:
    return UNKNOWN if energy_wh is None else kwh(energy_wh)


def _register(number: int) -> str:
    return _("Sum") if number == SUM else _("T{zone}", zone=number)


def _heading(page: RegisterPage, zone: ZoneInfo) -> str:
    if not page.rows:
        return ""
    first, last = (moment_text(page.rows[index].at, zone) for index in (-1, 0))
    return f"{first} — {last}"


def _ratio_note(ratio: Decimal) -> str:
    if ratio == 1:
        return ""
    return _("Consumption is multiplied by the transformers' ratio, {ratio}.", ratio=f"{ratio.normalize():f}")


def _empty_texts(page: RegisterPage, zone: ZoneInfo) -> tuple[str, str]:
    if page.rows:
        return "", ""
    if page.later:
        day = day_text(page.since.astimezone(zone).date())
        return _("No readings up to this date"), _(
            "The meter was installed on {day}. Choose a later date.", day=day
        )
    return _("There are no readings yet"), _("Choose another type of energy or another meter.")
