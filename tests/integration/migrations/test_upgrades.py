"""A portal of an earlier version, with data, brought up to date: nothing is lost, and what is new works."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError

from alembic import command
from lk_portal.errors import StorageError
from lk_portal.models import Account, ArchiveReplay, MeteringPoint, Premises, Subscriber
from lk_portal.models.types import to_milliseconds
from lk_portal.services import audit, info_editing, migrations
from lk_portal.services.addresses import suggest
from lk_portal.services.answer_templates import offered
from lk_portal.services.audit_about import by_holder
from lk_portal.services.audit_chain import verify
from lk_portal.services.changes import changed_since, person_topic
from lk_portal.services.connections import connection_of
from lk_portal.services.database import Database, sync_url
from lk_portal.services.imports.run_work import due
from lk_portal.services.imports.runs import INTERRUPTED, run_of
from lk_portal.services.migrations import is_current, migrate
from lk_portal.services.notification_choices import Channel, Choice, NotificationKind, choices_of
from lk_portal.services.poll_batches import queue_at
from lk_portal.services.resource.beginning import begins
from lk_portal.services.resource.reading import begin_with
from lk_portal.services.seen import Section, mark_seen
from lk_portal.services.tables import table_of
from lk_portal.services.ticket_queue import Asked, Queue, queue_page
from lk_portal.services.visit import Visit

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FLATS = 30
VERSION_1 = {
    "subscriber": [
        {"id": 1, "full_name": "Иванов Иван", "email": "i@e.example", "phone": "", "created_at": NOW}
    ],
    "premises": [
        {
            "id": flat,
            "settlement": "г. Омск",
            "street": "ул. Фёдора Крылова",
            "house": "5 А",
            "flat": str(flat),
            "timezone": "Asia/Omsk",
        }
        for flat in range(1, FLATS + 1)
    ]
    + [
        {
            "id": 100,
            "settlement": "с. Азово",
            "street": "",
            "house": "7",
            "flat": "",
            "timezone": "Asia/Omsk",
        }
    ],
    "account": [
        {
            "id": 1,
            "number": "5500000001",
            "subscriber_id": 1,
            "premises_id": 2,
            "note": "дача",
            "contract_number": "",
            "amenities": "",
        }
    ],
    "metering_point": [
        {"id": 1, "code": "urn:1", "account_id": 1, "tariff_id": None, "name": "Дом", "place": ""}
    ],
    "interval": [
        {
            "point_id": 1,
            "quantity": 1,
            "start": NOW,
            "duration_s": 3600,
            "value_wh": 5,
            "covered_s": 3600,
            "zone": 0,
            "quality": 1,
            "flags": 0,
        }
    ],
    "portal_user": [
        {
            "id": 1,
            "email": "i@e.example",
            "phone": None,
            "role": "subscriber",
            "subscriber_id": 1,
            "display_name": "Иван",
            "password_hash": "$2b$04$",
            "is_active": True,
            "created_at": NOW,
        }
    ],
    "user_session": [
        {
            "token_hash": "f" * 64,
            "user_id": 1,
            "created_at": NOW,
            "seen_at": NOW,
            "expires_at": NOW + timedelta(hours=12),
            "address": "127.0.0.1",
            "agent": "test",
        }
    ],
    "sign_in_attempt": [{"id": 1, "key": "k", "at": NOW}],
}
"""Rows as 0001 had them; no model, for those are the newest."""
USER_SINCE_0002: dict[str, Any] = VERSION_1["portal_user"][0] | {
    "subscriber_id": None,
    "temporary_hash": "",
    "locale": "",
    "theme": "system",
}
GONE = {"sign_in_attempt"}
"""Counters of minutes; 0002 begins anew."""


def fill(address: str) -> None:
    engine = create_engine(sync_url(address))
    with engine.begin() as connection:
        for table, rows in VERSION_1.items():
            for row in rows:
                insert_row(connection, table, row)
    engine.dispose()


def insert_row(connection: Connection, table: str, row: Mapping[str, Any]) -> None:
    """As a portal of an earlier version had it: the models are the newest version's."""
    is_sqlite = connection.dialect.name == "sqlite"
    stored = {
        name: to_milliseconds(value) if is_sqlite and isinstance(value, datetime) else value
        for name, value in row.items()
    }
    names, values = ", ".join(stored), ", ".join(f":{name}" for name in stored)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), stored)


def read(address: str) -> dict[str, list[tuple[Any, ...]]]:
    """What is there of the tables and columns that `VERSION_1` filled."""
    engine = create_engine(sync_url(address))
    with engine.connect() as connection:
        there = set(inspect(connection).get_table_names())
        found = {
            table: [
                tuple(row)
                for row in connection.execute(text(f"SELECT {', '.join(rows[0])} FROM {table} ORDER BY 1"))
            ]
            for table, rows in VERSION_1.items()
            if table in there
        }
    engine.dispose()
    return found


async def test_a_filled_first_version_comes_up_whole_and_searchable(empty_address: str) -> None:
    migrate(empty_address, revision="0001")
    assert not is_current(empty_address)
    fill(empty_address)
    before = read(empty_address)
    assert all(len(before[table]) == len(rows) for table, rows in VERSION_1.items())

    migrate(empty_address)

    assert is_current(empty_address)
    assert read(empty_address) == {table: rows for table, rows in before.items() if table not in GONE}
    database = Database(empty_address)
    home = "г. Омск, ул. Фёдора Крылова, д.5 А"
    assert await suggest(database, typed="омск крылова 5а кв 30") == (f"{home}, кв.30",)
    assert (await suggest(database, typed="федора"))[1] == f"{home}, кв.2"
    assert await suggest(database, typed="азово") == ("с. Азово, д.7",)
    new = VERSION_1["premises"][0] | {"id": 500, "street": "ул. Новая"}
    async with database.writing() as connection:
        await connection.execute(insert(Premises).values(**new))
    assert len(await suggest(database, typed="новая")) == 1
    await database.close()


async def test_many_streets_are_filled_in_batches(empty_address: str) -> None:
    migrate(empty_address, revision="0002")
    names = ["".join(letters) for letters in product("абвгдежзиклмноп", repeat=3)][:2500]
    rows = [{"street": f"ул. {name}"} for name in names]
    engine = create_engine(sync_url(empty_address))
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO premises (settlement, street, house, flat, timezone)"
                " VALUES ('г. Омск', :street, '1', '', 'Asia/Omsk')"
            ),
            rows,
        )
    engine.dispose()

    migrate(empty_address)

    database = Database(empty_address)
    for name in (names[0], names[1000], names[-1]):
        assert await suggest(database, typed=name) == (f"г. Омск, ул. {name}, д.1",)
    async with database.reading() as connection:
        missing = await connection.execute(text("SELECT count(*) FROM premises WHERE search_text = ''"))
        assert missing.scalar_one() == 0
    await database.close()


def _rows(address: str, query: str) -> list[tuple[Any, ...]]:
    engine = create_engine(sync_url(address))
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


async def test_a_choice_made_before_there_were_ways_survives_there_and_back(empty_address: str) -> None:
    migrate(empty_address, revision="0006")
    engine = create_engine(sync_url(empty_address))
    with engine.begin() as connection:
        for number, is_wanted in ((1, False), (2, True)):
            row = USER_SINCE_0002 | {"id": number, "email": f"{number}@e.example"}
            insert_row(connection, "portal_user", row)
            connection.execute(
                text("INSERT INTO notification_choice VALUES (:id, 'new_device', :wanted)"),
                {"id": number, "wanted": is_wanted},
            )
    engine.dispose()

    migrate(empty_address)

    assert is_current(empty_address)
    database = Database(empty_address)
    for number, is_wanted in ((1, False), (2, True)):
        chosen = await choices_of(database, user_id=number, is_subscriber=False)
        assert chosen == (Choice(NotificationKind.NEW_DEVICE, Channel.LETTER, is_wanted),)
    await database.close()

    engine = create_engine(sync_url(empty_address))
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO notification_setting VALUES (1, 'answer', 'push', :no)"), {"no": False}
        )
    with engine.connect() as connection:
        config = migrations.OWN.config(connection)
        command.downgrade(config, "0006")
    engine.dispose()
    kept = _rows(empty_address, "SELECT user_id, kind, is_wanted FROM notification_choice ORDER BY user_id")
    assert kept == [(1, "new_device", False), (2, "new_device", True)]
    assert _rows(empty_address, "SELECT token_hash FROM user_session") == []


async def test_marks_of_before_are_kept_and_tell_when_they_were_made(empty_address: str) -> None:
    migrate(empty_address, revision="0007")
    engine = create_engine(sync_url(empty_address))
    mark = {"user_id": 1, "section": "events", "seen_at": NOW}
    with engine.begin() as connection:
        for table, row in (("portal_user", USER_SINCE_0002), ("seen_marker", mark)):
            insert_row(connection, table, row)
    engine.dispose()

    migrate(empty_address)

    assert is_current(empty_address)
    database = Database(empty_address)
    assert await changed_since(database, NOW, now=NOW) == {(person_topic(1), NOW)}
    # A node of the version before goes on writing until it is replaced.
    async with database.writing() as connection:
        row = {"user_id": 1, "section": "info", "seen_at": NOW}
        await connection.run_sync(insert_row, "seen_marker", row)
    await mark_seen(
        database,
        user_id=1,
        sections=[Section.EVENTS, Section.INFO],
        data_until=None,
        looked_at=NOW + timedelta(hours=1),
        clock=lambda: NOW + timedelta(hours=2),
    )
    told = await changed_since(database, NOW, now=NOW)
    assert told == {(person_topic(1), NOW + timedelta(hours=2))}
    await database.close()
    marks = _rows(empty_address, "SELECT section FROM seen_marker ORDER BY section")
    assert marks == [("events",), ("info",)]


async def test_rows_of_before_are_found_by_their_beginnings(empty_address: str) -> None:
    migrate(empty_address, revision="0008")
    fill_registry(empty_address)
    before = _rows(empty_address, "SELECT full_name, email, phone FROM subscriber ORDER BY id")

    migrate(empty_address)

    assert is_current(empty_address)
    assert _rows(empty_address, "SELECT full_name, email, phone FROM subscriber ORDER BY id") == before
    database = Database(empty_address)
    for attribute, typed, found in (
        (Subscriber.full_name, "иван", "Иванов Иван"),
        (Subscriber.email, "I@E", "i@e.example"),
        (Account.number, "55", "5500000001"),
        (MeteringPoint.code, "URN:", "urn:1"),
        (Premises.settlement, "с. а", "с. Азово"),
    ):
        assert (await begin_with(database, attribute, typed))[:1] == [found]
    await database.close()
    plan = _plan(empty_address)
    assert "SEARCH" in plan or ("ix_subscriber_full_name_begins" in plan and "Index Cond" in plan)

    engine = create_engine(sync_url(empty_address))
    with engine.connect() as connection:
        config = migrations.OWN.config(connection)
        command.downgrade(config, "0008")
    names = {index["name"] for index in inspect(engine).get_indexes("subscriber")}
    engine.dispose()
    assert names == set()
    assert _rows(empty_address, "SELECT full_name, email, phone FROM subscriber ORDER BY id") == before


def fill_registry(address: str) -> None:
    """The registry of `VERSION_1`, without people who sign in."""
    engine = create_engine(sync_url(address))
    with engine.begin() as connection:
        for table in ("subscriber", "premises", "account", "metering_point"):
            for row in VERSION_1[table]:
                insert_row(connection, table, row)
    engine.dispose()


def _plan(address: str) -> str:
    """How a database would look for the beginning of a name, were there many."""
    query = select(Subscriber.id).where(begins(table_of(Subscriber).c.full_name, "Иван"))
    engine = create_engine(sync_url(address))
    with engine.connect() as connection:
        words = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET enable_seqscan = off"))
        compiled = query.compile(engine, compile_kwargs={"literal_binds": True})
        rows = connection.exec_driver_sql(f"{words} {compiled}".replace("%", "%%")).all()
    engine.dispose()
    return "\n".join(str(row) for row in rows)


async def test_tickets_of_before_stand_in_the_queue_of_the_desk(empty_address: str) -> None:
    migrate(empty_address, revision="0008")
    engine = create_engine(sync_url(empty_address))
    rows: dict[str, list[dict[str, Any]]] = {
        "subscriber": VERSION_1["subscriber"],
        "premises": [VERSION_1["premises"][0] | {"id": 2, "search_text": ""}],
        "account": VERSION_1["account"],
        "ticket": [_ticket(1, closed_at=None, reply_by=NOW), _ticket(2, closed_at=NOW, reply_by=None)],
    }
    with engine.begin() as connection:
        for table, found in rows.items():
            for row in found:
                insert_row(connection, table, row)
    engine.dispose()

    migrate(empty_address)

    assert is_current(empty_address)
    database = Database(empty_address)
    for queue, numbers in ((Queue.OPEN, [1]), (Queue.CLOSED, [2]), (Queue.OVERDUE, [1])):
        page = await queue_page(database, Asked(queue, staff_id=1, now=NOW + timedelta(hours=1)))
        assert [line.ticket.id for line in page.lines] == numbers
    assert await offered(database) == ()
    await database.close()


def _ticket(number: int, **values: Any) -> dict[str, Any]:
    status = "closed" if values["closed_at"] else "new"
    row = {"id": number, "subscriber_id": 1, "account_id": 1, "category": "load", "subject": "x"}
    return {**row, "status": status, "created_at": NOW, "updated_at": NOW, **values}


async def test_pages_of_before_get_their_first_revision(empty_address: str) -> None:
    migrate(empty_address, revision="0008")
    engine = create_engine(sync_url(empty_address))
    with engine.begin() as connection:
        for locale, words in (("ru", "Текст"), ("en", "Text")):
            page = {"slug": "tariffs", "locale": locale, "kind": "page", "title": words, "text": words * 2}
            row = {**page, "position": 5, "is_public": True, "published_at": None, "updated_at": NOW}
            insert_row(connection, "info_page", row)
    engine.dispose()

    migrate(empty_address)

    assert is_current(empty_address)
    database = Database(empty_address)
    pages = (await info_editing.listing(database)).rows
    assert [page.version for page in pages] == [1, 1]
    for page in pages:
        [first] = await info_editing.revisions(database, page.id)
        assert (first.number, first.author, first.saved_at) == (1, "", NOW)
        kept = await info_editing.revision(database, page.id, 1)
        assert (kept.title, kept.text) == (page.title, page.title * 2)
    await database.close()


async def test_a_published_document_cannot_be_changed_by_any_statement(empty_address: str) -> None:
    migrate(empty_address)
    engine = create_engine(sync_url(empty_address))
    with pytest.raises(DBAPIError, match="never changes"), engine.begin() as connection:
        connection.execute(text("UPDATE document_version SET text = 'other' WHERE version = 1"))
    engine.dispose()
    assert _rows(empty_address, "SELECT count(*) FROM document_version WHERE text = 'other'") == [(0,)]


async def test_from_0008_the_audit_is_chained_and_named_users_stay_named(empty_address: str):
    migrate(empty_address, revision="0008")
    engine = create_engine(sync_url(empty_address))
    user = USER_SINCE_0002 | {"id": 7}
    entries = [
        {
            "id": number,
            "at": NOW + timedelta(seconds=number),
            "action": "web:session:begin",
            "actor_user_id": None if number % 2 else 7,
            "subject_user_id": 7,
            "address": "192.0.2.1",
            "agent": "Браузер",
            "detail": '{"b": "я", "a": 1}',
        }
        for number in (*range(1, 20), *range(25, 2500))
    ]
    with engine.begin() as connection:
        for table, rows in (("portal_user", [user]), ("audit_entry", entries)):
            for row in rows:
                insert_row(connection, table, row)
    engine.dispose()

    migrate(empty_address)

    assert is_current(empty_address)
    database = Database(empty_address)
    found = await verify(database)
    assert (found.entries, found.is_whole) == (len(entries), True)
    async with database.writing() as connection:
        visit = Visit(address="", agent="", at=NOW)
        await audit.record(connection, action="web:session:end", visit=visit, actor=7, subject=7)
    assert (await verify(database)).is_whole
    await database.close()
    kept = _rows(empty_address, "SELECT count(*), max(id) FROM audit_entry WHERE subject_user_id = 7")
    assert kept == [(len(entries) + 1, 2500)]
    assert _rows(empty_address, "SELECT id, email FROM portal_user") == [(7, "i@e.example")]


async def test_connections_of_before_are_kept_and_the_queue_begins_empty(empty_address: str) -> None:
    migrate(empty_address, revision="0008")
    engine = create_engine(sync_url(empty_address))
    rows = (
        ("meter", {"id": 1, "serial": "S1", "model": "M", "map_name": ""}),
        ("verification", {"id": 1, "meter_id": 1, "kind": "periodic", "verified_on": "2016-01-01"}),
        (
            "gateway",
            {
                "id": 1,
                "name": "G",
                "protocol": "modbus-tcp",
                "host": "h",
                "port": 502,
                "timeout_s": 5.0,
                "is_enabled": True,
            },
        ),
        (
            "meter_connection",
            {
                "meter_id": 1,
                "gateway_id": 1,
                "device_id": 1,
                "is_enabled": True,
                "options": "{}",
                "last_success_at": NOW,
                "last_error_code": "",
                "last_error": "",
                "failures_in_row": 0,
                "attempts": 3,
                "successes": 3,
            },
        ),
    )
    with engine.begin() as connection:
        for table, row in rows:
            insert_row(connection, table, row)
    engine.dispose()

    migrate(empty_address)

    assert is_current(empty_address)
    database = Database(empty_address)
    queue = await queue_at(database, now=NOW)
    found = await connection_of(database, serial="S1", now=NOW, default_interval_s=900)
    await database.close()
    assert (queue.waiting, queue.done) == (0, 0)
    assert (found.successes, found.last_success_at) == (3, NOW)
    assert _rows(empty_address, "SELECT count(*) FROM verification") == [(1,)]


async def test_readings_of_before_can_be_filled_from_archives(empty_address: str) -> None:
    migrate(empty_address, revision="0015")
    meter = {"id": 1, "serial": "S1", "model": "M", "map_name": "simulated-profile"}
    engine = create_engine(sync_url(empty_address))
    interval = {
        "point_id": 1,
        "quantity": 1,
        "start": NOW,
        "duration_s": 3600,
        "value_wh": 5,
        "covered_s": 3600,
        "zone": 0,
        "quality": 2,
        "flags": 8,
    }
    with engine.begin() as connection:
        for table, row in (("meter", meter), ("interval", interval)):
            insert_row(connection, table, row)
    engine.dispose()

    migrate(empty_address)

    assert is_current(empty_address)
    kept = _rows(empty_address, "SELECT point_id, value_wh, flags FROM interval")
    assert kept == [(1, 5, 8)]
    wish = table_of(ArchiveReplay)
    row = {"since": NOW, "until": NOW, "asked_at": NOW, "due_at": NOW, "outcomes": [{"slots": 3}]}
    row |= {"failures": 0, "error_code": "", "error": "", "filled": 0, "left": 0}
    database = Database(empty_address)
    async with database.writing() as connection:
        await connection.execute(wish.insert().values(meter_id=1, finished_at=NOW, **row))
        await connection.execute(wish.insert().values(meter_id=1, **row))
    with pytest.raises((DBAPIError, StorageError)):  # a second one that is open
        async with database.writing() as connection:
            await connection.execute(wish.insert().values(meter_id=1, **row))
    async with database.reading() as connection:
        found = (await connection.execute(wish.select())).all()
    await database.close()
    assert [(one.outcomes, one.since) for one in found] == [([{"slots": 3}], NOW)] * 2


async def test_entries_of_before_are_found_by_what_they_are_about(empty_address: str) -> None:
    migrate(empty_address, revision="0017")
    database = Database(empty_address)
    async with database.writing() as connection:
        person = {"id": 1, "full_name": "Иванов", "email": "", "phone": "", "created_at": NOW}
        await connection.execute(insert(table_of(Subscriber)).values(person))
        visit = Visit(address="", agent="", at=NOW)
        for action, key in (("registry:subscribers:change", 1), ("registry:subscribers:change", 2)):
            await audit.record(connection, action=action, visit=visit, actor=None, subject=None, key=key)
    await database.close()

    migrate(empty_address)

    database = Database(empty_address)
    async with database.reading() as connection:
        assert (await connection.execute(by_holder(["Иванов"]))).scalars().all() == [1]
    assert (await verify(database)).is_whole
    await database.close()


async def test_files_of_before_are_kept_and_one_that_was_being_written_is_told(empty_address: str) -> None:
    migrate(empty_address, revision="0018")
    engine = create_engine(sync_url(empty_address))
    before = ("checking", "checked", "writing", "done", "refused")
    with engine.begin() as connection:
        insert_row(connection, "portal_user", USER_SINCE_0002)
        for number, status in enumerate(before, start=1):
            row = {"id": number, "user_id": 1, "name": "r.csv", "status": status, "rows": 7, "problem": ""}
            row |= {"report": "{}", "data": "{}", "bad_rows": "[]", "created_at": NOW, "told_at": NOW}
            insert_row(connection, "import_run", row)
            file = {"id": number, "content": b"account"}
            connection.execute(text("INSERT INTO import_file VALUES (:id, :content)"), file)
    engine.dispose()

    migrate(empty_address)

    assert is_current(empty_address)
    database = Database(empty_address)
    found = [await run_of(database, number, now=NOW) for number in range(1, 6)]
    assert [one.status.value for one in found] == ["checking", "checked", "refused", "done", "refused"]
    assert [one.problem for one in found] == ["", "", INTERRUPTED, "", ""]
    assert {one.rows for one in found} == {7}
    # What was being checked is checked by a worker; what a node of the version before is asked for, it does.
    assert await due(database, now=NOW) == (1,)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE import_run SET status = 'writing' WHERE id = 2"))
    assert await due(database, now=NOW) == (1,)
    await database.close()
    assert _rows(empty_address, "SELECT run_id FROM import_file ORDER BY run_id") == [(1,), (2,), (4,)]
    assert _rows(empty_address, "SELECT user_id FROM import_run GROUP BY user_id") == [(1,)]

    engine = create_engine(sync_url(empty_address))
    with engine.connect() as connection:
        command.downgrade(migrations.OWN.config(connection), "0018")
    engine.dispose()
    assert _rows(empty_address, "SELECT count(*), sum(rows) FROM import_run") == [(5, 35)]
