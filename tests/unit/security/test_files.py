"""What a file is and may be called, whatever its sender says."""

from __future__ import annotations

import pytest

from lk_portal.security.files import MAX_NAME, FileKind, kind_of, label_of, renamed, text_of
from tests.attached import HEIC, PDF, jpeg, png

JPEG, TEXT = FileKind.JPEG, FileKind.TEXT


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (jpeg(), FileKind.JPEG),
        (png(), FileKind.PNG),
        (HEIC, FileKind.HEIC),
        (PDF, FileKind.PDF),
        ("Показания: 123".encode(), FileKind.TEXT),
        ("Показания: 123".encode("cp1251"), FileKind.TEXT),
        (b"\xef\xbb\xbfbegins with a mark", FileKind.TEXT),
        (b"<script>alert(1)</script>", FileKind.TEXT),
    ],
)
def test_the_content_says_what_it_is(content: bytes, kind: FileKind) -> None:
    assert kind_of(content) is kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\x00\x03\x00\x00\x00",
        b"\x7fELF\x02\x01\x01\x00",
        b"PK\x03\x04\x14\x00\x00\x00",
        b"GIF89a\x01\x00\x01\x00",
        b"RIFF\x10\x00\x00\x00WEBPVP8 ",
        b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00",
        b"\x00\x00\x00\x1cftypmp42\x00\x00\x00\x00",
        PDF.replace(b"%%EOF", b""),
        b"a text with a zero\x00byte",
        b"a bell \x07 rings",
    ],
)
def test_anything_else_is_nothing_that_may_be_attached(content: bytes) -> None:
    assert kind_of(content) is None


@pytest.mark.parametrize(
    ("name", "kind", "label"),
    [
        ("Счетчик.jpg", JPEG, "Счетчик.jpg"),
        ("PHOTO.JPEG", JPEG, "PHOTO.JPEG"),
        ("../../etc/passwd", TEXT, "passwd.txt"),
        ("C:\\Users\\me\\bill.exe", TEXT, "bill.exe.txt"),
        ("page.html", TEXT, "page.html.txt"),
        ("gpj.\u202etxt", TEXT, "gpj.txt"),
        ("a\r\nSet-Cookie: x=1.txt", TEXT, "aSet-Cookie_ x=1.txt"),
        ("\x00", JPEG, "file.jpg"),
        ("", JPEG, "file.jpg"),
        (".jpg", JPEG, "file.jpg"),
        ("..", JPEG, "file.jpg"),
        ("a.png", JPEG, "a.png.jpg"),
        ('"quoted"<b>.pdf', FileKind.PDF, "_quoted__b_.pdf"),
    ],
)
def test_a_name_is_a_label_and_nothing_else(name: str, kind: FileKind, label: str) -> None:
    assert label_of(name, kind) == label


def test_a_long_name_keeps_its_end() -> None:
    label = label_of("я" * 500 + ".jpg", JPEG)

    assert len(label) == MAX_NAME
    assert label.endswith("я.jpg")


def test_a_redrawn_picture_is_called_what_it_is() -> None:
    assert renamed("meter.HEIC", JPEG) == "meter.jpg"
    assert renamed("meter.jpeg", JPEG) == "meter.jpeg"


def test_a_text_is_read_in_either_charset() -> None:
    assert (
        text_of("ёж".encode()) == text_of("ёж".encode("cp1251")) == text_of("ёж".encode("utf-8-sig")) == "ёж"
    )
    assert text_of(b"\x98") is None
