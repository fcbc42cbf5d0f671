"""What registers and the consumption between their readings are called, in the reader's language.

For exports and for states.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from lk_portal.i18n import _
from lk_portal.services.register_table import SUM, Nature, RegisterRow


def register_text(number: int) -> str:
    """The name of a register: the sum, or a tariff zone's."""
    return _("Sum") if number == SUM else _("T{zone}", zone=number)


def registers_of(rows: Sequence[RegisterRow]) -> list[int]:
    """The registers that at least one row has a value of."""
    return [number for number in range(5) if any(row.values_wh[number] is not None for row in rows)]


def nature_text(nature: Nature) -> str:
    """How good a consumption is, or why there is none."""
    return {
        Nature.MEASURED: _("measured"),
        Nature.FIRST: _("no data before it"),
        Nature.ROLLOVER: _("measured, the register passed its end"),
        Nature.REBASED: _("the meter began to count anew"),
        Nature.REVIEW: _("under review, not counted"),
    }[nature]


def ratio_text(ratio: Decimal) -> str:
    """That consumption is not simply what the register grew by; "" where it is."""
    if ratio == 1:
        return ""
    return _("Consumption is multiplied by the transformers' ratio, {ratio}.", ratio=f"{ratio.normalize():f}")
