"""The vocabulary of metering, shared by adapters, models and services.

Only the standard library is imported here, so that `models` may use the same words as the adapters: one
`Quantity`, not two. Names follow IEC 61968-9 / ESPI; energies are integers of Wh (varh for reactive).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, IntFlag, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lk_portal.errors import MeterError


class Quantity(IntEnum):
    """Kind of energy a register counts. Values are stored; never renumber."""

    A_PLUS = 1
    A_MINUS = 2
    R_PLUS = 3
    R_MINUS = 4

    @property
    def is_reactive(self) -> bool:
        """Reactive energy is shown in kvarh, active in kWh."""
        return self in (Quantity.R_PLUS, Quantity.R_MINUS)


class Quality(IntEnum):
    """How a value came to be (ESPI ReadingQuality, reduced). Higher is worse; values are stored."""

    MEASURED = 1
    ESTIMATED = 2
    EDITED = 3
    MISSING = 4


class IntervalFlag(IntFlag):
    """What else is to be known of an interval's value. Bits are stored; never renumber."""

    NONE = 0
    SPLIT = 1
    """An edge lies between two snapshots: the register there is interpolated."""
    ROLLOVER = 2
    """The register passed its capacity inside the interval."""
    RESET = 4
    """The register began anew inside the interval; the energy across the jump is unknown, not counted."""
    SPREAD = 8
    """The snapshots were further apart than the interval: their difference was spread over it."""
    ARCHIVE = 16
    """It comes from the meter's own load profile, read afterwards."""


class LoadState(StrEnum):
    """Состояние нагрузки: what the relay of the meter does."""

    ON = "on"
    OFF = "off"
    READY = "ready"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How serious an event is: Критические, Предупреждения, Информационные."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Capability(StrEnum):
    """What an adapter can be asked for."""

    CLOCK = "clock"
    REGISTERS = "registers"
    INTERVALS = "intervals"
    DAILY = "daily"
    MONTHLY = "monthly"
    EVENTS = "events"
    LOAD_STATE = "load_state"


@dataclass(frozen=True, slots=True)
class RegisterValue:
    """One cumulative register of a meter at one moment, before ratios.

    Attributes:
        quantity: What is counted.
        zone: 0 is the sum, 1..8 are the meter's own tariff registers.
        value_wh: Wh or varh, as the meter counts (КТТ and КТН not applied).
    """

    quantity: Quantity
    zone: int
    value_wh: int


@dataclass(frozen=True, slots=True)
class RelayState:
    """What a meter says of its load relay: attributes 2 and 3 of the disconnect control (COSEM class 70).

    Attributes:
        is_output_on: Attribute 2; None where the meter does not tell.
        control_state: Attribute 3: 0 disconnected, 1 connected, 2 ready for reconnection; None likewise.
    """

    is_output_on: bool | None
    control_state: int | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All registers of a meter that were read together, and its relay where the adapter can read it.

    Attributes:
        taken_at: Aware UTC; when the answer arrived (Modbus) or the meter's own stamp (archives).
        registers: At most one value for each (quantity, zone).
        relay: Only of adapters with `Capability.LOAD_STATE`, and of meters that have a relay.
    """

    taken_at: datetime
    registers: tuple[RegisterValue, ...]
    relay: RelayState | None = None


@dataclass(frozen=True, slots=True)
class LoadProfile:
    """What a meter keeps of the past: the energy of each interval, for a while.

    Attributes:
        interval: Length of an interval; an hour at most, and a whole number of them is an hour.
        depth: How far back it goes when none was left out.
        quantities: What is kept.
        resolution_wh: How far an interval's energy may be from the truth, Wh before ratios.
    """

    interval: timedelta
    depth: timedelta
    quantities: frozenset[Quantity]
    resolution_wh: int


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """The energy of one interval [start, end), as the meter's load profile has it.

    Attributes:
        quantity: What was counted.
        start: Aware UTC.
        end: Aware UTC.
        value_wh: Wh or varh before ratios; 0 of a missing one, which is never to be counted.
        quality: By the status the meter gave the record: MEASURED; ESTIMATED: not exact, by its own words;
            MISSING: not to be used, by its own words.
    """

    quantity: Quantity
    start: datetime
    end: datetime
    value_wh: int
    quality: Quality


@dataclass(frozen=True, slots=True)
class MeterTarget:
    """What the poller needs to know of one meter.

    Attributes:
        meter_id: The caller's key; handed back in the outcome.
        serial: For logs and for people.
        model: Name of the register map or, for other protocols, of the meter model.
        device_id: Address on the line (Modbus unit, HDLC server address).
        options: Protocol-specific settings of this meter.
    """

    meter_id: int
    serial: str
    model: str
    device_id: int = 1
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GatewayTarget:
    """One line to meters: a TCP endpoint on which one question is asked at a time.

    Attributes:
        gateway_id: The caller's key.
        protocol: Name under which an adapter is registered, e.g. `modbus-tcp`, `modbus-rtu-over-tcp`.
        host: Name or address.
        port: TCP port.
        timeout_s: How long one answer may take.
        meters: The meters to read through it now.
    """

    gateway_id: int
    protocol: str
    host: str
    port: int
    timeout_s: float
    meters: tuple[MeterTarget, ...]

    @property
    def endpoint(self) -> str:
        """`host:port`, the name of the line in messages and the key of its lock."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class PollOutcome:
    """What came of reading one meter once: a snapshot or an error, never both.

    Attributes:
        meter_id: From the target.
        started_at: Aware UTC.
        finished_at: Aware UTC.
        snapshot: What was read.
        error: Why nothing was read.
    """

    meter_id: int
    started_at: datetime
    finished_at: datetime
    snapshot: Snapshot | None = None
    error: MeterError | None = None
