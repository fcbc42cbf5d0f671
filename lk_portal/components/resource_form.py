"""The form of a resource's row, and both versions when somebody else changed it meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import reflex as rx

from lk_portal.components.checked_field import checked_field, error_text
from lk_portal.components.dialog import cancel_button
from lk_portal.components.kit import field, notice, select
from lk_portal.components.own_forms import LONGEST, buttons, submit
from lk_portal.i18n import _
from lk_portal.services.resource import FormField, Resource
from lk_portal.services.resource.spec import REMOVE

DEBOUNCE_MS = 250


def row_form(resource: Resource, state: Any) -> rx.Component:
    """The fields, what is wrong with them, and the buttons; only to be read by those who may not write."""
    return rx.el.form(
        rx.cond(state.form_problem != "", notice(state.form_problem, kind="error", icon_name="warning")),
        rx.cond(state.versions.length() > 0, _versions(state)),
        rx.el.fieldset(
            *(_field(one, state) for one in resource.form),
            disabled=~state.may_write,
            class_name="grid gap-4",
            key=state.form_key,
        ),
        buttons(rx.cond(state.may_write, submit(_("Save"))), cancel_button(state.close)),
        _actions(resource, state),
        on_submit=state.save,
        reset_on_submit=False,
        class_name="grid gap-4 min-w-0 md:min-w-96",
        custom_attrs={"noValidate": True, "aria-label": _(resource.title)},
    )


def _actions(resource: Resource, state: Any) -> rx.Component:
    """Buttons of what can be done with the row that is open, apart from those of the form."""
    found = [(one.name, _(one.label)) for one in resource.actions]
    if resource.can_remove:
        found.append((REMOVE, _("Remove")))
    if not found:
        return rx.fragment()
    return rx.cond(
        state.may_write & (state.row != "new"),
        rx.el.div(
            rx.el.p(_("With this row"), class_name="text-sm w-full", id="row-actions"),
            *(
                rx.el.button(
                    label,
                    type="button",
                    on_click=state.ask_one(name, state.row),
                    class_name="btn min-h-11 text-base",
                )
                for name, label in found
            ),
            role="group",
            class_name="flex flex-wrap gap-2 border-t border-base-300 pt-3",
            custom_attrs={"aria-labelledby": "row-actions"},
        ),
    )


def _versions(state: Any) -> rx.Component:
    return rx.el.table(
        rx.el.caption(_("Both versions"), class_name="text-left font-semibold"),
        rx.el.thead(
            rx.el.tr(
                rx.el.th(_("Field"), scope="col"),
                rx.el.th(_("Now in the registry"), scope="col"),
                rx.el.th(_("Typed by you"), scope="col"),
            )
        ),
        rx.el.tbody(
            rx.foreach(
                state.versions,
                lambda row: rx.el.tr(rx.el.th(row[0], scope="row"), rx.el.td(row[1]), rx.el.td(row[2])),
            )
        ),
        class_name="table table-sm",
        id="both-versions",
    )


def _field(one: FormField, state: Any) -> rx.Component:
    return _DRAWN[one.kind](one, state)


def _text(one: FormField, state: Any, **props: Any) -> rx.Component:
    is_fixed = {"disabled": state.row != "new"} if one.is_fixed else {}
    return checked_field(
        one.name,
        _(one.label),
        error=state.errors[one.name],
        hint=_(one.hint) if one.hint else "",
        default_value=state.fields[one.name],
        max_length=LONGEST,
        auto_complete="off",
        required=one.label.endswith("*"),
        **is_fixed,
        **props,
    )


def _number(one: FormField, state: Any) -> rx.Component:
    return _text(one, state, input_mode="decimal")


def _date(one: FormField, state: Any) -> rx.Component:
    return _text(one, state, type="date")


def _moment(one: FormField, state: Any) -> rx.Component:
    return _text(one, state, type="datetime-local")


def _reference(one: FormField, state: Any) -> rx.Component:
    options = f"{one.name}-options"
    return rx.fragment(
        _text(
            one,
            state,
            list=options,
            on_change=lambda typed: state.suggest(one.name, typed).debounce(DEBOUNCE_MS).temporal,
        ),
        rx.el.datalist(
            rx.foreach(state.suggestions[one.name], lambda text: rx.el.option(value=text)), id=options
        ),
    )


def _area(one: FormField, state: Any) -> rx.Component:
    error_id = f"{one.name}-error"
    area = rx.el.textarea(
        id=one.name,
        name=one.name,
        default_value=state.fields[one.name],
        rows="8",
        class_name="textarea w-full text-base",
        custom_attrs={"aria-describedby": error_id},
    )
    return rx.el.div(
        field(_(one.label), area, for_id=one.name), error_text(state.errors[one.name], id=error_id)
    )


def _flag(one: FormField, state: Any) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            id=one.name,
            name=one.name,
            default_checked=state.fields[one.name] == "yes",
            class_name="checkbox",
        ),
        _(one.label),
        class_name="flex items-center gap-3 min-h-11 cursor-pointer",
    )


def _choice(one: FormField, state: Any) -> rx.Component:
    error_id = f"{one.name}-error"
    options = [
        rx.el.option(_(text), value=str(value.value if isinstance(value, Enum) else value))
        for value, text in one.texts.items()
    ]
    nothing = [] if one.label.endswith("*") else [rx.el.option("", value="")]
    is_fixed = {"disabled": state.row != "new"} if one.is_fixed else {}
    control = select(one.name, *nothing, *options, default_value=state.fields[one.name], **is_fixed)
    return rx.el.div(
        field(_(one.label), control, for_id=one.name), error_text(state.errors[one.name], id=error_id)
    )


_DRAWN: dict[str, Callable[[FormField, Any], rx.Component]] = {
    "text": _text,
    "area": _area,
    "number": _number,
    "clock": _text,
    "date": _date,
    "moment": _moment,
    "flag": _flag,
    "choice": _choice,
    "reference": _reference,
}
