"""Where an attempt comes from. For everything that throttles or keeps an audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """The network address and the browser of a request or event, and when it came (aware UTC)."""

    address: str
    agent: str
    at: datetime
