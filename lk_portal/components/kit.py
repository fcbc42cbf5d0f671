"""Small parts every page is made of. They take texts and children, and know no state but the shell's."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.react_router import link as router_link

from lk_portal.components.icons import icon

CONTROL = "w-full min-h-11 text-base"


def card(*children: rx.Component, class_name: str = "") -> rx.Component:
    """A quiet surface that holds things belonging together."""
    return rx.el.section(
        *children, class_name=f"card bg-base-100 border border-base-300 p-4 md:p-5 {class_name}"
    )


def link(text: str | rx.Var[str], *, to: str | rx.Var[str], class_name: str = "link") -> rx.Component:
    """A link inside the portal; opens without loading the page anew."""
    return router_link(text, to=to, class_name=class_name)


def link_button(
    text: str, *, to: str | rx.Var[str], icon_name: str = "", class_name: str = "", **props: object
) -> rx.Component:
    """A link that looks like a quiet button."""
    parts = ([icon(icon_name)] if icon_name else []) + [rx.el.span(text)]
    return router_link(*parts, to=to, class_name=f"btn btn-ghost min-h-11 {class_name}", **props)


def icon_link(label: str, *, to: str | rx.Var[str], icon_name: str) -> rx.Component:
    """A link of one icon; `label` is its accessible name and tooltip."""
    return router_link(
        icon(icon_name),
        to=to,
        class_name="btn btn-ghost btn-square min-h-11 min-w-11",
        title=label,
        custom_attrs={"aria-label": label},
    )


def field(label: str, control: rx.Component, *, for_id: str, class_name: str = "") -> rx.Component:
    """A control with its label above it; `for_id` is the control's id."""
    return rx.el.div(
        rx.el.label(label, html_for=for_id, class_name="block text-sm mb-1"),
        control,
        class_name=class_name,
    )


def text_input(name: str, **props: object) -> rx.Component:
    """A one-line input whose id is its name."""
    return rx.el.input(id=name, name=name, class_name=f"input {CONTROL}", **props)


def select(name: str, *options: rx.Component, **props: object) -> rx.Component:
    """A native select: telephones bring their own, large picker."""
    return rx.el.select(*options, id=name, name=name, class_name=f"select {CONTROL} truncate", **props)


def notice(text: str | rx.Var[str], *, kind: str = "info", icon_name: str = "info") -> rx.Component:
    """A sentence the reader should not miss; `kind` is info, warning or error."""
    return rx.el.div(
        icon(icon_name),
        rx.el.span(text),
        class_name=f"alert alert-{kind} alert-soft text-base-content",
        role="alert" if kind == "error" else "status",
    )


def empty(title: str | rx.Var[str], advice: str | rx.Var[str]) -> rx.Component:
    """What stands where there is nothing to show: says so and what to do."""
    return rx.el.div(
        rx.el.p(title, class_name="font-semibold"),
        rx.el.p(advice, class_name="mt-1"),
        class_name="py-10 text-center",
    )


def skeleton(class_name: str) -> rx.Component:
    """A grey shape of the size of what is to come."""
    return rx.el.div(class_name=f"skeleton {class_name}", custom_attrs={"aria-hidden": "true"})


def figure_text(label: str, value: rx.Var[str], *, unit: str | rx.Var[str] = "") -> rx.Component:
    """A number with its name, for the column beside a chart."""
    return rx.el.div(
        rx.el.dt(label, class_name="text-sm"),
        rx.el.dd(
            rx.el.span(value, class_name="text-xl font-semibold tabular-nums"),
            rx.el.span(unit, class_name="ml-1 text-sm"),
        ),
    )


def file_button(label: str, *, field_id: str, **props: object) -> rx.Component:
    """What files are chosen with; the browser's own button would speak the browser's language."""
    return rx.fragment(
        rx.el.input(type="file", id=field_id, class_name="sr-only peer", **props),
        rx.el.label(
            icon("clip"),
            label,
            html_for=field_id,
            class_name="btn min-h-11 text-base peer-focus-visible:outline-3",
        ),
    )
