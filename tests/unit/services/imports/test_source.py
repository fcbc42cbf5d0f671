"""Reading CSV files as people make them, and naming what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from lk_portal.errors import InputError
from lk_portal.services.imports import source
from lk_portal.services.imports.source import BadLinesError, CellError, Complaints, batches

COLUMNS = ("a", "b")


def read(path: Path, content: bytes) -> tuple[list[tuple[int, list[str]]], Complaints]:
    path.write_bytes(content)
    complaints = Complaints()
    return [line for batch in batches(path, COLUMNS, complaints) for line in batch], complaints


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n3,4\n",
        b"\xef\xbb\xbfa,b\n1,2\n3,4\n",
        b"a,b\r\n1,2\r\n3,4\r\n",
        b"a,b\n1,2\n3,4",
        b'"a","b"\n"1","2"\n3,"4"\n',
        b" a , b \n1,2\n3,4\n",
    ],
)
def test_the_same_table_however_it_was_saved(tmp_path: Path, content: bytes) -> None:
    lines, complaints = read(tmp_path / "a.csv", content)

    assert lines == [(2, ["1", "2"]), (3, ["3", "4"])]
    assert complaints.count == 0


def test_empty_lines_are_left_out_and_counted(tmp_path: Path) -> None:
    lines, complaints = read(tmp_path / "a.csv", b"a,b\n\n1,2\n\r\n3,4\n\n\n")

    assert lines == [(3, ["1", "2"]), (5, ["3", "4"])]
    assert complaints.count == 0


def test_a_header_alone_is_a_file_without_lines(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", b"a,b\n") == ([], Complaints())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The first line must be: {wanted}. It is: {found}."),
        (b"1,2\n", "The first line must be: {wanted}. It is: {found}."),
        (b"a;b\n1;2\n", "The first line must be: {wanted}. It is: {found}."),
        (b"b,a\n1,2\n", "The first line must be: {wanted}. It is: {found}."),
        (b"a,b,c\n", "The first line must be: {wanted}. It is: {found}."),
        ("прибор,b\n".encode("cp1251"), "Line 1: not in UTF-8; save the file as UTF-8."),
        ("a,b\n".encode("utf-16"), "The file is in UTF-16; save it as UTF-8."),
        (b"\x1f\x8b\x08\x00", "The file is compressed; unpack it first."),
        (b"PK\x03\x04...", "The file is a workbook or an archive; save it as CSV."),
        (b"a,b\n1,\x00\n", "The file is no text."),
    ],
)
def test_what_is_no_such_file_is_said_to_be_that(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path / "a.csv", content)

    assert raised.value.text == sentence


def test_the_header_that_was_found_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path / "a.csv", b"a;b\n")

    assert raised.value.data == {"wanted": "a,b", "found": "a;b"}


def test_lines_with_too_few_or_too_many_cells_are_named(tmp_path: Path) -> None:
    lines, complaints = read(tmp_path / "a.csv", b"a,b\n1\n1,2\n1,2,3\n")

    assert lines == [(3, ["1", "2"])]
    assert [(bad.line, bad.reason, dict(bad.data)) for bad in complaints.lines] == [
        (2, "{count} cells instead of {wanted}", {"count": 1, "wanted": 2}),
        (4, "{count} cells instead of {wanted}", {"count": 3, "wanted": 2}),
    ]


def test_a_line_in_another_encoding_is_named(tmp_path: Path) -> None:
    lines, complaints = read(tmp_path / "a.csv", b"a,b\n1,2\n\xcf\xf0,4\n")

    complaints.add(*lines[1], CellError("a", "there is no such meter"))

    assert [(bad.line, bad.column, bad.reason) for bad in complaints.lines] == [(3, "", source.NOT_UTF8)]


def test_quotes_without_end_are_named_and_fill_no_memory(tmp_path: Path) -> None:
    lines, complaints = read(tmp_path / "a.csv", b'a,b\n1,2\n"3,4\n' + b"5,6\n" * 200_000)

    assert lines[0] == (2, ["1", "2"])
    assert complaints.count >= 1
    assert complaints.lines[0].line == 3


def test_the_first_hundred_are_named_and_all_are_counted(tmp_path: Path) -> None:
    _lines, complaints = read(tmp_path / "a.csv", b"a,b\n" + b"1\n" * 250)

    with pytest.raises(BadLinesError) as raised:
        complaints.refuse()

    assert [bad.line for bad in raised.value.lines] == list(range(2, 102))
    assert raised.value.data == {"count": 250}
    assert str(raised.value) == "Wrong lines: 250. Nothing was written."
