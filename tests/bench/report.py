"""One line for one figure, the same everywhere. For the measurements beside it."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence


def figure(name: str, value: str, *, target: str = "", is_met: bool | None = None) -> None:
    """Print a figure; a missed target is said, not raised."""
    verdict = "" if is_met is None else ("  [met]" if is_met else "  [MISSED]")
    goal = f"  target {target}" if target else ""
    sys.stdout.write(f"{name:<52} {value}{goal}{verdict}\n")
    sys.stdout.flush()


def ratio(
    name: str, value: float, detail: str, *, at_most: float | None = None, at_least: float | None = None
) -> None:
    """Print a ratio with what it was made of."""
    target, is_met = "", None
    if at_most is not None:
        target, is_met = f"<= {at_most:g}", value <= at_most
    if at_least is not None:
        target, is_met = f">= {at_least:g}", value >= at_least
    figure(name, f"{value:.2f}  ({detail})", target=target, is_met=is_met)


def spread(values: Sequence[float]) -> str:
    """Median with quartiles, in milliseconds; for times in seconds."""
    first, middle, third = statistics.quantiles(values, n=4)
    return f"p50 {middle * 1000:.2f} ms, quartiles {first * 1000:.2f}-{third * 1000:.2f}"
