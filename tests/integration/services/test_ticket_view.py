"""What a subscriber gets to see of her tickets, and what not, on both databases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from lk_portal.errors import InputError, NotFoundError
from lk_portal.models import Attachment, Subscriber, Ticket, TicketMessage, TicketStatus
from lk_portal.services import attachments, audit, own_data, own_export, ticket_view, tickets
from lk_portal.services.attachments import CheckedFile, Upload
from lk_portal.services.database import Database
from lk_portal.services.registration import BEGUN
from lk_portal.services.tables import table_of
from lk_portal.services.ticket_view import Place
from lk_portal.settings import Settings, load_settings
from tests.attached import CANARY, HEIC, PDF, bomb, has_place, jpeg
from tests.integration.services.persons import NOW, PASSWORD, visit
from tests.integration.services.ticket_people import DAY, HOUR, Writer

FILE = CheckedFile("Акт.pdf", "application/pdf", PDF)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, bcrypt_rounds=4)


@pytest.fixture
async def writer(database: Database, settings: Settings) -> Writer:
    return await Writer.of(database, settings)


@pytest.fixture
async def one(sqlite_database: Database, settings: Settings) -> Writer:
    return await Writer.of(sqlite_database, settings)


async def keys_of(database: Database) -> list[str]:
    file = table_of(Attachment)
    async with database.reading() as connection:
        return list((await connection.scalars(select(file.c.key).order_by(file.c.id))).all())


async def test_lists_go_on_where_they_stopped(writer: Writer) -> None:
    own = writer.author.subscriber_id
    # Three of them changed at the same moment.
    made = [await writer.create(after=after * HOUR) for after in (0, 1, 1, 1, 2)]
    await writer.close(made[0], after=3 * HOUR)

    seen: list[int] = []
    after: Place | None = None
    while True:
        rows, after = await ticket_view.tickets_of(
            writer.database, subscriber_id=own, is_archive=False, after=after, limit=2
        )
        seen += [row.id for row in rows]
        if after is None:
            break
        after = Place.parse(str(after))  # as it goes through an address

    assert seen == [made[4], made[3], made[2], made[1]]
    archived, further = await ticket_view.tickets_of(writer.database, subscriber_id=own, is_archive=True)
    assert ([row.id for row in archived], further) == ([made[0]], None)
    assert archived[0].closed_at == NOW + 3 * HOUR
    assert archived[0].account == writer.number


@pytest.mark.parametrize(
    "text", ["", "x", "1", "1-", "-1", "1-x", "1-2-3", "9" * 40 + "-1", "9" * 18 + "-1", "١-١"]
)
def test_a_place_that_is_none_is_not_found(text: str) -> None:
    with pytest.raises(NotFoundError):
        Place.parse(text)


async def test_a_dialogue_is_hers_and_has_no_notes(writer: Writer, settings: Settings) -> None:
    stranger = await Writer.of(writer.database, settings, "petrov")
    number = await writer.create(text="<b>жирно</b>", files=(FILE,))
    await writer.note(number, "CANARY-NOTE")
    await writer.answer(number, "Ответ.", after=2 * HOUR)

    found = await ticket_view.dialogue_of(
        writer.database, subscriber_id=writer.author.subscriber_id, ticket_id=number
    )

    assert [(one.is_staff, one.text, len(one.files)) for one in found.messages] == [
        (False, "<b>жирно</b>", 1),
        (True, "Ответ.", 0),
    ]
    assert found.earlier == 0
    assert found.ticket.status is TicketStatus.WAITING
    assert "CANARY-NOTE" not in repr(found)
    for subscriber, ticket in (
        (stranger.author.subscriber_id, number),
        (writer.author.subscriber_id, number + 9),
    ):
        with pytest.raises(NotFoundError):
            await ticket_view.dialogue_of(writer.database, subscriber_id=subscriber, ticket_id=ticket)
    assert (
        await ticket_view.tickets_of(
            writer.database, subscriber_id=stranger.author.subscriber_id, is_archive=False
        )
    )[0] == ()


async def test_of_a_long_dialogue_the_newest_are_shown(one: Writer) -> None:
    number = await one.create(text="0")
    for turn in range(1, 5):
        await one.write(number, str(turn))

    found = await ticket_view.dialogue_of(
        one.database, subscriber_id=one.author.subscriber_id, ticket_id=number, limit=2
    )

    assert ([message.text for message in found.messages], found.earlier) == (["3", "4"], 3)


async def test_a_file_goes_to_its_owner_and_to_nobody_else(writer: Writer, settings: Settings) -> None:
    stranger = await Writer.of(writer.database, settings, "petrov")
    number = await writer.create(files=(FILE,))
    [name] = await keys_of(writer.database)
    own, foreign = writer.author.subscriber_id, stranger.author.subscriber_id

    assert await attachments.own_file(writer.database, subscriber_id=own, key=name) == FILE
    assert await attachments.any_file(writer.database, key=name) == FILE
    for subscriber, asked in ((foreign, name), (own, "x" * 43), (own, "")):
        with pytest.raises(NotFoundError):
            await attachments.own_file(writer.database, subscriber_id=subscriber, key=asked)
    message = table_of(TicketMessage)
    async with writer.database.writing() as connection:
        await connection.execute(
            update(message).where(message.c.ticket_id == number).values(is_internal=True)
        )
    with pytest.raises(NotFoundError):
        await attachments.own_file(writer.database, subscriber_id=own, key=name)


async def test_a_message_that_is_refused_leaves_no_file(one: Writer) -> None:
    with pytest.raises(InputError):
        await one.create(account="x", files=(FILE,))
    assert await keys_of(one.database) == []
    await one.create(files=(FILE,))
    assert len(await keys_of(one.database)) == 1


async def test_the_bytes_of_a_day_have_their_measure(one: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "BYTES_A_DAY", 2 * len(PDF))
    number = await one.create(files=(FILE, FILE))

    with pytest.raises(InputError, match="within a day") as refused:
        await one.write(number, files=(FILE,))

    assert refused.value.field == "files"
    await one.write(number)
    await one.write(number, files=(FILE,), after=DAY + HOUR)


async def test_files_are_kept_as_what_they_are() -> None:
    kept = await attachments.checked(
        [
            Upload("../Фото.JPG", jpeg()),
            Upload("a.heic", HEIC),
            Upload("Акт", PDF),
            Upload("заметка.txt", "Показания".encode("cp1251")),
        ]
    )

    assert [(one.name, one.media_type) for one in kept] == [
        ("Фото.JPG", "image/jpeg"),
        ("a.jpg", "image/jpeg"),
        ("Акт.pdf", "application/pdf"),
        ("заметка.txt", "text/plain; charset=utf-8"),
    ]
    assert not any(CANARY in one.content for one in kept)
    assert not any(has_place(one.content) for one in kept[:2])
    assert kept[2].content == PDF
    assert kept[3].content.decode() == "Показания"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("big.txt", b"x" * (10 * 2**20 + 1), "big.txt is larger than 10 MB"),
        ("empty.txt", b"", "empty.txt is empty"),
        ("photo.jpg", b"MZ\x90\x00", "photo.jpg cannot be attached"),
        ("bomb.png", bomb(), "bomb.png: the picture has more than 64 million pixels"),
        ("cut.jpg", jpeg()[:200], "cut.jpg: the picture is damaged"),
    ],
)
async def test_what_may_not_be_attached_has_its_sentence(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        await attachments.checked([Upload("good.pdf", PDF), Upload(name, content)])

    assert refused.value.field == "files"


async def test_there_are_five_files_at_most() -> None:
    assert len(await attachments.checked([Upload("a.pdf", PDF)] * 5)) == 5
    with pytest.raises(InputError, match="At most 5 files"):
        await attachments.checked([Upload("a.pdf", PDF)] * 6)


async def test_the_accounts_that_are_offered_are_hers(one: Writer, settings: Settings) -> None:
    await Writer.of(one.database, settings, "petrov")

    offered = await ticket_view.accounts_offered(one.database, subscriber_id=one.author.subscriber_id)

    assert [account.number for account in offered] == [one.number]


async def test_dialogues_are_among_what_a_person_takes_along(writer: Writer, settings: Settings) -> None:
    stranger = await Writer.of(writer.database, settings, "petrov")
    await stranger.create(text="CANARY-STRANGER")
    number = await writer.create(text="Мой текст", files=(FILE,))
    await writer.note(number, "CANARY-NOTE")
    await writer.answer(number, "Ответ.")

    found = await own_export.export(
        writer.database, settings, user_id=writer.author.user_id, visit=visit(after=DAY)
    )

    [ticket] = found["requests"]
    assert (ticket["number"], ticket["account"], ticket["status"]) == (number, writer.number, "waiting")
    assert [(one["by_the_utility"], one["text"]) for one in ticket["messages"]] == [
        (False, "Мой текст"),
        (True, "Ответ."),
    ]
    assert [one["name"] for one in ticket["messages"][0]["files"]] == ["Акт.pdf"]
    assert "CANARY" not in repr(found)
    by_others = [one for one in found["history"] if one["action"].startswith("desk:")]
    assert by_others
    assert all(one["network_address"] == "" and one["detail"] == {} for one in by_others)


async def test_an_erased_persons_dialogues_stay_without_her_login(writer: Writer, settings: Settings) -> None:
    number = await writer.create(text="О договоре")

    await own_data.erase(
        writer.database,
        settings,
        user_id=writer.author.user_id,
        password=PASSWORD,
        visit=visit(after=timedelta(days=1)),
    )

    kept = await writer.row(number)
    assert (kept.author_user_id, kept.subscriber_id) == (None, writer.author.subscriber_id)
    assert await writer.texts(number) == ["О договоре"]
    message = table_of(TicketMessage)
    async with writer.database.reading() as connection:
        assert (await connection.scalars(select(message.c.author_user_id))).all() == [None]


async def test_who_registered_herself_is_a_sender_without_a_name(writer: Writer, settings: Settings) -> None:
    """The registry did not know her; her row would go with her if nothing hung on it."""
    number = await writer.create()
    subscriber = table_of(Subscriber)
    own = subscriber.c.id == writer.author.subscriber_id
    async with writer.database.writing() as connection:
        await connection.execute(update(subscriber).where(own).values(created_at=NOW))
        await audit.record(connection, action=BEGUN, visit=visit(), actor=None, subject=writer.author.user_id)

    await own_data.erase(
        writer.database, settings, user_id=writer.author.user_id, password=PASSWORD, visit=visit(after=DAY)
    )

    async with writer.database.reading() as connection:
        assert (await connection.scalars(select(subscriber.c.full_name).where(own))).all() == [""]
        ticket = table_of(Ticket)
        assert (await connection.scalars(select(ticket.c.id))).all() == [number]
