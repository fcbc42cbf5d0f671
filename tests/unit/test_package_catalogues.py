"""Words of installed packages: beside the portal's, never instead of them, refused when they are broken."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lk_portal import i18n
from lk_portal.errors import ConfigurationError
from lk_portal.i18n import _, add_catalogues, extract, ngettext, using_locale
from lk_portal.services import plugins
from lk_portal.serving.frontend import fingerprint
from lk_portal.settings import load_settings
from tests.packages import SAMPLE, Package, installed_sample
from tests.portal_process import ROOT

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
RULE = '"Plural-Forms: nplurals=2; plural=(n%10==1 && n%100!=11 ? 0 : 1);\\n"\n'
MESSAGES = ("Show {count} earlier message", "Show {count} earlier messages")
"""Of the portal."""
PLURAL = 'msgid "{count} tip"\nmsgid_plural "{count} tips"\n'
ADVICE = 'msgid "Acme says"\nmsgstr "Акме говорит"\n'


@pytest.fixture(autouse=True)
def no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n, "_of_packages", {})
    monkeypatch.setattr(i18n._Active, "locale", "ru")


def catalogue(folder: Path, *entries: str, locale: str = "ru", header: str = HEADER) -> Path:
    """A package's folder i18n with a catalogue of these entries; gives the folder."""
    path = folder / "i18n" / locale / "messages.po"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join([header, *entries]), encoding="utf-8")
    return folder / "i18n"


def test_a_package_translates_its_own_words(tmp_path: Path) -> None:
    assert _("Acme says") == "Acme says"

    add_catalogues("acme", catalogue(tmp_path, ADVICE))

    assert _("Acme says") == "Акме говорит"
    with using_locale("en"):
        assert _("Acme says") == "Acme says"


@pytest.mark.parametrize("locale", ["ru", "en"])
def test_words_of_the_portal_stay_its_own_in_every_language(tmp_path: Path, locale: str) -> None:
    """Its English words stand in no catalogue."""
    with using_locale(locale):
        before = _("Sign in"), ngettext(*MESSAGES, 5)
        forms = (
            f'msgid "{MESSAGES[0]}"\nmsgid_plural "{MESSAGES[1]}"\nmsgstr[0] "Canary"\nmsgstr[1] "Canary"\n'
        )
        entries = ['msgid "Sign in"\nmsgstr "Canary"\n', forms, ADVICE]
        add_catalogues("acme", catalogue(tmp_path, *entries, locale=locale, header=HEADER + RULE))

        assert _("Acme says") == "Акме говорит"
        assert (_("Sign in"), ngettext(*MESSAGES, 5)) == before


def test_of_two_packages_the_first_by_name_says_it(tmp_path: Path) -> None:
    add_catalogues("acme", catalogue(tmp_path / "a", ADVICE))
    other = catalogue(tmp_path / "b", ADVICE.replace("Акме", "Бета"), 'msgid "B"\nmsgstr "Б"\n')
    add_catalogues("beta", other)

    assert (_("Acme says"), _("B")) == ("Акме говорит", "Б")


def test_a_catalogue_counts_by_its_own_rule(tmp_path: Path) -> None:
    """Not all tools write Russian with three forms."""
    forms = f'{PLURAL}msgstr[0] "один совет"\nmsgstr[1] "{{count}} совета"\n'
    add_catalogues("acme", catalogue(tmp_path, forms, header=HEADER + RULE))

    said = [ngettext("{count} tip", "{count} tips", count) for count in (1, 2, 21)]

    assert said == ["один совет", "2 совета", "один совет"]


def test_what_is_doubtful_or_empty_is_not_said(tmp_path: Path) -> None:
    entries = ['#, fuzzy\nmsgid "Acme sings"\nmsgstr "Акме поет {о чем}"\n', 'msgid "Acme goes"\nmsgstr ""\n']
    add_catalogues("acme", catalogue(tmp_path, *entries, ADVICE))

    assert [_("Acme sings"), _("Acme goes"), _("Acme says")] == ["Acme sings", "Acme goes", "Акме говорит"]


def test_a_language_that_the_portal_does_not_have_is_no_error(tmp_path: Path) -> None:
    add_catalogues("acme", catalogue(tmp_path, ADVICE, locale="de"))

    assert _("Acme says") == "Acme says"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (f"{HEADER}\nmsgid Acme\nmsgstr Акме\n", "line 5 is no line of a catalogue: msgid Acme"),
        (f'{HEADER}\nmsgid "Acme"\nmsgstr "Акме\n', "line 6"),
        (f"{HEADER}\n<<<<<<< HEAD\n{ADVICE}", "line 5"),
        (f'{HEADER}\nmsgid "Acme"\n\nmsgid "B"\nmsgstr "Б"\n', "missing msgstr"),
        ((HEADER + ADVICE).encode("cp1251"), "codec"),
        (HEADER.replace("utf-8", "klingon") + ADVICE, "klingon"),
        (
            f'{HEADER}\nmsgid "For {{name}}"\nmsgstr "Для {{nam}}"\n',
            "'For {name}': only one of both texts has {name}, {nam}",
        ),
        (f'{HEADER}\nmsgid "For {{name}}"\nmsgstr "Для вас"\n', "texts has {name}"),
        (f'{HEADER}\nmsgid "For {{name}}"\nmsgstr "Для {{name"\n', "Для {name"),
        (f'{HEADER}\nmsgid "For {{n:.1f}}"\nmsgstr "Для {{n:d}}"\n', "has {n:.1f}, {n:d}"),
        (f'{HEADER}{RULE}\n{PLURAL}msgstr[0] "совет"\nmsgstr[1] "{{conut}} совета"\n', "has {conut}"),
        (f"{HEADER}{RULE.replace('n%100', 'n%%')}\n{ADVICE}", "plural"),
        (f"{HEADER}{RULE.replace('nplurals=2', 'nplurals=1')}\n{ADVICE}", "none of 1"),
        (f"{HEADER}{RULE.replace('n%100', 'n%0')}\n{ADVICE}", "zero"),
    ],
)
def test_a_broken_catalogue_is_refused_with_package_file_and_reason(
    tmp_path: Path, content: str | bytes, reason: str
) -> None:
    folder = catalogue(tmp_path)
    path = folder / "ru" / "messages.po"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(ConfigurationError, match=re.escape(reason)) as refused:
        add_catalogues("acme", folder)

    assert f"package 'acme': {path}: " in str(refused.value)
    assert _("Acme says") == "Acme says"


@pytest.mark.parametrize("place", ["ru/LC_MESSAGES/messages.po", "ru/acme.po", "messages.po"])
def test_a_catalogue_that_would_not_be_found_is_refused(tmp_path: Path, place: str) -> None:
    path = tmp_path / "i18n" / place
    path.parent.mkdir(parents=True)
    path.write_text(HEADER + ADVICE, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"lies at i18n/<language>/messages\.po"):
        add_catalogues("acme", tmp_path / "i18n")


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """The sample package, installed for this test."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    found = installed_sample(site)
    importlib.invalidate_caches()
    return found


def test_the_words_of_an_installed_package_are_known_before_it_is_imported(acme: Package) -> None:
    (acme.folder / "plugin.py").write_text("raise RuntimeError\n", encoding="utf-8")

    plugins.load_catalogues()

    assert _("Acme's advice") == "Советы Acme"


def test_a_process_that_loads_packages_says_their_words(acme: Package) -> None:
    code = "from acme_lk import advice; from lk_portal.pages.registry import all_pages"
    code = f"from lk_portal.services import plugins; plugins.load(); {code}; print(all_pages()[0].title)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{acme.site}", "LK_LOCALE": "ru"},
        cwd=acme.site,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, "Советы Acme"), ran.stderr


def test_the_pages_are_built_anew_when_its_words_change(acme: Package, tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "data")
    ru = acme.folder / "i18n" / "ru"
    found = [fingerprint(settings)]
    path = ru / "messages.po"
    path.write_text(path.read_text(encoding="utf-8").replace("Советы", "Подсказки"), encoding="utf-8")
    found.append(fingerprint(settings))
    ru.rename(ru.with_name("en"))
    found.append(fingerprint(settings))
    found.append(fingerprint(settings))

    assert len(set(found)) == 3
    assert found[2] == found[3]


def test_the_sample_package_is_wholly_translated() -> None:
    assert extract.missing("ru", SAMPLE) == []


def test_collecting_for_a_package_leaves_out_what_the_portal_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "acme_lk"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    assert extract.main([str(folder)]) == 0
    (folder / "more.py").write_text('_("Acme says")\n_("Personal account")\n', encoding="utf-8")

    assert extract.main([str(folder)]) == 1

    assert capsys.readouterr().out == "ru: Acme says\n"
    text = (folder / "i18n" / "ru" / "messages.po").read_text(encoding="utf-8")
    assert 'msgid "Acme says"\nmsgstr ""\n' in text
    assert 'msgstr "Советы Acme"' in text
    assert "Personal account" not in text


def test_collecting_in_a_folder_without_a_package_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert extract.main([str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
