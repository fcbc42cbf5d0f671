"""A worker's seat: the name under which DBOS finds the unfinished jobs of a process that died.

Used by the worker only. DBOS gives a starting process back what a process of the same name left behind, so
the name must outlive the process, and no two living processes may have the same one. A locked file in the
data directory is both: the kernel lets the lock go when the process dies, however it dies.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import re
import secrets
import socket
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

FOLDER = "workers"


@dataclass(frozen=True, slots=True)
class Seat:
    """A taken seat; give it back with `release`.

    Attributes:
        name: Unique among living workers, e.g. `metering1-9f3a41c2-1`.
    """

    name: str
    _file: IO[bytes]

    @classmethod
    def take(cls, data_dir: Path) -> Seat:
        """The first free seat in `data_dir`.

        Raises:
            OSError: The data directory cannot be written.
        """
        folder = data_dir / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        node = _node(folder)
        for number in itertools.count(1):
            file = _locked(folder / f"{number}.lock")
            if file is not None:
                return cls(f"{node}-{number}", file)
        raise AssertionError  # pragma: no cover - count() has no end

    def release(self) -> None:
        """Free the seat for the next worker; may be called twice."""
        self._file.close()


def _node(folder: Path) -> str:
    """The machine's name with a number kept in the folder: a machine may have several data directories."""
    kept = folder / "node"
    if not kept.exists():
        handle, draft = tempfile.mkstemp(dir=folder, prefix=".node-")
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(4))
        with suppress(FileExistsError):  # another worker was faster
            os.link(draft, kept)
        Path(draft).unlink()
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname()) or "localhost"
    return f"{host}-{kept.read_text(encoding='ascii').strip()}"


def _locked(path: Path) -> IO[bytes] | None:
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
