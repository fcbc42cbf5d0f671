"""Names with values, as on a card; and the state of a load, in a word with an icon."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.icons import icon
from lk_portal.i18n import _
from lk_portal.metering.types import LoadState

RowVar = rx.Var[dict[str, str]]


def facts(rows: rx.Var[list[dict[str, str]]]) -> rx.Component:
    """A list of rows with `name` and `value`: two columns, on a telephone one."""
    return rx.el.dl(
        rx.foreach(rows, lambda row: fact(row["name"], row["value"])),
        class_name="grid gap-x-6 gap-y-3 sm:grid-cols-2",
    )


def fact(name: str | rx.Var[str], value: rx.Var[str] | rx.Component) -> rx.Component:
    """One name with its value, inside of a `dl`."""
    return rx.el.div(
        rx.el.dt(name, class_name="text-sm"),
        rx.el.dd(value, class_name="font-medium break-words"),
        class_name="min-w-0",
    )


def load_badge(state: rx.Var[str], word: rx.Var[str], *, class_name: str = "font-semibold") -> rx.Component:
    """The state of a load: an icon and a word, for colour alone tells nobody enough."""
    return rx.el.span(
        rx.match(
            state,
            (LoadState.ON.value, icon("check", class_name="size-5 text-success")),
            (LoadState.OFF.value, icon("critical", class_name="size-5 text-error")),
            (LoadState.READY.value, icon("plug", class_name="size-5 text-warning")),
            icon("info", class_name="size-5"),
        ),
        rx.el.span(word),
        class_name=f"inline-flex items-center gap-1.5 {class_name}",
    )


def load_line(state: rx.Var[str], word: rx.Var[str]) -> rx.Component:
    """Состояние нагрузки with its word."""
    return rx.el.p(
        rx.el.span(_("Load state:")),
        load_badge(state, word),
        class_name="flex flex-wrap items-center gap-x-2",
    )
