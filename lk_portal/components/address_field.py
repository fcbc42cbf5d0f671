"""A field for an address of the registry that suggests what fits: an ARIA 1.2 combobox with a list.

The server finds (`AddressState`), assets/combobox.js opens the list and handles keys, mouse and touch.
Without either it is a plain field.
"""

from __future__ import annotations

import reflex as rx

from lk_portal.components.checked_field import error_text
from lk_portal.components.kit import field, text_input
from lk_portal.i18n import _
from lk_portal.state.address import AddressState

NAME = "address"
DEBOUNCE_MS = 200
MAX_TYPED = 300
_OPTIONS, _STATUS, _ERROR = f"{NAME}-options", f"{NAME}-status", f"{NAME}-error"


def address_field(
    *,
    error: rx.Var[str],
    value: rx.Var[str] | str = "",
    also_described_by: str = "",
    is_invalid: rx.Var[bool] | None = None,
) -> rx.Component:
    """The field "address" with its label, suggestions and error.

    Args:
        error: What is wrong with it, or "".
        value: What stands in it at first.
        also_described_by: Id of a sentence that concerns other fields too.
        is_invalid: When the field is wrong, where that is not for its own error alone.
    """
    described_by = f"{_ERROR} {_STATUS} {also_described_by}".strip()
    is_wrong = (error != "") if is_invalid is None else is_invalid
    control = text_input(
        NAME,
        default_value=value,
        on_change=AddressState.search.debounce(DEBOUNCE_MS).temporal,
        required=True,
        max_length=MAX_TYPED,
        auto_complete="off",
        role="combobox",
        # `aria-expanded` is the script's after this: React leaves alone what it never changes.
        custom_attrs={
            "data-lk-combobox": _OPTIONS,
            "aria-autocomplete": "list",
            "aria-expanded": "false",
            "aria-controls": _OPTIONS,
            "aria-invalid": rx.cond(is_wrong, "true", "false"),
            "aria-describedby": described_by,
        },
    )
    return rx.el.div(
        field(_("Address*"), control, for_id=NAME),
        _options(),
        rx.el.p(AddressState.status, id=_STATUS, role="status", class_name="text-sm mt-1 empty:hidden"),
        error_text(error, id=_ERROR),
        class_name="combobox relative",
    )


def _options() -> rx.Component:
    return rx.el.ul(
        rx.foreach(
            AddressState.rows,
            lambda row, index: rx.el.li(
                row,
                key=row,
                role="option",
                class_name="combobox-option",
                # Given as `id=` it would be a ref too, one that is declared nowhere.
                custom_attrs={
                    "id": f"{NAME}-option-{index}",
                    "aria-selected": "false",
                    "data-lk-value": row,
                },
            ),
        ),
        id=_OPTIONS,
        role="listbox",
        hidden=True,
        class_name="combobox-options",
        custom_attrs={"aria-label": _("Addresses")},
    )
