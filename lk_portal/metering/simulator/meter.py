"""One simulated meter: what its registers hold now, and the faults it is told to show.

Tests and the command `lk simulate` use it through a `SimulatedGateway`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lk_portal.metering.decode import encode_register
from lk_portal.metering.map_fields import MapRegister
from lk_portal.metering.maps import RegisterMap, map_named
from lk_portal.metering.simulator.archive import SimulatedArchive
from lk_portal.metering.simulator.curve import LoadCurve
from lk_portal.metering.types import Quantity

Clock = Callable[[], datetime]


class SimulatedClock:
    """Real time, or faster; callable, answers aware UTC.

    Args:
        speed: Simulated seconds in a real one; may be changed at any time, without a jump.
        start: Where the time begins; now when not given.
    """

    def __init__(self, speed: float = 1.0, *, start: datetime | None = None) -> None:
        self._speed = speed
        self._since = time.monotonic()
        self._origin = start or datetime.now(UTC)

    def __call__(self) -> datetime:
        """The simulated time."""
        return self._origin + timedelta(seconds=(time.monotonic() - self._since) * self._speed)

    @property
    def speed(self) -> float:
        """Simulated seconds in a real one."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._origin, self._since = self(), time.monotonic()
        self._speed = speed


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What is wrong with a meter; the default is nothing. Replace it on the meter at run time.

    Attributes:
        silent: It does not answer.
        refuse_code: It answers every question with this Modbus exception code.
        late_s: It answers so much later.
        garbage: It answers bytes that are no frame.
        short: It answers one register too few.
        nan: Its float registers hold NaN (integers: all ones).
        all_ones: Its registers hold all ones.
        jump_wh: Its registers show so much more, or less when negative.
    """

    silent: bool = False
    refuse_code: int | None = None
    late_s: float = 0.0
    garbage: bool = False
    short: bool = False
    nan: bool = False
    all_ones: bool = False
    jump_wh: int = 0


JUMP_BACK = Faults(jump_wh=-50_000)
"""The register falls by 50 kWh, as after a repair."""
JUMP_TWH = Faults(jump_wh=10**12)
"""The register jumps by a TWh, as after a flipped bit."""


class SimulatedMeter:
    """A meter behind a gateway.

    Args:
        serial: Its number.
        map_name: Register map it answers by.
        device_id: Address on the line, 1..247.
        curve: Its energy; by its serial when not given.
        faults: What is wrong with it; assign another to the attribute at any time.
        offset_wh: Added to every register, e.g. to stand just below the capacity; may be assigned too.
    """

    def __init__(
        self,
        serial: str,
        map_name: str,
        device_id: int = 1,
        *,
        curve: LoadCurve | None = None,
        faults: Faults | None = None,
        offset_wh: int = 0,
    ) -> None:
        self.serial = serial
        self.map_name = map_name
        self.device_id = device_id
        self.curve = curve or LoadCurve.of_serial(serial)
        self.faults = faults or Faults()
        self.offset_wh = offset_wh
        ring = self.register_map.profile
        self.archive = SimulatedArchive(self, ring) if ring else None

    @property
    def register_map(self) -> RegisterMap:
        """The map behind `map_name`."""
        return map_named(self.map_name)

    def value_wh(self, at: datetime, quantity: Quantity, zone: int = 0) -> int:
        """What the register holds at `at` (aware), Wh before it is cut to its resolution; faults included.

        It wraps at the capacity and does not fall below zero.
        """
        register = self.register_map.register(quantity, zone)
        capacity_wh = register.capacity_wh if register else 10**18
        true_wh = (self.curve.value_wh(at, quantity, zone) + self.offset_wh) % capacity_wh
        return max(0, true_wh + self.faults.jump_wh)

    def words(self, at: datetime, register: MapRegister) -> tuple[int, ...]:
        """The words of `register` at `at`, in the order the meter sends them."""
        if self.faults.nan or self.faults.all_ones:
            return _nothing(register, is_nan=self.faults.nan)
        value_wh = self.value_wh(at, register.quantity, register.zone)
        return encode_register(register, self.register_map.word_order, min(value_wh, _highest(register)))


def _nothing(register: MapRegister, *, is_nan: bool) -> tuple[int, ...]:
    """NaN is quiet (7FC0 0000) in floats; integers have no such value and read all ones."""
    if is_nan and register.type.is_float:
        first = 0x7FC0 if register.type.words == 2 else 0x7FF8
        return (first, *(0 for _ in range(register.type.words - 1)))
    return (0xFFFF,) * register.type.words


def _highest(register: MapRegister) -> int:
    """The largest energy the register's type can show, short of the patterns that mean "no value"."""
    if register.type.is_float:
        return 10**18
    units: int = 2 ** (16 * register.type.words - 1) - 2
    return int(units * register.scale_wh)
