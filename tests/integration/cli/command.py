"""Runs `lk` as people do: a process of its own, with an environment of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Ran:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Command:
    """`lk` with settings."""

    address: str
    data_dir: Path

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LK_")}
        own = {"LK_DATABASE_URL": self.address, "LK_DATA_DIR": str(self.data_dir), "LK_LOCALE": "en"}
        return {**kept, **own, "LK_TIMEZONE": "Asia/Omsk", "LK_BCRYPT_ROUNDS": "4", **more}

    async def __call__(self, *arguments: str, typed: str = "", **more: str) -> Ran:
        code, out, err = await self._run(*arguments, typed=typed, **more)
        return Ran(code, out.decode(), err.decode())

    async def bytes(self, *arguments: str) -> bytes:
        """What a command that went well printed, where that is no text."""
        code, out, err = await self._run(*arguments)
        assert (code, err) == (0, b"")
        return out

    async def _run(self, *arguments: str, typed: str = "", **more: str) -> tuple[int, bytes, bytes]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "lk_portal",
            *arguments,
            env=self.environment(**more),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(typed.encode()), 60)
        return process.returncode or 0, out, err
