"""A loop that outlives its failures. For the worker's own loops.

A task of asyncio that dies is only logged, and what it did is then not done any more, silently. Here a
failure is logged once with its error number, tried again after growing pauses, and its end logged once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from random import Random

from lk_portal.logs import report
from lk_portal.services.context import Clock

LONGEST_PAUSE_S = 60.0

log = logging.getLogger(__name__)


class SupervisedLoop:
    """Takes one turn after another until cancelled.

    Args:
        name: For the log.
        turn: What is done again and again.
        pause_s: Seconds until the next turn, asked after each good one.
        clock: Aware UTC now.
        random: For the jitter of pauses after a failure.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], Awaitable[None]],
        *,
        pause_s: Callable[[], float],
        clock: Clock,
        random: Random | None = None,
    ) -> None:
        self.name = name
        self.last_success_at: datetime | None = None
        self.failures_in_row = 0
        self._turn = turn
        self._pause_s = pause_s
        self._clock = clock
        self._random = random or Random()  # noqa: S311 - jitter, not a secret

    async def run(self) -> None:
        """Run until cancelled; nothing else ends it."""
        while True:
            try:
                await self._turn()
            except Exception as error:
                self._failed(error)
                await asyncio.sleep(self._back_off_s())
            else:
                self._succeeded()
                await asyncio.sleep(self._pause_s())

    def _failed(self, error: Exception) -> None:
        if not self.failures_in_row:
            log.error("jobs.loop.failed", extra={"loop": self.name, "error_number": report(error)})
        self.failures_in_row += 1

    def _succeeded(self) -> None:
        if self.failures_in_row:
            log.warning("jobs.loop.recovered", extra={"loop": self.name, "failures": self.failures_in_row})
        self.failures_in_row = 0
        self.last_success_at = self._clock()

    def _back_off_s(self) -> float:
        """1, 2, 4 ... seconds and up to a minute, each a little more or less."""
        return min(2.0 ** (self.failures_in_row - 1), LONGEST_PAUSE_S) * self._random.uniform(0.5, 1.5)
