"""The digits read out: a real WAV file of the right length, neither silent nor overdriven, never twice the
same. That people understand it cannot be tested here; that every digit has its place in it can."""

from __future__ import annotations

import io
import math
import os
import wave

import pytest

from lk_portal.security import spoken_digits
from lk_portal.security.spoken_digits import FOLDER, RATE, recording

SEED = bytes(32)
WINDOW = RATE // 50


def spoken(digits: str, *, locale: str = "ru", seed: bytes | None = None) -> bytes:
    return recording(digits, locale=locale, seed=seed or os.urandom(32))


def samples_of(wav: bytes) -> list[int]:
    """Samples from -128 to 127."""
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 1, RATE)
        return [byte - 128 for byte in file.readframes(file.getnframes())]


def loudness(samples: list[int]) -> float:
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


def words(samples: list[int]) -> int:
    """How many stretches of sound there are with at least a fifth of a second of quiet between them."""
    loud = [loudness(samples[at : at + WINDOW]) > 7 for at in range(0, len(samples) - WINDOW, WINDOW)]
    found, quiet = 0, 99
    for is_loud in loud:
        if is_loud:
            found += quiet >= 10
            quiet = 0
        else:
            quiet += 1
    return found


@pytest.mark.parametrize("locale", ["ru", "en"])
@pytest.mark.parametrize("digits", ["012345", "456789", "888888", "111111", "777777"])
def test_it_lasts_some_seconds_and_is_well_heard(locale: str, digits: str) -> None:
    samples = samples_of(spoken(digits, locale=locale))

    assert 3 <= len(samples) / RATE <= 8
    assert 60 < max(map(abs, samples)) <= 127
    assert sum(abs(sample) >= 127 for sample in samples) < 5
    assert loudness(samples) > 6
    assert abs(sum(samples) / len(samples)) < 0.5


@pytest.mark.parametrize("digits", ["000000", "12", "7"])
def test_every_digit_is_heard_apart_from_the_others(digits: str) -> None:
    assert words(samples_of(spoken(digits))) == len(digits)


def test_without_digits_there_is_only_noise() -> None:
    """The twin of the tests above."""
    samples = samples_of(spoken(""))

    assert words(samples) == 0
    assert 0 < loudness(samples) < 4


def test_the_same_digits_sound_different_every_time() -> None:
    recordings = [spoken("123456") for _ in range(10)]

    assert len(set(recordings)) == 10
    assert len({len(recorded) for recorded in recordings}) > 1
    assert len({recorded[4000:4400] for recorded in recordings}) == 10


def test_one_challenge_sounds_the_same_again() -> None:
    """Also on another machine, which has nothing of it in memory."""
    first = spoken("123456", seed=SEED)
    spoken_digits.recording.cache_clear()

    assert spoken("123456", seed=SEED) == first


def test_languages_differ_and_an_unknown_one_is_english() -> None:
    assert spoken("1", locale="ru", seed=SEED) != spoken("1", locale="en", seed=SEED)
    for unknown in ("xx", "", "../ru", "r\0u", "a" * 5000, "ru/"):
        assert spoken("1", locale=unknown, seed=SEED) == spoken("1", locale="en", seed=SEED)


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_voice_has_all_digits(language: str) -> None:
    voices = spoken_digits._voices(language)

    assert len(voices) >= 3
    assert {path.stem for path in (FOLDER / language).glob("*.wav")} == {
        f"{voice}{digit}" for voice in voices for digit in range(10)
    }


def test_the_recorded_digits_are_small_and_not_cut() -> None:
    sizes = {path: path.stat().st_size for path in FOLDER.rglob("*.wav")}

    assert sum(sizes.values()) < 400_000
    assert all(0.2 * RATE < size < 0.8 * RATE for size in sizes.values())


def test_the_decoder_of_the_voices_follows_g711() -> None:
    assert [spoken_digits._linear(code) for code in (0xFF, 0x7F, 0x80, 0x00, 0xEF)] == [
        0,
        0,
        32124,
        -32124,
        132,
    ]
