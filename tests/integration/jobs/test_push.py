"""Pushes over a real HTTPS push service that takes, refuses, forgets, fails and stalls."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import http_ece
import pytest
import pytest_asyncio
from py_vapid import Vapid02

from lk_portal.jobs.push import TEXTS, Pushing
from lk_portal.jobs.push_post import (
    OutgoingPush,
    PublicResolver,
    PushLimits,
    PushSender,
    Verdict,
    WebSender,
)
from lk_portal.jobs.worker import Worker
from lk_portal.models import NotificationKind, PushMessage
from lk_portal.security.push import own_public_key
from lk_portal.services import push
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.settings import Settings, load_settings
from tests.integration.services.persons import NOW
from tests.integration.services.told import Owner, Told
from tests.push_service import STALL, Browser, PushService

QUICK = PushLimits(connect_s=2.0, answer_s=1.0)
ANSWER = NotificationKind.ANSWER


@pytest.fixture
def service() -> Iterator[PushService]:
    with PushService() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, database_address: str) -> Settings:
    return load_settings(
        data_dir=tmp_path,
        bcrypt_rounds=4,
        database_url=database_address,
        public_url="https://lk.energo.example",
        utility_name="ЭнергоМир",
        mail_from="Energo <lk@energo.example>",
    )


@pytest_asyncio.fixture
async def told(database: Database, settings: Settings) -> AsyncIterator[Told]:
    yield Told(database, settings)


class Sending:
    """The sending without the queue around it, over a service of the test's own."""

    def __init__(self, told: Told, service: PushService) -> None:
        self.told, self.service = told, service
        portal = Portal(told.settings, told.database, clock=lambda: told.now)
        self.pushing = Pushing(portal, make_sender=self.sender)

    def sender(self, settings: Settings) -> PushSender:
        return WebSender(settings, limits=QUICK, resolver=self.service, trust=self.service.trust)

    async def send_due(self) -> dict[str, int]:
        ids = await push.due(self.told.database, now=self.told.now, limit=500)
        return dict(await self.pushing.run_batch("test", ids))


@pytest.fixture
def sending(told: Told, service: PushService) -> Sending:
    return Sending(told, service)


async def write(*owners: Owner, kind: NotificationKind = ANSWER, page: str = "/support/1") -> None:
    told = owners[0].told
    async with told.database.writing() as connection:
        pages = {owner.user_id: page for owner in owners}
        await push.write(connection, kind=kind, pages=pages, now=told.now)


async def test_a_message_reaches_the_browser_and_only_it_can_read_it(sending: Sending) -> None:
    owner = await sending.told.subscriber()
    device = await owner.subscribe()
    await write(owner)

    assert await sending.send_due() == {"taken": 1}
    assert await sending.send_due() == {}

    [received] = sending.service.received
    assert json.loads(device.read(received)) == {
        "title": "ЭнергоМир",
        "body": "Новый ответ на обращение",
        "page": "/support/1",
        "tag": "answer",
        "lang": "ru",
    }
    assert "обращение".encode() not in received.body
    with pytest.raises(http_ece.ECEException):
        Browser().read(received)
    assert received.headers["Content-Encoding"] == "aes128gcm"
    assert (received.headers["TTL"], received.headers["Topic"]) == ("86400", "answer")
    assert await sending.told.rows(PushMessage) == []


async def test_the_portal_says_who_it_is(sending: Sending) -> None:
    owner = await sending.told.subscriber()
    await owner.subscribe()
    await write(owner)
    await sending.send_due()

    [received] = sending.service.received
    authorization = received.headers["Authorization"]
    assert Vapid02.verify(authorization)
    token, key = authorization.removeprefix("vapid t=").split(",k=")
    assert key == own_public_key(sending.told.settings.secret())
    claims = json.loads(_decoded(token.split(".")[1]))
    assert claims["aud"] == "https://push.example"
    assert claims["sub"] == "mailto:lk@energo.example"
    assert claims["exp"] == int((NOW + timedelta(hours=12)).timestamp())


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize("kind", list(TEXTS))
async def test_nothing_of_a_person_stands_on_the_locked_screen(
    sending: Sending, kind: NotificationKind
) -> None:
    owner = await sending.told.subscriber(name="Канарейка")
    device = await owner.subscribe()
    await write(owner, kind=kind, page="/x")
    await sending.send_due()

    shown = device.read(sending.service.received[0]).decode()
    for canary in ("Канарейка", owner.placed.serial, "Ленина", "Person", "@"):
        assert canary not in shown
    assert not any(sign.isdigit() for sign in json.loads(shown)["body"])


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(sending: Sending, status: int) -> None:
    gone, there = await sending.told.subscriber(), await sending.told.subscriber()
    await gone.subscribe(Browser("/gone"))
    await there.subscribe(Browser("/there"))
    sending.service.answers["/gone"] = status
    await write(gone, there)

    assert await sending.send_due() == {"gone": 1, "taken": 1}

    assert (await gone.endpoints(), len(await there.endpoints())) == ([], 1)


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (500, timedelta(minutes=1)),
        (503, timedelta(minutes=1)),
        ((429, {"Retry-After": "900"}), timedelta(seconds=900)),
        ((429, {"Retry-After": "x"}), timedelta(minutes=1)),
        ((429, {"Retry-After": "99999999"}), timedelta(hours=6)),
        (STALL, timedelta(minutes=1)),
    ],
)
async def test_what_is_not_taken_now_is_tried_again(
    sending: Sending, answer: int | tuple[int, dict[str, str]], wait: timedelta
) -> None:
    owner = await sending.told.subscriber()
    device = await owner.subscribe()
    path = device.path
    sending.service.answers[path] = answer
    await write(owner)

    assert await sending.send_due() == {"not_now": 1}
    sending.service.answers.clear()
    sending.told.now += wait - timedelta(seconds=1)
    assert await sending.send_due() == {}
    sending.told.now += timedelta(seconds=1)
    assert await sending.send_due() == {"taken": 1}

    assert len(sending.service.received) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 413])
async def test_what_is_refused_is_dropped_and_no_redirect_is_followed(sending: Sending, status: int) -> None:
    owner = await sending.told.subscriber()
    device = await owner.subscribe()
    sending.service.answers[device.path] = (status, {"Location": "https://push.example/elsewhere"})
    await write(owner)

    assert await sending.send_due() == {"refused": 1}

    assert [received.path for received in sending.service.received] == [device.path]
    assert await sending.told.rows(PushMessage) == []
    assert len(await owner.endpoints()) == 1


async def test_one_that_stalls_does_not_hold_the_others_up(sending: Sending) -> None:
    owners = [await sending.told.subscriber() for _ in range(12)]
    for owner in owners:
        await owner.subscribe()
    sending.service.answers[f"/send/{owners[0].user_id}"] = STALL
    await write(*owners)
    began = asyncio.get_running_loop().time()

    assert await sending.send_due() == {"taken": 11, "not_now": 1}

    assert asyncio.get_running_loop().time() - began < 10


async def test_a_certificate_nobody_vouches_for_gets_nothing(told: Told, service: PushService) -> None:
    owner = await told.subscriber()
    device = await owner.subscribe()
    sender = WebSender(told.settings, limits=QUICK, resolver=service)
    message = OutgoingPush(**vars_of(device), topic="answer", payload=b"{}")

    answer = await sender.send(message, now=NOW)
    await sender.close()

    assert answer.verdict is Verdict.NOT_NOW
    assert service.received == []


def vars_of(device: Browser) -> dict[str, str]:
    given = device.subscription
    return {"endpoint": given.endpoint, "p256dh": given.p256dh, "auth": given.auth}


INSIDE = ("localhost", "127.0.0.1", "0x7f.1", "2130706433", "ip6-localhost", "no.such.invalid")


@pytest.mark.parametrize("host", INSIDE)
async def test_a_name_that_leads_inside_leads_nowhere(host: str) -> None:
    with pytest.raises(OSError):
        await PublicResolver().resolve(host, 443)


async def test_a_public_address_is_let_through() -> None:
    [found] = await PublicResolver().resolve("8.8.8.8", 443)
    assert (found["host"], found["port"]) == ("8.8.8.8", 443)


async def test_what_got_into_the_table_is_asked_again_before_anything_goes_out(
    sending: Sending,
) -> None:
    device = Browser()
    sender = sending.sender(sending.told.settings)
    for endpoint in ("https://127.0.0.1/x", "http://push.example/x", "https://[::1]/x"):
        message = OutgoingPush(**{**vars_of(device), "endpoint": endpoint}, topic="answer", payload=b"{}")
        assert (await sender.send(message, now=NOW)).verdict is Verdict.REFUSED
    await sender.close()
    assert sending.service.received == sending.service.asked_for == []


async def test_the_worker_finds_the_news_and_sends_it(
    told: Told, service: PushService, database_address: str
) -> None:
    owner = await told.subscriber()
    device = await owner.subscribe()
    told.now = NOW + timedelta(hours=1)
    await owner.event()
    sending = Sending(told, service)
    portal = Portal(told.settings, told.database, clock=lambda: told.now)
    worker = Worker(portal, queue_poll_s=0.1, make_sender=sending.sender)
    await worker.start()
    try:
        await service.has(1)
    finally:
        await worker.stop()

    assert await told.rows(PushMessage) == []
    shown = json.loads(device.read(service.received[0]))
    assert (shown["body"], shown["page"]) == ("Критическое событие прибора учета", "/diagnostics")
    assert await told.letters() == [("meter_event", owner.email)]


async def test_a_message_that_cannot_be_made_is_dropped_and_the_others_go(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await sending.told.subscriber()
    await owner.subscribe()
    await write(owner)
    await write(owner, kind=NotificationKind.CRITICAL_EVENT)
    monkeypatch.delitem(TEXTS, ANSWER)

    assert await sending.send_due() == {"taken": 1, "refused": 1}

    assert await sending.told.rows(PushMessage) == []


async def test_a_killed_batch_is_done_again(sending: Sending) -> None:
    """What was claimed by a process that died is due when its claim is over."""
    owner = await sending.told.subscriber()
    device = await owner.subscribe()
    await write(owner)
    sending.service.answers[device.path] = STALL
    batch = asyncio.create_task(sending.send_due())
    await sending.service.has(1)
    batch.cancel()
    await asyncio.gather(batch, return_exceptions=True)
    sending.service.answers.clear()

    assert await sending.send_due() == {}
    sending.told.now += push.LEASE
    assert await sending.send_due() == {"taken": 1}
