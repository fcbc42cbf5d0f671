"""What `lk migrate` does for packages that extend the portal, and what `lk doctor` says of them."""

from __future__ import annotations

from pathlib import Path

from tests.integration.cli.command import ROOT, Command
from tests.packages import installed_sample


async def test_the_life_of_a_package(sqlite_address: str, tmp_path: Path) -> None:
    """It comes, its tables are missing, are made, and stay when it goes."""
    lk = Command(sqlite_address, tmp_path / "data")
    site = tmp_path / "site"
    with_it = {"PYTHONPATH": f"{ROOT}:{site}"}
    assert "  packages that extend it: none" in (await lk("doctor")).out.splitlines()
    package = installed_sample(site)

    before = await lk("doctor", **with_it)
    assert before.code == 1
    missing = "the tables of acme are missing or not up to date; run `lk migrate`"
    assert f"! packages that extend it: {missing}" in before.out.splitlines()
    refused = await lk("serve", **with_it)
    assert (refused.code, "lk migrate" in refused.err) == (1, True)

    assert (await lk("migrate", **with_it)).code == 0
    after = await lk("doctor", **with_it)
    assert (after.code, after.err) == (0, "")
    assert "  packages that extend it: acme 1.0.0" in after.out.splitlines()

    package.remove()
    gone = await lk("doctor", **with_it)
    assert gone.code == 0
    left = "none; acme is not installed any more, its tables stay: acme_advice"
    assert f"  packages that extend it: {left}" in gone.out.splitlines()


async def test_a_package_that_cannot_be_imported_is_named(sqlite_address: str, tmp_path: Path) -> None:
    lk = Command(sqlite_address, tmp_path / "data")
    package = installed_sample(tmp_path / "site")
    (package.folder / "plugin.py").write_text("import acme_lk.advise\n", encoding="utf-8")
    (package.folder / "migrations").rename(package.folder / "later")

    ran = await lk("doctor", PYTHONPATH=f"{ROOT}:{package.site}")

    assert ran.code == 1
    [line] = [line for line in ran.out.splitlines() if line.startswith("! packages that extend it: ")]
    assert "package 'acme' cannot be imported: ModuleNotFoundError: No module named 'acme_lk.advise'" in line
