"""Durations as people say them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lk_portal.i18n import using_locale
from lk_portal.i18n.durations import duration_text

CASES = [
    (timedelta(0), "меньше секунды", "less than a second"),
    (timedelta(milliseconds=999), "меньше секунды", "less than a second"),
    (timedelta(seconds=4), "4 с", "4 s"),
    (timedelta(minutes=23, seconds=41), "23 мин 41 с", "23 min 41 s"),
    (timedelta(minutes=5), "5 мин", "5 min"),
    (timedelta(hours=1, minutes=48, seconds=59), "1 ч 48 мин", "1 h 48 min"),
    (timedelta(hours=2, seconds=5), "2 ч", "2 h"),
    (timedelta(days=3, hours=2, minutes=59), "3 дн. 2 ч", "3 d 2 h"),
    (timedelta(days=400), "400 дн.", "400 d"),
]


@pytest.mark.parametrize(("duration", "russian", "english"), CASES)
def test_the_two_largest_units_are_said(duration: timedelta, russian: str, english: str) -> None:
    with using_locale("ru"):
        assert duration_text(duration) == russian
    with using_locale("en"):
        assert duration_text(duration) == english
