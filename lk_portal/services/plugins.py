"""The installed packages that extend the portal: finds them and imports them. For start-up and commands.

A package is one by its entry point in the group `lk_portal.plugins`, such as `acme = "acme_lk.plugin"`. The
module registers pages, lists, maps and adapters when it is imported. What is known without importing it: its
name, where it lies, the migrations of its tables - the folder `migrations` beside the module - and what its
words are in other languages, in the folder `i18n`. So the database can be brought up to date whatever state
the package's Python is in.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from lk_portal.errors import ConfigurationError
from lk_portal.i18n import add_catalogues
from lk_portal.models import Table
from lk_portal.services import personal
from lk_portal.services.tables import table_of

GROUP = "lk_portal.plugins"
OURS = "lk_portal"
MIGRATIONS = "migrations"
CATALOGUES = "i18n"
VERSIONS = "plugin_version_"
"""A package's version table is called so, and then by the package: its migrations do not mix with ours."""
RESERVED = ("alembic_", "dbos_", "pg_", "plugin_", "sqlite_", "street_search")
"""Tables that are in the database and not in the models."""
_NAME = re.compile(r"[a-z][a-z0-9]{0,30}")


@dataclass(frozen=True, slots=True)
class Plugin:
    """An installed package.

    Attributes:
        name: Of its entry point; its tables begin with it and "_".
        folder: Of the module that the entry point names; None for a module that lies in no package.
        version: Of the package.
        point: The entry point.
    """

    name: str
    folder: Path | None
    version: str
    point: EntryPoint

    @property
    def prefix(self) -> str:
        """What the names of its tables begin with."""
        return f"{self.name}_"

    @property
    def migrations(self) -> Path | None:
        """Where its migrations lie; None when it has none."""
        return self._beside(MIGRATIONS)

    @property
    def catalogues(self) -> Path | None:
        """Where its words in other languages lie; None when it has none."""
        return self._beside(CATALOGUES)

    @property
    def version_table(self) -> str:
        """Where the database keeps how far its migrations have come."""
        return f"{VERSIONS}{self.name}"

    def _beside(self, name: str) -> Path | None:
        folder = self.folder and self.folder / name
        return folder if folder and folder.is_dir() else None


def installed() -> tuple[Plugin, ...]:
    """The packages by name.

    Raises:
        ConfigurationError: Two have one name.
    """
    found: dict[str, Plugin] = {}
    for point in sorted(entry_points(group=GROUP)):
        if point.name in found and found[point.name].point.value != point.value:
            raise ConfigurationError(detail=f"two installed packages extend the portal as {point.name!r}")
        found[point.name] = Plugin(
            point.name, _folder(point), point.dist.version if point.dist else "", point
        )
    return tuple(found.values())


def with_tables() -> tuple[Plugin, ...]:
    """Those that have migrations.

    Raises:
        ConfigurationError: The name of one cannot begin the names of tables.
    """
    found = tuple(plugin for plugin in installed() if plugin.migrations is not None)
    for plugin in found:
        if problem := _problem_of_the_name(plugin.name):
            raise ConfigurationError(detail=f"package {plugin.name!r}: {problem}")
    return found


def load() -> None:
    """Import every package, so that it registers what it brings.

    Raises:
        ConfigurationError: One cannot be imported, brings tables that no migration can make, speaks of those
            of others, or has a catalogue that cannot be used.
    """
    load_catalogues()
    for plugin in installed():
        before, declared = set(_models()), personal.declared()
        try:
            plugin.point.load()
        except ConfigurationError:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise ConfigurationError(
                detail=f"package {plugin.name!r} cannot be imported: {reason}"
            ) from error
        for model in set(_models()) - before:
            _check(plugin, table_of(model).name)
        for table in personal.declared() - declared:
            _check(plugin, table)


def load_catalogues() -> None:
    """Let the words of every package be known in all their languages, before a module says any of them.

    Raises:
        ConfigurationError: One has a catalogue that cannot be used.
    """
    for plugin in installed():
        if plugin.catalogues is not None:
            add_catalogues(plugin.name, plugin.catalogues)


def digest() -> str:
    """A hash over the packages' own files: what pages of theirs are built from."""
    found = hashlib.sha256()
    for plugin in installed():
        found.update(f"{plugin.name}\0{plugin.point.value}\0{plugin.version}\0".encode())
        for path in _files(plugin):
            found.update(f"{path.relative_to(plugin.folder or path.parent)}\0".encode())
            found.update(path.read_bytes())
    return found.hexdigest()


def _folder(point: EntryPoint) -> Path | None:
    """Where the module lies, without importing it."""
    package = point.module.rpartition(".")[0]
    try:
        spec = find_spec(package) if package else None
    except ImportError:
        return None
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


def _files(plugin: Plugin) -> list[Path]:
    """Its own files; of a module that lies in no package, that module."""
    if plugin.folder is not None:
        files = (path for path in plugin.folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
        return sorted(files)
    spec = find_spec(plugin.point.module)
    return [Path(spec.origin)] if spec and spec.origin else []


def _models() -> Iterator[type[Table]]:
    """All classes with a table that are known by now."""
    return (model for model in Table.__subclasses__() if hasattr(model, "__table__"))


def _check(plugin: Plugin, table: str) -> None:
    if not table.startswith(plugin.prefix):
        raise ConfigurationError(
            detail=f"package {plugin.name!r}: its table {table!r} must be called {plugin.prefix}..."
        )
    if plugin.migrations is None:
        raise ConfigurationError(
            detail=f"package {plugin.name!r} has the table {table!r} and no folder {MIGRATIONS!r} beside "
            f"{plugin.point.module}; a folder that is not installed is missing in the package's package-data"
        )


def _problem_of_the_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        return "its tables begin with the name of its entry point, so that must be of a-z and 0-9"
    ours = [table_of(model).name for model in _models() if model.__module__.startswith(f"{OURS}.")]
    taken = [table for table in (*ours, *RESERVED) if table.startswith(f"{name}_")]
    return f"the portal has tables whose names begin with {name}_" if taken else ""
