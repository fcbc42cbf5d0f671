"""Files that are sent in on the page: kept, checked, written, found again. On both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from lk_portal.errors import InputError, NotFoundError
from lk_portal.models import AuditEntry, ImportRun, ImportStatus
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.imports import runs
from lk_portal.services.imports.registry_template import report_csv, template_csv, template_xlsx
from lk_portal.services.imports.source import BadLine
from lk_portal.services.tables import table_of
from tests.integration.services.imports.files import count
from tests.integration.services.imports.registry_files import cells, csv_file, row, workbook
from tests.integration.services.polled import rows_of
from tests.integration.services.registry_staff import NOW, SETTINGS, author


@pytest.fixture
def portal(database: Database) -> Iterator[Portal]:
    yield Portal(SETTINGS, database, lambda: NOW)


def content(tmp_path: Path, *rows: dict[str, object]) -> bytes:
    return csv_file(tmp_path / "r.csv", rows).read_bytes()


async def test_a_good_file_is_checked_and_then_written(portal: Portal, tmp_path: Path) -> None:
    staff = await author(portal.database)
    run_id = await runs.begin(
        portal, name="реестр.csv", content=content(tmp_path, row(1)), user_id=staff.user_id
    )
    assert (await runs.run_of(portal.database, run_id, now=NOW)).is_under_way
    await runs.finished()
    checked = await runs.run_of(portal.database, run_id, now=NOW + timedelta(days=1))
    assert (checked.status, checked.rows, checked.is_under_way) == (ImportStatus.CHECKED, 1, False)
    assert await count(portal.database, "meter") == 0

    await runs.apply(portal, run_id, actor=staff.user_id, visit=staff.visit)
    await runs.finished()
    done = await runs.run_of(portal.database, run_id, now=NOW)
    assert (done.status, done.report["meters"]) == (ImportStatus.DONE, 1)
    assert await count(portal.database, "meter") == 1
    assert await count(portal.database, "import_file") == 0
    book = workbook(tmp_path / "r.xlsx", [cells(row(2))]).read_bytes()
    await runs.begin(portal, name="реестр.xlsx", content=book, user_id=staff.user_id)
    await runs.finished()
    last = await runs.last_run(portal.database)
    assert last is not None
    assert (await runs.run_of(portal.database, last, now=NOW)).status is ImportStatus.CHECKED
    (entry,) = [one for one in await rows_of(portal.database, AuditEntry) if "file:import" in one.action]
    assert (entry.actor_user_id, entry.detail) == (staff.user_id, {"file": "реестр.csv"})
    with pytest.raises(NotFoundError):
        await runs.apply(portal, run_id, actor=staff.user_id, visit=staff.visit)


async def test_a_bad_file_names_its_rows_and_cannot_be_written(portal: Portal, tmp_path: Path) -> None:
    staff = await author(portal.database)
    run_id = await runs.begin(
        portal, name="r.csv", content=content(tmp_path, row(1, model="")), user_id=staff.user_id
    )
    await runs.finished()
    found = await runs.run_of(portal.database, run_id, now=NOW)
    assert found.status is ImportStatus.REFUSED
    assert [(bad.line, bad.column) for bad in found.bad_rows] == [(2, "model")]
    with pytest.raises(NotFoundError):
        await runs.apply(portal, run_id, actor=staff.user_id, visit=staff.visit)
    assert await runs.last_run(portal.database) == run_id


async def test_one_file_at_a_time_and_one_whose_process_has_gone_is_told(
    portal: Portal, tmp_path: Path
) -> None:
    staff = await author(portal.database)
    file = content(tmp_path, row(1))
    run_id = await runs.begin(portal, name="r.csv", content=file, user_id=staff.user_id)
    with pytest.raises(InputError):
        await runs.begin(portal, name="r.csv", content=file, user_id=staff.user_id)
    await runs.finished()
    run = table_of(ImportRun)
    async with portal.database.writing() as connection:
        await connection.execute(update(run).values(status=ImportStatus.WRITING))
    later = NOW + timedelta(minutes=3)
    gone = await runs.run_of(portal.database, run_id, now=later)
    assert (gone.status, gone.is_under_way) == (ImportStatus.REFUSED, False)
    assert "interrupted" in gone.problem
    again = Portal(SETTINGS, portal.database, lambda: later)
    assert await runs.begin(again, name="r.csv", content=file, user_id=staff.user_id) > run_id
    await runs.finished()
    async with portal.database.reading() as connection:
        files = (await connection.execute(text("SELECT count(*) FROM import_file"))).scalar_one()
    assert files == 1


def test_the_template_is_a_file_that_only_lacks_rows_and_no_report_is_a_formula() -> None:
    assert template_csv().decode("utf-8-sig").startswith("account,subscriber,email")
    assert template_xlsx().startswith(b"PK")
    report = report_csv(
        [BadLine(2, "=cmd", "line {line} says something else of this account", (("line", 7),))]
    )
    assert "2,'=cmd" in report.decode("utf-8-sig")
