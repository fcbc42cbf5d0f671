"""Choices of notifications and thresholds of consumption, on both databases."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lk_portal.errors import AccessDeniedError, InputError, NotFoundError, ThrottledError
from lk_portal.models import Channel, ConsumptionLimit, NotificationChoice
from lk_portal.services import audit, notification_choices, profile
from lk_portal.services.database import Database
from lk_portal.services.notification_choices import MOST_KWH, NotificationKind, choices_of, limits_of
from lk_portal.settings import Settings, load_settings
from tests import factories
from tests.integration.services.persons import deeds, person, set_user, visit
from tests.integration.services.told import Owner, Told

NEW_DEVICE, WARNING = NotificationKind.NEW_DEVICE, NotificationKind.WARNING_EVENT


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, bcrypt_rounds=4)


@pytest.fixture
def told(database: Database, settings: Settings) -> Told:
    return Told(database, settings)


async def chosen(owner: Owner) -> dict[tuple[NotificationKind, Channel], bool]:
    found = await choices_of(owner.told.database, user_id=owner.user_id, is_subscriber=True)
    return {(choice.kind, choice.channel): choice.is_wanted for choice in found}


async def kwh(owner: Owner) -> list[int | None]:
    found = await limits_of(
        owner.told.database, user_id=owner.user_id, subscriber_id=owner.placed.subscriber_id
    )
    return [None if limit.month_wh is None else limit.month_wh // 1000 for limit in found]


async def test_who_never_chose_is_told_calmly(told: Told) -> None:
    defaults = await chosen(await told.subscriber())

    assert {kind for kind, _channel in defaults} == set(NotificationKind)
    unwanted = {key for key, is_wanted in defaults.items() if not is_wanted}
    assert unwanted == {(WARNING, Channel.LETTER), (WARNING, Channel.PUSH)}
    assert (NEW_DEVICE, Channel.PUSH) not in defaults


async def test_staff_is_told_of_sign_ins_only(told: Told) -> None:
    user_id = await person(told.database, told.settings, "operator")

    [choice] = await choices_of(told.database, user_id=user_id, is_subscriber=False)

    assert (choice.kind, choice.channel, choice.is_wanted) == (NEW_DEVICE, Channel.LETTER, True)


async def test_each_box_is_a_choice_of_its_own_and_ones_own(told: Told) -> None:
    owner, other = await told.subscriber(), await told.subscriber()
    before = await chosen(other)

    for key in before:
        for is_wanted in (not before[key], before[key], not before[key]):
            await owner.choose(*key, is_wanted=is_wanted)
            assert (await chosen(owner))[key] is is_wanted

    assert await chosen(owner) == {key: not is_wanted for key, is_wanted in before.items()}
    assert await chosen(other) == before


async def test_what_changes_nothing_is_no_deed(told: Told) -> None:
    owner = await told.subscriber()

    await owner.choose(NEW_DEVICE, Channel.LETTER, is_wanted=True)
    await owner.limit("")

    assert await deeds(told.database, owner.user_id) == [audit.USER_CREATED]
    assert await told.rows(NotificationChoice) == await told.rows(ConsumptionLimit) == []


async def test_a_kind_is_not_told_in_a_way_it_does_not_have(told: Told) -> None:
    owner = await told.subscriber()

    with pytest.raises(InputError):
        await owner.choose(NEW_DEVICE, Channel.PUSH, is_wanted=True)

    assert await told.rows(NotificationChoice) == []


async def test_ten_clicks_at_once_are_one_choice(told: Told) -> None:
    owner = await told.subscriber()

    await asyncio.gather(*(owner.choose(WARNING, Channel.LETTER, is_wanted=True) for _ in range(10)))

    assert len(await told.rows(NotificationChoice)) == 1
    assert (await deeds(told.database, owner.user_id)).count(audit.NOTIFICATIONS_CHOSEN) == 1


async def test_choices_cannot_flood_the_audit_and_end_with_the_login(told: Told) -> None:
    owner = await told.subscriber()
    for number in range(profile.SETTINGS_CHANGES.free):
        await owner.choose(WARNING, Channel.PUSH, is_wanted=number % 2 == 0)
    with pytest.raises(ThrottledError):
        await owner.limit("1")
    with pytest.raises(ThrottledError):
        await owner.choose(WARNING, Channel.LETTER, is_wanted=True)

    other = await told.subscriber()
    await set_user(told.database, other.user_id, is_active=False)
    with pytest.raises(AccessDeniedError):
        await other.choose(WARNING, Channel.LETTER, is_wanted=True)
    with pytest.raises(AccessDeniedError):
        await other.limit("5")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("300", 300), (" 1 000 ", 1000), ("1\u00a0000", 1000), ("1", 1), (str(MOST_KWH), MOST_KWH), ("007", 7)],
)
async def test_a_threshold_is_kept_in_whole_kwh(told: Told, typed: str, kept: int) -> None:
    owner = await told.subscriber()

    await owner.limit(typed)

    assert await kwh(owner) == [kept]
    assert (await deeds(told.database, owner.user_id)).count(audit.LIMIT_CHOSEN) == 1
    await owner.limit(" ")
    assert await kwh(owner) == [None]


@pytest.mark.parametrize(
    "typed", ["0", "-1", "1.5", "1,5", "x", "1e3", "٣٠٠", "\0", str(MOST_KWH + 1), "9" * 500, "<b>1</b>"]
)
async def test_what_is_no_threshold(sqlite_database: Database, settings: Settings, typed: str) -> None:
    owner = await Told(sqlite_database, settings).subscriber()

    with pytest.raises(InputError) as refused:
        await owner.limit(typed)

    assert refused.value.field == "limit"
    assert await kwh(owner) == [None]


async def test_a_foreign_point_is_no_more_than_none(told: Told) -> None:
    owner, stranger = await told.subscriber(), await told.subscriber()

    for point_id in (stranger.placed.point_id, 999_999_999):
        with pytest.raises(NotFoundError):
            await notification_choices.set_limit(
                told.database,
                user_id=owner.user_id,
                subscriber_id=owner.placed.subscriber_id,
                point_id=point_id,
                typed="5",
                visit=visit(),
            )

    assert await told.rows(ConsumptionLimit) == []
    await stranger.limit("5")
    assert (await kwh(owner), await kwh(stranger)) == ([None], [5])


async def test_a_point_without_a_meter_is_listed_too(told: Told) -> None:
    owner = await told.subscriber()
    await factories.point(told.database, account_id=owner.placed.account_id, name="Гараж")

    found = await limits_of(told.database, user_id=owner.user_id, subscriber_id=owner.placed.subscriber_id)

    assert [(limit.name, bool(limit.serial)) for limit in found] == [("Дача", True), ("Гараж", False)]
    assert found[0].address.startswith("г. Омск, ул. Ленина")
