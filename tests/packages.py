"""A package that extends the portal, as pip would have installed it; without pip, and without its Python."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.portal_process import ROOT

SAMPLE = ROOT / "docs" / "examples" / "acme_lk" / "acme_lk"


@dataclass(frozen=True)
class Package:
    """A folder to find the package in, and its own."""

    site: Path
    folder: Path

    def add_migration(self, revision: str, after: str, *, upgrade: str) -> None:
        """Another migration, that does this line."""
        lines = ["import sqlalchemy as sa", "from alembic import op"]
        lines += [
            f"revision = {revision!r}",
            f"down_revision = {after!r}",
            "def upgrade():",
            f"    {upgrade}",
        ]
        path = self.folder / "migrations" / f"{revision}.py"
        path.write_text("\n".join(lines), encoding="utf-8")

    def remove(self) -> None:
        """What `pip uninstall` does."""
        shutil.rmtree(self.site)
        self.site.mkdir()


def installed_sample(site: Path, *, name: str = "acme", module: str = "acme_lk.plugin") -> Package:
    """The sample package under `site`, by an entry point of this name."""
    folder = site / "acme_lk"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    said = site / "acme_lk-1.0.0.dist-info"
    said.mkdir()
    (said / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-lk\nVersion: 1.0.0\n", encoding="utf-8")
    (said / "entry_points.txt").write_text(f"[lk_portal.plugins]\n{name} = {module}\n", encoding="utf-8")
    return Package(site, folder)
