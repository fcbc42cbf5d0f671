"""When the browser's half is stale, and how Reflex's tools are told what to build."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import reflex_base

from lk_portal.errors import ConfigurationError
from lk_portal.security.preferences import LANGUAGE_PARAMETER
from lk_portal.serving import frontend
from lk_portal.serving.frontend import (
    SOCKET_CHANGES,
    OwnSocketPlugin,
    ambiguous_names,
    build_environment,
    fingerprint,
    is_built,
    pages_dir,
    use_own_socket,
)
from lk_portal.settings import KNOWN_LOCALES, Settings, load_settings
from tests.packages import installed_sample

MODULES = (
    "pages/home.py",
    "components/kit.py",
    "state/home.py",
    "i18n/ru/messages.po",
    "serving/frontend.py",
)
OTHERS = (
    "assets/portal.css",
    "rxconfig.py",
    "requirements.lock",
    "reflex.lock/bun.lock",
    "lk_portal/lk_portal.py",
)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small copy of the portal's tree, with nothing built."""
    for name in (*(f"lk_portal/{module}" for module in MODULES), *OTHERS, "lk_portal/services/access.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    monkeypatch.setattr(frontend, "ROOT", tmp_path)
    monkeypatch.setattr(frontend, "PAGES_DIR", tmp_path / ".web" / "_static")
    monkeypatch.setattr(frontend, "STAMP", tmp_path / ".web" / "lk-build.json")
    return tmp_path


def test_an_installed_package_and_every_change_of_it_make_the_pages_stale(
    tree: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its page would be missing until something of the portal's own changes."""
    without = fingerprint(settings)
    package = installed_sample(tmp_path / "site")
    monkeypatch.syspath_prepend(package.site)
    importlib.invalidate_caches()
    first = fingerprint(settings)
    (package.folder / "advice.py").write_text("another page", encoding="utf-8")

    assert len({without, first, fingerprint(settings)}) == 3
    package.remove()
    importlib.invalidate_caches()
    assert fingerprint(settings) == without


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path / "data", locale="ru", utility_name="Сеть")


def write(locale: str, name: str, content: str) -> None:
    """A file of the bundle of a language."""
    path = pages_dir(locale) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def stamp(tree: Path, value: str) -> None:
    for locale in KNOWN_LOCALES:
        write(locale, "index.html", locale)
    frontend.STAMP.write_text(json.dumps({"fingerprint": value}), encoding="ascii")


def test_the_same_tree_has_the_same_fingerprint(tree: Path, settings: Settings) -> None:
    assert fingerprint(settings) == fingerprint(settings)
    assert len(fingerprint(settings)) == 64


@pytest.mark.parametrize("name", [*(f"lk_portal/{module}" for module in MODULES), *OTHERS])
def test_one_byte_of_what_the_pages_are_made_from_changes_it(
    tree: Path, settings: Settings, name: str
) -> None:
    before = fingerprint(settings)

    (tree / name).write_bytes((tree / name).read_bytes() + b" ")

    assert fingerprint(settings) != before


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: (tree / "assets" / "new.svg").touch(),
        lambda tree: (tree / "assets" / "portal.css").rename(tree / "assets" / "other.css"),
        lambda tree: (tree / "reflex.lock" / "bun.lock").unlink(),
    ],
)
def test_a_file_that_comes_goes_or_is_renamed_changes_it(
    tree: Path, settings: Settings, change: Callable[[Path], None]
) -> None:
    before = fingerprint(settings)

    change(tree)

    assert fingerprint(settings) != before


@pytest.mark.parametrize("name", ["lk_portal/services/access.py", "lk_portal/pages/x.pyc", "README.md"])
def test_what_the_browser_never_gets_needs_no_new_build(tree: Path, settings: Settings, name: str) -> None:
    before = fingerprint(settings)

    (tree / name).write_text("another", encoding="utf-8")

    assert fingerprint(settings) == before


@pytest.mark.parametrize(
    ("changes", "is_another"),
    [
        ({"locale": "en"}, False),
        ({"utility_name": "Иная"}, True),
        ({"utility_color": "#123456"}, True),
        ({"port": 9000}, False),
        ({"public_url": "https://lk.example"}, False),
    ],
)
def test_a_build_serves_any_address_and_language_but_one_utility(
    tree: Path, settings: Settings, changes: dict[str, object], is_another: bool
) -> None:
    values: dict[str, object] = {"data_dir": settings.data_dir, "locale": "ru", "utility_name": "Сеть"}
    other = load_settings(**{**values, **changes})

    assert (fingerprint(other) != fingerprint(settings)) == is_another


def test_a_build_is_used_as_long_as_nothing_changed(tree: Path, settings: Settings) -> None:
    assert not is_built(settings)
    stamp(tree, fingerprint(settings))
    assert is_built(settings)

    (tree / "lk_portal" / "pages" / "home.py").write_text("changed", encoding="utf-8")
    assert not is_built(settings)


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
def test_a_stamp_without_the_pages_of_a_language_is_no_build(
    tree: Path, settings: Settings, locale: str
) -> None:
    stamp(tree, fingerprint(settings))
    (pages_dir(locale) / "index.html").unlink()

    assert not is_built(settings)


def test_a_name_means_one_file_in_every_language(tree: Path) -> None:
    for locale in KNOWN_LOCALES:
        write(locale, "index.html", locale)
        write(locale, "assets/same-12345678.js", "same")
        write(locale, f"assets/own-{locale}345678.js", locale)
    assert ambiguous_names() == []

    write("en", "assets/same-12345678.js", "other")
    assert ambiguous_names() == ["assets/same-12345678.js"]


INSTALLED = Path(reflex_base.__file__).parent / ".templates" / "web" / "utils" / "state.js"
"""Reflex's module as this version brings it."""


def test_port_and_language_are_taken_from_the_page() -> None:
    source = INSTALLED.read_text(encoding="utf-8")
    changed = use_own_socket(source)

    assert "endpoint.port = window.location.port" not in source
    assert "endpoint.port = window.location.port" in changed
    assert changed.count(f"{LANGUAGE_PARAMETER}: document.documentElement.lang }}") == 2
    assert changed.count("token: getToken()") == source.count("token: getToken()")
    assert use_own_socket(changed) == changed


@pytest.mark.parametrize("line", SOCKET_CHANGES)
def test_another_version_of_reflex_is_refused(line: str) -> None:
    source = INSTALLED.read_text(encoding="utf-8")
    for other in (source.replace(line, ""), source + line, ""):
        with pytest.raises(ConfigurationError, match="Reflex"):
            use_own_socket(other)


def test_the_plugin_changes_one_module_of_reflex() -> None:
    asked: list[tuple[str, object]] = []

    OwnSocketPlugin().pre_compile(add_modify_task=lambda path, task: asked.append((path, task)))

    assert asked == [("utils/state.js", use_own_socket)]


def test_tools_get_our_settings_and_call_nobody(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LK_LOCALE", "en")
    monkeypatch.setenv("REFLEX_TELEMETRY_ENABLED", "true")

    environment = build_environment(settings)

    assert environment["LK_LOCALE"] == "ru"
    assert environment["LK_UTILITY_NAME"] == "Сеть"
    assert environment["REFLEX_TELEMETRY_ENABLED"] == "false"
    assert environment["LK_IS_WORKER_EMBEDDED"] == "false"
    assert environment["PATH"].startswith(str(Path(sys.executable).parent))
    assert "LK_SECRET_KEY" not in environment


def test_a_lock_that_reflex_wrote_in_another_way_is_the_same_build(tree: Path, settings: Settings) -> None:
    lock = tree / "reflex.lock" / "package.json"
    lock.write_text('{"a": 1, "b": {"c": 2}}')
    plain = fingerprint(settings)

    lock.write_text('{\n "b": {"c": 2},\n "a": 1\n}')
    assert fingerprint(settings) == plain
    lock.write_text('{"a": 1, "b": {"c": 3}}')
    assert fingerprint(settings) != plain
