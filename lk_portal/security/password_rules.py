"""Which passwords are too easy to guess. Pure; heavy lists are loaded at the first question.

zxcvbn estimates how many guesses a program needs that knows the common passwords, names and words, keyboard
rows, dates, repeats, and what is known about this person. Its lists are English, so here it also gets Russian
words, and each password is looked at as it would come out under the other keyboard layout: `gfhjkm` is
"пароль" and `йцукен` is "qwerty". There are no rules of composition: they make passwords worse.

The bound is a thousand million guesses. The throttles let one address try about 40 passwords an hour for one
login, so ten thousand addresses would need over three months for that many; and whoever has stolen the
database cannot guess at all without the portal's secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from lk_portal.errors import N_

FEWEST_GUESSES = 10**9
MAX_JUDGED = 64
"""Longer passwords are let through unlooked at: no list is tried that far, and looking takes time."""
MIN_CONTEXT = 4

REPEATS = N_(
    "The password only repeats itself. Choose another, e.g. three words that have nothing in common."
)
IN_A_ROW = N_(
    "The password is a row of keys, letters or digits. Choose another, e.g. three words that have nothing in "
    "common."
)
OWN_DATA = N_(
    "The password is made of your own data or of the portal's name, which are tried first. Choose another."
)
COMMON = N_(
    "This is one of the passwords that are tried first. Choose another, e.g. three words that have nothing "
    "in common."
)
TOO_EASY = N_("The password is too easy to guess. Make it longer, e.g. by one more word.")

_RUSSIAN = (
    "пароль привет любовь россия солнышко наташа марина зайчик котенок максим никита андрей сергей дмитрий "
    "александр алексей светлана екатерина анастасия виктория кристина настя катя юля лена саша даша маша "
    "оксана ольга татьяна ирина елена любимая любимый люблю тебя спартак зенит цска динамо москва омск питер "
    "сибирь победа родина мама папа семья собака кошка счастье удача весна лето зима осень машина деньги "
    "работа компьютер телефон интернет яндекс контакт одноклассники секрет админ администратор пользователь "
    "логин вход доступ тест проверка хозяин начальник директор король принцесса ангел демон дракон тигр волк "
    "медведь пантера футбол хоккей музыка гитара самолет танкист десант морпех ленинград новосибирск путин "
    "владимир владислав вячеслав евгений константин михаил николай павел роман руслан тимур юрий артем антон "
    "денис игорь илья кирилл леонид олег петр станислав степан федор валерия варвара вероника галина диана "
    "евгения жанна зоя инна карина ксения лариса людмила маргарита надежда нина полина раиса регина софия "
    "снежана тамара ульяна эльвира яна йцукен фыва йфяцыч пароль123"
)
_CONTEXT = (
    "энергомир личный кабинет портал электричество электроэнергия энергия энергосбыт счетчик показания "
    "энергетика электросеть абонент киловатт тариф"
)

_LATIN_KEYS = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
_RUSSIAN_KEYS = "ёйцукенгшщзхъфывапролджэячсмитьбю"
_TO_RUSSIAN = str.maketrans(_LATIN_KEYS + '~{}:"<>', _RUSSIAN_KEYS + "ёхъжэбю")
_TO_LATIN = str.maketrans(_RUSSIAN_KEYS, _LATIN_KEYS)
_SOUNDS = str.maketrans(
    {
        **dict(zip("абвгдезийклмнопрстуфыэ", "abvgdeziyklmnoprstufye", strict=True)),
        **{"ё": "e", "ж": "zh", "х": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sch", "ъ": "", "ь": ""},
        **{"ю": "yu", "я": "ya"},
    }
)


def weakness(password: str, *, context: Sequence[str]) -> str:
    """Why a password is refused, as a message id; "" when it may be used.

    Args:
        password: As typed.
        context: What is known about the person and the portal: names, e-mail, phone, account numbers.
    """
    if len(password) > MAX_JUDGED:
        return ""
    weakest = min((_judge(variant, context) for variant in variants(password)), key=lambda found: found[0])
    guesses, matches = weakest
    return "" if guesses >= FEWEST_GUESSES else _reason(matches)


def variants(password: str) -> tuple[str, ...]:
    """The password in small letters, and under the other keyboard layouts where that differs."""
    small = password.lower()
    return tuple(dict.fromkeys((small, small.translate(_TO_LATIN), small.translate(_TO_RUSSIAN))))


def context_words(context: Iterable[str]) -> tuple[str, ...]:
    """The words a guesser takes from what is known, also in Latin letters; e.g. a phone in three writings."""
    known = [*context, *_CONTEXT.split()]
    words = dict.fromkeys(word for text in known for word in _words(text.lower()))
    spelled = dict.fromkeys(word.translate(_SOUNDS) for word in words)
    return tuple(word for word in {**words, **spelled} if len(word) >= MIN_CONTEXT)


def _words(text: str) -> Iterator[str]:
    yield text
    yield from re.findall(r"[^\W_]+", text)
    yield "".join(re.findall(r"[^\W_]+", text))
    digits = "".join(re.findall(r"\d", text))
    if len(digits) >= 10:
        yield from (digits[-10:], f"7{digits[-10:]}", f"8{digits[-10:]}")


def _judge(password: str, context: Sequence[str]) -> tuple[float, list[Mapping[str, Any]]]:
    """How many guesses, and what the password was found to be made of."""
    from zxcvbn import matching, scoring  # type: ignore[import-untyped]

    dictionaries = {
        **matching.RANKED_DICTIONARIES,
        **_russian(),
        # Not by zxcvbn's own call: that leaves the words of one person behind for the next.
        "user_inputs": matching.build_ranked_dict(context_words(context)),
    }
    found = scoring.most_guessable_match_sequence(password, matching.omnimatch(password, dictionaries))
    return float(found["guesses"]), list(found["sequence"])


@cache
def _russian() -> dict[str, dict[str, int]]:
    from zxcvbn import matching

    words = _RUSSIAN.split()
    return {
        "russian": matching.build_ranked_dict(words),
        "russian_in_latin": matching.build_ranked_dict([word.translate(_SOUNDS) for word in words]),
    }


def _reason(matches: list[Mapping[str, Any]]) -> str:
    """The sentence for the longest part that was recognised."""
    known = [match for match in matches if match["pattern"] != "bruteforce"]
    if not known:
        return TOO_EASY
    longest = max(known, key=lambda match: len(match["token"]))
    if longest["pattern"] == "dictionary":
        return OWN_DATA if longest["dictionary_name"] == "user_inputs" else COMMON
    by_pattern = {"repeat": REPEATS, "sequence": IN_A_ROW, "spatial": IN_A_ROW}
    return by_pattern.get(longest["pattern"], TOO_EASY)
