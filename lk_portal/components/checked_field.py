"""A field that a server checks, and the sentence on what is wrong with it. For all forms."""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.components.icons import icon
from lk_portal.components.kit import field, text_input


def error_text(error: rx.Var[str], *, id: str) -> rx.Component:  # noqa: A002 - HTML's own word
    """What is wrong, or nothing. Always in the page, so that what appears in it is read out.

    Only the sign is red: words need contrast.
    """
    return rx.el.div(
        rx.cond(
            error != "",
            rx.el.p(
                icon("warning", class_name="size-4 mt-0.5 text-error"),
                rx.el.span(error),
                class_name="flex gap-1.5 mt-1 text-sm",
            ),
        ),
        id=id,
        role="alert",
    )


def checked_field(
    name: str,
    label: str,
    *,
    error: rx.Var[str],
    hint: str = "",
    also_described_by: str = "",
    is_invalid: rx.Var[bool] | None = None,
    **props: Any,
) -> rx.Component:
    """A one-line field with its label above, a hint and its error below.

    Args:
        name: Under which the form sends it, and its id.
        label: Its accessible name.
        error: What is wrong with it, or "".
        hint: What to type.
        also_described_by: Id of a sentence that concerns other fields too.
        is_invalid: When the field is wrong, where that is not for its own error alone.
        props: Of the input.
    """
    error_id, hint_id = f"{name}-error", f"{name}-hint"
    described_by = " ".join(part for part in (hint_id if hint else "", error_id, also_described_by) if part)
    control = text_input(
        name,
        custom_attrs={
            "aria-invalid": rx.cond((error != "") if is_invalid is None else is_invalid, "true", "false"),
            "aria-describedby": described_by,
            **props.pop("custom_attrs", {}),
        },
        **props,
    )
    return rx.el.div(
        field(label, control, for_id=name),
        *([rx.el.p(hint, id=hint_id, class_name="text-sm mt-1")] if hint else []),
        error_text(error, id=error_id),
    )
