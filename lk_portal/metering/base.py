"""The contract every protocol adapter keeps, and the registry the poller finds them in.

An adapter is read-only: it never writes to a meter and never operates a relay. A new protocol is one
module with `@register_adapter("name")` over a class; an installed package may bring it through the entry
point group `lk_portal.plugins`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol, runtime_checkable

from lk_portal.errors import N_, ConfigurationError
from lk_portal.metering.types import Capability, GatewayTarget, MeterTarget, PollOutcome, Snapshot


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
