"""What /readings says of the period that the shown one is compared with. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from lk_portal.i18n import _, kwh
from lk_portal.services.comparison import Comparison
from lk_portal.services.consumption import Consumption, Grain
from lk_portal.services.quantity_texts import unit_of
from lk_portal.state.readings_texts import percent, period_text, signed


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """The earlier period beside the chart; all empty when nothing is compared.

    Attributes:
        other_heading: Which period.
        is_comparable: The two have something in common.
        now_total: Energy of the period over what both have in full.
        then_total: Of the other.
        difference: With its sign.
        difference_unit: Its unit, and the difference in percent.
        comparison_notes: Over how much is compared, and who has holes.
        comparison_summary: The same in a sentence for a screen reader.
    """

    other_heading: str = ""
    is_comparable: bool = False
    now_total: str = ""
    then_total: str = ""
    difference: str = ""
    difference_unit: str = ""
    comparison_notes: list[str] = field(default_factory=list)
    comparison_summary: str = ""


def comparison_view_of(found: Consumption, compared: Comparison | None) -> ComparisonView:
    """Build the view of a comparison."""
    if compared is None:
        return ComparisonView()
    heading = period_text(compared.other.period)
    if not compared.common:
        nothing = _("These periods cannot be compared: they have no time in common with data in full.")
        return ComparisonView(
            other_heading=heading,
            comparison_notes=[nothing, *_holes(found, compared.other)],
            comparison_summary=nothing,
        )
    difference, unit = signed(compared.difference_wh), unit_of(found.quantity)
    share = percent(compared.difference_wh, compared.then_wh)
    difference_unit = f"{unit} · {share}" if share else unit
    return ComparisonView(
        other_heading=heading,
        is_comparable=True,
        now_total=kwh(compared.now_wh),
        then_total=kwh(compared.then_wh),
        difference=difference,
        difference_unit=difference_unit,
        comparison_notes=[_common(found, compared), *_holes(found, compared.other)],
        comparison_summary=_(
            "Difference from {heading} over the same time: {difference} {unit}",
            heading=heading,
            difference=difference,
            unit=difference_unit,
        ),
    )


def _common(found: Consumption, compared: Comparison) -> str:
    counts = {"common": compared.common, "elapsed": compared.elapsed}
    if found.period.grain is Grain.DAY:
        return _(
            "Hours with data in full in both periods: {common} of {elapsed}. Only they are compared.",
            **counts,
        )
    return _(
        "Days with data in full in both periods: {common} of {elapsed}. Only they are compared.", **counts
    )


def _holes(found: Consumption, other: Consumption) -> list[str]:
    texts = []
    if found.covered_s < found.expected_s:
        texts.append(_("This period has gaps."))
    if other.covered_s < other.expected_s:
        texts.append(_("The earlier period has gaps."))
    if not other.expected_s:
        texts.append(_("The meter was not there yet in the earlier period."))
    return texts
