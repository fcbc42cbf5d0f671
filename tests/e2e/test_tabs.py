"""A tab that comes back over a new websocket is the same tab, also where nobody closed its old one."""

from __future__ import annotations

import asyncio

from tests.e2e import seed
from tests.e2e.conftest import Site
from tests.e2e.raw_client import raw_client, session_cookie

ROOT = "reflex___state____state"
HYDRATE = f"{ROOT}.hydrate_and_load"
RENEW = f"{ROOT}.lk_portal___state___captcha____captcha_state.renew"
FILLED = '"is_hydrated_rx_state_": true'


async def test_a_tab_that_is_back_takes_its_token_from_the_connection_it_lost(site: Site) -> None:
    async with raw_client(site.url, greeting=HYDRATE) as lost:
        await lost.send(RENEW, {"purpose": "register"}, path="/register")
        picture = picture_in(await lost.wait_for("data:image/png"))

        async with raw_client(site.url, token=lost.token, greeting=HYDRATE) as back:
            assert picture_in(await back.wait_for("data:image/png")) == picture
            assert not back.given_token
            async with asyncio.timeout(10):
                await lost.is_closed.wait()
            # What is asked for is answered to it, too: the end of the old one has not taken the token along.
            back.received.clear()
            await back.send(RENEW, {"purpose": "register"}, path="/register")
            assert picture_in(await back.wait_for("data:image/png")) != picture


async def test_a_tab_that_was_duplicated_gets_states_of_its_own(site: Site) -> None:
    async with raw_client(site.url, greeting=HYDRATE) as original:
        await original.send(RENEW, {"purpose": "register"}, path="/register")
        await original.wait_for("data:image/png")

        async with raw_client(site.url, token=original.token, greeting=HYDRATE, hashes=["new"]) as copy:
            assert "data:image/png" not in await copy.wait_for(FILLED)
            assert copy.given_token not in ("", original.token)
        assert not original.is_closed.is_set()


async def test_a_tab_that_comes_back_as_somebody_else_is_shown_nothing(site: Site) -> None:
    """A client token opens nothing: it is the cookie that says who looks."""
    cookie = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie, greeting=HYDRATE) as lost:
        assert seed.CANARY in await lost.wait_for(seed.CANARY)
        async with raw_client(site.url, token=lost.token, greeting=HYDRATE) as stranger:
            answer = await stranger.wait_for("/login")
            assert "/login" in answer
            assert seed.CANARY not in answer


async def test_a_page_whose_line_is_dead_says_so_within_a_minute(site: Site) -> None:
    """What the browser goes by, as nothing on a dead line tells it."""
    async with raw_client(site.url) as client:
        assert 20 <= client.patience_s <= 45


def picture_in(answer: str) -> str:
    """The last picture that was sent."""
    return answer.rpartition("data:image/png;base64,")[2].partition('"')[0]
