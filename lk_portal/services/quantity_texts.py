"""What a kind of energy and its unit are called, in the reader's language. For exports and for states."""

from __future__ import annotations

from lk_portal.i18n import _
from lk_portal.metering.types import Quantity

__all__ = ["quantity_text", "unit_of"]


def unit_of(quantity: Quantity) -> str:
    """кВт·ч or квар·ч."""
    return _("kvarh") if quantity.is_reactive else _("kWh")


def quantity_text(quantity: Quantity) -> str:
    """The name of an energy type on the screen."""
    return {
        Quantity.A_PLUS: _("Active import"),
        Quantity.A_MINUS: _("Active export"),
        Quantity.R_PLUS: _("Reactive import"),
        Quantity.R_MINUS: _("Reactive export"),
    }[quantity]
