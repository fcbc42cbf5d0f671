"""Digits read out, for those who cannot read a picture. Reads its own voices only; slow, so for threads.

Every recording is put together anew from several voices with other pauses, speeds and noise, so that bytes
cannot be compared. It keeps out what does not listen; a program that recognises speech it does not.
"""

from __future__ import annotations

import io
import math
import wave
from functools import cache, lru_cache
from pathlib import Path
from random import Random

RATE = 11_025
FOLDER = Path(__file__).parent / "digits"
OTHERWISE = "en"
KEPT = 32
"""Players ask for parts of a recording one after the other; so many of the last, 70 KB each, are kept."""

_LOUDNESS = 4300
_PEAK = 30_000
_LEAD_S, _PAUSE_S, _TAIL_S = (0.3, 0.45), (0.35, 0.6), (0.2, 0.35)
_SPEED = (0.93, 1.05)
_MURMUR = 0.06
_HISS = 3
_MIDDLE = 32_768 + 128

Samples = list[int]


@lru_cache(maxsize=KEPT)
def recording(digits: str, *, locale: str, seed: bytes) -> bytes:
    """The digits read out slowly, as a WAV file: 8 bits, mono, `RATE`; from 3 to 8 seconds.

    Args:
        digits: What to say.
        locale: In which language; one that is not recorded becomes English.
        seed: Decides on voices, pauses and noise; must be secret, or the noise could be taken away again.
    """
    chance = Random(seed)  # noqa: S311 - the digits are not made here, only how they sound
    language = locale if locale in _languages() else OTHERWISE
    speech = _speech(digits, language, chance)
    murmur = _murmur(len(speech), language, chance)
    hiss = chance.randbytes(len(speech))
    mixed = bytes(
        max(0, min(255, (said + heard + (2 * noise - 255) * _HISS + _MIDDLE) >> 8))
        for said, heard, noise in zip(speech, murmur, hiss, strict=True)
    )
    return _wav(mixed)


def _speech(digits: str, language: str, chance: Random) -> Samples:
    """The digits one after the other, each by any voice."""
    speech = _silence(_LEAD_S, chance)
    for digit in digits:
        said = _said(language, chance.choice(_voices(language)), digit)
        speech += _stretched(said, chance.uniform(*_SPEED))
        speech += _silence(_PAUSE_S, chance)
    return speech + _silence(_TAIL_S, chance)


def _murmur(length: int, language: str, chance: Random) -> Samples:
    """Faint speech backwards: it sounds like the digits to a program, and like nothing to a person."""
    murmur: Samples = []
    while len(murmur) < length:
        said = _said(language, chance.choice(_voices(language)), chance.choice("0123456789"))
        murmur += [round(sample * _MURMUR) for sample in reversed(said)]
    return murmur[:length]


def _stretched(samples: Samples, speed: float) -> Samples:
    """Spoken faster, and so a little higher, by straight lines between the samples."""
    stretched = []
    for number in range(int((len(samples) - 1) / speed)):
        whole, part = divmod(number * speed, 1)
        left, right = samples[int(whole)], samples[int(whole) + 1]
        stretched.append(round(left + (right - left) * part))
    return stretched


def _silence(length_s: tuple[float, float], chance: Random) -> Samples:
    return [0] * int(chance.uniform(*length_s) * RATE)


@cache
def _languages() -> frozenset[str]:
    return frozenset(folder.name for folder in FOLDER.iterdir())


@cache
def _voices(language: str) -> tuple[str, ...]:
    return tuple(sorted({path.stem[0] for path in (FOLDER / language).glob("*.wav")}))


@cache
def _said(language: str, voice: str, digit: str) -> Samples:
    """16-bit samples of one recorded digit, as loud as the others."""
    content = (FOLDER / language / f"{voice}{digit}.wav").read_bytes()
    # `wave` does not read u-law. The header before the samples ends with "data" and their length.
    samples = [_ULAW[byte] for byte in content.partition(b"data")[2][4:]]
    loudness = math.sqrt(sum(sample * sample for sample in samples) / len(samples))
    gain = min(_LOUDNESS / loudness, _PEAK / max(map(abs, samples)))
    return [round(sample * gain) for sample in samples]


def _linear(code: int) -> int:
    """A 16-bit sample of an u-law byte (ITU-T G.711)."""
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 0x07)) - 0x84
    return -magnitude if code & 0x80 else magnitude


_ULAW = [_linear(code) for code in range(256)]


def _wav(samples: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(RATE)
        file.writeframes(samples)
    return out.getvalue()
