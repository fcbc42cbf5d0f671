"""/admin/meters/[meter]/replace: the replacement of a meter, step by step on one page."""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.components.breadcrumb import breadcrumb
from lk_portal.components.checked_field import checked_field, error_text
from lk_portal.components.facts import facts
from lk_portal.components.kit import card, empty, field, link_button, notice, select, skeleton
from lk_portal.components.own_forms import LONGEST, buttons, submit, tick
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.services.access import Role
from lk_portal.state.replacement import ReplacementState as State

HEADING = "text-lg font-semibold mb-3"
GRID = "grid gap-4 sm:grid-cols-2"


@portal_page(
    route="/admin/meters/[meter]/replace",
    title=_("Replacement of a meter"),
    icon="meter",
    roles={Role.OPERATOR, Role.ADMIN},
    on_load=(State.load,),
)
def replacement() -> rx.Component:
    """The old meter, the new one, and what was registered."""
    return rx.el.div(
        breadcrumb((_("Meters"), "/admin/meters"), here=State.serial),
        rx.cond(
            State.is_loaded,
            rx.cond(State.facts.length() > 0, rx.cond(State.done != "", _done(), _form()), _nothing()),
            card(skeleton("h-96 w-full")),
        ),
    )


def _nothing() -> rx.Component:
    return card(empty(State.problem, _("Look for the meter in the list of meters.")))


def _done() -> rx.Component:
    return card(
        notice(State.done),
        link_button(_("To the new meter"), to=State.done_link, icon_name="meter", class_name="self-start"),
        class_name="gap-3",
    )


def _form() -> rx.Component:
    return rx.el.form(
        rx.cond(
            State.problem != "",
            rx.el.div(notice(State.problem, kind="error", icon_name="warning"), id="problem", tab_index=-1),
        ),
        rx.cond(~State.may_write, notice(_("Only an administrator may register a replacement."))),
        rx.el.fieldset(
            _old(),
            _new(),
            _papers(),
            disabled=~State.may_write,
            class_name="grid grid-cols-1 gap-4 min-w-0",
        ),
        rx.cond(State.may_write, buttons(submit(_("Register the replacement")))),
        on_submit=State.save,
        reset_on_submit=False,
        class_name="grid grid-cols-1 gap-4",
        custom_attrs={"noValidate": True, "aria-label": _("Replacement of a meter")},
    )


def _old() -> rx.Component:
    return card(
        rx.el.h2(_("Old meter"), " ", State.serial, class_name=HEADING),
        facts(State.facts),
        rx.el.div(
            _typed(
                "removed_at", _("Removed*"), type="datetime-local", hint=_("By the clock of the address.")
            ),
            class_name=f"{GRID} mt-4",
        ),
        rx.el.h3(_("Final readings"), class_name="font-semibold mt-4 mb-2"),
        rx.el.div(rx.foreach(State.final, _reading), class_name=GRID),
    )


def _new() -> rx.Component:
    return card(
        rx.el.h2(_("New meter"), class_name=HEADING),
        rx.el.div(
            _typed("serial", _("Serial number*")),
            _typed("model", _("Model"), hint=_("Needed for a meter that is not in the registry yet.")),
            _map(),
            _typed(
                "installed_at",
                _("Installed"),
                type="datetime-local",
                hint=_("Empty: when the old one was removed."),
            ),
            _typed("ct_ratio", _("CT ratio"), input_mode="decimal", default_value=State.ratios["ct_ratio"]),
            _typed("vt_ratio", _("VT ratio"), input_mode="decimal", default_value=State.ratios["vt_ratio"]),
            class_name=GRID,
        ),
        rx.el.h3(_("Initial readings"), class_name="font-semibold mt-4 mb-2"),
        rx.el.div(rx.foreach(State.initial, _reading), class_name=GRID),
        rx.cond(
            State.is_connected,
            tick(
                _("It answers at the old meter's gateway and device number"),
                control_id="keeps_line",
                name="keeps_line",
                value="on",
                error=State.errors["keeps_line"],
            ),
        ),
    )


def _papers() -> rx.Component:
    return card(
        rx.el.h2(_("Seal and verification"), class_name=HEADING),
        rx.el.div(
            _typed("seal", _("Seal No.")),
            _typed("verified_on", _("Verified"), type="date"),
            _typed("due_on", _("Next one due"), type="date"),
            class_name=GRID,
        ),
    )


def _typed(name: str, label: str, **props: Any) -> rx.Component:
    return checked_field(
        name,
        label,
        error=State.errors[name],
        max_length=LONGEST,
        auto_complete="off",
        required=label.endswith("*"),
        **props,
    )


def _map() -> rx.Component:
    control = select(
        "map_name",
        rx.el.option(_("None: the portal does not read it over Modbus"), value=""),
        rx.foreach(State.maps, lambda name: rx.el.option(name, value=name)),
    )
    return rx.el.div(
        field(_("Register map"), control, for_id="map_name"),
        error_text(State.errors["map_name"], id="map_name-error"),
    )


def _reading(row: rx.Var[dict[str, str]]) -> rx.Component:
    """The field of one register; what it showed last stands below."""
    name = row["name"]
    return rx.el.div(
        rx.el.label(row["label"], html_for=name, class_name="block text-sm mb-1"),
        rx.el.input(
            id=name,
            name=name,
            input_mode="decimal",
            auto_complete="off",
            max_length=LONGEST,
            class_name="input w-full min-h-11 text-base",
            custom_attrs={
                "aria-invalid": rx.cond(row["error"] != "", "true", "false"),
                "aria-describedby": name + "-hint " + name + "-error",
            },
        ),
        rx.el.p(row["hint"], id=name + "-hint", class_name="text-sm mt-1 empty:hidden"),
        error_text(row["error"], id=name + "-error"),
        key=name,
    )
