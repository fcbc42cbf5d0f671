"""The welcome of /login: the utility's own once there is one, safe, and in the visitor's language."""

from __future__ import annotations

import pytest

from lk_portal.services.content import InfoKind
from lk_portal.state.login import LoginState
from tests.integration.services.infos import DAY, put_out, write
from tests.unit.state.opened_pages import opened
from tests.unit.state.people import NOW, People

pytestmark = pytest.mark.usefixtures("application")
BLOCK = {"kind": InfoKind.BLOCK, "title": "Добро пожаловать!"}


async def test_without_a_block_the_page_has_its_own(people: People) -> None:
    await write(people.database, "login-welcome", **BLOCK)
    await put_out(people.database, "login-welcome", locale="en", at=NOW + DAY, **BLOCK)

    state = await opened(LoginState, "/login")

    assert (state.welcome_title, state.welcome, state.welcome_language) == ("", "", "")


async def test_the_utilitys_block_is_shown(people: People) -> None:
    await put_out(people.database, "login-welcome", text="Вход **для своих**", **BLOCK)

    state = await opened(LoginState, "/login")

    assert state.welcome_title == "Добро пожаловать!"
    assert state.welcome == "<p>Вход <strong>для своих</strong></p>\n"
    assert state.welcome_language == "ru"


async def test_a_page_of_that_name_is_no_block(people: People) -> None:
    await put_out(people.database, "login-welcome", kind=InfoKind.PAGE)

    assert (await opened(LoginState, "/login")).welcome == ""


async def test_markup_in_the_block_does_not_act(people: People) -> None:
    await put_out(people.database, "login-welcome", text="<script>1</script>", **BLOCK)

    assert (await opened(LoginState, "/login")).welcome == "<p>&lt;script&gt;1&lt;/script&gt;</p>\n"
