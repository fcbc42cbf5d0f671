"""The form over the chart of /readings: which meter, which period, which energy."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.choices import interval_field, meter_field
from lk_portal.components.kit import field, select
from lk_portal.i18n import _, month_names
from lk_portal.metering.types import Quantity
from lk_portal.services.quantity_texts import quantity_text
from lk_portal.state.readings import ReadingsState

PICKER = "col-span-2 order-1 lg:order-none lg:col-span-1"
"""On a telephone the period has a row of its own, below interval and energy."""
COLUMNS = "grid-cols-[3fr_5fr] lg:grid-cols-4"
BUTTON = "btn btn-primary min-h-11 text-base self-end order-3 col-span-2 lg:order-none lg:col-span-1"


def chart_form() -> rx.Component:
    """Every choice of it ends up in the address."""
    return rx.el.form(
        # Until the page is filled, and again after the connection was lost, there is nothing to choose from.
        rx.el.fieldset(
            meter_field(ReadingsState.meters, ReadingsState.serial, class_name="col-span-2"),
            _basis_choice(),
            interval_field(value=ReadingsState.grain, on_change=ReadingsState.pick_grain),
            _period_picker(),
            energy_field(ReadingsState.energy),
            rx.el.button(_("Show"), type="submit", class_name=BUTTON),
            rx.el.p(
                ReadingsState.basis_hint,
                class_name="billing-hint col-span-2 lg:col-span-4 order-4 lg:order-none text-sm",
            ),
            disabled=~ReadingsState.is_loaded,
            class_name="contents",
        ),
        on_submit=ReadingsState.show,
        reset_on_submit=False,
        class_name=f"card bg-base-100 border border-base-300 p-4 grid gap-3 {COLUMNS}",
        custom_attrs={"aria-label": _("What to show"), "data-lk-keep-focus": ""},
    )


def energy_field(chosen: rx.Var[str]) -> rx.Component:
    """The types of energy."""
    return field(
        _("Type of energy"),
        select(
            "energy",
            *(rx.el.option(quantity_text(quantity), value=quantity.name) for quantity in Quantity),
            key=chosen,
            default_value=chosen,
        ),
        for_id="energy",
    )


def _basis_choice() -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(_("Type of period"), class_name="block text-sm mb-1"),
        rx.el.div(
            _basis("calendar", _("Calendar")),
            _basis("billing", _("Billing")),
            class_name="flex flex-wrap gap-x-4",
        ),
        class_name="col-span-2 order-2 lg:order-none",
    )


def _basis(value: str, text: str) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            id=f"basis-{value}",
            type="radio",
            name="basis",
            value=value,
            # What is chosen holds with "Показать", as in the other fields; no event says it before.
            key=ReadingsState.basis,
            default_checked=ReadingsState.basis == value,
            class_name="radio",
        ),
        text,
        class_name="flex items-center gap-2 min-h-11 cursor-pointer",
    )


def _period_picker() -> rx.Component:
    return rx.match(
        ReadingsState.grain,
        ("day", rx.el.div(_day_picker(), class_name=PICKER)),
        ("month", rx.el.div(_month_picker(), _year_picker(), class_name=f"{PICKER} grid grid-cols-2 gap-3")),
        rx.el.div(_year_picker(), class_name=PICKER),
    )


def _day_picker() -> rx.Component:
    return field(_("Period"), date_input("day", ReadingsState.day), for_id="day")


def date_input(name: str, chosen: rx.Var[str]) -> rx.Component:
    """A date; telephones and browsers bring their own calendar."""
    return rx.el.input(
        id=name,
        name=name,
        type="date",
        key=chosen,
        default_value=chosen,
        required=True,
        class_name="input w-full min-h-11 text-base",
    )


def _month_picker() -> rx.Component:
    return field(
        _("Period"),
        select(
            "month",
            *(rx.el.option(name, value=str(number)) for number, name in enumerate(month_names(), start=1)),
            key=ReadingsState.month,
            default_value=ReadingsState.month,
        ),
        for_id="month",
    )


def _year_picker() -> rx.Component:
    return field(
        _("Year"),
        select(
            "year",
            rx.foreach(ReadingsState.years, lambda year: rx.el.option(year, value=year)),
            key=ReadingsState.year,
            default_value=ReadingsState.year,
        ),
        for_id="year",
    )
