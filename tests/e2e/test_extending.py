"""docs/extending.md followed to the letter in a copy of the tree, with its sample package: all is seen."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

import lk_portal.metering.modbus  # noqa: F401 - registers the adapters
from lk_portal.errors import ConfigurationError
from lk_portal.i18n import _, using_locale
from lk_portal.metering.base import adapter_for
from lk_portal.metering.maps import load_maps
from lk_portal.metering.simulator import SimulatedGateway, SimulatedMeter
from lk_portal.metering.types import GatewayTarget, MeterTarget, Quantity
from lk_portal.services.database import Database
from lk_portal.settings import load_settings
from tests.e2e import seed
from tests.portal_process import ROOT, RunningPortal, portal_environment, running_portal

GUIDE = ROOT / "docs" / "extending.md"
LEFT_OUT = (
    "var",
    "build",
    "*.egg-info",
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
PLUGIN = ROOT / "docs" / "examples" / "acme_lk"
MOST_LINES = {"maps/acme-one.toml": 30, "lk_portal/pages/tips.py": 20, "lk_portal/resources/lines.py": 25}
"""Of each example, without the empty ones."""


def example(path: str) -> str:
    """The code block that the guide gives for a file."""
    found = re.search(
        rf"`{re.escape(path)}`:\n\n```\w+\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found, f"docs/extending.md has no example for {path}"
    assert len([line for line in found[1].splitlines() if line]) <= MOST_LINES[path]
    return found[1]


@pytest.mark.parametrize(
    ("path", "block"),
    [
        ("pyproject.toml", "[project.entry"),
        ("acme_lk/plugin.py", "from pathlib"),
        ("acme_lk/advice.py", "async"),
        ("acme_lk/models.py", "personal("),
    ],
)
def test_the_guide_says_what_the_sample_package_does(path: str, block: str) -> None:
    blocks = re.findall(r"```\w+\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    [said] = [one for one in blocks if one.startswith(block)]
    sample = (PLUGIN / path).read_text(encoding="utf-8")
    for part in said.split("\n\n[" if path.endswith(".toml") else "\0"):
        assert part.strip() in sample


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


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the sample package, as `pip install` puts it there, without a network.

    Of a copy: pip leaves what it builds beside the sources.
    """
    folder = tmp_path_factory.mktemp("packages")
    shutil.copytree(PLUGIN, folder / "source", ignore=shutil.ignore_patterns(*LEFT_OUT))
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", "installed"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "./source"], check=True, cwd=folder)
    return folder / "installed"


@pytest.fixture(scope="module")
def extended(
    tmp_path_factory: pytest.TempPathFactory, packages: Path, sqlite_template: Path
) -> Iterator[RunningPortal]:
    """A portal of a copy of the tree with the guide's page and list in it, and the sample package.

    It was used without the package before: `lk migrate` adds the package's table to what is there.
    """
    folder = tmp_path_factory.mktemp("extended")
    tree, data_dir = folder / "tree", folder / "data"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    for path in ("lk_portal/pages/tips.py", "lk_portal/resources/lines.py"):
        (tree / path).write_text(example(path), encoding="utf-8")
    _leave_one_language(tree)
    data_dir.mkdir()
    shutil.copyfile(sqlite_template, data_dir / "portal.sqlite3")
    asyncio.run(_plant(data_dir))
    settings = {"LK_IS_WORKER_EMBEDDED": "false", "PYTHONPATH": os.pathsep.join([str(tree), str(packages)])}
    environment = portal_environment(data_dir, 1, **settings)
    subprocess.run([sys.executable, "-m", "lk_portal", "migrate"], check=True, env=environment, cwd=tree)
    with running_portal(data_dir, root=tree, **settings) as portal:
        yield portal


def _leave_one_language(tree: Path) -> None:
    """Every language is a build of its own, and building is nearly all the time that this file takes."""
    path = tree / "lk_portal" / "settings.py"
    text = path.read_text(encoding="utf-8")
    assert text.count('KNOWN_LOCALES = ("ru", "en")') == 1
    path.write_text(text.replace('KNOWN_LOCALES = ("ru", "en")', 'KNOWN_LOCALES = ("ru",)'), encoding="utf-8")


async def _plant(data_dir: Path) -> None:
    settings = load_settings(environment="demo", data_dir=data_dir, bcrypt_rounds=4, database_url="")
    database = Database(settings.database_address)
    await seed.plant(database, settings, simulator_port=1)
    await database.close()


async def sign_in(page: Page, portal: RunningPortal, path: str, login: str) -> None:
    """Go to a page as a visitor, and on to it through the form of signing in."""
    await page.goto(f"{portal.url}{path}")
    await page.get_by_label("Логин").wait_for()
    await expect(page).to_have_url(re.compile("next="))
    await page.get_by_label("Логин").fill(login)
    await page.get_by_label("Пароль").fill(seed.PASSWORD)
    await page.get_by_role("button", name="Войти").click()


@pytest.mark.browser
async def test_the_page_of_the_guide_is_seen(extended: RunningPortal, page: Page) -> None:
    await sign_in(page, extended, "/tips", seed.SUBSCRIBER)
    await expect(page.locator("#tips")).to_have_text("Meters to try it on: 1")
    await expect(page.get_by_role("heading", name="Saving tips")).to_be_visible()
    await page.get_by_role("link", name="Главная").click()
    await page.get_by_role("link", name="Saving tips").click()
    await expect(page).to_have_url(re.compile("/tips"))


def in_russian(label: str) -> str:
    """A text of an example as the page says it: a word that the portal has too is translated."""
    with using_locale("ru"):
        return _(label)


@pytest.mark.browser
async def test_the_list_of_the_guide_takes_a_row(extended: RunningPortal, page: Page) -> None:
    await sign_in(page, extended, "/admin/lines", seed.ADMIN)
    await expect(page.get_by_role("heading", name="Lines to meters")).to_be_visible()
    await page.get_by_role("link", name="Добавить").click()
    for label, text in (
        ("Name*", "Подвал"),
        ("Protocol*", "modbus-tcp"),
        ("Host*", "10.0.0.9"),
        ("Port*", "502"),
    ):
        await page.get_by_label(in_russian(label)).fill(text)
    await page.get_by_role("button", name="Сохранить").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.goto(f"{extended.url}/admin/lines?q=подвал")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(page.locator("tbody tr")).to_contain_text("10.0.0.9")


@pytest.mark.browser
async def test_what_an_installed_package_adds_to_its_table_is_seen_at_once(
    extended: RunningPortal, page: Page, browser: Browser
) -> None:
    """An administrator writes advice; the subscriber's menu counts it by itself, until she opens its page.

    The package's words are Russian on all of it; they are its own.
    """
    await sign_in(page, extended, "/accounts", seed.SUBSCRIBER)
    item = page.get_by_role("link", name=re.compile("Советы Acme"))
    number = item.locator(".menu-badge")
    await expect(item).to_be_visible()
    await expect(number).to_have_count(0)

    desk = await (await browser.new_context(locale="ru-RU")).new_page()
    await sign_in(desk, extended, "/admin/acme_advice?row=new", seed.ADMIN)
    await expect(desk.get_by_role("heading", name="Советы Acme абонентам", level=1)).to_be_visible()
    for label, text in (("Personal account*", seed.OWNED_ACCOUNT), ("Text*", "Стирайте ночью.")):
        await desk.get_by_label(in_russian(label)).fill(text)
    await desk.get_by_role("button", name="Сохранить").click()
    await expect(desk.locator("tbody tr")).to_have_count(1)
    await expect(desk.locator("tbody tr")).to_contain_text("Стирайте ночью.")
    await expect(desk.locator("thead")).to_contain_text("Текст")

    await expect(number).to_have_attribute("data-number", "1")
    await expect(page).to_have_url(re.compile("/accounts$"))
    await item.click()
    await expect(page.locator("#advice")).to_have_text("Стирайте ночью.")
    await expect(page.get_by_role("heading", name="Советы Acme", level=1)).to_be_visible()
    await expect(number).to_have_count(0)

    downloaded = await page.request.get(f"{extended.url}/profile/export")
    [advised] = (await downloaded.json())["packages"]["acme"]["advice"]
    assert (advised["account"], advised["text"]) == (seed.OWNED_ACCOUNT, "Стирайте ночью.")


@pytest.mark.browser
async def test_the_meter_model_of_an_installed_package_is_known(extended: RunningPortal, page: Page) -> None:
    await sign_in(page, extended, "/admin/meters?row=new", seed.ADMIN)
    form = page.get_by_role("dialog")
    for label, text in (("Serial number*", "A2"), ("Model*", "Two"), ("Register map", "acme-three")):
        await form.get_by_label(in_russian(label)).fill(text)
    await page.get_by_role("button", name="Сохранить").click()
    await expect(form).to_contain_text("acme-two, carlo-gavazzi-em340")
    await form.get_by_label(in_russian("Register map")).fill("acme-two")
    await page.get_by_role("button", name="Сохранить").click()
    await expect(form).to_have_count(0)
    await page.goto(f"{extended.url}/admin/meters?q=A2")
    await expect(page.locator("tbody tr")).to_have_count(1)
