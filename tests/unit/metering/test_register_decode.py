"""From words to Wh: exact where the meter is, and never a number where it has none."""

from __future__ import annotations

import struct
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.errors import DataInvalidError, ProtocolError
from lk_portal.metering.decode import decode_block, encode_register, plan_for, require_sum
from lk_portal.metering.map_fields import MapRegister, NoValue, ReadFunction, RegisterType, WordOrder
from lk_portal.metering.maps import RegisterMap, map_named
from lk_portal.metering.types import Quantity, RegisterValue


def register(kind: RegisterType, address: int = 0, **changes: object) -> MapRegister:
    plain = MapRegister(Quantity.A_PLUS, 0, address, kind, Fraction(1), 10**12, frozenset())
    return replace(plain, **changes)  # type: ignore[arg-type]


def a_map(*registers: MapRegister, **changes: object) -> RegisterMap:
    plain = RegisterMap(
        "t", "m", "m", "t", ReadFunction.INPUT, WordOrder.BIG, 10_000, 125, 0, registers, ("a", "b")
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def decoded(one: MapRegister, words: tuple[int, ...], order: WordOrder = WordOrder.BIG) -> list[int]:
    (block,) = plan_for(a_map(one, word_order=order)).blocks
    return [value.value_wh for value in decode_block(block, words)]


def words_of(code: str, value: float) -> tuple[int, ...]:
    packed = struct.pack(">" + code, value)
    return struct.unpack(f">{len(packed) // 2}H", packed)


@pytest.mark.parametrize(
    ("name", "questions"),
    [
        ("eastron-sdm630", [(4, 0x48, 8)]),
        ("eastron-sdm120", [(4, 0x48, 8)]),
        ("carlo-gavazzi-em340", [(4, 0x34, 4), (4, 0x4E, 2)]),
        ("schneider-iem3155", [(3, 0x0C83, 8), (3, 0x0C93, 8), (3, 0x1063, 8)]),
        ("abb-b23", [(3, 0x5000, 20), (3, 0x5170, 16)]),
    ],
)
def test_fewest_questions(name: str, questions: list[tuple[int, int, int]]) -> None:
    blocks = plan_for(map_named(name)).blocks
    assert [(b.function, b.address, b.count) for b in blocks] == questions


def test_a_gap_is_read_along_only_where_the_map_allows() -> None:
    pair = (register(RegisterType.INT16), register(RegisterType.INT16, 3, zone=1))
    assert [b.count for b in plan_for(a_map(*pair)).blocks] == [1, 1]
    assert [b.count for b in plan_for(a_map(*pair, max_gap=1)).blocks] == [1, 1]
    assert [b.count for b in plan_for(a_map(*pair, max_gap=2)).blocks] == [4]


def test_an_answer_is_never_longer_than_the_meter_gives() -> None:
    many = tuple(register(RegisterType.INT64, 4 * i, zone=i) for i in range(9))
    assert [b.count for b in plan_for(a_map(*many)).blocks] == [36]
    assert [b.count for b in plan_for(a_map(*many, max_words=10)).blocks] == [8, 8, 8, 8, 4]


def test_only_questions_for_tariffs_are_optional() -> None:
    pair = (register(RegisterType.INT16), register(RegisterType.INT16, 3, zone=1))
    assert [b.is_optional for b in plan_for(a_map(*pair)).blocks] == [False, True]
    assert [b.is_optional for b in plan_for(a_map(*pair, max_gap=2)).blocks] == [False]


@pytest.mark.parametrize(
    ("kind", "words", "value"),
    [
        (RegisterType.INT16, (0x7FFF,), 32767),
        (RegisterType.UINT16, (0x8000,), 32768),
        (RegisterType.INT32, (0x0001, 0x0002), 65538),
        (RegisterType.UINT32, (0x8000, 0x0000), 2**31),
        (RegisterType.INT64, (0, 1, 0, 2), 2**32 + 2),
        (RegisterType.UINT64, (0x8000, 0, 0, 0), 2**63),
        (RegisterType.FLOAT32, (0x4640, 0xE6B6), 12346),
        (RegisterType.FLOAT64, words_of("d", 1.5), 2),
    ],
)
def test_types_and_word_orders(kind: RegisterType, words: tuple[int, ...], value: int) -> None:
    assert decoded(register(kind), words) == [value]
    assert decoded(register(kind), words[::-1], WordOrder.LITTLE) == [value]


def test_float32_kwh_is_rounded_to_wh() -> None:
    kwh = register(RegisterType.FLOAT32, scale_wh=Fraction(1000))
    assert decoded(kwh, words_of("f", 12345.678)) == [12_345_678]
    assert decoded(kwh, words_of("f", 0.0)) == [0]
    assert decoded(kwh, words_of("f", 0.5 / 1024)) == [0]


@pytest.mark.parametrize(("raw", "value"), [(1, 0), (3, 2), (5, 2), (7, 4), (2, 1)])
def test_halves_go_to_the_even_neighbour(raw: int, value: int) -> None:
    assert decoded(register(RegisterType.INT16, scale_wh=Fraction(1, 2)), (raw,)) == [value]


@given(raw=st.integers(0, 2**63 - 1), scale=st.decimals("0.0001", 100_000, places=4))
def test_integers_are_scaled_exactly(raw: int, scale: Decimal) -> None:
    one = register(RegisterType.UINT64, scale_wh=Fraction(scale))
    exact = Fraction(raw) * Fraction(scale)
    assert decoded(one, words_of("Q", raw)) == [round(exact)]


@given(value=st.floats(0, 2**24, width=32))
def test_floats_are_scaled_like_decimals(value: float) -> None:
    one = register(RegisterType.FLOAT32, scale_wh=Fraction(1000))
    exact = (Decimal(value) * 1000).quantize(Decimal(1), ROUND_HALF_EVEN)
    assert decoded(one, words_of("f", value)) == [int(exact)]


@pytest.mark.parametrize("kind", list(RegisterType))
@pytest.mark.parametrize("order", list(WordOrder))
def test_all_ones_is_no_value_and_zero_is_one(kind: RegisterType, order: WordOrder) -> None:
    assert decoded(register(kind), (0xFFFF,) * kind.words, order) == []
    assert decoded(register(kind), (0,) * kind.words, order) == [0]


@pytest.mark.parametrize(
    ("marker", "words"),
    [(NoValue.SIGNED_MAX, (0x7FFF, 0xFFFF)), (NoValue.SIGNED_MIN, (0x8000, 0x0000))],
)
def test_markers_of_the_map_are_no_value(marker: NoValue, words: tuple[int, ...]) -> None:
    assert decoded(register(RegisterType.UINT32, no_value=frozenset({marker})), words) == []
    assert len(decoded(register(RegisterType.UINT32), words)) == 1


def test_nan_is_no_value() -> None:
    assert decoded(register(RegisterType.FLOAT32), (0x7FC0, 0)) == []
    assert decoded(register(RegisterType.FLOAT64), words_of("d", float("nan"))) == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (RegisterType.FLOAT32, words_of("f", float("inf"))),
        (RegisterType.FLOAT32, words_of("f", -0.5)),
        (RegisterType.FLOAT64, words_of("d", float("-inf"))),
        (RegisterType.INT16, (0xFFFE,)),
        (RegisterType.INT64, (0x8000, 0, 0, 0)),
    ],
)
def test_what_cannot_be_is_refused(kind: RegisterType, words: tuple[int, ...]) -> None:
    with pytest.raises(DataInvalidError, match=r"A_PLUS\.0 = "):
        decoded(register(kind), words)


@pytest.mark.parametrize("count", [0, 7, 9])
def test_another_number_of_words_is_refused(count: int) -> None:
    (block,) = plan_for(map_named("eastron-sdm630")).blocks
    assert len(decode_block(block, [0] * 8)) == 4
    with pytest.raises(ProtocolError, match="8 were asked for"):
        decode_block(block, [0] * count)


def test_a_reading_needs_the_sum() -> None:
    sum_ = RegisterValue(Quantity.A_PLUS, 0, 1)
    require_sum([RegisterValue(Quantity.R_PLUS, 0, 1), sum_])
    with pytest.raises(DataInvalidError, match="no value for active energy"):
        require_sum([RegisterValue(Quantity.A_PLUS, 1, 1), RegisterValue(Quantity.R_PLUS, 0, 1)])


@pytest.mark.parametrize("name", ["carlo-gavazzi-em340", "schneider-iem3155", "abb-b23"])
@given(value=st.integers(0, 10**11))
def test_what_an_integer_meter_shows_is_read_back(name: str, value: int) -> None:
    found = map_named(name)
    one = replace(found.registers[0], address=0)
    words = encode_register(one, found.word_order, value)
    scale = int(one.scale_wh)
    assert decoded(one, words, found.word_order) == [value // scale * scale]


@given(value=st.integers(0, 10**10))
def test_what_a_float_meter_shows_is_read_back_to_its_resolution(value: int) -> None:
    one = map_named("eastron-sdm630").registers[0]
    (found,) = decoded(replace(one, address=0), encode_register(one, WordOrder.BIG, value))
    assert abs(found - value) <= max(1, value // 2**23)
