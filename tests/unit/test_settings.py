"""Settings: what is refused and in which words, where data go, and the secret that is made once."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from lk_portal.errors import ConfigurationError
from lk_portal.settings import MIN_SECRET_LENGTH, Environment, Settings, load_settings

RANDOM_SECRET = "Zq8-v1LxTm4_Rk7pWc2hYs9bNf3dGj6a"
AT_ONCE = 8
ASK = """
import sys
from lk_portal.settings import load_settings
sys.stdout.write(load_settings().secret().decode())
"""


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable and no .env file of the machine reaches these tests."""
    for name in [name for name in os.environ if name.startswith("LK_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_the_defaults_are_good() -> None:
    settings = load_settings()

    assert settings.environment is Environment.PRODUCTION
    assert settings.zone == ZoneInfo(settings.timezone)
    assert not settings.is_https


BAD = {
    "LK_DATABASE_URL": "mysql://db/portal",
    "LK_PUBLIC_URL": "lk.example",
    "LK_TIMEZONE": "Omsk",
    "LK_LOCALE": "de",
    "LK_PORT": "70000",
    "LK_READING_DAY": "31",
    "LK_UTILITY_NAME": "",
    "LK_UTILITY_COLOR": "blue",
    "LK_POLL_INTERVAL_S": "often",
    "LK_POLL_TIMEOUT_S": "0",
    "LK_BCRYPT_ROUNDS": "31",
    "LK_LOG_LEVEL": "loud",
    "LK_ENVIRONMENT": "test",
    "LK_SECRET_KEY": "short",
}


@pytest.mark.parametrize(("name", "value"), BAD.items(), ids=BAD)
def test_a_bad_value_is_refused_in_one_line_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError) as caught:
        load_settings()

    line = str(caught.value)
    assert name in line
    assert line.count(name) == 1
    assert "\n" not in line


GOOD = {
    "LK_DATABASE_URL": "postgresql://portal@db/portal",
    "LK_PUBLIC_URL": "https://lk.example",
    "LK_TIMEZONE": "Asia/Omsk",
    "LK_LOCALE": "en",
    "LK_PORT": "9000",
    "LK_READING_DAY": "28",
    "LK_UTILITY_NAME": "Свет",
    "LK_UTILITY_COLOR": "#AA00ff",
    "LK_POLL_INTERVAL_S": "60",
    "LK_POLL_TIMEOUT_S": "0.5",
    "LK_BCRYPT_ROUNDS": "10",
    "LK_LOG_LEVEL": "debug",
    "LK_ENVIRONMENT": "demo",
    "LK_SECRET_KEY": RANDOM_SECRET,
}


@pytest.mark.parametrize(("name", "value"), GOOD.items(), ids=GOOD)
def test_a_good_value_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    taken = getattr(load_settings(), name.removeprefix("LK_").lower())

    assert str(getattr(taken, "get_secret_value", lambda: taken)()) == value


def test_all_bad_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LK_PORT", "0")
    monkeypatch.setenv("LK_LOCALE", "de")

    with pytest.raises(ConfigurationError, match=r"LK_PORT: .+; LK_LOCALE: must be one of ru, en"):
        load_settings()


def test_a_refused_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LK_SECRET_KEY", "hunter2")

    with pytest.raises(ConfigurationError) as caught:
        load_settings()

    assert "hunter2" not in str(caught.value)


def test_production_refuses_a_default_secret_and_the_demo_does_not() -> None:
    looks_like_a_default = "changeme" * 4 + "c"

    with pytest.raises(ConfigurationError, match="LK_SECRET_KEY looks like a default"):
        load_settings(environment="production", secret_key=looks_like_a_default)
    assert load_settings(environment="demo", secret_key=looks_like_a_default).secret()


def test_the_env_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("LK_UTILITY_NAME=Файл\nLK_LOCALE=en\nOTHER=1\n", encoding="utf-8")
    monkeypatch.setenv("LK_LOCALE", "ru")

    settings = load_settings()

    assert settings.utility_name == "Файл"
    assert settings.locale == "ru"


def test_overrides_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LK_PORT", "9000")

    assert load_settings(port=9001).port == 9001


def test_nobody_changes_settings() -> None:
    with pytest.raises(ValidationError):
        load_settings().port = 1  # type: ignore[misc]


def test_data_go_to_the_data_directory_unless_told() -> None:
    settings = load_settings(data_dir="here")

    assert settings.database_address == f"sqlite:///{Path('here/portal.sqlite3').resolve()}"
    assert settings.jobs_address == f"sqlite:///{Path('here/jobs.sqlite3').resolve()}"


def test_jobs_live_in_postgresql_when_the_data_do() -> None:
    address = "postgresql://portal@db/portal"

    assert load_settings(database_url=address).jobs_address == address


def test_the_public_address_says_whether_cookies_are_secure() -> None:
    settings = load_settings(public_url="https://lk.example/")

    assert settings.public_url == "https://lk.example"
    assert settings.is_https


def test_a_given_secret_is_used_and_no_file_is_made() -> None:
    settings = load_settings(secret_key=RANDOM_SECRET, data_dir="data")

    assert settings.secret() == RANDOM_SECRET.encode()
    assert not Path("data").exists()


def test_the_secret_is_not_shown() -> None:
    assert RANDOM_SECRET not in repr(load_settings(secret_key=RANDOM_SECRET))


def test_a_secret_is_made_once_and_is_for_its_owner_only() -> None:
    settings = load_settings(data_dir="data")

    first = settings.secret()

    assert len(first) >= MIN_SECRET_LENGTH
    assert load_settings(data_dir="data").secret() == first
    assert load_settings(data_dir="other").secret() != first
    assert stat.S_IMODE(Path("data/secret_key").stat().st_mode) == 0o600
    assert [file.name for file in Path("data").iterdir()] == ["secret_key"]


def test_a_secret_that_was_cut_short_is_refused() -> None:
    Path("data").mkdir()
    Path("data/secret_key").write_text("\n", encoding="ascii")

    with pytest.raises(ConfigurationError, match="secret_key must hold at least"):
        load_settings(data_dir="data").secret()


@pytest.mark.parametrize("round_", range(20))
def test_threads_at_once_get_the_same_secret(round_: int) -> None:
    settings = load_settings(data_dir=f"data{round_}")
    start = Barrier(AT_ONCE)

    def ask() -> bytes:
        start.wait()
        return settings.secret()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        secrets = {answer.result() for answer in [pool.submit(ask) for _ in range(AT_ONCE)]}

    assert len(secrets) == 1
    assert len(secrets.pop()) >= MIN_SECRET_LENGTH
    assert [file.name for file in Path(f"data{round_}").iterdir()] == ["secret_key"]


def test_processes_at_once_get_the_same_secret(tmp_path: Path) -> None:
    environment = {**os.environ, "LK_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-c", ASK]
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(AT_ONCE)
    ]

    secrets = {process.communicate()[0] for process in started}

    assert [process.returncode for process in started] == [0] * AT_ONCE
    assert len(secrets) == 1
    assert len(secrets.pop()) >= MIN_SECRET_LENGTH


def test_every_setting_is_in_the_readme() -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")

    missing = [name for name in Settings.model_fields if f"`LK_{name.upper()}`" not in readme]

    assert missing == []


def test_a_relative_sqlite_file_is_meant_from_where_the_portal_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(database_url="sqlite:///own.db")
    monkeypatch.chdir("/")

    assert settings.database_address == f"sqlite:///{tmp_path}/own.db"
    absolute = f"sqlite:///{tmp_path}/other.db"
    assert load_settings(database_url=absolute).database_address == absolute


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("https://LK.Example/", "https://lk.example"),
        ("https://lk.example:443", "https://lk.example"),
        ("http://lk.example:80", "http://lk.example"),
        ("http://lk.example:8080", "http://lk.example:8080"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_public_address_is_what_a_browser_calls_its_origin(typed: str, origin: str) -> None:
    assert load_settings(public_url=typed).public_url == origin
    assert origin in load_settings(public_url=typed).own_origins


def test_secrets_that_were_in_force_are_known_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    older = RANDOM_SECRET[::-1]
    monkeypatch.setenv("LK_OLD_SECRET_KEYS", f" {RANDOM_SECRET} , {older},")

    assert load_settings().old_secrets() == (RANDOM_SECRET.encode(), older.encode())
    assert RANDOM_SECRET not in repr(load_settings())


def test_a_short_old_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().old_secrets() == ()
    monkeypatch.setenv("LK_OLD_SECRET_KEYS", f"{RANDOM_SECRET},short")

    with pytest.raises(ConfigurationError, match="LK_OLD_SECRET_KEYS"):
        load_settings()
