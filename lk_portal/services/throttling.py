"""Counting what may be tried only so often: wrong passwords, registrations, recoveries.

The counters are in the database, so a restart does not forget. Waits grow, and there is no way for an enemy
to use them against a person. Two kinds of gates:

- one of a visitor's own (his address, his network, his known browser): its failures are his, its clock too;
- a *shared* one (a login, the whole portal), to which everybody's failures add up. How long one waits there
  depends on everybody's failures, but since when only on one's own: who has not failed is let through, so
  thousands of strangers who guess at a login keep its owner waiting for nothing.

Keys are stored as hashes. A key keeps no more rows than its longest wait needs, and the table has a bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import ThrottledError
from lk_portal.models import Attempt
from lk_portal.security import throttle
from lk_portal.security.throttle import Policy, host_of, network_of
from lk_portal.security.tokens import hash_of
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit

MAX_ROWS = 200_000
"""About 30 MB with the index; the oldest go first. A flood cannot fill the disk."""

_attempt = table_of(Attempt)
_c = _attempt.c


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing that is counted under `key`; `clock` is the key whose last failure a wait is measured from.

    An empty `clock` means the key's own. A shared gate names a key of the visitor's own that is counted
    together with it.
    """

    key: str
    policy: Policy
    clock: str = ""


def visit_gates(purpose: str, visit: Visit) -> tuple[Gate, ...]:
    """The gates of whatever anybody may do without a login: by address, by network, overall."""
    address = f"{purpose}:address:{host_of(visit.address)}"
    return (
        Gate(address, throttle.BY_ADDRESS),
        Gate(f"{purpose}:network:{network_of(visit.address)}", throttle.BY_NETWORK),
        Gate(f"{purpose}:overall", throttle.OVERALL, clock=address),
    )


async def refuse(database: Database, gates: Sequence[Gate], *, now: datetime) -> None:
    """Do nothing, unless one of the gates is closed now.

    Raises:
        ThrottledError: It is; `seconds` is the longest wait of all.
    """
    async with database.reading() as connection:
        waits = [await _wait_s(connection, gate, now) for gate in gates]
    if longest := max(waits, default=0):
        raise ThrottledError(seconds=longest)


async def count(database: Database, gates: Sequence[Gate], *, now: datetime) -> tuple[Gate, ...]:
    """Count one more at every gate; gives the gates that this one has closed."""
    async with database.writing() as connection:
        return await count_in(connection, gates, now=now)


async def count_in(connection: AsyncConnection, gates: Sequence[Gate], *, now: datetime) -> tuple[Gate, ...]:
    """Like `count`, inside the caller's transaction."""
    rows = [{"key": hash_of(gate.key), "at": now} for gate in gates]
    await connection.execute(insert(_attempt), rows)
    closed = []
    for gate, row in zip(gates, rows, strict=True):
        failures, _last = await _failures(connection, gate.key, gate.policy, now)
        if failures == gate.policy.free:
            closed.append(gate)
        elif failures > gate.policy.saturation:
            await connection.execute(_beyond(str(row["key"]), keep=gate.policy.saturation))
    await connection.execute(delete(_attempt).where(_c.id <= _NEWEST - MAX_ROWS))
    return tuple(closed)


async def forget(connection: AsyncConnection, gates: Sequence[Gate]) -> None:
    """Success: what was counted at these gates counts no more."""
    keys = [hash_of(gate.key) for gate in gates]
    await connection.execute(delete(_attempt).where(_c.key.in_(keys)))


async def forget_old(database: Database, *, now: datetime) -> None:
    """Delete what is older than the longest window."""
    async with database.writing() as connection:
        await connection.execute(delete(_attempt).where(_c.at < now - throttle.LONGEST_WINDOW))


async def _wait_s(connection: AsyncConnection, gate: Gate, now: datetime) -> int:
    failures, last = await _failures(connection, gate.key, gate.policy, now)
    if gate.clock and failures >= gate.policy.free:
        _own, last = await _failures(connection, gate.clock, gate.policy, now)
    return gate.policy.wait_s(failures=failures, last_failure_at=last, now=now)


async def _failures(
    connection: AsyncConnection, key: str, policy: Policy, now: datetime
) -> tuple[int, datetime | None]:
    """How many in the policy's window, and when the last was."""
    query = select(func.count(), func.max(_c.at)).where(_c.key == hash_of(key), _c.at > now - policy.window)
    failures, last = (await connection.execute(query)).one()
    return int(failures), last


_NEWEST = select(func.coalesce(func.max(_c.id), 0)).scalar_subquery()


def _beyond(key_hash: str, *, keep: int):  # type: ignore[no-untyped-def]
    """Deletes all rows of a key but the `keep` newest."""
    newest = select(_c.id).where(_c.key == key_hash).order_by(_c.at.desc(), _c.id.desc()).limit(keep)
    return delete(_attempt).where(_c.key == key_hash, _c.id.not_in(newest))
