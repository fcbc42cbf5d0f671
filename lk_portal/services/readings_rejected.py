"""Values that were not taken, said where people look: the connection's last error and the log.

For `services.readings` only. The meter did answer, so its connection goes well; but whoever asks why a point
has no new data must find the reason beside the connection (shared/metering.md, rule 7), not only in a review.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, DataInvalidError
from lk_portal.metering.types import PollOutcome, Quantity, RegisterValue
from lk_portal.models import ReviewReason
from lk_portal.models.types import to_milliseconds
from lk_portal.services.register_steps import Mark
from lk_portal.services.reviews import Doubt
from lk_portal.services.staging import StageTable, run, stage

MAX_REGISTER_WH = 2**60 - 1
"""The databases hold 63 bits, and a sum of eight tariff registers must fit too."""
MAX_ERROR_LENGTH = 400

MarkKey = tuple[int, Quantity, int]
"""Meter, quantity, zone."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rejection:
    """What was refused of one reading of a meter.

    Attributes:
        meter_id: Whose.
        finished_ms: When the poll was over, ms since 1970.
        error: Why, for people.
    """

    meter_id: int
    finished_ms: int
    error: DataInvalidError


def storable(outcome: PollOutcome) -> PollOutcome:
    """The outcome, or a failure in its place where a value fits no database.

    The fault of one meter must not keep the others of its batch from being stored.
    """
    registers = outcome.snapshot.registers if outcome.snapshot else ()
    wrong = next((one for one in registers if not 0 <= one.value_wh <= MAX_REGISTER_WH), None)
    if wrong is None:
        return outcome
    return replace(outcome, snapshot=None, error=_impossible(wrong))


def _impossible(register: RegisterValue) -> DataInvalidError:
    return DataInvalidError(
        N_("Impossible value: {register} = {value}"),
        register=f"{register.quantity.name}.{register.zone}",
        value=f"{Decimal(register.value_wh):.4g}",  # a corrupt float has hundreds of digits
    )


def rejections_of(doubts: Iterable[Doubt], outcomes: Iterable[PollOutcome]) -> tuple[Rejection, ...]:
    """The last refused reading of each meter; one from which the meter goes on is not refused any more."""
    refused: dict[tuple[int, int], list[str]] = defaultdict(list)
    for doubt in doubts:
        if not doubt.is_rebased:
            refused[doubt.meter_id, doubt.at_ms].append(_sentence(doubt))
    if not refused:
        return ()
    last: dict[int, Rejection] = {}
    for outcome in outcomes:
        if outcome.snapshot is None:
            continue
        reasons = refused.get((outcome.meter_id, to_milliseconds(outcome.snapshot.taken_at)))
        if reasons:
            error = DataInvalidError(detail="; ".join(reasons))
            last[outcome.meter_id] = Rejection(outcome.meter_id, to_milliseconds(outcome.finished_at), error)
    return tuple(last.values())


def _sentence(doubt: Doubt) -> str:
    unit = "varh" if doubt.quantity.is_reactive else "Wh"
    verb = "fell" if doubt.reason is ReviewReason.FELL else "grew"
    seconds = (doubt.at_ms - doubt.previous_at_ms) // 1000
    return (
        f"{doubt.quantity.name}.{doubt.zone} {verb} from {doubt.previous_wh} to {doubt.value_wh} {unit}"
        f" within {seconds} s"
    )


async def show_rejections(connection: AsyncConnection, rejections: Collection[Rejection]) -> None:
    """Let each meter's connection have the reason as its last error, unless it has a later one.

    `last_error_at` then is not before `last_success_at`, which tells it from an error that is over.
    """
    if not rejections:
        return
    rows = [(r.meter_id, r.finished_ms, r.error.code, str(r.error)[:MAX_ERROR_LENGTH]) for r in rejections]
    await stage(connection, _STAGE, rows)
    await run(connection, _SHOW)


class RejectionLog:
    """Logs the first of a run of refused readings and its end; one a minute would hide everything else."""

    def __init__(self) -> None:
        self._refused: set[MarkKey] = set()
        self._unstorable: set[int] = set()

    def note(self, doubts: Iterable[Doubt], marks: Mapping[MarkKey, Mark]) -> None:
        """Tell what a committed batch came to, in one line a meter.

        Args:
            doubts: What it refused.
            marks: The registers that it moved, whether to an accepted value or to a candidate.
        """
        told: dict[tuple[str, int], list[str]] = defaultdict(list)
        for doubt in doubts:
            key = (doubt.meter_id, doubt.quantity, doubt.zone)
            if doubt.is_rebased:
                told["readings.rebased", doubt.meter_id].append(_sentence(doubt))
            elif key not in self._refused:
                self._refused.add(key)
                told["readings.rejected", doubt.meter_id].append(_sentence(doubt))
        for (event, meter_id), reasons in told.items():
            log.warning(event, extra={"meter_id": meter_id, "reason": "; ".join(reasons)})
        if self._refused:
            self._note_recovered(marks)

    def note_unstorable(self, given: Iterable[PollOutcome], kept: Iterable[PollOutcome]) -> None:
        """Tell of outcomes that `storable` made failures of; `given` and `kept` are in the same order."""
        for before, after in zip(given, kept, strict=True):
            if after is not before and before.meter_id not in self._unstorable:
                self._unstorable.add(before.meter_id)
                log.warning(
                    "readings.rejected", extra={"meter_id": after.meter_id, "reason": str(after.error)}
                )
            elif after is before and after.snapshot:
                self._unstorable.discard(after.meter_id)

    def _note_recovered(self, marks: Mapping[MarkKey, Mark]) -> None:
        for key in [key for key in self._refused if key in marks and not marks[key].candidate_count]:
            self._refused.discard(key)
            meter_id, quantity, zone = key
            register = f"{quantity.name}.{zone}"
            log.info("readings.accepted_again", extra={"meter_id": meter_id, "register": register})


_STAGE = StageTable(
    "stage_rejection",
    (
        ("meter_id", "INTEGER NOT NULL"),
        ("at_ms", "BIGINT NOT NULL"),
        ("code", "TEXT NOT NULL"),
        ("reason", "TEXT NOT NULL"),
    ),
    is_plain=False,
)
_SHOW = """
UPDATE meter_connection SET last_error_at = MS(s.at_ms), last_error_code = s.code, last_error = s.reason
FROM stage_rejection s
WHERE meter_connection.meter_id = s.meter_id
  AND (meter_connection.last_error_at IS NULL OR meter_connection.last_error_at < MS(s.at_ms))
"""
