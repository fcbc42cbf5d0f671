"""The events of /diagnostics, in groups by severity: as a list of cards, or as tables. For that page only."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.icons import icon
from lk_portal.components.kit import link_button
from lk_portal.i18n import _
from lk_portal.metering.types import Severity
from lk_portal.state.diagnostics import DiagnosticsState
from lk_portal.state.diagnostics_url import Layout
from lk_portal.state.diagnostics_view import YES, group_text

RowVar = rx.Var[dict[str, str]]
NAME, TEXT, ADVICE = 0, 1, 2
"""Places in a kind's texts."""
ICONS = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.INFO: "info"}
COLORS = {Severity.CRITICAL: "error", Severity.WARNING: "warning", Severity.INFO: "info"}


def group_icon(group: Severity) -> rx.Component:
    """The sign of a group in its colour; a word stands beside it."""
    return rx.el.span(icon(ICONS[group]), class_name=f"severity severity-{COLORS[group]}")


def event_groups() -> rx.Component:
    """All groups that have events, the most serious first."""
    return rx.el.div(
        _group(Severity.CRITICAL, DiagnosticsState.critical),
        _group(Severity.WARNING, DiagnosticsState.warning),
        _group(Severity.INFO, DiagnosticsState.info),
        class_name="grid gap-5",
    )


def _group(group: Severity, rows: rx.Var[list[dict[str, str]]]) -> rx.Component:
    return rx.cond(
        rows.length() > 0,
        rx.el.section(
            rx.el.h3(
                group_icon(group),
                group_text(group),
                id=f"group-{group}",
                class_name="font-semibold flex items-center gap-2 mb-2",
            ),
            rx.cond(DiagnosticsState.layout == Layout.TABLE.value, _table(group, rows), _list(group, rows)),
            custom_attrs={"aria-labelledby": f"group-{group}"},
        ),
    )


def _list(group: Severity, rows: rx.Var[list[dict[str, str]]]) -> rx.Component:
    return rx.el.ul(rx.foreach(rows, lambda row: _card(group, row)), class_name="grid gap-2")


def _card(group: Severity, row: RowVar) -> rx.Component:
    texts = DiagnosticsState.kinds[row["kind"]]
    return rx.el.li(
        rx.el.div(
            rx.el.h4(_name(group, row), class_name="font-semibold"),
            rx.el.p(
                rx.el.span(row["when"], class_name="tabular-nums"),
                rx.cond(row["lasted"] != "", _lasted(row)),
                _goes_on(row),
                _meter(row),
                class_name="text-sm mt-1 flex flex-wrap gap-x-3 gap-y-1 items-center",
            ),
            rx.el.p(texts[TEXT], class_name="mt-2"),
            rx.cond(
                texts[ADVICE] != "",
                _details(_("What to do"), rx.el.p(texts[ADVICE]), is_open=group is Severity.CRITICAL),
            ),
            class_name="min-w-0",
        ),
        _ticket(row),
        key=row["id"],
        class_name=f"event event-{COLORS[group]} grid gap-x-4 sm:grid-cols-[1fr_auto]",
    )


def _table(group: Severity, rows: rx.Var[list[dict[str, str]]]) -> rx.Component:
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    rx.el.th(_("Time"), scope="col", class_name="w-44"),
                    rx.el.th(_("Event"), scope="col"),
                    rx.el.th(_("Lasted"), scope="col", class_name="w-44"),
                )
            ),
            rx.el.tbody(rx.foreach(rows, lambda row: _table_row(group, row))),
            class_name="table table-fixed",
            custom_attrs={"aria-labelledby": f"group-{group}"},
        ),
        class_name=f"event-table event-{COLORS[group]}",
    )


def _table_row(group: Severity, row: RowVar) -> rx.Component:
    texts = DiagnosticsState.kinds[row["kind"]]
    return rx.el.tr(
        rx.el.td(row["when"], class_name="tabular-nums align-top"),
        rx.el.td(
            _name(group, row),
            _meter(row),
            rx.el.div(
                _details(_("What it means"), rx.el.p(texts[TEXT], " ", texts[ADVICE])),
                _ticket(row),
                class_name="flex flex-wrap items-start justify-between gap-x-4",
            ),
            class_name="align-top wrap-anywhere",
        ),
        rx.el.td(row["lasted"], _goes_on(row), class_name="align-top"),
        key=row["id"],
    )


def _lasted(row: RowVar) -> rx.Component:
    return rx.el.span(_("lasted"), " ", row["lasted"], class_name="whitespace-nowrap")


def _name(group: Severity, row: RowVar) -> rx.Component:
    """The name of an event with its sign; the ticket's link is described by it."""
    return rx.el.span(
        group_icon(group),
        rx.el.span(DiagnosticsState.kinds[row["kind"]][NAME], id=f"event-{row['id']}"),
        class_name="flex items-start gap-2",
    )


def _meter(row: RowVar) -> rx.Component:
    """Which meter it was, where one has taken another's place."""
    return rx.cond(row["serial"] != "", rx.el.span(_("meter"), " ", row["serial"]))


def _goes_on(row: RowVar) -> rx.Component:
    return rx.cond(
        row["is_open"] == YES, rx.el.span(_("goes on"), class_name="badge badge-outline whitespace-nowrap")
    )


def _details(summary: str, *children: rx.Component, is_open: bool = False) -> rx.Component:
    return rx.el.details(
        rx.el.summary(
            icon("right", class_name="size-4 details-sign"),
            summary,
            class_name="list-none min-h-11 inline-flex items-center gap-2 cursor-pointer link",
        ),
        *children,
        open=is_open,
    )


def _ticket(row: RowVar) -> rx.Component:
    return rx.el.div(
        link_button(
            _("Create a request"),
            to=f"/support?new=1&event={row['id']}",
            icon_name="chat",
            class_name="btn-sm min-h-11 text-base font-normal whitespace-nowrap px-2",
        ),
        custom_attrs={"aria-describedby": f"event-{row['id']}"},
    )
