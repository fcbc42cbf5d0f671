"""Finds words in a few hundred texts, as people type them. Pure; for the search over /info.

A word finds what begins with it; in any case, with е for ё, and in another form of the word too: its ending
is left away ("пароля" finds "пароль"), which counts less than what was typed. Every word must be found. What
is in a title comes before what is in a text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

MAX_QUERY = 200
MAX_WORDS = 8
MAX_HITS = 20
MAX_PLACES = 400
MAX_NEAR = 32
"""So many places of a word in one text, and after a place, are looked at to choose the excerpt."""
BEFORE, AFTER = 50, 170
"""Characters of an excerpt around the place it is for."""
WHOLE, BEGINNING, RELATED = 3, 2, 1
SHORTEST_STEM = 3
ENDING = re.compile(
    r"(иями|ями|ами|ого|его|ому|ему|ыми|ими|иях|ях|ах|ой|ей|ий|ый|ых|их|ие|ые|ая|яя|ое|ее|ую|юю|ия|ию|ии"
    r"|ием|ов|ев|ам|ям|ом|ем|ым|им|а|я|о|е|и|ы|у|ю|ь|й|es|s)$"
)


@dataclass(frozen=True, slots=True)
class Source:
    """A text to search: plain words without any markup. What it is called elsewhere is the caller's."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an excerpt; `is_hit`: it was looked for."""

    text: str
    is_hit: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A text that has all words; `number` is its place among those that were searched."""

    number: int
    title: tuple[Piece, ...]
    excerpt: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class _Word:
    typed: str
    pattern: re.Pattern[str]


Span = tuple[int, int]


def find(sources: Sequence[Source], query: str, *, most: int = MAX_HITS) -> tuple[Hit, ...]:
    """The texts that have all words of `query`, best first."""
    words = _words(query)
    if not words:
        return ()
    scored = [(_score(source, words), number) for number, source in enumerate(sources)]
    found = sorted((-by_title, -by_text, number) for (by_title, by_text), number in scored if by_title >= 0)
    return tuple(_hit(number, sources[number], words) for _by_title, _by_text, number in found[:most])


@lru_cache(maxsize=512)
def fold(text: str) -> str:
    """`text` as it is compared: small letters, е for ё. As long as `text`, so places are the same in both."""
    return text.replace("İ", "I").lower().replace("ё", "е")


def _words(query: str) -> tuple[_Word, ...]:
    typed = re.findall(r"\w+", fold(_composed(query[:MAX_QUERY])))
    return tuple(_word(one) for one in list(dict.fromkeys(typed))[:MAX_WORDS])


def _word(typed: str) -> _Word:
    stem = ENDING.sub("", typed)
    stem = stem if len(stem) >= SHORTEST_STEM else typed
    return _Word(typed, re.compile(rf"(?<!\w){re.escape(stem)}\w*"))


def _score(source: Source, words: Iterable[_Word]) -> tuple[int, int]:
    """How well title and text answer; (-1, -1): a word is in neither."""
    by_title = by_text = 0
    title, text = fold(_composed(source.title)), fold(_composed(source.text))
    for word in words:
        in_title, in_text = _grade(title, word), _grade(text, word)
        if not in_title and not in_text:
            return -1, -1
        by_title += in_title
        by_text += in_text
    return by_title, by_text


def _grade(folded: str, word: _Word) -> int:
    best = 0
    for match in word.pattern.finditer(folded):
        if match[0] == word.typed:
            return WHOLE
        best = max(best, BEGINNING if match[0].startswith(word.typed) else RELATED)
    return best


def _hit(number: int, source: Source, words: Sequence[_Word]) -> Hit:
    title, text = _composed(source.title), _composed(source.text)
    start, end = _window(text, words)
    return Hit(number, _pieces(title, words, 0, len(title)), _pieces(text, words, start, end))


def _window(text: str, words: Sequence[_Word]) -> Span:
    """The part of the text to show: around the place that has most of the words."""
    places = sorted(
        (span, number) for number, word in enumerate(words) for span in _spans(text, word)[:MAX_PLACES]
    )
    best, at = 0, 0
    for index, ((start, _end), _number) in enumerate(places):
        following = places[index : index + MAX_NEAR]
        near = len({number for (other, _), number in following if other < start + AFTER})
        if near > best:
            best, at = near, start
    return _whole_words(text, max(0, at - BEFORE), min(len(text), at + AFTER), at)


def _whole_words(text: str, start: int, end: int, at: int) -> Span:
    """The same part, cut between words where there is a space to cut at."""
    space = text.find(" ", start, at) if start else -1
    start = space + 1 if space >= 0 else start
    space = text.rfind(" ", at, end) if end < len(text) else -1
    return start, space if space > at else end


def _spans(text: str, word: _Word) -> list[Span]:
    return [match.span() for match in word.pattern.finditer(fold(text))]


def _pieces(text: str, words: Sequence[_Word], start: int, end: int) -> tuple[Piece, ...]:
    """The part of the text as pieces in turn, with an ellipsis where something is left away."""
    spans = sorted(span for word in words for span in _spans(text, word))
    pieces: list[Piece] = [Piece("… ", is_hit=False)] if start else []
    at = start
    for first, last in spans:
        if at <= first < end:
            pieces += [_piece(text[at:first]), Piece(text[first : min(last, end)], is_hit=True)]
            at = min(last, end)
    pieces.append(_piece(text[at:end]))
    if end < len(text):
        pieces.append(Piece(" …", is_hit=False))
    return tuple(piece for piece in pieces if piece.text)


def _piece(text: str) -> Piece:
    return Piece(text.replace("\n", " · "), is_hit=False)


@lru_cache(maxsize=512)
def _composed(text: str) -> str:
    """With one code point for a letter and its mark: "й" may come as two."""
    return unicodedata.normalize("NFC", text)
