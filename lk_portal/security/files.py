"""What a file is, by its content, and what it may be called. Pure; for what subscribers attach.

The name that a sender gives is a label for people and nothing else: it decides neither the type nor a path.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from types import MappingProxyType

MAX_FILES = 5
MAX_FILE_BYTES = 10 * 2**20
MAX_REGISTRY_UPLOAD = 50 * 2**20
"""Of a table of the registry; a workbook of 100 000 meters has 13 MB."""
MAX_UPLOAD = MAX_FILES * MAX_FILE_BYTES + 2**18
"""Of a whole form: its files, and what is typed."""
MAX_PICTURE_UPLOAD = MAX_FILE_BYTES + 2**18
MAX_WRITTEN = 2**20
"""Of a form with a text of 200,000 characters, whatever their alphabet."""
MAX_NAME = 120
NAMELESS = "file"


class FileKind(StrEnum):
    """What may be attached, by its media type."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    HEIC = "image/heic"
    PDF = "application/pdf"
    TEXT = "text/plain; charset=utf-8"


PICTURES = frozenset({FileKind.JPEG, FileKind.PNG, FileKind.HEIC})
SUFFIXES = MappingProxyType(
    {
        FileKind.JPEG: (".jpg", ".jpeg"),
        FileKind.PNG: (".png",),
        FileKind.HEIC: (".heic", ".heif"),
        FileKind.PDF: (".pdf",),
        FileKind.TEXT: (".txt",),
    }
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"})
_PDF_END_WITHIN = 2048
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_OF_TEXT = frozenset("\t\n\r\f")
_PATHS = re.compile(r"[/\\]")
_NO_NAMES = re.compile(r'[<>:"|?*]')


def kind_of(content: bytes) -> FileKind | None:
    """The kind of a file by its first (and a PDF's last) bytes; None for all that may not be attached.

    Whether a picture is sound shows when it is drawn anew.
    """
    if content.startswith(b"\xff\xd8\xff"):
        return FileKind.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return FileKind.PNG
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        return FileKind.HEIC
    if content.startswith(b"%PDF-"):
        return FileKind.PDF if b"%%EOF" in content[-_PDF_END_WITHIN:] else None
    return FileKind.TEXT if text_of(content) is not None else None


def text_of(content: bytes) -> str | None:
    """A plain text in UTF-8 or, as older Russian programs write it, CP1251; None for anything else."""
    for charset in ("utf-8-sig", "cp1251"):
        try:
            text = content.decode(charset)
        except UnicodeDecodeError:
            continue
        return text if text and not any(_is_control(sign) for sign in text) else None
    return None


def label_of(name: str, kind: FileKind) -> str:
    """A sender's name for a file, without path, hidden signs and turns of direction, ending as its kind does.

    So a text that is called `bill.exe` becomes `bill.exe.txt`.
    """
    cleaned = clean_name(name)
    known = next((one for one in SUFFIXES[kind] if cleaned.lower().endswith(one)), "")
    end = len(cleaned) - len(known)
    stem, suffix = cleaned[:end].strip(". ") or NAMELESS, cleaned[end:] or SUFFIXES[kind][0]
    return stem[: MAX_NAME - len(suffix)] + suffix


def clean_name(name: str) -> str:
    """A sender's name for a file, in visible characters and without a path; "" when nothing is left."""
    last = _PATHS.split(unicodedata.normalize("NFC", name))[-1]
    visible = "".join(sign for sign in last if unicodedata.category(sign) not in _INVISIBLE)
    return " ".join(_NO_NAMES.sub("_", visible).split())[-2 * MAX_NAME :]


def renamed(label: str, kind: FileKind) -> str:
    """A label of `label_of` for the same picture in another kind: `meter.heic` becomes `meter.jpg`."""
    stem = label.rpartition(".")[0]
    return label if label.lower().endswith(SUFFIXES[kind]) else f"{stem}{SUFFIXES[kind][0]}"


def _is_control(sign: str) -> bool:
    return unicodedata.category(sign) == "Cc" and sign not in _OF_TEXT
