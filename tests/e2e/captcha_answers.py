"""What the picture shows, for tests: read from the running portal's database, where no browser gets at it."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from lk_portal.security.tokens import hash_of


def newest_digits(database: Path, *, purpose: str = "register", wait_s: float = 10) -> str:
    """The digits of the newest picture that waits for an answer.

    Args:
        database: The SQLite file, e.g. `site.portal.data_dir / "portal.sqlite3"`.
        purpose: What the picture stands before: "register" or "recover".
        wait_s: A page asks for its picture only when it is connected.

    Raises:
        LookupError: No page has asked for one in that time.
    """
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        if waiting := all_digits(database, purpose=purpose):
            return waiting[0]
        time.sleep(0.05)
    raise LookupError(f"no picture for {purpose} waits in {database}")


def digits_of(database: Path, *, audio_key: str, purpose: str) -> str:
    """The digits of the picture whose recording is `/captcha/{audio_key}.wav`; "" when none waits."""
    wanted = "SELECT answer FROM captcha_challenge WHERE id = ? AND purpose = ?"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        found = connection.execute(wanted, (hash_of(audio_key), purpose)).fetchone()
    return str(found[0]) if found else ""


def all_digits(database: Path, *, purpose: str = "register") -> list[str]:
    """Of all waiting pictures, the newest first."""
    waiting = "FROM captcha_challenge WHERE purpose = ? AND expires_at > ? ORDER BY expires_at DESC"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        found = connection.execute(f"SELECT answer {waiting}", (purpose, time.time() * 1000))
        return [str(answer) for (answer,) in found]
