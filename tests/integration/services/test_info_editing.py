"""An admin's work on the utility's pages: states, conflicts, revisions, pictures."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lk_portal.errors import ConflictError, InputError, NotFoundError
from lk_portal.services import content, info_editing, info_pictures
from lk_portal.services.attachments import Upload
from lk_portal.services.content import InfoKind
from lk_portal.services.info_editing import Out, Release, local_moment
from lk_portal.services.info_uses import size_of
from tests.attached import CANARY, PDF, bomb, has_place, jpeg, png
from tests.integration.services.infos import DAY, SUBSCRIBER, VISITOR, draft, put_out, write
from tests.integration.services.people import NOW, Portal, visit


async def save(portal: Portal, page_id: int | None = None, version: int = 1, **changes: object) -> int:
    release, at = changes.pop("release", Release.KEEP), changes.pop("at", None)
    actor = changes.pop("actor", None) or await author(portal)
    return await info_editing.write(
        portal.database,
        draft(**{"slug": "tariffs", **changes}),  # type: ignore[arg-type]
        page_id=page_id,
        version=version,
        release=release,  # type: ignore[arg-type]
        at=at,  # type: ignore[arg-type]
        actor=actor,  # type: ignore[arg-type]
        visit=visit(),
    )


async def author(portal: Portal, name: str = "Иванова") -> int:
    number = await portal.count("portal_user")
    return await portal.add(email=f"a{number}@example.com", phone=None, display_name=name)


async def info_actions(portal: Portal) -> list[str]:
    return [one for one in await portal.actions() if one.startswith("web:info:")]


async def seen(portal: Portal, *, now: datetime = NOW) -> list[str]:
    return [one.text for one in await content.visible(portal.database, replace(VISITOR, now=now))]


async def test_a_new_text_is_a_draft_until_it_is_published(portal: Portal) -> None:
    page_id = await save(portal)
    assert (await info_editing.page(portal.database, page_id)).out(NOW) is Out.DRAFT
    assert await seen(portal) == []

    await save(portal, page_id, release=Release.NOW)
    assert (await info_editing.page(portal.database, page_id)).out(NOW) is Out.PUBLISHED
    assert await seen(portal) == ["Текст tariffs"]


async def test_a_scheduled_text_comes_when_it_is_due_and_can_be_taken_back(portal: Portal) -> None:
    page_id = await save(portal, release=Release.AT, at=NOW + DAY)

    assert (await info_editing.page(portal.database, page_id)).out(NOW) is Out.SCHEDULED
    assert await seen(portal) == []
    assert await seen(portal, now=NOW + DAY) == ["Текст tariffs"]

    await save(portal, page_id, release=Release.DRAFT)
    assert await seen(portal, now=NOW + DAY) == []


async def test_keeping_what_it_is_changes_words_only(portal: Portal) -> None:
    page_id = await save(portal, release=Release.NOW)
    await save(portal, page_id, text="Новое")

    assert await seen(portal) == ["Новое"]
    assert (await info_editing.page(portal.database, page_id)).published_at == NOW


@pytest.mark.parametrize("at", [None, NOW, NOW - timedelta(seconds=1)])
async def test_a_time_that_is_over_is_refused(portal: Portal, at: datetime | None) -> None:
    with pytest.raises(InputError) as caught:
        await save(portal, release=Release.AT, at=at)

    assert caught.value.field == "release_at"
    assert await portal.count("info_page") == 0


async def test_somebody_else_saved_meanwhile_and_nothing_is_overwritten(portal: Portal) -> None:
    page_id = await save(portal, text="Первое")
    await save(portal, page_id, 1, text="Чужое")

    with pytest.raises(ConflictError):
        await save(portal, page_id, 1, text="Мое", release=Release.NOW)

    kept = await info_editing.page(portal.database, page_id)
    assert (kept.text, kept.version, kept.published_at) == ("Чужое", 2, None)
    assert [one.number for one in await info_editing.revisions(portal.database, page_id)] == [2, 1]
    await save(portal, page_id, 2, text="Мое")
    assert (await info_editing.page(portal.database, page_id)).text == "Мое"


@pytest.mark.parametrize(
    ("release", "at"),
    [(Release.KEEP, None), (Release.NOW, None), (Release.DRAFT, None), (Release.AT, NOW + DAY)],
)
async def test_the_same_sent_again_is_no_conflict_with_itself(
    portal: Portal, release: Release, at: datetime | None
) -> None:
    """The answer to the first was lost."""
    page_id = await save(portal, text="Первое")
    wanted = {"text": "Мое", "release": release, "at": at}
    for _ in range(2):
        assert await save(portal, page_id, 1, **wanted) == page_id
    assert [one.number for one in await info_editing.revisions(portal.database, page_id)] == [2, 1]

    for other in ({"text": "Не то"}, {"position": 7}, {"is_public": False}, {"title": "Не то"}):
        with pytest.raises(ConflictError):
            await save(portal, page_id, 1, **wanted | other)
    if release is not Release.KEEP:
        with pytest.raises(ConflictError):
            await save(portal, page_id, 1, **wanted | {"release": Release.AT, "at": NOW + 2 * DAY})


async def test_of_many_who_save_at_once_one_succeeds(portal: Portal) -> None:
    page_id, actor = await save(portal), await author(portal)
    ended = await asyncio.gather(
        *(save(portal, page_id, 1, text=f"Текст {n}", actor=actor) for n in range(6)), return_exceptions=True
    )

    assert sorted(type(one).__name__ for one in ended) == [*["ConflictError"] * 5, "int"]
    assert (await info_editing.page(portal.database, page_id)).version == 2


async def test_a_publication_elsewhere_is_a_conflict_too(portal: Portal) -> None:
    page_id = await save(portal)
    await content.publish(portal.database, slug="tariffs", locale="ru", at=NOW, actor=None, visit=visit())

    with pytest.raises(ConflictError):
        await save(portal, page_id, 1, text="Мое")


async def test_an_address_is_taken_once_in_a_language(portal: Portal) -> None:
    await save(portal)
    other = await save(portal, slug="other")
    await save(portal, locale="en")

    for page_id in (None, other):
        with pytest.raises(InputError) as caught:
            await save(portal, page_id)
        assert caught.value.field == "slug"
    assert (await info_editing.page(portal.database, other)).slug == "other"


async def test_a_page_that_is_not_there_is_not_written(portal: Portal) -> None:
    for deed in (
        save(portal, 999),
        info_editing.page(portal.database, 999),
        info_editing.restore(
            portal.database, page_id=999, number=1, version=1, actor=await author(portal), visit=visit()
        ),
    ):
        with pytest.raises(NotFoundError):
            await deed


async def test_revisions_say_who_wrote_what_and_only_changed_words_make_one(portal: Portal) -> None:
    first, second = await author(portal, "Первая"), await author(portal, "Второй")
    page_id = await save(portal, text="Один", actor=first)
    await save(portal, page_id, 1, text="Один", position=7, actor=second)
    await save(portal, page_id, 2, text="Два", actor=second)

    kept = await info_editing.revisions(portal.database, page_id)
    assert [(one.number, one.author) for one in kept] == [(2, "Второй"), (1, "Первая")]
    assert (await info_editing.revision(portal.database, page_id, 1)).text == "Один"
    for number in (0, 3, -1, 10**30):
        with pytest.raises(NotFoundError):
            await info_editing.revision(portal.database, page_id, number)


async def test_an_earlier_text_comes_back_as_a_new_revision(portal: Portal) -> None:
    database = portal.database
    page_id = await save(portal, title="Было", text="Один", release=Release.NOW)
    await save(portal, page_id, 1, title="Стало", text="Два")
    actor = await author(portal)
    back = {"page_id": page_id, "actor": actor, "visit": visit()}

    with pytest.raises(ConflictError):
        await info_editing.restore(database, number=1, version=1, **back)  # type: ignore[arg-type]
    await info_editing.restore(database, number=1, version=2, **back)  # type: ignore[arg-type]

    now = await info_editing.page(database, page_id)
    assert (now.title, now.text, now.version, now.out(NOW)) == ("Было", "Один", 3, Out.PUBLISHED)
    assert [one.number for one in await info_editing.revisions(database, page_id)] == [3, 2, 1]
    assert (await info_editing.revision(database, page_id, 2)).text == "Два"
    with pytest.raises(InputError):
        await info_editing.restore(database, number=1, version=3, **back)  # type: ignore[arg-type]


async def test_commands_that_write_keep_revisions_too(portal: Portal) -> None:
    await write(portal.database, text="Один")
    await write(portal.database, text="Два")

    [page] = (await info_editing.listing(portal.database)).rows
    assert page.version == 2
    assert [one.number for one in await info_editing.revisions(portal.database, page.id)] == [2, 1]


async def test_everything_is_in_the_audit(portal: Portal) -> None:
    actor = await author(portal)
    page_id = await save(portal, release=Release.NOW, actor=actor)
    await save(portal, page_id, 1, text="Два", release=Release.DRAFT, actor=actor)
    await info_editing.restore(
        portal.database, page_id=page_id, number=1, version=2, actor=actor, visit=visit()
    )

    assert await info_actions(portal) == [
        "web:info:save",
        "web:info:publish",
        "web:info:save",
        "web:info:withdraw",
        "web:info:restore",
    ]


async def test_lists_are_in_the_order_of_the_readers_with_drafts(portal: Portal) -> None:
    database = portal.database
    await put_out(database, "second", position=2)
    await write(database, "first", position=1)
    await put_out(database, "old", kind=InfoKind.NEWS, at=NOW - 9 * DAY)
    await put_out(database, "new", kind=InfoKind.NEWS)
    await write(database, "draft", kind=InfoKind.NEWS)
    await put_out(database, "login-welcome", kind=InfoKind.BLOCK)

    async def slugs(kind: InfoKind) -> list[str]:
        return [one.slug for one in (await info_editing.listing(database, kind)).rows]

    assert await slugs(InfoKind.PAGE) == ["first", "second"]
    assert await slugs(InfoKind.NEWS) == ["draft", "new", "old"]
    assert await slugs(InfoKind.BLOCK) == ["login-welcome"]


async def test_a_long_list_comes_in_parts(portal: Portal) -> None:
    for number in range(info_editing.ROWS + 3):
        await write(portal.database, f"page-{number:03}")

    first = await info_editing.listing(portal.database, InfoKind.PAGE)
    rest = await info_editing.listing(portal.database, InfoKind.PAGE, first=info_editing.ROWS)
    assert (len(first.rows), first.has_more) == (info_editing.ROWS, True)
    assert ([one.slug for one in rest.rows], rest.has_more) == (["page-050", "page-051", "page-052"], False)


OMSK, BERLIN = ZoneInfo("Asia/Omsk"), ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("typed", "zone", "at"),
    [
        ("2026-11-27T09:00", OMSK, datetime(2026, 11, 27, 3, tzinfo=UTC)),
        ("2026-10-25T02:30", BERLIN, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_typed_time_is_of_the_utilitys_clock(typed: str, zone: ZoneInfo, at: datetime) -> None:
    assert local_moment(typed, zone) == at


@pytest.mark.parametrize(
    "typed", ["", "x", "2026-11-27T09:00+06:00", "2026-03-29T02:30", "0001-01-01T00:00", "9999-12-31T23:59"]
)
def test_what_is_no_time_of_the_utilitys_clock(typed: str) -> None:
    zone = ZoneInfo("America/New_York") if typed.startswith("9") else BERLIN
    with pytest.raises(InputError) as caught:
        local_moment(typed, zone)

    assert caught.value.field == "release_at"


async def add(portal: Portal, content_: bytes, name: str = "щит.jpg") -> str:
    return await info_pictures.add(portal.database, Upload(name, content_), actor=None, visit=visit())


async def is_seen(portal: Portal, address: str, reader: content.Reader, *, is_staff: bool = False) -> bool:
    key = address.rpartition("/")[2]
    try:
        await info_pictures.shown(portal.database, reader, key, is_staff=is_staff)
    except NotFoundError:
        return False
    return True


async def test_a_picture_is_drawn_anew_and_kept_once(portal: Portal) -> None:
    address = await add(portal, jpeg(3200, 100))
    again = await add(portal, jpeg(3200, 100))

    assert address == again
    assert size_of(address) == (info_pictures.MAX_SIDE, 50)
    assert await portal.count("info_picture") == await portal.count("info_picture_content") == 1
    found = await info_pictures.shown(portal.database, VISITOR, address.rpartition("/")[2], is_staff=True)
    assert found.media_type == "image/jpeg"
    assert CANARY not in found.content
    assert not has_place(found.content)
    assert await info_actions(portal) == ["web:info:picture"]


async def test_a_picture_is_seen_by_who_may_read_its_page(portal: Portal) -> None:
    address = await add(portal, png())
    assert not await is_seen(portal, address, SUBSCRIBER)
    assert await is_seen(portal, address, SUBSCRIBER, is_staff=True)

    page_id = await save(portal, text=f"![щит]({address})", is_public=False)
    assert not await is_seen(portal, address, SUBSCRIBER)
    await save(portal, page_id, 1, text=f"![щит]({address})", is_public=False, release=Release.NOW)
    assert await is_seen(portal, address, SUBSCRIBER)
    assert not await is_seen(portal, address, VISITOR)
    await save(portal, page_id, 2, text=f"![щит]({address})")
    assert await is_seen(portal, address, VISITOR)
    await save(portal, page_id, 3, text="без картинки")
    assert not await is_seen(portal, address, SUBSCRIBER)
    actor = await author(portal)
    await info_editing.restore(
        portal.database, page_id=page_id, number=1, version=4, actor=actor, visit=visit()
    )
    assert await is_seen(portal, address, VISITOR)


@pytest.mark.parametrize("key", ["", "x", "../x", "0" * 32, f"{'0' * 32}-64x48", "\0"])
async def test_there_is_no_other_picture(portal: Portal, key: str) -> None:
    with pytest.raises(NotFoundError):
        await info_pictures.shown(portal.database, SUBSCRIBER, key, is_staff=True)


@pytest.mark.parametrize(
    "content_",
    [
        b"",
        b"just words",
        PDF,
        b"<svg onload=alert(1)>",
        b"\xff\xd8\xff broken",
        bomb(),
        b"x" * (10 * 2**20 + 1),
    ],
    ids=["empty", "text", "pdf", "svg", "broken", "bomb", "large"],
)
async def test_what_is_no_good_picture_is_refused(portal: Portal, content_: bytes) -> None:
    with pytest.raises(InputError) as caught:
        await add(portal, content_)

    assert caught.value.field == "files"
    assert await portal.count("info_picture") == 0
