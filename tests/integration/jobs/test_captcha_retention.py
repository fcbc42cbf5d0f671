"""The worker removes pictures that nobody answered; no visitor needs to come for that."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from lk_portal.jobs.worker import Worker
from lk_portal.services import captcha
from lk_portal.services.captcha import LIFETIME, Purpose
from lk_portal.services.context import Portal, utc_now
from lk_portal.services.database import Database
from lk_portal.settings import load_settings


async def test_pictures_nobody_answered_go(database: Database, tmp_path: Path) -> None:
    now = utc_now()
    portal = Portal(load_settings(data_dir=tmp_path), database, clock=lambda: now)
    for browser, age in (("old", LIFETIME), ("fresh", timedelta())):
        await captcha.issue(database, purpose=Purpose.REGISTER, browser=browser, now=now - age)

    await Worker(portal)._forget_sessions()

    async with database.reading() as connection:
        left = await connection.scalar(text("SELECT COUNT(*) FROM captcha_challenge"))
    assert left == 1
