"""How long a guesser has to wait. Pure arithmetic; the counting is `services.throttling`'s.

Waiting grows and is capped: whoever knows a person's login can slow her sign-in down, not lock it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


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

    @property
    def saturation(self) -> int:
        """So many failures make the longest wait; counting more would change nothing."""
        return self.free + self.cap_s.bit_length()


BY_LOGIN_AND_ADDRESS = Policy(free=5, cap_s=900)
BY_LOGIN_AND_NETWORK = Policy(free=20, cap_s=900)
BY_LOGIN = Policy(free=50, cap_s=60)
BY_DEVICE = Policy(free=5, cap_s=900)
BY_ADDRESS = Policy(free=30, cap_s=600)
BY_NETWORK = Policy(free=300, cap_s=600)
OVERALL = Policy(free=2000, cap_s=60)
LONGEST_WINDOW = timedelta(hours=1)


def host_of(address: str) -> str:
    """Whom an address stands for: one IPv4 address, or the /64 of IPv6, which one household has whole."""
    return _block(address, v4=32, v6=64)


def network_of(address: str) -> str:
    """The neighbourhood of an address: /24 of IPv4, /48 of IPv6; anything else stands for itself."""
    return _block(address, v4=24, v6=48)


def _block(address: str, *, v4: int, v6: int) -> str:
    try:
        found: IPv4Address | IPv6Address = ip_address(address.strip())
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or IPv6Address(int(found))  # without the scope of a link
    length = v4 if found.version == 4 else v6
    return str(ip_network(f"{found}/{length}", strict=False))
