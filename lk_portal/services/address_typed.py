"""What a person typed as an address: its words, and its numbers in the order house, flat. Pure.

For `addresses` only. A word is matched by its beginning, for it may be unfinished or in another case of
grammar; a number is matched whole, but for the last one while it is being typed.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache

from lk_portal.models.address_text import (
    FLAT_MARKS,
    HOUSE_MARKS,
    KIND_OF,
    STREET_KINDS,
    is_mark,
    is_number,
    tokens_of,
)

MAX_TYPED = 300
"""Longer than any address of the registry."""
MAX_COMMAS = 6
MAX_WORDS = 12
"""So many are searched by; the rest says little more."""
_ADJECTIVE = ("ая", "ий")
_COUNTRY = frozenset({"россия", "рф"})
_POSTCODE = re.compile(r"\d{6}")


@dataclass(frozen=True, slots=True)
class Typed:
    """An address in parts.

    Attributes:
        words: Names and kinds ("омск", "улица") in one spelling each, in the order they were typed.
        house: Numbers of the house and its parts, and those that may be of the street's name.
        flat: Numbers that were said to be a flat's.
        is_open: The last number typed may go on: "1" is to become "12".
        is_house_closed: A comma or a flat followed the house: "1," is not "1 корп. 2".
        heads: The words of what stands before each comma, kinds in full; a street chosen from the list is
            one of them.
    """

    words: tuple[str, ...]
    house: tuple[str, ...] = ()
    flat: tuple[str, ...] = ()
    is_open: bool = False
    is_house_closed: bool = False
    heads: frozenset[frozenset[str]] = frozenset()

    @property
    def numbers(self) -> tuple[str, ...]:
        """Of the house first, of the flat last."""
        return (*self.house, *self.flat)

    @property
    def alternatives(self) -> tuple[tuple[str, ...], ...]:
        """For each word, with what a word of the address may begin for both to be the same."""
        return tuple(_spellings(word) for word in self.words[:MAX_WORDS])

    @property
    def names(self) -> tuple[str, ...]:
        """The words that are no kinds of place, without the region, which registries leave out."""
        left_out = _region_in(self.words)
        return tuple(
            word
            for index, word in enumerate(self.words)
            if word not in KIND_OF and word not in _COUNTRY and index not in left_out
        )


def read_typed(text: str) -> Typed:
    """Take a typed address apart; anything may have been typed."""
    text = text[:MAX_TYPED]
    tokens = tokens_of(text)
    words: list[str] = []
    house: list[str] = []
    flat: list[str] = []
    for before, token, following in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False):
        if is_number(token):
            (flat if before in FLAT_MARKS else house).append(token)
        elif not is_mark(token, following=following):
            words.append(token)
    house = [number for number in house if not _POSTCODE.fullmatch(number)]
    numbers = [*house, *flat]
    return Typed(
        tuple(words),
        tuple(house),
        tuple(flat),
        is_open=bool(numbers) and numbers[-1] == tokens[-1] and text[-1:].isalnum(),
        is_house_closed=bool(flat) or text.rstrip().endswith(","),
        heads=_heads(text),
    )


def _heads(text: str) -> frozenset[frozenset[str]]:
    parts = text.split(",")[: MAX_COMMAS + 1]
    heads = (tokens_of(",".join(parts[:count])) for count in range(1, len(parts)))
    return frozenset(frozenset(KIND_OF.get(token, token) for token in head) for head in heads)


def without_kinds(typed: Typed) -> Typed:
    """The same without kinds of place and an unfinished "кварт": for registries that leave them out."""
    names = typed.names
    if names and typed.words[-1] == names[-1] and _may_become_mark(names[-1]):
        names = names[:-1]
    return replace(typed, words=names)


@dataclass(frozen=True, slots=True)
class Fit:
    """How a street fits what was typed.

    Attributes:
        house: The numbers left for the house: of "10 лет октября 5" the 5.
        flat: Those left for the flat; none before a house is typed.
        closeness: How many words and numbers were typed whole.
        is_named: The street was typed or chosen in full, with its settlement, and a comma after it.
    """

    house: tuple[str, ...]
    flat: tuple[str, ...]
    closeness: int
    is_named: bool


class Fitting:
    """Says how streets that have all the typed words fit."""

    def __init__(self, typed: Typed) -> None:
        self._typed = typed
        self._spellings = typed.alternatives

    def of(self, search_text: str) -> Fit:
        """For the street with these words."""
        words = set(search_text.split())
        is_named = words in self._typed.heads
        closeness = sum(1 for spellings in self._spellings if not words.isdisjoint(spellings))
        house = []
        for number in self._typed.house:
            if number in words:
                words.remove(number)
                closeness += 1
            else:
                house.append(number)
        return Fit(tuple(house), self._typed.flat if house else (), closeness, is_named)


@lru_cache(maxsize=32768)
def numbers_of(text: str) -> tuple[str, ...]:
    """The numbers of a house or a flat: "12 корп. 2" has two."""
    return tuple(token for token in tokens_of(text) if is_number(token))


def agrees(wanted: tuple[str, ...], found: tuple[str, ...], *, is_open: bool) -> bool:
    """Whether an address's numbers do not contradict those typed, as far as both go."""
    for index, (want, have) in enumerate(zip(wanted, found, strict=False)):
        is_last = is_open and index == len(wanted) - 1
        if not (have.startswith(want) if is_last else have == want):
            return False
    return True


def fits(wanted: tuple[str, ...], found: tuple[str, ...], *, is_open: bool) -> bool:
    """Whether a whole address has all the numbers that were typed."""
    return len(found) >= len(wanted) and agrees(wanted, found, is_open=is_open)


def is_same_address(typed: str, address: str) -> bool:
    """Whether a person means this address of the registry.

    Case, "ё", abbreviations, punctuation and the order of words do not matter; numbers go house, then flat.
    Region and postcode, and what kind of settlement it is, may be left out or added; a street is no avenue.
    The registry says which number is a flat's: where the person does, too, it must be the same one.
    """
    one, two = read_typed(typed), read_typed(address)
    if len(typed) > MAX_TYPED or not two.words:
        return False
    return (
        Counter(one.names) == Counter(two.names)
        and one.numbers == two.numbers
        and one.flat in ((), two.flat)
        and _are_kinds_compatible(_street_kinds(one), _street_kinds(two))
    )


def _street_kinds(typed: Typed) -> frozenset[str]:
    return frozenset(kind for word in typed.words for kind in _kinds(word) if kind in STREET_KINDS)


def _are_kinds_compatible(one: frozenset[str], two: frozenset[str]) -> bool:
    return not one or not two or bool(one & two)


def _kinds(word: str) -> tuple[str, ...]:
    if word == "пр":
        return ("проспект", "проезд")
    return (KIND_OF[word],) if word in KIND_OF else ()


def _spellings(word: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*_kinds(word), word)))


def _may_become_mark(word: str) -> bool:
    return any(mark.startswith(word) for mark in {*HOUSE_MARKS, *FLAT_MARKS, *KIND_OF})


def _region_in(words: tuple[str, ...]) -> set[int]:
    """Where the names of regions stand: "омская область", "обл. Омская", "республика Татарстан"."""
    places = set()
    for index, word in enumerate(words):
        kind = KIND_OF.get(word)
        if kind in ("область", "край", "республика"):
            is_before = index > 0 and words[index - 1].endswith(_ADJECTIVE)
            is_after = index + 1 < len(words) and (
                kind == "республика" or words[index + 1].endswith(_ADJECTIVE)
            )
            if is_before or is_after:
                places.add(index - 1 if is_before else index + 1)
    return places
