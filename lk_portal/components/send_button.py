"""The button that sends a form to an event handler."""

from __future__ import annotations

import reflex as rx


def send_button(text: str, *, is_ready: rx.Var[bool], is_sending: rx.Var[bool]) -> rx.Component:
    """Dead while the form may not be sent, or is being sent."""
    return rx.el.button(
        rx.cond(is_sending, rx.el.span(class_name="loading loading-spinner loading-sm")),
        text,
        type="submit",
        disabled=~is_ready | is_sending,
        class_name="btn btn-primary min-h-11 text-base",
        custom_attrs={"aria-busy": rx.cond(is_sending, "true", "false")},
    )
