"""A resource's page: search and filters, the rows (cards on a telephone), paging, files; and its dialogs."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.inline import A as PlainLink

from lk_portal.components.dialog import cancel_button, dialog
from lk_portal.components.icons import icon
from lk_portal.components.kit import (
    card,
    empty,
    field,
    icon_link,
    link,
    notice,
    select,
    skeleton,
    text_input,
)
from lk_portal.components.own_forms import buttons, submit
from lk_portal.components.resource_form import row_form
from lk_portal.i18n import _
from lk_portal.services.resource import Resource
from lk_portal.services.resource.spec import REMOVE
from lk_portal.state.resource import MARK, state_of

FILTER = "grow basis-36 sm:grow-0 sm:basis-auto"
"""Two beside each other on a telephone."""


def resource_list(resource: Resource) -> rx.Component:
    """Everything between the heading and the end of the page."""
    state: Any = state_of(resource)
    return rx.el.div(
        _toolbar(resource, state),
        rx.cond(state.problem != "", notice(state.problem, kind="error", icon_name="warning")),
        rx.cond(state.done != "", notice(state.done)),
        rx.cond(
            state.is_loaded,
            rx.cond(state.rows.length() > 0, _rows(resource, state), _nothing(state)),
            card(skeleton("h-96 w-full")),
        ),
        rx.cond(state.row != "", _form_dialog(resource, state)),
        rx.cond(state.question != "", _question(state)),
        class_name="grid grid-cols-1 gap-4",
    )


def _toolbar(resource: Resource, state: Any) -> rx.Component:
    return rx.el.div(
        _search(resource, state) if resource.search or resource.filters else rx.fragment(),
        rx.el.div(
            _new(resource, state),
            PlainLink.create("CSV", href=state.csv_url, class_name="btn btn-ghost min-h-11", download=True),
            PlainLink.create("XLSX", href=state.xlsx_url, class_name="btn btn-ghost min-h-11", download=True),
            class_name="flex flex-wrap gap-2 items-end",
        ),
        class_name="flex flex-wrap gap-3 items-end justify-between",
    )


def _search(resource: Resource, state: Any) -> rx.Component:
    parts = []
    if resource.search:
        label = _(
            "Search: {hint}", hint=_(resource.search_hint) if resource.search_hint else _("begins with")
        )
        control = text_input(
            "q",
            type="search",
            key=state.query,
            default_value=state.query,
            auto_complete="off",
            max_length=100,
        )
        parts.append(field(label, control, for_id="q", class_name="grow max-w-md"))
    for one in resource.filters:
        name = f"f.{one.name}"
        chosen = rx.cond(state.chosen.contains(one.name), state.chosen[one.name], "")
        options = [rx.el.option(_(choice.label), value=choice.name) for choice in one.choices]
        control = select(name, rx.el.option(_("All"), value=""), *options, key=chosen, default_value=chosen)
        parts.append(field(_(one.label), control, for_id=name, class_name=FILTER))
    return rx.el.form(
        *parts,
        submit(_("Find")),
        on_submit=state.seek,
        reset_on_submit=False,
        class_name="flex flex-wrap gap-3 items-end grow",
        role="search",
        custom_attrs={"data-lk-keep-focus": ""},
    )


def _new(resource: Resource, state: Any) -> rx.Component:
    if not (resource.has_form and resource.can_create):
        return rx.fragment()
    return rx.cond(
        state.may_write,
        link(_("Add"), to=state.new_url, class_name="btn btn-primary btn-outline min-h-11 text-base"),
    )


def _nothing(state: Any) -> rx.Component:
    return card(
        rx.cond(
            state.is_narrowed,
            empty(_("Nothing was found"), _("Search for the beginning of a word or number, or choose less.")),
            empty(_("There is nothing here yet"), _("What is added will stand here.")),
        )
    )


def _rows(resource: Resource, state: Any) -> rx.Component:
    table = rx.el.table(
        rx.el.caption(_(resource.title), class_name="sr-only"),
        rx.el.thead(rx.el.tr(*_heads(resource, state))),
        rx.el.tbody(rx.foreach(state.rows, lambda row: _row(resource, state, row))),
        class_name="table rows-as-cards",
    )
    return card(
        _pages(state, label=_("Pages of the list")),
        rx.el.form(
            rx.el.div(table, class_name="overflow-x-auto"),
            _bulk(resource, state),
            on_submit=state.ask,
            reset_on_submit=False,
            custom_attrs={"aria-label": _(resource.title)},
        ),
        rx.cond(
            (state.earlier != "") | (state.later != ""),
            _pages(state, label=_("Pages of the list, below it")),
        ),
    )


def _has_bulk(resource: Resource) -> bool:
    return resource.can_remove or any(one.is_bulk for one in resource.actions)


def _heads(resource: Resource, state: Any) -> list[rx.Component]:
    heads = []
    if _has_bulk(resource):
        heads.append(
            rx.cond(state.may_write, rx.el.th(rx.el.span(_("Mark"), class_name="sr-only"), class_name="w-0"))
        )
    heads += [_head(one, state) for one in resource.columns]
    if resource.has_form:
        heads.append(rx.el.th(rx.el.span(_("Open"), class_name="sr-only")))
    return heads


def _head(column: Any, state: Any) -> rx.Component:
    side = "text-right" if column.is_number else ""
    if not column.is_sortable:
        return rx.el.th(_(column.label), scope="col", class_name=side)
    name = str(column.expression.key)
    is_up, is_down = state.sort == name, state.sort == f"-{name}"
    return rx.el.th(
        link(_(column.label), to=state.sort_links[name], class_name="link"),
        rx.cond(is_up, rx.el.span(" ↑", custom_attrs={"aria-hidden": "true"})),
        rx.cond(is_down, rx.el.span(" ↓", custom_attrs={"aria-hidden": "true"})),
        scope="col",
        class_name=side,
        custom_attrs={"aria-sort": rx.cond(is_up, "ascending", rx.cond(is_down, "descending", "none"))},
    )


def _row(resource: Resource, state: Any, row: Any) -> rx.Component:
    cells = []
    if _has_bulk(resource):
        cells.append(rx.cond(state.may_write, rx.el.td(_mark(row))))
    links = [index for index, one in enumerate(resource.columns) if one.link is not None]
    for index, column in enumerate(resource.columns):
        text: Any = row[index + 1]
        if index in links:
            target = row[1 + len(resource.columns) + links.index(index)]
            text = rx.cond(target != "", link(row[index + 1], to=target), row[index + 1])
        elif index == 0 and resource.row_link is not None:
            text = link(row[1], to=resource.row_link(row[0]))
        cells.append(_cell(column, text))
    if resource.has_form:
        opener = icon_link(_("Open"), to=state.row_url + row[0], icon_name="pencil")
        cells.append(rx.el.td(opener, class_name="text-right"))
    return rx.el.tr(*cells, key=row[0])


def _cell(column: Any, text: Any) -> rx.Component:
    return rx.el.td(
        text,
        class_name="text-right tabular-nums" if column.is_number else "break-words",
        custom_attrs={"data-label": _(column.label)},
    )


def _mark(row: Any) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            name=MARK + row[0].to(str),
            value="on",
            class_name="checkbox",
            custom_attrs={"aria-label": _("Mark") + " " + row[1].to(str)},
        ),
        class_name="flex items-center justify-center min-h-11 min-w-11",
    )


def _bulk(resource: Resource, state: Any) -> rx.Component:
    if not _has_bulk(resource):
        return rx.fragment()
    options = [rx.el.option(_(one.label), value=one.name) for one in resource.actions if one.is_bulk]
    if resource.can_remove:
        options.append(rx.el.option(_("Remove"), value=REMOVE))
    return rx.cond(
        state.may_write,
        rx.el.div(
            field(_("With the marked rows"), select("deed", *options), for_id="deed"),
            submit(_("Apply"), class_name="btn-outline"),
            class_name="flex flex-wrap gap-3 items-end mt-3",
        ),
    )


def _pages(state: Any, *, label: str) -> rx.Component:
    return rx.el.nav(
        *_page_parts(state),
        class_name="flex items-center min-h-11",
        custom_attrs={"aria-label": label},
    )


def _page_parts(state: Any) -> list[rx.Component]:
    return [
        _page_link(_("Earlier rows"), state.earlier, "left"),
        rx.el.span(state.count_text, class_name="text-sm grow text-center"),
        _page_link(_("Later rows"), state.later, "right"),
    ]


def _page_link(label: str, to: Any, icon_name: str) -> rx.Component:
    return rx.cond(
        to != "", icon_link(label, to=to, icon_name=icon_name), rx.el.span(class_name="size-11 shrink-0")
    )


def _form_dialog(resource: Resource, state: Any) -> rx.Component:
    title = rx.cond(state.row == "new", _("New row"), _("Row")) + f": {_(resource.title)}"
    return dialog(title, row_form(resource, state), name="row-dialog")


def _question(state: Any) -> rx.Component:
    return dialog(
        _("Please confirm"),
        rx.el.p(
            icon("warning", class_name="size-5 text-warning inline"), " ", state.question, class_name="mb-4"
        ),
        buttons(
            rx.el.button(
                _("Yes"),
                type="button",
                on_click=state.confirm,
                class_name="btn btn-primary min-h-11 text-base",
            ),
            cancel_button(state.cancel),
        ),
        name="question-dialog",
    )
