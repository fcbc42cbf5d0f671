"""A worker without a queue around it, for the tests of files that are sent in."""

from __future__ import annotations

from lk_portal.services.context import Portal
from lk_portal.services.imports.run_work import Claim, Fate, claim, due, work_on


async def claimed(portal: Portal, run_id: int, *, worker: str = "one") -> Claim:
    """A run that is `worker`'s now."""
    found = await claim(portal.database, run_id, worker=worker, now=portal.clock())
    assert found is not None
    return found


async def work(portal: Portal, *, worker: str = "one") -> list[Fate]:
    """Do all that is wished for."""
    runs = await due(portal.database, now=portal.clock())
    return [await work_on(portal, await claimed(portal, run_id, worker=worker)) for run_id in runs]
