"""Values that cannot be true, kept for a person to look at. For `services.readings` only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.metering.types import Quantity
from lk_portal.models import ReadingReview, ReviewReason
from lk_portal.models.types import from_milliseconds
from lk_portal.services.tables import table_of


@dataclass(frozen=True, slots=True)
class Doubt:
    """A value that was not taken; times in ms since 1970, Wh before ratios."""

    meter_id: int
    quantity: Quantity
    zone: int
    reason: ReviewReason
    at_ms: int
    value_wh: int
    previous_at_ms: int
    previous_wh: int
    is_rebased: bool

    @property
    def key(self) -> tuple[int, Quantity, int, ReviewReason]:
        """One review is open for each of these at a time."""
        return self.meter_id, self.quantity, self.zone, self.reason


async def keep_doubts(connection: AsyncConnection, doubts: Sequence[Doubt]) -> None:
    """Open a review for each doubt, or bring the open one up to date."""
    if not doubts:
        return
    rows = await connection.execute(_OPEN, {"meters": sorted({doubt.meter_id for doubt in doubts})})
    opened: dict[tuple[Any, ...], int] = {tuple(row[1:]): row[0] for row in rows}
    for doubt in doubts:
        review_id = opened.get(doubt.key)
        if review_id is None:
            inserted = await connection.execute(_INSERT, _values(doubt))
            opened[doubt.key] = inserted.scalar_one()
        else:
            await connection.execute(_UPDATE, {**_values(doubt), "review_id": review_id})
        if doubt.is_rebased:
            rebased = {"meter": doubt.meter_id, "kind": doubt.quantity, "of": doubt.zone}
            await connection.execute(_REBASE, rebased)


def _values(doubt: Doubt) -> dict[str, object]:
    return {
        "meter_id": doubt.meter_id,
        "quantity": doubt.quantity,
        "zone": doubt.zone,
        "reason": doubt.reason,
        "taken_at": from_milliseconds(doubt.at_ms),
        "value_wh": doubt.value_wh,
        "previous_at": from_milliseconds(doubt.previous_at_ms),
        "previous_wh": doubt.previous_wh,
        "is_open": True,
        "is_rebased": doubt.is_rebased,
    }


_review = table_of(ReadingReview)
_OPEN = select(_review.c.id, _review.c.meter_id, _review.c.quantity, _review.c.zone, _review.c.reason).where(
    _review.c.is_open.is_(True), _review.c.meter_id.in_(bindparam("meters", expanding=True))
)
_INSERT = insert(_review).returning(_review.c.id)
_UPDATE = update(_review).where(_review.c.id == bindparam("review_id"))
# A fall and a spike may be open for one register; both are over when it goes on from a new base.
_REBASE = (
    update(_review)
    .where(
        _review.c.meter_id == bindparam("meter"),
        _review.c.quantity == bindparam("kind"),
        _review.c.zone == bindparam("of"),
        _review.c.is_open.is_(True),
    )
    .values(is_rebased=True)
)
