"""How a meter is called where one is chosen from a list. Pure; for the pages that have such a list."""

from __future__ import annotations

from lk_portal.services.consumption import PointView


def meter_text(point: PointView) -> str:
    """The subscriber's own name for it, else its serial number, and where it is."""
    return " · ".join(part for part in (point.name or point.serial, point.address) if part)
