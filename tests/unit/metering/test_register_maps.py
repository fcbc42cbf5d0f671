"""The map files: every cell as checked, every typo refused with file, key and reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lk_portal.errors import ConfigurationError
from lk_portal.metering import maps
from lk_portal.metering.map_fields import NoValue, ReadFunction, RegisterType, WordOrder
from lk_portal.metering.maps import (
    PACKAGE_MAPS,
    known_maps,
    load_map,
    load_maps,
    map_named,
)
from lk_portal.metering.types import Quantity

A_PLUS, A_MINUS, R_PLUS, R_MINUS = Quantity

GOOD = """
name = "test-meter"
manufacturer = "Test"
model = "T1"
title = "Test meter"
function = "input"
word_order = "big"
max_power_w = 10000
capacity_wh = 100_000_000
sources = ["one", "two"]

[[registers]]
quantity = "A+"
address = 0x10
type = "float32"
scale_wh = "1000"
"""
MORE = '\n[[registers]]\nquantity = "{quantity}"\naddress = {address}\ntype = "int16"\nscale_wh = "1"\n'

SDM = {A_PLUS: 0x48, A_MINUS: 0x4A, R_PLUS: 0x4C, R_MINUS: 0x4E}
Row = tuple[str, ReadFunction, WordOrder, RegisterType, int, dict[Quantity, int]]
CELLS: list[Row] = [
    ("eastron-sdm120", ReadFunction.INPUT, WordOrder.BIG, RegisterType.FLOAT32, 1000, SDM),
    ("eastron-sdm630", ReadFunction.INPUT, WordOrder.BIG, RegisterType.FLOAT32, 1000, SDM),
    (
        "carlo-gavazzi-em340",
        ReadFunction.INPUT,
        WordOrder.LITTLE,
        RegisterType.INT32,
        100,
        {A_PLUS: 0x34, A_MINUS: 0x4E, R_PLUS: 0x36},
    ),
    (
        "schneider-iem3155",
        ReadFunction.HOLDING,
        WordOrder.BIG,
        RegisterType.INT64,
        1,
        {A_PLUS: 0x0C83, A_MINUS: 0x0C87, R_PLUS: 0x0C93, R_MINUS: 0x0C97},
    ),
    (
        "abb-b23",
        ReadFunction.HOLDING,
        WordOrder.BIG,
        RegisterType.UINT64,
        10,
        {A_PLUS: 0x5000, A_MINUS: 0x5004, R_PLUS: 0x500C, R_MINUS: 0x5010},
    ),
    (
        "simulated-profile",
        ReadFunction.HOLDING,
        WordOrder.BIG,
        RegisterType.UINT32,
        1,
        {A_PLUS: 0x0100, R_PLUS: 0x0102},
    ),
]


@pytest.fixture(autouse=True)
def _fresh_registry() -> Iterator[None]:
    yield
    load_maps()


def write(directory: Path, text: str, name: str = "test-meter.toml") -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("row", CELLS, ids=lambda row: row[0])
def test_cells_of_the_package(row: Row) -> None:
    name, function, order, kind, scale, addresses = row
    found = map_named(name)
    assert (found.function, found.word_order) == (function, order)
    assert {r.quantity: r.address for r in found.registers if r.zone == 0} == addresses
    assert {(r.type, int(r.scale_wh)) for r in found.registers} == {(kind, scale)}
    assert len(found.sources) >= 2
    assert found.registers == tuple(sorted(found.registers, key=lambda r: r.address))


def test_tariff_registers_of_the_package() -> None:
    def zones(name: str) -> dict[int, int]:
        return {r.zone: r.address for r in map_named(name).registers if r.zone}

    assert zones("abb-b23") == {1: 0x5170, 2: 0x5174, 3: 0x5178, 4: 0x517C}
    assert zones("schneider-iem3155") == {1: 0x1063, 2: 0x1067}
    assert zones("carlo-gavazzi-em340") == {}
    assert zones("eastron-sdm630") == {}


def test_no_package_map_is_forgotten() -> None:
    assert {m.name for m in known_maps()} == {path.stem for path in PACKAGE_MAPS.glob("*.toml")}
    assert {row[0] for row in CELLS} == {m.name for m in known_maps()}


def test_a_good_file_is_read(tmp_path: Path) -> None:
    found = load_map(write(tmp_path, GOOD))
    (register,) = found.registers
    assert (found.name, found.max_words, found.max_gap) == ("test-meter", 125, 0)
    assert (register.address, register.end, register.capacity_wh) == (0x10, 0x12, 100_000_000)
    assert found.register(A_PLUS) is register
    assert found.register(A_PLUS, zone=1) is None


def test_a_register_may_have_its_own_capacity_scale_and_markers(tmp_path: Path) -> None:
    text = GOOD + 'capacity_wh = 5\nno_value = ["signed-max"]\n'
    (register,) = load_map(write(tmp_path, text.replace('"1000"', '"0.1"'))).registers
    assert (register.capacity_wh, register.no_value) == (5, frozenset({NoValue.SIGNED_MAX}))
    assert register.scale_wh * 10 == 1


@pytest.mark.parametrize(("function", "expected"), [("3", 3), ("4", 4), ('"holding"', 3), ('"input"', 4)])
def test_function_by_number_or_name(tmp_path: Path, function: str, expected: int) -> None:
    assert load_map(write(tmp_path, GOOD.replace('"input"', function))).function == expected


@pytest.mark.parametrize(
    ("before", "after", "key", "reason"),
    [
        ('title = "Test meter"', 'titel = "Test meter"', "titel", "Extra inputs are not permitted"),
        ('title = "Test meter"', "", "title", "Field required"),
        ('title = "Test meter"', "title = 5", "title", "valid string"),
        ('title = "Test meter"', 'title = ""', "title", "at least 1 character"),
        ("max_power_w = 10000", 'max_power_w = "10000"', "max_power_w", "valid integer"),
        ("max_power_w = 10000", "max_power_w = 0", "max_power_w", "greater than 0"),
        ("max_power_w = 10000", "max_power_w = true", "max_power_w", "valid integer"),
        ('"big"', '"middle"', "word_order", "'middle' is not one of big, little"),
        ('"input"', '"coils"', "function", "'coils' is not one of 3, 4, holding, input"),
        ('"input"', "5", "function", "5 is not one of"),
        ('"input"', "true", "function", "True is not one of"),
        ('["one", "two"]', '["one"]', "sources", "at least 2 items"),
        ('"A+"', '"A"', "registers[0].quantity", "'A' is not one of A+, A-, R+, R-"),
        ('"float32"', '"float"', "registers[0].type", "'float' is not one of int16"),
        ("0x10", "0x10000", "registers[0].address", "less than or equal to 65535"),
        ("0x10", "-1", "registers[0].address", "greater than or equal to 0"),
        ("0x10", "0xFFFF", "registers[0]", "goes beyond address 0xFFFF"),
        ('"1000"', "1000.0", "registers[0].scale_wh", "decimal in quotes"),
        ('"1000"', '"0"', "registers[0].scale_wh", "above zero"),
        ('"1000"', '"-1"', "registers[0].scale_wh", "above zero"),
        ('"1000"', '"kWh"', "registers[0].scale_wh", "not a decimal number"),
        ('"1000"', '"nan"', "registers[0].scale_wh", "not a decimal number"),
        ('"1000"', '"1000"\nzone = 9', "registers[0].zone", "less than or equal to 8"),
        ('"1000"', '"1000"\nno_value = ["ones"]', "registers[0].no_value[0]", "'ones' is not one of"),
        ("capacity_wh = 100_000_000", "capacity_wh = -1", "capacity_wh", "greater than 0"),
        ("sources", "max_words = 200\nsources", "max_words", "less than or equal to 125"),
        ("test-meter", "Test Meter", "name", "match pattern"),
        ("test-meter", "other", "name", "must be the file's name"),
        ('quantity = "A+"', 'quantity = "A-"', "test-meter.toml", "sum of A+ (zone 0) is missing"),
    ],
)
def test_a_typo_is_refused_by_file_key_and_reason(
    tmp_path: Path, before: str, after: str, key: str, reason: str
) -> None:
    assert before in GOOD
    path = write(tmp_path, GOOD.replace(before, after))
    with pytest.raises(ConfigurationError) as refused:
        load_map(path)
    line = next(line for line in str(refused.value).splitlines() if key in line)
    assert "test-meter.toml: " in line
    assert reason in line


def test_overlap_and_repetition_are_refused_and_neighbours_are_not(tmp_path: Path) -> None:
    load_map(write(tmp_path, GOOD + MORE.format(quantity="A-", address="0x12")))
    with pytest.raises(ConfigurationError, match=r"A- zone 0 at 0x0011 overlaps A\+ zone 0 at 0x0010"):
        load_map(write(tmp_path, GOOD + MORE.format(quantity="A-", address="0x11")))
    with pytest.raises(ConfigurationError, match=r"A\+ zone 0 at 0x0012 repeats A\+ zone 0 at 0x0010"):
        load_map(write(tmp_path, GOOD + MORE.format(quantity="A+", address="0x12")))


def test_every_problem_has_a_line_of_its_own(tmp_path: Path) -> None:
    text = GOOD.replace('"big"', '"middle"').replace("0x10", "-1")
    with pytest.raises(ConfigurationError) as refused:
        load_map(write(tmp_path, text))
    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize("text", ["name = ", 'name = "a"\nname = "b"'])
def test_what_is_not_toml_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"test-meter\.toml"):
        load_map(write(tmp_path, text))


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.toml: No such file"):
        load_map(tmp_path / "absent.toml")
    (tmp_path / "latin.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(ConfigurationError, match=r"latin\.toml"):
        load_map(tmp_path / "latin.toml")


def test_an_extra_directory_adds_maps(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no register map 'test-meter'; known: abb-b23"):
        map_named("test-meter")
    write(tmp_path, GOOD)
    assert len(load_maps(tmp_path)) == len(CELLS) + 1
    assert map_named("test-meter").title == "Test meter"


def test_a_wrong_extra_directory_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    load_maps(tmp_path)
    with pytest.raises(ConfigurationError, match="no such directory"):
        load_maps(tmp_path / "absent")
    write(tmp_path, (PACKAGE_MAPS / "abb-b23.toml").read_text(encoding="utf-8"), "abb-b23.toml")
    with pytest.raises(ConfigurationError, match="'abb-b23' is taken"):
        load_maps(tmp_path)
    assert map_named("test-meter")


def test_maps_are_there_without_a_start() -> None:
    maps._maps.clear()
    assert map_named("eastron-sdm630").model == "SDM630-Modbus"


PROFILE = """
[profile]
function = "file"
first = 1
records = 100
record_words = 4
interval_s = 1800
newest_address = 0x20
clock_address = 0x21
stamp = "unix32"
stamp_edge = "end"
clock = "utc"

[[profile.values]]
quantity = "A+"
offset = 2
type = "uint16"
scale_wh = "0.5"
"""


def test_a_map_may_describe_a_load_profile(tmp_path: Path) -> None:
    path = tmp_path / "test-meter.toml"
    path.write_text(GOOD + PROFILE, encoding="utf-8")
    ring = load_map(path).profile
    assert ring is not None
    assert (ring.records_per_file, ring.place(99), ring.run_from(90)) == (2500, (1, 396), 10)
    path.write_text(GOOD, encoding="utf-8")
    assert load_map(path).profile is None


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("interval_s = 1800", "interval_s = 1700", "1700 is not one of"),
        ("offset = 2", "offset = 1", "A_PLUS overlaps stamp"),
        ("offset = 2", "offset = 4", "A_PLUS goes beyond the record's 4 words"),
        ('clock = "utc"', 'clock = "sundial"', "profile.clock"),
        ('clock = "utc"', 'clock = "utc"\nmissing_bits = 1', "need status_offset"),
        ("first = 1", "first = 0", "files are numbered"),
        ('function = "file"', 'function = "input"', None),
        ('function = "file"\nfirst = 1', 'function = "input"\nfirst = 0xFFF0', "beyond address 0xFFFF"),
        ("records = 100", "records = 100\nrecords_per_file = 5000", "a file has 10000 words"),
        ('quantity = "A+"\noffset', 'quantity = "R+"\noffset', "A+ is missing"),
        ("clock_address = 0x21\n", "", "profile.clock_address"),
    ],
)
def test_a_wrong_profile_is_refused(tmp_path: Path, old: str, new: str, problem: str | None) -> None:
    path = tmp_path / "test-meter.toml"
    assert old in PROFILE
    path.write_text(GOOD + PROFILE.replace(old, new), encoding="utf-8")
    if problem is None:
        assert load_map(path).profile is not None
        return
    with pytest.raises(ConfigurationError) as caught:
        load_map(path)
    assert problem in str(caught.value)


def test_a_profile_needs_a_register_to_be_compared_with(tmp_path: Path) -> None:
    path = tmp_path / "test-meter.toml"
    more = '\n[[profile.values]]\nquantity = "R-"\noffset = 3\ntype = "uint16"\nscale_wh = "1"\n'
    path.write_text(GOOD + PROFILE + more, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="R_MINUS, of which there is no sum register"):
        load_map(path)
