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


async def test_tables_of_which_nobody_said_whose_they_are_are_named(
    sqlite_address: str, tmp_path: Path
) -> None:
    """One of a model, and one that only a migration knows; until they are declared."""
    lk = Command(sqlite_address, tmp_path / "data")
    package = installed_sample(tmp_path / "site")
    with_it = {"PYTHONPATH": f"{ROOT}:{package.site}"}
    package.add_migration(
        "0002",
        "0001",
        upgrade="op.create_table('acme_word', sa.Column('id', sa.Integer(), primary_key=True))",
    )
    models = package.folder / "models.py"
    whole = models.read_text(encoding="utf-8")
    models.write_text(whole.partition("\npersonal(")[0], encoding="utf-8")
    assert (await lk("migrate", **with_it)).code == 0

    ran = await lk("doctor", **with_it)

    assert ran.code == 1
    unsaid = "it is not said whose the rows of acme_advice, acme_word are: they are in no download"
    assert f"! packages that extend it: {unsaid} and are never erased" in ran.out.splitlines()

    said = f"{whole}\nfrom lk_portal.services.personal import impersonal\nimpersonal('acme_word')\n"
    models.write_text(said, encoding="utf-8")
    ran = await lk("doctor", **with_it)
    assert (ran.code, "  packages that extend it: acme 1.0.0" in ran.out.splitlines()) == (0, True)


async def test_a_package_that_speaks_of_tables_of_others_is_named(
    sqlite_address: str, tmp_path: Path
) -> None:
    lk = Command(sqlite_address, tmp_path / "data")
    package = installed_sample(tmp_path / "site")
    said = "from lk_portal.services.personal import impersonal\nimpersonal('ticket')\n"
    (package.folder / "plugin.py").write_text(said, encoding="utf-8")

    ran = await lk("doctor", PYTHONPATH=f"{ROOT}:{package.site}")

    assert ran.code == 1
    assert "package 'acme': its table 'ticket' must be called acme_..." in ran.out


async def test_a_broken_catalogue_is_named_and_keeps_the_portal_from_starting(
    sqlite_address: str, tmp_path: Path
) -> None:
    lk = Command(sqlite_address, tmp_path / "data")
    package = installed_sample(tmp_path / "site")
    with_it = {"PYTHONPATH": f"{ROOT}:{package.site}"}
    path = package.folder / "i18n" / "ru" / "messages.po"
    path.write_text(
        path.read_text(encoding="utf-8").replace("Советы Acme", "Советы {name}"), encoding="utf-8"
    )
    reason = f"package 'acme': {path}: \"Acme's advice\": only one of both texts has {{name}}"

    assert (await lk("migrate", **with_it)).code == 0, "tables can be brought up to date all the same"
    ran = await lk("doctor", **with_it)
    assert ran.code == 1
    [line] = [line for line in ran.out.splitlines() if line.startswith("! packages that extend it: ")]
    assert reason in line

    for process in ("serve", "worker"):
        refused = await lk(process, **with_it)
        assert refused.code == 2
        assert reason in refused.err
        assert "Traceback" not in refused.err
