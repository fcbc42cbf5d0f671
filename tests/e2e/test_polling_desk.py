"""The staff's pages of the polling: a meter goes silent, the page says so and shows what comes of a poll."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select

from lk_portal.metering.maps import load_maps
from lk_portal.metering.simulator import Faults, SimulatedGateway, SimulatedMeter
from lk_portal.metering.types import PollOutcome, Quantity, RegisterValue, Snapshot
from lk_portal.models import AccountClaim, ClaimReason, Gateway, Letter, LetterKind, LetterStatus
from lk_portal.services.database import Database
from lk_portal.services.readings import ReadingStore
from lk_portal.services.tables import table_of
from tests import factories
from tests.e2e import seed
from tests.e2e.conftest import DESKTOP, TELEPHONE, Site, sign_in
from tests.e2e.raw_client import raw_client, session_cookie
from tests.smtp_server import secret_in

pytestmark = pytest.mark.browser
MAP = "schneider-iem3155"
ANSWER_MS = 40_000
"""The worker looks every second or so, asks three times, and takes its pauses."""
POLL_NOW = "connection_state.poll_now"


@asynccontextmanager
async def a_line(
    site: Site, serial: str, *, map_name: str = MAP, read_at: Sequence[datetime] = ()
) -> AsyncIterator[SimulatedMeter]:
    """A meter that is read once an hour, and was at some moments before; its faults are ours."""
    load_maps()
    meter = SimulatedMeter(serial, map_name, 1)
    database = Database(site.settings.database_address)
    async with SimulatedGateway([meter]) as line:
        point = await factories.a_metered_point(database, map_name=map_name)
        await _read_before(database, point.meter_id, meter, read_at)
        gateway_id = await factories.gateway(database, port=line.port)
        async with database.writing() as connection:
            gate = table_of(Gateway)
            await connection.execute(gate.update().where(gate.c.id == gateway_id).values(timeout_s=0.5))
            meters = table_of(factories.Meter)
            await connection.execute(
                meters.update().where(meters.c.id == point.meter_id).values(serial=serial)
            )
        await factories.connection(
            database, meter_id=point.meter_id, gateway_id=gateway_id, device_id=1, interval_s=3600
        )
        try:
            yield meter
        finally:
            async with database.writing() as connection:
                await connection.execute(
                    gate.update().where(gate.c.id == gateway_id).values(is_enabled=False)
                )
            await database.close()


async def _read_before(
    database: Database, meter_id: int, meter: SimulatedMeter, moments: Sequence[datetime]
) -> None:
    store = ReadingStore(database, clock=lambda: datetime.now(UTC), default_interval_s=3600)
    for at in moments:
        energies = {q: meter.value_wh(at, q) for q in (Quantity.A_PLUS, Quantity.R_PLUS)}
        values = tuple(RegisterValue(quantity, 0, value) for quantity, value in energies.items())
        await store.store((PollOutcome(meter_id, at, at, Snapshot(at, values)),))


async def test_a_hole_is_filled_from_the_archive_of_the_meter_live(page: Page, site: Site) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    moments = [hour - timedelta(minutes=10 * back) for back in range(48, 35, -1)]  # until six hours ago
    async with a_line(site, "DESK0002", map_name="simulated-profile", read_at=moments):
        await sign_in(page, site, seed.ADMIN)
        await expect(page.get_by_role("heading", name="Рабочий стол")).to_be_visible()
        await page.goto(f"{site.url}/admin/connections/DESK0002")
        await expect(page.locator("#poll-result")).to_contain_text("опрошен", timeout=ANSWER_MS)
        await expect(page.locator("#archive-note")).to_contain_text("по 30 мин за 93 дн.")
        newest = page.locator("#holes li").first
        await expect(newest).to_contain_text("расчетн", timeout=ANSWER_MS)
        await page.evaluate("window.isTheSamePage = true")

        await newest.get_by_role("button", name="Дочитать из архива").click()
        result = page.locator("#replay-result")
        await expect(result).to_have_attribute("data-phase", "good", timeout=ANSWER_MS)
        await expect(result).to_contain_text("Дочитано")
        await expect(page.locator("#replay-parts li").first).to_contain_text("показания сходятся")
        await expect(page.locator("#holes li").first).not_to_contain_text("расчетн")
        assert await page.evaluate("window.isTheSamePage")


async def test_a_model_without_an_archive_says_so(page: Page, site: Site) -> None:
    async with a_line(site, "DESK0003"):
        await sign_in(page, site, seed.ADMIN)
        await expect(page.get_by_role("heading", name="Рабочий стол")).to_be_visible()
        await page.goto(f"{site.url}/admin/connections/DESK0003")
        await expect(page.locator("#archive-note")).to_contain_text("не ведет архив")
        await expect(page.locator("#holes li").first).to_be_visible()
        await expect(page.get_by_role("button", name="Дочитать из архива")).to_have_count(0)


async def test_a_silent_meter_is_told_and_polled_again_live(page: Page, site: Site) -> None:
    async with a_line(site, "DESK0001") as meter:
        await sign_in(page, site, seed.ADMIN)
        await expect(page.get_by_role("heading", name="Рабочий стол")).to_be_visible()
        await page.goto(f"{site.url}/admin/connections")
        await page.get_by_label("Поиск: начало заводского номера").fill("DESK")
        await page.get_by_role("button", name="Найти").click()
        await page.wait_for_url("**q=DESK")
        await page.get_by_role("link", name="DESK0001").click()
        result = page.locator("#poll-result")
        await expect(result).to_contain_text("Прибор учета опрошен", timeout=ANSWER_MS)
        await expect(page.get_by_text("Активная прямая").first).to_be_visible()
        await page.evaluate("window.isTheSamePage = true")

        meter.faults = Faults(silent=True)
        await page.get_by_role("button", name="Опросить сейчас").click()
        await expect(result).to_contain_text("Прибор учета не ответил вовремя", timeout=ANSWER_MS)
        await expect(page.locator("#poll-code")).to_contain_text("timeout")
        await expect(page.get_by_text("Проверьте питание прибора учета")).to_be_visible()

        meter.faults = Faults()
        await page.get_by_role("button", name="Опросить сейчас").click()
        await expect(result).to_contain_text("Прибор учета опрошен", timeout=ANSWER_MS)
        await expect(page.locator("#poll-code")).to_have_count(0)
        assert await page.evaluate("window.isTheSamePage")
        assert await asyncio.to_thread(audited, site) >= 2


def audited(site: Site) -> int:
    with closing(sqlite3.connect(site.portal.data_dir / "portal.sqlite3")) as connection:
        query = "SELECT count(*) FROM audit_entry WHERE action = 'desk:connection:poll'"
        return int(connection.execute(query).fetchone()[0])


def next_polls(site: Site, serial: str) -> int | None:
    with closing(sqlite3.connect(site.portal.data_dir / "portal.sqlite3")) as connection:
        query = """SELECT c.next_poll_at FROM meter_connection c JOIN meter m ON m.id = c.meter_id
            WHERE m.serial = ?"""
        found: int | None = connection.execute(query, [serial]).fetchone()[0]
        return found


def wishes(site: Site, serial: str) -> int:
    with closing(sqlite3.connect(site.portal.data_dir / "portal.sqlite3")) as connection:
        query = "SELECT count(*) FROM archive_replay r JOIN meter m ON m.id = r.meter_id WHERE m.serial = ?"
        return int(connection.execute(query, [serial]).fetchone()[0])


@pytest.mark.parametrize("who", ["visitor", seed.SUBSCRIBER, seed.OPERATOR])
async def test_only_an_admin_polls(site: Site, who: str) -> None:
    from lk_portal.lk_portal import app

    name = next(one for one in app._registration_context.event_handlers if one.endswith(POLL_NOW))
    load, fill = name.replace("poll_now", "load"), name.replace("poll_now", "fill_hole")
    async with a_line(site, f"ONLY{abs(hash(who)) % 10**6:06}", map_name="simulated-profile") as meter:
        for _ in range(200):
            before = next_polls(site, meter.serial)
            if before is not None:
                break
            await asyncio.sleep(0.2)
        assert before is not None
        cookie = "" if who == "visitor" else session_cookie(site.url, who, seed.PASSWORD)
        async with raw_client(site.url, cookie=cookie) as client:
            path = f"/admin/connections/{meter.serial}"
            await client.send(load, path=path)
            await client.send(name, path=path)
            hour = int(datetime.now(UTC).timestamp()) // 3600 * 3600
            await client.send(fill, {"key": f"{hour - 20 * 3600}-{hour - 10 * 3600}"}, path=path)
            answer = await (client.wait_for("modbus-tcp") if who == seed.OPERATOR else client.settle())
        assert next_polls(site, meter.serial) == before
        assert await asyncio.to_thread(wishes, site, meter.serial) == 0
        assert ("modbus-tcp" in answer) == (who == seed.OPERATOR)


@pytest.mark.parametrize("viewport", [DESKTOP, TELEPHONE], ids=["1280", "390"])
async def test_the_queue_and_the_map_are_seen(browser: Browser, site: Site, viewport: dict[str, int]) -> None:
    context = await browser.new_context(viewport=viewport, locale="ru-RU")  # type: ignore[arg-type]
    page = await context.new_page()
    await sign_in(page, site, seed.ADMIN)
    await expect(page.get_by_role("heading", name="Рабочий стол")).to_be_visible()
    await page.goto(f"{site.url}/admin/polling")

    await expect(page.locator("#queue")).to_contain_text("Чтений в минуту")
    await expect(page.locator("#map-summary")).to_contain_text("Полнота данных за 30 дней")
    await expect(page.locator(".chart .bars").first).to_be_visible()
    last = page.locator("#queue dd").nth(10)
    shown = await last.inner_text()
    await page.get_by_text("Таблицей").click()
    table = page.get_by_role("region", name="Полнота данных по дням")
    await expect(table).to_contain_text("Все шлюзы")
    assert shown != ""
    await table.get_by_role("link").first.click()
    await expect(page.get_by_role("heading", name="Приборы учета")).to_be_visible()


async def test_the_counters_are_live_and_lead_to_their_lists(page: Page, site: Site) -> None:
    await sign_in(page, site, seed.ADMIN)
    claims = page.locator("#count-claims")
    await expect(claims).to_be_visible()
    before = int(await claims.inner_text())
    database = Database(site.settings.database_address)
    now = datetime.now(UTC)
    account = table_of(factories.Account)
    async with database.writing() as connection:
        account_id = await connection.scalar(
            select(account.c.id).where(account.c.number == seed.FREE_ACCOUNTS[-1])
        )
        await connection.execute(
            table_of(AccountClaim)
            .insert()
            .values(
                reason=ClaimReason.ACCOUNT_OWNED,
                account_id=account_id,
                full_name="Сидорова Анна",
                email="sidorova@example.com",
                phone="+79135550011",
                address="",
                created_at=now,
                closed_at=None,
            )
        )
        await connection.execute(
            table_of(Letter)
            .insert()
            .values(
                kind=LetterKind.ERASED,
                to_address="nobody@example.com",
                user_id=None,
                locale="",
                data={"at": now.isoformat()},
                message_id=f"desk-{now.timestamp()}",
                status=LetterStatus.DEAD,
                created_at=now - timedelta(days=4),
                next_attempt_at=now,
                attempts=9,
                last_error="550 <nobody@example.com>: no such user",
            )
        )
    await database.close()
    await expect(claims).to_have_text(str(before + 1))

    await page.get_by_role("link", name="Регистрации на проверку").first.click()
    await page.get_by_role("checkbox", name=f"Отметить {seed.FREE_ACCOUNTS[-1]}").check()
    await page.get_by_label("С отмеченными строками").select_option(label="Принять")
    await page.get_by_role("button", name="Применить").click()
    await page.get_by_role("button", name="Да").click()
    await expect(page.get_by_text("Готово")).to_be_visible()
    await expect(page.get_by_text("Сидорова Анна")).to_have_count(0)
    for _ in range(100):
        if site.mail.letters_to("sidorova@example.com"):
            break
        await asyncio.sleep(0.2)
    [letter] = site.mail.letters_to("sidorova@example.com")
    assert secret_in(letter)

    await page.goto(f"{site.url}/admin/letters?f.status=dead")
    row = page.get_by_role("row", name="n***@example.com")
    await expect(row.first).to_be_visible()
    await expect(page.get_by_text("nobody@example.com")).to_have_count(0)
    await row.first.get_by_role("checkbox").check()
    await page.get_by_role("button", name="Применить").click()
    await page.get_by_role("button", name="Да").click()
    await expect(page.get_by_text("Готово")).to_be_visible()
    await expect(row).to_have_count(0)
