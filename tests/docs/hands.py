"""What is done on a page before its picture is taken. For the table of pictures.

Pictures are taken in both languages from one demo, so each of these can be done twice.
"""

from __future__ import annotations

import re
from itertools import count

from playwright.async_api import Page

from lk_portal.services import demo_plan
from lk_portal.services.imports.registry_row import COLUMNS

CHANGED = demo_plan.SECOND_METER.serial
"""The meter whose row two people change."""
_NEWS = {
    "ru": (
        "Новое на графике потребления",
        "## Что изменилось\n\n- **Сравнение с прошлым годом**: прежние столбцы рядом\n"
        "- Дыры в данных показаны штриховкой\n\n![График за месяц](/pictures/readings-month-ru.webp)\n",
    ),
    "en": (
        "What is new on the chart",
        "## What has changed\n\n- **Compared with last year**: the earlier columns beside\n"
        "- Holes in the data are hatched\n\n![A month on the chart](/pictures/readings-month-en.webp)\n",
    ),
}
_ROWS = (
    {"account": "13225468901", "subscriber": "Сидоров Иван Петрович", "tariff": "nights"},
    {"account": "13225468902", "subscriber": "Павлова Нина Ильинична", "installed_at": "2026-13-01"},
    {
        "account": "13225468903",
        "subscriber": "Котов Олег Юрьевич",
        "meter_serial": demo_plan.TWO_ZONE_METER.serial,
    },
)
_tries = count(1)


async def change_in_two_tabs(page: Page) -> None:
    """Open a row, let another tab save it first, and save."""
    await page.click("main tbody a:has(svg)")
    await page.wait_for_selector("#model")
    other = await page.context.new_page()
    await other.goto(page.url)
    await _save_model(other, f"МИР С-07.{next(_tries)}")
    await other.wait_for_selector("main [role=status]")
    await other.close()
    await _save_model(page, "МИР С-05")


async def _save_model(page: Page, model: str) -> None:
    await page.fill("#model", model)
    await page.press("#model", "Enter")


async def send_bad_rows(page: Page) -> None:
    """Send a file in which every row is wrong, and wait for the check."""
    usual = {"settlement": "г. Омск", "street": "ул. Ленина", "timezone": "Asia/Omsk", "model": "МИР С-07"}
    usual |= {"installed_at": "2026-11-20"}
    rows = [
        {**usual, "house": str(number), "meter_serial": f"4410381406090{number}", **row}
        for number, row in enumerate(_ROWS, start=1)
    ]
    lines = [",".join(COLUMNS), *(",".join(row.get(name, "") for name in COLUMNS) for row in rows)]
    file = {"name": "registry.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    await page.set_input_files("#file", file)  # type: ignore[arg-type]
    await page.click("main form [type=submit]")


async def open_cabinet(page: Page) -> None:
    """Look through the subscriber's eyes; the session does so from now on."""
    await page.click("main form [type=submit]")
    await page.wait_for_url(re.compile(r"^[^/]*//[^/]*/$"))


async def write_news(page: Page) -> None:
    """Type news with a picture, and save nothing."""
    title, text = _NEWS[await page.evaluate("document.documentElement.lang.slice(0, 2)")]
    await page.fill("#title", title)
    await page.fill("#text", text)
