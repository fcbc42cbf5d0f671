"""How long a guesser has to wait. Pure arithmetic; the counting is the access service's.

Waiting grows and is capped: whoever knows a person's login can slow her sign-in by a minute, not lock it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """After `free` failures within `window` each further one doubles the wait, from 1 s to `cap_s`."""

    free: int
    cap_s: int
    window: timedelta = timedelta(hours=1)

    def wait_s(self, *, failures: int, last_failure_at: datetime | None, now: datetime) -> int:
        """Seconds until the next attempt is let through; 0 when it is at once."""
        if failures < self.free or last_failure_at is None:
            return 0
        pause = min(2 ** min(failures - self.free, 30), self.cap_s)
        remaining = last_failure_at + timedelta(seconds=pause) - now
        return max(0, -(-int(remaining.total_seconds() * 1000) // 1000))


BY_LOGIN = Policy(free=5, cap_s=60)
BY_ADDRESS = Policy(free=30, cap_s=600)
