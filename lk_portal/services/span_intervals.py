"""From energy between two readings to rows of intervals. For `services.readings` and `services.segments`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.metering.derive import Piece, pieces
from lk_portal.metering.types import IntervalFlag, Quality, Quantity
from lk_portal.models.types import from_milliseconds, to_milliseconds
from lk_portal.services.intervals import IntervalRow
from lk_portal.services.profiles import Profile, load_profile
from lk_portal.services.read_context import Placement
from lk_portal.services.register_steps import Span

LONG_GAP_MS = 3 * 3_600_000
"""A longer gap is spread by the point's own profile, not evenly."""


@dataclass(frozen=True, slots=True)
class PlacedSpan:
    """Energy of one quantity where the meter stood, before ratios."""

    place: Placement
    quantity: Quantity
    span: Span


IntervalKey = tuple[int, int, int]


async def interval_rows(
    connection: AsyncConnection, spans: Sequence[PlacedSpan]
) -> tuple[list[IntervalRow], dict[int, int]]:
    """Cut spans at local hours and tariff-zone edges and sum the pieces up by interval, after ratios.

    Returns:
        The rows, one for each interval; and for each point until when it has data, ms since 1970.
    """
    rows: dict[IntervalKey, IntervalRow] = {}
    until_ms: dict[int, int] = {}
    for placed in spans:
        profile = await _profile(connection, placed) if _is_long(placed.span) else None
        point_id = placed.place.point_id
        for row in _whole(placed) or [_row(placed, piece) for piece in _pieces(placed, profile)]:
            _add(rows, row)
        until_ms[point_id] = max(placed.span.end_ms, until_ms.get(point_id, 0))
    return list(rows.values()), until_ms


def _is_long(span: Span) -> bool:
    return span.end_ms - span.start_ms > LONG_GAP_MS


async def _profile(connection: AsyncConnection, placed: PlacedSpan) -> Profile | None:
    return await load_profile(
        connection,
        point_id=placed.place.point_id,
        quantity=placed.quantity,
        before=from_milliseconds(placed.span.start_ms),
        tz=placed.place.clock.tz,
    )


def _whole(placed: PlacedSpan) -> list[IntervalRow]:
    """The one row of a span inside one slot, which needs no interpolation; empty for others."""
    span = placed.span
    slot = placed.place.clock.slot_at(span.start_ms)
    if span.end_ms > slot.end_ms:
        return []
    flags, quality = int(span.flags), int(Quality.MEASURED)
    value_wh = span.scaled_wh(placed.place.ratio)
    covered_s = _covered_s(span.start_ms, span.end_ms)
    head = (placed.place.point_id, int(placed.quantity), slot.start_ms, slot.duration_s)
    return [IntervalRow(*head, value_wh, covered_s, quality, flags)]


def _pieces(placed: PlacedSpan, profile: Profile | None) -> list[Piece]:
    span = placed.span
    is_reset = bool(span.flags & IntervalFlag.RESET)
    found = pieces(
        from_milliseconds(span.start_ms),
        from_milliseconds(span.end_ms),
        span.scaled_wh(placed.place.ratio),
        boundaries=placed.place.clock.boundaries(span.start_ms, span.end_ms),
        weights=profile,
        flags=span.flags & ~IntervalFlag.RESET,
    )
    if is_reset:  # only the interval in which the meter began anew
        found[0] = replace(found[0], flags=found[0].flags | IntervalFlag.RESET)
    return found


def _row(placed: PlacedSpan, piece: Piece) -> IntervalRow:
    start_ms, end_ms = to_milliseconds(piece.start), to_milliseconds(piece.end)
    slot = placed.place.clock.slot_at(start_ms)
    return IntervalRow(
        placed.place.point_id,
        int(placed.quantity),
        slot.start_ms,
        slot.duration_s,
        piece.value_wh,
        _covered_s(start_ms, end_ms),
        int(piece.quality),
        int(piece.flags),
    )


def _covered_s(start_ms: int, end_ms: int) -> int:
    """Whole seconds; both ends are rounded up, so that the pieces of a whole hour cover exactly 3600."""
    return -(-end_ms // 1000) + (-start_ms // 1000)


def _add(rows: dict[IntervalKey, IntervalRow], row: IntervalRow) -> None:
    key = row[:3]
    before = rows.get(key)
    if before is not None:
        row = row._replace(
            value_wh=row.value_wh + before.value_wh,
            covered_s=row.covered_s + before.covered_s,
            quality=max(row.quality, before.quality),
            flags=row.flags | before.flags,
        )
    rows[key] = row
