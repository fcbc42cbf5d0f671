"""What the records of a meter's archive are worth for holes of one quantity. Pure; for `replay_store`.

Only slots that records fill exactly are filled; the rest stays what it is. What they add up to is set beside
what the register grew by (shared/metering.md, rule 6): where both contradict each other nothing is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise

from lk_portal.metering.types import ProfileRecord, Quality
from lk_portal.models.types import to_milliseconds
from lk_portal.services.clocks import Slot
from lk_portal.services.holes import Backing, Slotted
from lk_portal.services.register_growth import Growth


class Fate(StrEnum):
    """What became of a slot of a hole. Values are stored."""

    FILLED = "filled"
    """From the archive, and the register agrees."""
    UNCHECKED = "unchecked"
    """From the archive; there is no register value before or after to compare with."""
    DISAGREES = "disagrees"
    """Not taken: the archive and the register contradict each other."""
    ABSENT = "absent"
    """The archive has no record of it."""
    MARKED = "marked"
    """The meter itself says that the record is not to be used."""
    PARTIAL = "partial"
    """The archive has a part of it, or its intervals do not fit."""
    OLD = "old"
    """It is further back than the archive goes."""
    SPLIT = "split"
    """Values of other lengths are stored there."""


TAKEN = (Fate.FILLED, Fate.UNCHECKED)


@dataclass(frozen=True, slots=True)
class Fill:
    """What the archive says of a slot: energy before ratios, in Wh."""

    value_wh: int
    quality: Quality


@dataclass(frozen=True, slots=True)
class Comparison:
    """An archive beside a register, over the slots between two readings, Wh after ratios.

    Attributes:
        archive_wh: What the known slots add up to.
        register_wh: What the register grew by.
        is_agreed: Both can be true.
    """

    archive_wh: int
    register_wh: int
    is_agreed: bool


def fill_of(slot: Slot, records: Sequence[ProfileRecord]) -> Fill | Fate:
    """What `records` of one quantity, oldest first, say of a slot; or why they say nothing."""
    own = [
        one
        for one in records
        if to_milliseconds(one.start) < slot.end_ms and to_milliseconds(one.end) > slot.start_ms
    ]
    if not own:
        return Fate.ABSENT
    if any(one.quality is Quality.MISSING for one in own):
        return Fate.MARKED
    edges = [slot.start_ms, *(to_milliseconds(one.end) for one in own)]
    is_exact = edges[:-1] == [to_milliseconds(one.start) for one in own] and edges[-1] == slot.end_ms
    if not is_exact:
        return Fate.PARTIAL
    return Fill(sum(one.value_wh for one in own), max(one.quality for one in own))


def compare(
    region: Sequence[Slotted], fills: Mapping[int, int], growth: Growth, *, resolution_wh: int
) -> Comparison:
    """Whether what the archive fills can be true, by the register.

    All slots between the readings around the hole are looked at. Where some stay unknown, the known ones may
    say less than the register, but not more. The meter's clock may be off a little, so that a part of an
    interval's energy lies on the other side of an edge.

    Args:
        region: The slots of the growth.
        fills: What the archive says, by the start of the slot in ms, Wh after ratios.
        growth: Of the register.
        resolution_wh: How far rounding may carry the sum, Wh after ratios.
    """
    known = known_values(region, fills)
    total_wh, largest_wh = sum(known.values()), max(known.values(), default=0)
    slack_wh = growth.uncertain_wh + resolution_wh + largest_wh // 5
    first_ms, last_ms = region[0].slot.start_ms, region[-1].slot.start_ms
    beyond_wh = (0 if growth.is_begun else known.get(first_ms, 0)) + (
        0 if growth.is_closed else known.get(last_ms, 0)
    )
    is_too_much = total_wh > growth.grown_wh + slack_wh + beyond_wh
    unknown = {one.slot.start_ms for one in region}.difference(known)
    is_whole = not unknown or (not growth.is_closed and unknown == {last_ms})
    rest_wh = 2 * largest_wh if unknown else 0  # an hour that is not over yet
    is_too_little = is_whole and total_wh < growth.grown_wh - slack_wh - rest_wh
    return Comparison(total_wh, growth.grown_wh, is_agreed=not (is_too_much or is_too_little))


def known_values(region: Iterable[Slotted], fills: Mapping[int, int]) -> dict[int, int]:
    """The energy of the slots of which it is measured, by their start in ms."""
    found: dict[int, int] = {}
    for one in region:
        start_ms = one.slot.start_ms
        if start_ms in fills:
            found[start_ms] = fills[start_ms]
        elif one.backing is Backing.MEASURED or (one.is_archived and not one.is_hole):
            found[start_ms] = one.value_wh
    return found


def settled(region: Sequence[Slotted], fills: Mapping[int, int], growth: Growth) -> dict[int, int]:
    """New estimates for the slots that the archive has not, so that all together are what the register says.

    The poller had spread the register's growth over all of them; what is measured now must not be counted in
    the others once more. They keep their proportions. Empty where it cannot be told.
    """
    is_touched = bool(fills) or any(one.is_archived for one in region)
    if not (is_touched and growth.is_begun and growth.is_closed):
        return {}
    known = known_values(region, fills)
    left = [one for one in region if one.slot.start_ms not in known]
    if not all(one.backing is Backing.ESTIMATED and one.is_on_grid for one in left):
        return {}
    rest_wh = max(0, growth.grown_wh - sum(known.values()))
    weights = [one.value_wh for one in left]
    if not any(weights):
        weights = [one.slot.duration_s for one in left]
    marks = [0, *accumulate(weights)]
    shares = [rest_wh * upto // marks[-1] for upto in marks] if left else [0]
    return {
        one.slot.start_ms: after - before for one, (before, after) in zip(left, pairwise(shares), strict=True)
    }
