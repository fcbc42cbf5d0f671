"""Collects the texts of the code into the catalogues: `make messages`. For developers and for a test.

New messages are added empty, messages that are gone are removed; the translator fills in the rest.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from lk_portal.i18n import FOLDER

PACKAGE = FOLDER.parent
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
TRANSLATED = ("ru",)


def collect(package: Path = PACKAGE) -> Catalog:
    """A catalogue of every message in the package's modules."""
    found = Catalog(project="lk-portal", charset="utf-8", fuzzy=False)
    for path, _line, message, _comments, _context in extract_from_dir(package, keywords=KEYWORDS):
        found.add(message, locations=[(path, 0)])
    return found


def missing(locale: str) -> list[str]:
    """Messages of the code that have no translation in a language."""
    with catalog_path(locale).open("rb") as file:
        known = read_po(file, locale=locale)
    return [str(entry.id) for entry in collect() if entry.id and not _is_translated(known, entry.id)]


def _is_translated(known: Catalog, message: object) -> bool:
    found = known.get(message)  # type: ignore[arg-type]
    if found is None or not found.string:
        return False
    return all(found.string) if isinstance(found.string, tuple | list) else True


def update(locale: str) -> None:
    """Bring a language's catalogue up to date with the code."""
    path = catalog_path(locale)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalog = Catalog(locale=locale, project="lk-portal", charset="utf-8", fuzzy=False)
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale=locale)
    catalog.update(collect(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    with path.open("wb") as file:
        write_po(file, catalog, omit_header=False, sort_output=True, include_lineno=False, width=110)


def catalog_path(locale: str) -> Path:
    """Where a language's catalogue lies."""
    return FOLDER / locale / "messages.po"


def main() -> int:
    """Update every catalogue; tell what is left to translate."""
    left = 0
    for locale in TRANSLATED:
        update(locale)
        for message in missing(locale):
            left += 1
            sys.stdout.write(f"{locale}: {message}\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
