"""A backup file: a tar with the database, the secret its passwords are hashed under, and what it is.

For `lk backup` and `lk restore` only; blocking. The database is copied by its own means - SQLite's online
backup, pg_dump - so a portal may go on writing meanwhile. Jobs are not in it: they are planned anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from alembic.util import CommandError

from lk_portal.commands.copies import copy_for, integrity_of
from lk_portal.errors import N_, ConfigurationError, PortalError
from lk_portal.services.migrations import migrate
from lk_portal.settings import Settings

FORMAT = 1
META, SECRET, DATABASE = "meta.json", "secret_key", "database"


@dataclass(frozen=True, slots=True)
class Meta:
    """What a backup is.

    Attributes:
        format: Of the file; this code knows one.
        kind: sqlite or postgresql.
        made_at: ISO 8601, UTC.
        secret_sha256: Of the secret; without the same one nobody can sign in.
    """

    format: int
    kind: str
    made_at: str
    secret_sha256: str


def write_backup(settings: Settings, file: Path) -> None:
    """Write a backup to `file`, whole or not at all; only the owner may read it.

    Raises:
        PortalError: The file exists, its directory does not, or the database cannot be copied.
        OSError: The file cannot be written.
    """
    if file.exists():
        raise PortalError(N_("{file} exists already."), file=file)
    if not file.parent.is_dir():
        raise PortalError(N_("There is no directory {folder}; create it first."), folder=file.parent)
    source = copy_for(settings.database_address)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}-") as folder:
        room = Path(folder)
        source.dump(room / DATABASE)
        secret = settings.secret()
        meta = Meta(FORMAT, source.kind, datetime.now(UTC).isoformat(timespec="seconds"), _hash(secret))
        (room / META).write_text(json.dumps(asdict(meta)), encoding="ascii")
        names = [META, DATABASE]
        if not settings.secret_key.get_secret_value():
            (room / SECRET).write_bytes(secret)
            names.append(SECRET)
        _pack(room, names, room / "backup")
        _publish(room / "backup", file)


def read_backup(settings: Settings, file: Path) -> Meta:
    """Put the backup in `file` into the empty database of the settings, and bring that up to date.

    Raises:
        PortalError: It is no backup, or is damaged, or of a newer version; or the database is not empty.
        ConfigurationError: The settings have another kind of database, or another secret.
        OSError: A file cannot be read or written.
    """
    target = copy_for(settings.database_address)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.data_dir, prefix=".restore-") as folder:
        room = Path(folder)
        meta = _unpack(file, room)
        if meta.kind != target.kind:
            raise ConfigurationError(N_("The backup is of {kind}; LK_DATABASE_URL is not."), kind=meta.kind)
        target.require_empty()
        _check_secret(settings, room, meta)
        _load(settings, room)
        if (room / SECRET).exists():
            _publish(room / SECRET, settings.data_dir / SECRET, is_same_fine=True)
    return meta


def _load(settings: Settings, room: Path) -> None:
    """A SQLite file is checked and migrated before it takes its place; PostgreSQL does it in place."""
    target = copy_for(settings.database_address)
    try:
        if target.kind == "sqlite":
            integrity_of(room / DATABASE)
            migrate(f"sqlite:///{room / DATABASE}")
        target.load(room / DATABASE)
        migrate(settings.database_address)
    except CommandError as error:
        raise PortalError(N_("The backup is from a newer version of the portal.")) from error


def _check_secret(settings: Settings, room: Path, meta: Meta) -> None:
    given = settings.secret_key.get_secret_value().encode()
    kept = settings.data_dir / SECRET
    if given and _hash(given) != meta.secret_sha256:
        raise ConfigurationError(detail=N_("LK_SECRET_KEY is not the backup's: nobody could sign in"))
    if not given and not (room / SECRET).exists():
        raise ConfigurationError(
            detail=N_("LK_SECRET_KEY must be set to the backup's: it is not in the file")
        )
    if not given and kept.exists() and _hash(kept.read_bytes().strip()) != meta.secret_sha256:
        raise ConfigurationError(
            detail=PortalError(N_("{file} is of another portal; move it away"), file=kept)
        )


def _hash(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()


def _pack(room: Path, names: list[str], archive: Path) -> None:
    archive.touch(mode=0o600)
    with archive.open("wb") as raw:
        with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=1) as tar:
            for name in names:
                tar.add(room / name, arcname=name)
        raw.flush()
        os.fsync(raw.fileno())


def _publish(made: Path, file: Path, *, is_same_fine: bool = False) -> None:
    """Give a finished file its name, unless that is taken."""
    try:
        os.link(made, file)
    except FileExistsError:
        if not is_same_fine:
            raise PortalError(N_("{file} exists already."), file=file) from None


def _unpack(file: Path, room: Path) -> Meta:
    """Take out the three members by name; whatever else is in the file stays there."""
    try:
        with tarfile.open(file, mode="r:gz") as tar:
            for name in (META, DATABASE, SECRET):
                _take(tar, name, room)
        meta = Meta(**json.loads((room / META).read_text(encoding="ascii")))
    except (tarfile.TarError, EOFError, ValueError, TypeError, KeyError, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, tarfile.TarError) and error.errno:
            raise
        raise PortalError(N_("{file} is not a whole backup of the portal."), file=file) from error
    if meta.format != FORMAT:
        raise PortalError(N_("The backup is from a newer version of the portal."))
    return meta


def _take(tar: tarfile.TarFile, name: str, room: Path) -> None:
    if name == SECRET and name not in tar.getnames():
        return
    source = tar.extractfile(name)
    if source is None:
        raise KeyError(name)
    target = room / name
    target.touch(mode=0o600)
    with source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        os.fsync(copy.fileno())
