"""Files that are sent in on the page: kept, checked, written, found again. On both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lk_portal.errors import InputError, NotFoundError
from lk_portal.models import AuditEntry, ImportStatus
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.imports import runs
from lk_portal.services.imports.registry_template import report_csv, template_csv, template_xlsx
from lk_portal.services.imports.run_work import GIVEN_UP, MOST_ATTEMPTS, Fate, claim, due, free, work_on
from lk_portal.services.imports.runs import LEASE, PATIENCE
from lk_portal.services.imports.source import BadLine
from lk_portal.services.visit import Visit
from tests.integration.services.imports.files import count
from tests.integration.services.imports.import_work import claimed, work
from tests.integration.services.imports.registry_files import cells, csv_file, row, workbook
from tests.integration.services.polled import rows_of
from tests.integration.services.registry_staff import NOW, SETTINGS, author

SECOND = timedelta(seconds=1)


@pytest.fixture
def portal(database: Database) -> Iterator[Portal]:
    yield Portal(SETTINGS, database, lambda: NOW)


def at(portal: Portal, moment: datetime) -> Portal:
    """The same portal at another time."""
    return Portal(portal.settings, portal.database, lambda: moment)


def content(tmp_path: Path, *rows: dict[str, object]) -> bytes:
    return csv_file(tmp_path / "r.csv", rows).read_bytes()


async def sent(portal: Portal, file: bytes) -> int:
    staff = await author(portal.database)
    return await runs.begin(portal, name="реестр.csv", content=file, user_id=staff.user_id)


async def wished(portal: Portal, file: bytes) -> int:
    """A file that was checked and waits to be written."""
    run_id = await sent(portal, file)
    await work(portal)
    visit = Visit("192.0.2.7", "Браузер", NOW)
    await runs.apply(portal, run_id, actor=(await author(portal.database)).user_id, visit=visit)
    return run_id


async def entries(database: Database) -> list[AuditEntry]:
    return [one for one in await rows_of(database, AuditEntry) if "file:import" in one.action]


async def test_a_good_file_is_checked_and_then_written(portal: Portal, tmp_path: Path) -> None:
    staff = await author(portal.database)
    run_id = await sent(portal, content(tmp_path, row(1)))
    assert (await runs.run_of(portal.database, run_id, now=NOW)).is_under_way
    assert await work(portal) == [Fate.SETTLED]
    checked = await runs.run_of(portal.database, run_id, now=NOW + timedelta(days=1))
    assert (checked.status, checked.rows, checked.is_under_way) == (ImportStatus.CHECKED, 1, False)
    assert await count(portal.database, "meter") == 0
    assert await work(portal) == []

    await runs.apply(portal, run_id, actor=staff.user_id, visit=staff.visit)
    assert await work(portal) == [Fate.SETTLED]
    done = await runs.run_of(portal.database, run_id, now=NOW)
    assert (done.status, done.report["meters"]) == (ImportStatus.DONE, 1)
    assert await count(portal.database, "meter") == 1
    assert await count(portal.database, "import_file") == 0
    book = workbook(tmp_path / "r.xlsx", [cells(row(2))]).read_bytes()
    await runs.begin(portal, name="реестр.xlsx", content=book, user_id=staff.user_id)
    await work(portal)
    last = await runs.last_run(portal.database)
    assert last is not None
    assert (await runs.run_of(portal.database, last, now=NOW)).status is ImportStatus.CHECKED
    (entry,) = await entries(portal.database)
    assert (entry.actor_user_id, entry.detail) == (staff.user_id, {"file": "реестр.csv"})
    with pytest.raises(NotFoundError):
        await runs.apply(portal, run_id, actor=staff.user_id, visit=staff.visit)


async def test_a_bad_file_names_its_rows_and_cannot_be_written(portal: Portal, tmp_path: Path) -> None:
    staff = await author(portal.database)
    run_id = await sent(portal, content(tmp_path, row(1, model="")))
    assert await work(portal) == [Fate.SETTLED]
    found = await runs.run_of(portal.database, run_id, now=NOW)
    assert found.status is ImportStatus.REFUSED
    assert [(bad.line, bad.column) for bad in found.bad_rows] == [(2, "model")]
    assert await count(portal.database, "import_file") == 0
    with pytest.raises(NotFoundError):
        await runs.apply(portal, run_id, actor=staff.user_id, visit=staff.visit)
    assert await runs.last_run(portal.database) == run_id


async def test_the_page_is_told_who_waits_for_whom(portal: Portal, tmp_path: Path) -> None:
    run_id = await sent(portal, content(tmp_path, row(1)))

    async def told(after: timedelta) -> tuple[bool, bool, bool]:
        found = await runs.run_of(portal.database, run_id, now=NOW + after)
        assert found.status is ImportStatus.CHECKING
        return found.is_under_way, found.is_waiting, found.is_left

    assert await told(PATIENCE) == (True, True, False)
    assert await told(PATIENCE + SECOND) == (True, True, True)
    await claimed(portal, run_id)
    assert await told(LEASE) == (True, False, False)
    assert await told(LEASE + SECOND) == (True, False, True)


async def test_one_file_at_a_time_and_one_that_nobody_takes_makes_room(
    portal: Portal, tmp_path: Path
) -> None:
    file = content(tmp_path, row(1))
    run_id = await wished(portal, file)
    soon = at(portal, NOW + LEASE - SECOND)
    with pytest.raises(InputError):
        await sent(soon, file)
    dead = await claimed(portal, run_id)
    with pytest.raises(InputError):
        await sent(soon, file)
    later = at(portal, NOW + LEASE)
    assert await sent(later, file) > run_id
    gone = await runs.run_of(portal.database, run_id, now=later.clock())
    assert (gone.status, gone.is_under_way) == (ImportStatus.REFUSED, False)
    assert "interrupted" in gone.problem
    assert await count(portal.database, "import_file") == 1
    # Should its worker have lived after all, it has the file no more.
    assert await work_on(later, dead) is Fate.LOST
    assert await entries(portal.database) == []
    assert await count(portal.database, "meter") == 0
    assert await work(later) == [Fate.SETTLED]


async def test_who_has_lost_a_file_writes_nothing_and_who_has_it_writes_it_once(
    portal: Portal, tmp_path: Path
) -> None:
    run_id = await wished(portal, content(tmp_path, row(1), row(2)))
    first = await claimed(portal, run_id, worker="one")
    assert await claim(portal.database, run_id, worker="two", now=NOW + LEASE - SECOND) is None
    later = at(portal, NOW + LEASE)
    second = await claimed(later, run_id, worker="two")

    assert await work_on(portal, first) is Fate.LOST
    assert (await count(portal.database, "meter"), await entries(portal.database)) == (0, [])
    assert await work_on(later, second) is Fate.SETTLED
    assert [await work_on(portal, one) for one in (first, second)] == [Fate.LOST, Fate.LOST]

    done = await runs.run_of(portal.database, run_id, now=NOW)
    assert (done.status, done.report["meters"]) == (ImportStatus.DONE, 2)
    (entry,) = await entries(portal.database)
    staff = await author(portal.database)
    assert (entry.actor_user_id, entry.address, entry.agent, entry.at) == (
        staff.user_id,
        "192.0.2.7",
        "Браузер",
        NOW,
    )


async def test_a_worker_that_is_to_stop_gives_the_file_back_and_it_does_not_count(
    portal: Portal, tmp_path: Path
) -> None:
    run_id = await wished(portal, content(tmp_path, *map(row, range(1, 5))))
    for _time in range(MOST_ATTEMPTS + 1):
        fate = await work_on(portal, await claimed(portal, run_id), is_stopping=lambda: True)
        assert fate is Fate.GIVEN_BACK
        assert (await runs.run_of(portal.database, run_id, now=NOW)).is_waiting
    assert (await count(portal.database, "meter"), await entries(portal.database)) == (0, [])
    assert await work(portal) == [Fate.SETTLED]
    assert await count(portal.database, "meter") == 4


async def test_a_file_that_kills_its_worker_each_time_is_refused(portal: Portal, tmp_path: Path) -> None:
    run_id = await wished(portal, content(tmp_path, row(1)))
    for _death in range(MOST_ATTEMPTS):
        assert await due(portal.database, now=NOW) == (run_id,)
        await claimed(portal, run_id)
        assert await due(portal.database, now=NOW) == ()
        assert await free(portal.database, "two") == 0
        assert await free(portal.database, "one") == 1

    assert await claim(portal.database, run_id, worker="one", now=NOW) is None

    found = await runs.run_of(portal.database, run_id, now=NOW)
    assert (found.status, found.problem, found.data) == (ImportStatus.REFUSED, GIVEN_UP, {"count": "3"})
    assert await due(portal.database, now=NOW + LEASE) == ()
    assert await count(portal.database, "import_file") == 0
    assert await count(portal.database, "meter") == 0
    assert await sent(portal, content(tmp_path, row(1))) > run_id


def test_the_template_is_a_file_that_only_lacks_rows_and_no_report_is_a_formula() -> None:
    assert template_csv().decode("utf-8-sig").startswith("account,subscriber,email")
    assert template_xlsx().startswith(b"PK")
    report = report_csv(
        [BadLine(2, "=cmd", "line {line} says something else of this account", (("line", 7),))]
    )
    assert "2,'=cmd" in report.decode("utf-8-sig")
