"""Addresses as words: what is searched in them, and how people and registries spell the same thing.

Pure. For the column default of `Premises` and for the services that compare and search addresses. People
write "пр-т", "просп." and "проспект", "ё" and "е", "5-А" and "5 а"; here each has one spelling.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ALIASES = {
    "город": "г гор",
    "село": "с",
    "деревня": "д дер",
    "поселок": "п пос",
    "рп": "",
    "пгт": "",
    "станция": "ст",
    "станица": "ст-ца стца",
    "хутор": "х",
    "снт": "",
    "сельсовет": "с/с",
    "территория": "тер",
    "область": "обл",
    "край": "кр",
    "республика": "респ",
    "район": "р-н рн",
    "имени": "им",
    "микрорайон": "мкр мкрн мкр-н мк-н м-н",
    "городок": "г-к гор-к",
    "квартал": "кв-л квл",
}
_STREET_ALIASES = {
    "улица": "ул",
    "проспект": "пр пр-т пр-кт прт пркт просп",
    "проезд": "пр-д пр-зд прд",
    "переулок": "пер пер-к",
    "бульвар": "б-р бр бул бульв",
    "площадь": "пл",
    "шоссе": "ш ш-се",
    "набережная": "наб наб-я",
    "тупик": "туп",
    "аллея": "ал алл ал-я",
    "линия": "лин",
    "тракт": "тр-т",
    "спуск": "",
    "съезд": "",
    "разъезд": "рзд",
    "дорога": "дор",
}
_HOUSE_MARKS = (
    "д дом домовладение домовл двлд к корп корпус стр строение вл влд владение лит литера соор сооружение"
)
_FLAT_MARKS = "кв квартира кв-ра оф офис ком комн комната пом помещение бокс блок"
HOUSE_MARKS = frozenset(_HOUSE_MARKS.split())
FLAT_MARKS = frozenset(_FLAT_MARKS.split())
_AMBIGUOUS_MARKS = frozenset(["д", "к"])
"""Marks only before a number: "д" is a village too, and a lone "к" may begin any word."""


def _turned(*groups: dict[str, str]) -> dict[str, str]:
    """From every spelling to the word."""
    pairs = [
        (spelling, word) for group in groups for word, rest in group.items() for spelling in rest.split()
    ]
    return {word: word for group in groups for word in group} | dict(pairs)


KIND_OF = _turned(_ALIASES, _STREET_ALIASES)
"""Spellings of what a place is (city, street, avenue ...) by spelling; the full word is its own."""
STREET_KINDS = frozenset(_STREET_ALIASES)

_HYPHENED = re.compile(
    r"(?<!\w)(?:"
    + "|".join(
        sorted((word for word in {*KIND_OF, *FLAT_MARKS} if not word.isalpha()), key=len, reverse=True)
    )
    + r")(?!\w)"
)
_DOTTED = re.compile(r"(?<!\w)(р\s?\.\s?п|п\s?\.\s?г\s?\.\s?т)(?!\w)")
_ORDINAL = re.compile(r"(\d)-(?:я|й|ая|ый|ой|ий|го|ого|е|ое|ти|х)(?!\w)")
_TOKEN = re.compile(r"\d+[^\W\d_](?![^\W_])|\d+|[^\W\d_]+")
_RUNS = re.compile(r"\d+|\D+")


def tokens_of(text: str) -> list[str]:
    """The words and numbers of a text in one spelling; everything else only parts them.

    A word is letters alone, a number begins with a digit and may end with one letter ("12а"). So no token has
    a character that means anything to a search language.
    """
    # "№" would be normalised to the word "no".
    plain = unicodedata.normalize("NFKC", text.replace("№", " ")).lower().replace("ё", "е")
    plain = _DOTTED.sub(lambda found: re.sub(r"[\s.]", "", found[0]), plain)
    plain = _HYPHENED.sub(lambda found: re.sub(r"\W", "", KIND_OF.get(found[0], "квартира")), plain)
    found = _TOKEN.findall(_ORDINAL.sub(r"\1", plain))
    return _with_letters([token[:-1] if is_number(token) and token[-1] in "яй" else token for token in found])


def is_number(token: str) -> bool:
    """Whether a token is a number, with a letter or without."""
    return token[0].isdigit()


def _with_letters(tokens: list[str]) -> list[str]:
    """Turn "5 а" and "5 лит. а" into "5а"; leave "5 г омск" and "5 к 2" as they are."""
    result: list[str] = []
    for index, token in enumerate(tokens):
        if token in ("лит", "литера"):
            continue
        following = tokens[index + 1] if index + 1 < len(tokens) else ""
        if _is_house_letter(token, before=result[-1] if result else "", following=following):
            result[-1] += token
        else:
            result.append(token)
    return result


def _is_house_letter(token: str, *, before: str, following: str) -> bool:
    if len(token) != 1 or not token.isalpha() or not before or not before.isdecimal():
        return False
    if token in _AMBIGUOUS_MARKS and following and is_number(following):
        return False
    is_word_next = bool(following) and not is_number(following) and not is_mark(following)
    return not (is_word_next and token in KIND_OF)


def is_mark(token: str, *, following: str = "0") -> bool:
    """Whether a token only announces the number of a house or flat that follows."""
    if token in _AMBIGUOUS_MARKS:
        return bool(following) and is_number(following)
    return token in HOUSE_MARKS or token in FLAT_MARKS


@lru_cache(maxsize=4096)
def search_words(settlement: str, street: str) -> str:
    """What `Premises.search_text` has: the words of both, kinds in full, parted by single spaces."""
    tokens = [*tokens_of(settlement), *tokens_of(street)]
    return " ".join(dict.fromkeys(KIND_OF.get(token, token) for token in tokens))


def one_line(settlement: str, street: str = "", house: str = "", flat: str = "") -> str:
    """An address as on an envelope."""
    parts = (settlement, street, f"д.{house}" if house else "", f"кв.{flat}" if flat else "")
    return ", ".join(part for part in parts if part)


def digits_of(number: str) -> str:
    """The digits a number begins with."""
    return number if number.isdecimal() else number[:-1]


NaturalKey = tuple[tuple[int, int, str], ...]


@lru_cache(maxsize=32768)
def natural_key(text: str) -> NaturalKey:
    """Sorts as people count: 2 before 10, 10 before 10а; without regard to case and to "ё"."""
    runs = _RUNS.findall(text.lower().replace("ё", "е"))
    return tuple((0, int(run), "") if run.isdecimal() else (1, 0, run) for run in runs)
