"""The picture check of a tab: what reaches the browser, what stays, and what becomes of the picture."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import reflex as rx
from sqlalchemy import text

from lk_portal.components.captcha_field import captcha_field
from lk_portal.errors import InputError
from lk_portal.services.captcha import LIFETIME, Purpose
from lk_portal.state.captcha import CaptchaState
from lk_portal.state.guard import declared_access
from tests.unit.state.people import People, client_state, come_from

HANDLERS = "reflex___state____state.lk_portal___state___captcha____captcha_state."


async def state_of(root: rx.State) -> CaptchaState:
    return await root.get_state(CaptchaState)


async def tab(name: str = "tab") -> CaptchaState:
    """The check of one open page of a visitor."""
    root = client_state("", "/register")
    if name != "tab":
        root.router_data = {**root.router_data, "token": name}
        come_from(root, "", "/register")
        root.router = type(root.router).from_router_data({**root.router_data, "token": name})
    return await state_of(root)


async def challenges(people: People) -> list[dict[str, Any]]:
    async with people.database.reading() as connection:
        found = await connection.execute(text("SELECT * FROM captcha_challenge ORDER BY expires_at DESC"))
        return [dict(row) for row in found.mappings()]


async def answer_of(people: People, captcha: CaptchaState) -> str:
    [answer] = [row["answer"] for row in await challenges(people) if row["id"] == captcha._challenge]
    return str(answer)


def shown(captcha: CaptchaState) -> str:
    """Everything of the state that its page is sent."""
    return str(captcha.get_delta()) + str(captcha.dict())


async def test_a_page_gets_a_picture_a_recording_and_no_digits(people: People) -> None:
    captcha = await tab()

    await captcha.renew(Purpose.REGISTER.value)

    answer = await answer_of(people, captcha)
    assert captcha.picture.startswith("data:image/png;base64,")
    assert captcha.recording.startswith("/captcha/")
    assert captcha.picture in shown(captcha)
    assert answer not in shown(captcha)
    assert captcha._challenge not in shown(captcha)


async def test_the_right_digits_let_through_once(people: People) -> None:
    captcha = await tab()
    await captcha._renew(Purpose.REGISTER)
    answer = await answer_of(people, captcha)

    await captcha._take(Purpose.REGISTER, answer)

    assert (captcha.picture, captcha.recording) == ("", "")
    with pytest.raises(InputError, match="too old"):
        await captcha._take(Purpose.REGISTER, answer)


@pytest.mark.parametrize("typed", ["000000x", "1", 123456, ["123456"], {"a": 1}, "\ud800"])
async def test_a_refusal_brings_a_new_picture(people: People, typed: object) -> None:
    captcha = await tab()
    await captcha._renew(Purpose.REGISTER)
    before = (captcha.picture, captcha.recording, captcha._challenge)

    with pytest.raises(InputError) as refused:
        await captcha._take(Purpose.REGISTER, typed)

    is_text = isinstance(typed, str)
    assert refused.value.field == "captcha"
    assert ("Wrong digits" in str(refused.value)) is is_text
    after = (captcha.picture, captcha.recording, captcha._challenge)
    assert all(one != other for one, other in zip(before, after, strict=True)) is is_text
    await captcha._take(Purpose.REGISTER, await answer_of(people, captcha))


@pytest.mark.parametrize("typed", ["", "  ", "-", None])
async def test_who_types_nothing_keeps_the_picture(people: People, typed: object) -> None:
    captcha = await tab()
    await captcha._renew(Purpose.REGISTER)
    before = captcha.picture

    with pytest.raises(InputError, match="Type the digits you see"):
        await captcha._take(Purpose.REGISTER, typed)

    assert captcha.picture == before
    await captcha._take(Purpose.REGISTER, await answer_of(people, captcha))


async def test_an_old_picture_is_told_from_a_wrong_answer(people: People) -> None:
    captcha = await tab()
    await captcha._renew(Purpose.REGISTER)
    answer = await answer_of(people, captcha)
    people.wait(LIFETIME + timedelta(seconds=1))

    with pytest.raises(InputError, match="too old"):
        await captcha._take(Purpose.REGISTER, answer)

    await captcha._take(Purpose.REGISTER, await answer_of(people, captcha))


async def test_an_answer_for_another_purpose_does_not_count(people: People) -> None:
    captcha = await tab()
    await captcha._renew(Purpose.RECOVER)

    with pytest.raises(InputError, match="too old"):
        await captcha._take(Purpose.REGISTER, await answer_of(people, captcha))


async def test_two_tabs_have_pictures_of_their_own(people: People) -> None:
    first, second = await tab(), await tab("other")
    await first._renew(Purpose.REGISTER)
    await second._renew(Purpose.REGISTER)
    answers = [await answer_of(people, captcha) for captcha in (first, second)]

    second._challenge, kept = first._challenge, second._challenge
    with pytest.raises(InputError, match="too old"):
        await second._take(Purpose.REGISTER, answers[0])

    assert kept not in {row["id"] for row in await challenges(people)}
    await second._take(Purpose.REGISTER, await answer_of(people, second))


@pytest.mark.parametrize("purpose", ["", "login", "REGISTER", None, 1, ["register"], {}, "\ud800"])
async def test_an_unknown_purpose_gets_nothing(people: People, purpose: Any) -> None:
    captcha = await tab()

    await captcha.renew(purpose)

    assert captcha.picture == ""
    assert await challenges(people) == []


async def test_a_recording_that_fails_is_told_until_the_next_picture(people: People) -> None:
    captcha = await tab()
    await captcha.tell_silence()
    assert captcha.problem == ""

    await captcha._renew(Purpose.RECOVER)
    await captcha.tell_silence()
    assert captcha.problem != ""

    await captcha._renew(Purpose.RECOVER)
    assert captcha.problem == ""


def test_visitors_may_use_it(application: rx.App) -> None:
    for name in ("renew", "tell_silence"):
        access = declared_access(HANDLERS + name)
        assert access is not None
        assert access.is_public


def test_the_field_is_labelled_and_its_error_beside_it(application: rx.App) -> None:
    written = str(captcha_field(Purpose.RECOVER, error=CaptchaState.problem).render())

    assert 'htmlFor:"captcha"' in written
    assert 'id:"captcha"' in written
    assert 'inputMode:"numeric"' in written
    assert 'autoComplete:"off"' in written
    assert '"aria-describedby":"captcha-error"' in written
    assert 'id:"captcha-error"' in written
    assert '["purpose"] : "recover"' in written
    assert "preload" in written
    assert "eval(" not in written
