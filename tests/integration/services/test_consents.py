"""Who agrees to which version: counted, listed, searched, given away."""

from __future__ import annotations

import csv
import io
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from lk_portal.errors import ConflictError
from lk_portal.models import DocumentKind, Role
from lk_portal.services import consents, documents
from lk_portal.services.consents import Wish
from lk_portal.services.exports.consents_file import ConsentsFile
from lk_portal.services.exports.files import FileFormat
from tests import factories
from tests.integration.services.people import NOW, Portal, visit

OMSK = ZoneInfo("Asia/Omsk")


async def subscriber(portal: Portal, name: str, *, has_accepted: bool = True) -> int:
    number = await portal.count("portal_user")
    owner = await factories.subscriber(portal.database)
    user_id = await portal.add(
        email=f"s{number}@example.com",
        phone=f"+7913000000{number}",
        role=Role.SUBSCRIBER,
        display_name=name,
        subscriber_id=owner,
    )
    if has_accepted:
        await accept(portal, user_id)
    return user_id


async def accept(portal: Portal, user_id: int) -> None:
    ids = [one.id for one in await documents.current(portal.database)]
    async with portal.database.writing() as connection:
        await documents.accept(connection, user_id=user_id, document_ids=ids, visit=visit())


async def next_agreement(portal: Portal, text: str = "Новое", after: int | None = None) -> None:
    await documents.publish(
        portal.database,
        kind=DocumentKind.AGREEMENT,
        title="Соглашение",
        text=text,
        after=after,
        actor=None,
        visit=visit(),
    )


async def counted(portal: Portal) -> list[tuple[str, int, int]]:
    return [(one.kind.value, one.version, one.agreed) for one in await consents.tallies(portal.database)]


async def names(portal: Portal, search: str = "", *, is_owing_only: bool = False) -> list[str]:
    found, _more = await consents.people(portal.database, Wish(search, is_owing_only))
    return [one.name for one in found]


async def test_each_version_says_how_many_agree_to_it(portal: Portal) -> None:
    first = await subscriber(portal, "Первая")
    await subscriber(portal, "Вторая")
    await subscriber(portal, "Третья", has_accepted=False)
    await portal.add(email="staff@example.com", phone=None)
    await next_agreement(portal)
    await accept(portal, first)

    assert await counted(portal) == [("agreement", 2, 1), ("agreement", 1, 2), ("consent", 1, 2)]
    assert await consents.subscribers(portal.database) == 3


async def test_a_withdrawn_consent_counts_no_more_and_is_told(portal: Portal) -> None:
    user_id = await subscriber(portal, "Первая")
    async with portal.database.writing() as connection:
        await documents.withdraw(connection, user_id=user_id, now=NOW)

    assert await counted(portal) == [("agreement", 1, 1), ("consent", 1, 0)]
    [person], _more = await consents.people(portal.database, Wish())
    assert person.agreement is not None
    assert person.agreement.withdrawn_at is None
    assert person.consent is not None
    assert person.consent.withdrawn_at == NOW
    assert await names(portal, is_owing_only=True) == ["Первая"]


async def test_those_who_owe_are_found(portal: Portal) -> None:
    await subscriber(portal, "Согласная")
    await subscriber(portal, "Новая", has_accepted=False)
    assert await names(portal, is_owing_only=True) == ["Новая"]

    await next_agreement(portal)
    assert await names(portal, is_owing_only=True) == ["Согласная", "Новая"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ивАнов", ["Иванов Пётр"]),
        ("иванов", ["Иванов Пётр"]),
        ("ИВАНОВ", ["Иванов Пётр"]),
        ("Пётр", ["Иванов Пётр"]),
        ("S0@EXAMPLE", ["Иванов Пётр"]),
        ("+7913000000", ["Иванов Пётр", "Сидорова"]),
        ("%", []),
        ("_", []),
        ("\0сидорова", ["Сидорова"]),
        (" ", ["Иванов Пётр", "Сидорова"]),
    ],
)
async def test_people_are_found_as_they_are_typed(portal: Portal, search: str, found: list[str]) -> None:
    await subscriber(portal, "Иванов Пётр")
    await subscriber(portal, "Сидорова")

    assert await names(portal, search) == found


async def test_people_are_found_by_their_account(portal: Portal) -> None:
    placed = await factories.a_metered_point(portal.database)
    await portal.add(role=Role.SUBSCRIBER, display_name="Хозяйка", subscriber_id=placed.subscriber_id)
    async with portal.database.reading() as connection:
        number = (await connection.exec_driver_sql("SELECT number FROM account")).scalar_one()

    assert await names(portal, number) == ["Хозяйка"]
    assert await names(portal, f"9{number}") == []


async def test_a_long_list_comes_in_parts(portal: Portal) -> None:
    ids = [await subscriber(portal, f"Лицо {number}", has_accepted=False) for number in range(3)]

    first, has_more = await consents.people(portal.database, Wish(), most=2)
    rest, has_rest = await consents.people(portal.database, Wish(), after=first[-1].user_id, most=2)
    assert ([one.user_id for one in first + rest], has_more, has_rest) == (ids, True, False)


async def written(portal: Portal, form: FileFormat) -> bytes:
    file = ConsentsFile(portal.database, Wish(), form, OMSK, NOW)
    return b"".join([piece async for piece in file.chunks()])


EVIL = '=HYPERLINK("http://evil.example";"x")'


async def test_a_csv_has_all_and_no_formula(portal: Portal) -> None:
    await subscriber(portal, EVIL)
    await subscriber(portal, "Новая", has_accepted=False)

    rows = list(csv.DictReader(io.StringIO((await written(portal, FileFormat.CSV)).decode("utf-8-sig"))))

    assert [row["name"] for row in rows] == [f"'{EVIL}", "Новая"]
    assert (rows[0]["agreement_version"], rows[0]["agreement_accepted_at"]) == (
        "1",
        "2026-11-24T18:00:00+06:00",
    )
    assert (rows[1]["agreement_version"], rows[1]["consent_accepted_at"]) == ("", "")


async def test_a_workbook_has_all_and_no_formula(portal: Portal) -> None:
    await subscriber(portal, EVIL)

    [sheet] = load_workbook(io.BytesIO(await written(portal, FileFormat.XLSX))).worksheets
    head, row = sheet.iter_rows()

    assert (row[0].value, row[0].data_type) == (f"'{EVIL}", "s")
    assert (row[2].value, f"{row[3].value:%d.%m.%Y %H:%M}") == (1, "24.11.2026 18:00")
    assert head[0].value == "Абонент"


async def test_a_version_is_published_after_the_one_that_was_seen(portal: Portal) -> None:
    await next_agreement(portal, "Второе", after=1)

    with pytest.raises(ConflictError):
        await next_agreement(portal, "Тоже второе", after=1)
    assert [one.version for one in await documents.versions(portal.database, DocumentKind.AGREEMENT)] == [
        2,
        1,
    ]
    assert (await portal.actions())[-1] == "web:documents:publish"
