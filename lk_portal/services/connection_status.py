"""How reading each meter goes, and when to try next. For `services.readings` only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import MeterError
from lk_portal.metering.types import PollOutcome
from lk_portal.models.types import to_milliseconds
from lk_portal.services.read_context import ConnectionState, MeterContext
from lk_portal.services.staging import Row, StageTable, run, stage

FIRST_RETRY_S = 30
LONGEST_RETRY_S = 300
MAX_ERROR_LENGTH = 400

Random = Callable[[], float]


def retry_delay_s(*, failures: int, interval_s: int, is_transient: bool, random: Random) -> float:
    """Seconds until the next try after `failures` in a row, of which this is the last.

    A transient failure is tried again soon, then ever later up to five minutes (or the interval, if that is
    longer), at a random time in the upper half so that the meters of a dead gateway do not come all at
    once. Others wait for the next regular time: trying sooner changes nothing.
    """
    if not is_transient:
        return interval_s
    ceiling = max(interval_s, LONGEST_RETRY_S)
    # 2 ** 10 of any first delay is beyond every ceiling; unlimited powers of two are not.
    doublings = min(max(failures - 1, 0), 10)
    delay = min(min(FIRST_RETRY_S, interval_s) << doublings, ceiling)
    return delay * (0.5 + random() / 2)


class StatusBook:
    """Collects what a batch's outcomes mean for their connections; `write` then keeps it."""

    def __init__(self, *, default_interval_s: int, random: Random) -> None:
        self._default_interval_s = default_interval_s
        self._random = random
        self._rows: dict[int, Row] = {}

    def note(self, outcome: PollOutcome, context: MeterContext) -> None:
        """Count one outcome; one that was counted before, or is older than such, changes nothing."""
        state, finished_ms = context.connection, to_milliseconds(outcome.finished_at)
        if state is None or finished_ms <= max(state.last_success_ms or 0, state.last_error_ms or 0):
            return
        interval_s = state.interval_s or self._default_interval_s
        attempts, successes = self._rows.get(context.meter_id, (0,) * 9)[7:9]
        started_ms = to_milliseconds(outcome.started_at)
        if outcome.error is None:
            state.last_success_ms, state.failures_in_row = finished_ms, 0
            delay_s, code, text, successes = float(interval_s), "", "", successes + 1
        else:
            state.last_error_ms, state.failures_in_row = finished_ms, state.failures_in_row + 1
            delay_s, code, text = self._failure(outcome.error, state, interval_s)
        self._rows[context.meter_id] = (
            context.meter_id,
            started_ms + round(delay_s * 1000),
            state.last_success_ms,
            state.last_error_ms,
            code,
            text,
            state.failures_in_row,
            attempts + 1,
            successes,
        )

    def _failure(self, error: MeterError, state: ConnectionState, interval_s: int) -> tuple[float, str, str]:
        delay_s = retry_delay_s(
            failures=state.failures_in_row,
            interval_s=interval_s,
            is_transient=error.is_transient,
            random=self._random,
        )
        # PostgreSQL's text cannot hold a zero byte, which a confused device may well send.
        return delay_s, error.code, str(error).replace("\0", "")[:MAX_ERROR_LENGTH]

    async def write(self, connection: AsyncConnection) -> None:
        """Keep what was noted, in the caller's transaction."""
        if self._rows:
            rows: Sequence[Row] = list(self._rows.values())
            await stage(connection, _STAGE, rows)
            await run(connection, _UPDATE)


_STAGE = StageTable(
    "stage_status",
    (
        ("meter_id", "INTEGER NOT NULL"),
        ("next_ms", "BIGINT NOT NULL"),
        ("success_ms", "BIGINT"),
        ("error_ms", "BIGINT"),
        ("code", "TEXT NOT NULL"),
        ("reason", "TEXT NOT NULL"),
        ("failures", "INTEGER NOT NULL"),
        ("attempts", "INTEGER NOT NULL"),
        ("successes", "INTEGER NOT NULL"),
    ),
    is_plain=False,
)

# After a recovery the last error stays readable; failures_in_row = 0 says that it is over.
_UPDATE = """
UPDATE meter_connection SET next_poll_at = MS(s.next_ms), last_success_at = MS(s.success_ms),
  last_error_at = MS(s.error_ms), failures_in_row = s.failures,
  last_error_code = CASE WHEN s.code = '' THEN last_error_code ELSE s.code END,
  last_error = CASE WHEN s.code = '' THEN last_error ELSE s.reason END,
  attempts = meter_connection.attempts + s.attempts, successes = meter_connection.successes + s.successes
FROM stage_status s WHERE meter_connection.meter_id = s.meter_id
"""
