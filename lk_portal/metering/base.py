"""The contract every protocol adapter keeps, and the registry the poller finds them in.

An adapter is read-only: it never writes to a meter and never operates a relay. A new protocol is one
module with `@register_adapter("name")` over a class; an installed package may bring it through the entry
point group `lk_portal.plugins`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, Protocol, runtime_checkable

from lk_portal.errors import N_, ConfigurationError
from lk_portal.metering.types import (
    Capability,
    GatewayTarget,
    LoadProfile,
    MeterTarget,
    PollOutcome,
    ProfileRecord,
    Snapshot,
)


@runtime_checkable
class MeterAdapter(Protocol):
    """A connection to one gateway, through which its meters are read one at a time.

    The poller owns it: it holds the gateway's lock around every call, keeps the adapter between cycles
    and closes it. Any method but `close` may raise a `MeterError`; nothing else leaves an adapter, save
    `asyncio.CancelledError` - and after that the adapter must be usable again (a link in doubt is
    dropped and made anew at the next call).
    """

    capabilities: ClassVar[frozenset[Capability]]

    async def read_registers(self, meter: MeterTarget) -> Snapshot:
        """Read the cumulative registers of `meter`; times are aware UTC, energies Wh before ratios.

        An adapter with `Capability.LOAD_STATE` brings the relay's state in the same snapshot.

        Raises:
            UnreachableError, MeterTimeoutError: Worth another try.
            ProtocolError, DeviceError, DataInvalidError, AuthFailedError, UnsupportedError: Not.
        """
        ...

    async def close(self) -> None:
        """Give the connection up. Never raises; may be called twice."""
        ...


@runtime_checkable
class ProfileAdapter(MeterAdapter, Protocol):
    """An adapter with `Capability.INTERVALS`: it can also read what a meter keeps of the past."""

    def profile_of(self, meter: MeterTarget) -> LoadProfile | None:
        """The load profile of `meter`, by its model and without asking it; None: it keeps none."""
        ...

    async def read_profile(
        self, meter: MeterTarget, start: datetime, end: datetime
    ) -> tuple[ProfileRecord, ...]:
        """The records of intervals that lie in [start, end), aware UTC, oldest first.

        What the meter has no record of is not there: never a zero. So is an interval of which two records
        say different things, or whose time does not follow from its stamp. The meter's clock is looked at
        first: an archive by a wrong clock would put energy where it was not used.

        Raises:
            UnsupportedError: The meter keeps no load profile.
            ClockWrongError: Its clock is wrong by more than a tenth of an interval.
            MeterError: As `read_registers`.
        """
        ...


AdapterFactory = Callable[[GatewayTarget], MeterAdapter]

_adapters: dict[str, AdapterFactory] = {}


def register_adapter(*protocols: str) -> Callable[[AdapterFactory], AdapterFactory]:
    """Make a factory (usually the adapter's class) known under `protocols`.

    Raises:
        ConfigurationError: The name is taken.
    """

    def register(factory: AdapterFactory) -> AdapterFactory:
        for protocol in protocols:
            if protocol in _adapters:
                raise ConfigurationError(detail=f"protocol {protocol!r} is registered twice")
            _adapters[protocol] = factory
        return factory

    return register


def adapter_for(gateway: GatewayTarget) -> MeterAdapter:
    """A new, not yet connected adapter for `gateway`.

    Raises:
        ConfigurationError: No adapter speaks the gateway's protocol.
    """
    factory = _adapters.get(gateway.protocol)
    if factory is None:
        raise ConfigurationError(
            N_("Unknown protocol {protocol}; known: {known}"),
            protocol=gateway.protocol,
            known=", ".join(sorted(_adapters)),
        )
    return factory(gateway)


def profile_of(gateway: GatewayTarget, meter: MeterTarget) -> LoadProfile | None:
    """The load profile that `meter` keeps and its adapter can read; None: there is none. Asks nobody.

    Raises:
        ConfigurationError: No adapter speaks the gateway's protocol.
    """
    adapter = adapter_for(gateway)
    if Capability.INTERVALS in adapter.capabilities and isinstance(adapter, ProfileAdapter):
        return adapter.profile_of(meter)
    return None


def known_protocols() -> tuple[str, ...]:
    """The registered protocol names, sorted."""
    return tuple(sorted(_adapters))


class ReadingSink(Protocol):
    """Where the poller hands its outcomes; services implement it over the database."""

    async def store(self, outcomes: tuple[PollOutcome, ...]) -> None:
        """Keep all of `outcomes` in one transaction; storing the same outcomes again changes nothing.

        Raises:
            StorageError: Nothing was kept; the caller may try again with the same outcomes.
        """
        ...
