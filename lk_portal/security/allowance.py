"""How much of something cheap one visitor may have, counted in this process only.

For what is asked too often to be written down each time, such as suggestions while a person types. What must
outlast a restart is counted by `services.throttling`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Allowance:
    """A token bucket for each key: `burst` at once, `per_s` a second for ever; memory has a bound.

    Attributes:
        most_keys: Of more, the ones unused for longest are forgotten, and begin full again.
    """

    burst: float
    per_s: float
    most_keys: int = 10_000
    _left: OrderedDict[str, tuple[float, datetime]] = field(default_factory=OrderedDict)

    def take(self, key: str, *, at: datetime) -> bool:
        """Whether `key` may have one more at this time."""
        left, since = self._left.pop(key, (self.burst, at))
        left = min(self.burst, left + max(0.0, (at - since).total_seconds()) * self.per_s)
        is_there = left >= 1
        self._left[key] = (left - 1 if is_there else left, at)
        if len(self._left) > self.most_keys:
            self._left.popitem(last=False)
        return is_there
