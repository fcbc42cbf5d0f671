"""docs/extending.md followed to the letter in a copy of the tree: its meter is read, its page is seen."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

import lk_portal.metering.modbus  # noqa: F401 - registers the adapters
from lk_portal.errors import ConfigurationError
from lk_portal.metering.base import adapter_for
from lk_portal.metering.maps import load_maps
from lk_portal.metering.simulator import SimulatedGateway, SimulatedMeter
from lk_portal.metering.types import GatewayTarget, MeterTarget, Quantity
from lk_portal.services.database import Database
from lk_portal.services.migrations import migrate
from lk_portal.settings import load_settings
from tests.e2e import seed
from tests.portal_process import ROOT, running_portal

GUIDE = ROOT / "docs" / "extending.md"
LEFT_OUT = (
    "var",
    ".venv",
    ".git",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    "__pycache__",
    "axe",
    ".web",
)
MOST_LINES = 30


def example(path: str) -> str:
    """The code block that the guide gives for a file."""
    found = re.search(
        rf"`{re.escape(path)}`:\n\n```\w+\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found, f"docs/extending.md has no example for {path}"
    assert len(found[1].splitlines()) <= MOST_LINES
    return found[1]


async def test_the_meter_model_of_the_guide_is_read(tmp_path: Path) -> None:
    (tmp_path / "acme-one.toml").write_text(example("maps/acme-one.toml"), encoding="utf-8")
    load_maps(tmp_path)
    meter = SimulatedMeter("ACME1", "acme-one", 3)
    async with SimulatedGateway([meter]) as line:
        gateway = GatewayTarget(1, "modbus-tcp", "127.0.0.1", line.port, 2.0, ())
        adapter = adapter_for(gateway)
        snapshot = await adapter.read_registers(MeterTarget(1, "ACME1", "acme-one", 3))
        await adapter.close()

    read = {value.quantity: value.value_wh for value in snapshot.registers}
    expected = meter.value_wh(snapshot.taken_at, Quantity.A_PLUS)
    assert read.keys() == {Quantity.A_PLUS, Quantity.A_MINUS}
    assert abs(read[Quantity.A_PLUS] - expected) <= 10


@pytest.mark.parametrize(
    ("wrong", "right", "named"),
    [("adress", "address", "adress"), ("uint33", "uint32", "type"), ('"A*"', '"A+"', "quantity")],
)
def test_a_typo_in_it_is_refused_with_file_key_and_reason(
    tmp_path: Path, wrong: str, right: str, named: str
) -> None:
    text = example("maps/acme-one.toml").replace(right, wrong, 1)
    (tmp_path / "acme-typo.toml").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError) as refused:
        load_maps(tmp_path)

    assert "acme-typo.toml" in str(refused.value)
    assert named in str(refused.value)
    load_maps()


@pytest.mark.browser
async def test_the_page_of_the_guide_is_seen(tmp_path: Path, page: Page) -> None:
    tree, data_dir = tmp_path / "tree", tmp_path / "data"
    await asyncio.to_thread(
        shutil.copytree, ROOT, tree, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True
    )
    (tree / "lk_portal" / "pages" / "tips.py").write_text(
        example("lk_portal/pages/tips.py"), encoding="utf-8"
    )
    data_dir.mkdir()
    settings = load_settings(environment="demo", data_dir=data_dir, bcrypt_rounds=4, database_url="")
    migrate(settings.database_address)
    database = Database(settings.database_address)
    await seed.plant(database, settings, simulator_port=1)
    await database.close()

    with running_portal(data_dir, root=tree, LK_IS_WORKER_EMBEDDED="false") as portal:
        await page.goto(f"{portal.url}/tips")
        await page.get_by_label("Логин").wait_for()
        await expect(page).to_have_url(re.compile("next="))
        await page.get_by_label("Логин").fill(seed.SUBSCRIBER)
        await page.get_by_label("Пароль").fill(seed.PASSWORD)
        await page.get_by_role("button", name="Войти").click()
        await expect(page.locator("#tips")).to_have_text("Meters to try it on: 1")
        await expect(page.get_by_role("heading", name="Saving tips")).to_be_visible()
        await page.get_by_role("link", name="Главная").click()
        await page.get_by_role("link", name="Saving tips").click()
        await expect(page).to_have_url(re.compile("/tips"))
