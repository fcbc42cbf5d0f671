"""What the steps of an import are called, in the reader's language. For its state."""

from __future__ import annotations

from lk_portal.i18n import _
from lk_portal.models import ImportStatus


def status_text(status: ImportStatus, *, is_waiting: bool) -> str:
    """How far a file is, in words; `is_waiting` when nobody is at it yet."""
    if is_waiting:
        return {
            ImportStatus.CHECKING: _("The file waits to be checked"),
            ImportStatus.WRITING: _("The file waits to be written"),
        }[status]
    return {
        ImportStatus.CHECKING: _("The file is being checked"),
        ImportStatus.CHECKED: _("The file is good; nothing is written yet"),
        ImportStatus.WRITING: _("The file is being written"),
        ImportStatus.DONE: _("The file is in the registry"),
        ImportStatus.REFUSED: _("The file was refused; nothing was written"),
    }[status]
