"""What the page of a connection says of holes and of the archive."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lk_portal.i18n import using_locale
from lk_portal.metering.types import LoadProfile, Quantity
from lk_portal.services.archive_fill import Fate
from lk_portal.services.holes import Hole
from lk_portal.services.replay_view import ArchiveView, LastReplay
from lk_portal.services.replays import Part
from lk_portal.state.archive_view import archive_texts, span_of

OMSK = ZoneInfo("Asia/Omsk")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PROFILE = LoadProfile(timedelta(minutes=30), timedelta(days=93), frozenset({Quantity.A_PLUS}), 1)
HOLE = Hole(NOW - 9 * HOUR, NOW - 4 * HOUR, 2, 3)
PART = Part(
    quantity=Quantity.A_PLUS,
    start=HOLE.start,
    end=HOLE.end,
    fate=Fate.DISAGREES,
    slots=5,
    archive_wh=1500,
    register_wh=3000,
)
DONE = LastReplay(False, HOLE.start, HOLE.end, NOW, NOW, "", "", 3, 2, (PART,))
VIEW = ArchiveView(True, PROFILE, (HOLE,), 1, DONE)


def texts(view: ArchiveView) -> dict[str, object]:
    with using_locale("ru"):
        return archive_texts(view, OMSK, now=NOW)


def test_a_hole_its_key_and_what_became_of_it() -> None:
    shown = texts(VIEW)
    (hole,), (part,) = shown["holes"], shown["replay_parts"]  # type: ignore[misc]
    assert hole["when"] == "24.11.2026, 09:00 – 14:00"
    assert hole["what"] == "нет 2 интервалов, 3 интервала расчетных"
    assert span_of(hole["key"]) == (HOLE.start, HOLE.end)
    assert part["fate"] == "не взято: по архиву 1,50 кВт·ч, по показаниям 3,00 кВт·ч"
    assert (shown["replay"], shown["replay_phase"]) == ("Дочитано 3 интервала, 2 не дочитаны.", "good")
    assert shown["archive_note"] == "Прибор учета хранит потребление по 30 мин за 93 дн."
    assert shown["holes_note"] == ""


@pytest.mark.parametrize("fate", list(Fate))
def test_every_fate_has_words_without_a_gap(fate: Fate) -> None:
    (part,) = texts(replace(VIEW, last=replace(DONE, parts=(replace(PART, fate=fate),))))["replay_parts"]  # type: ignore[misc]
    assert part["fate"]
    assert "{" not in part["fate"]


@pytest.mark.parametrize(
    ("last", "phase", "words"),
    [
        (replace(DONE, is_open=True, filled=0, due_at=NOW + HOUR), "waiting", "после 24.11.2026, 19:00"),
        (
            replace(DONE, is_open=True, due_at=NOW + HOUR),
            "good",
            "Дочитано 3 интервала, 2 не дочитаны. Архив будет",
        ),
        (replace(DONE, is_open=True, filled=0), "waiting", "сразу после опроса"),
        (replace(DONE, is_open=True, error_code="timeout", due_at=NOW - HOUR), "waiting", "повторится"),
        (replace(DONE, error_code="clock"), "bad", "удалось: часы прибора учета"),
        (replace(DONE, filled=0), "bad", "Дочитано 0"),
        (replace(DONE, left=0), "good", "Дочитано 3 интервала."),
    ],
)
def test_how_far_it_is(last: LastReplay, phase: str, words: str) -> None:
    shown = texts(replace(VIEW, last=last))
    assert shown["replay_phase"] == phase
    assert words in str(shown["replay"])


def test_without_an_archive_a_sentence_says_why() -> None:
    assert "не ведет архив" in str(texts(replace(VIEW, profile=None))["archive_note"])
    shown = texts(ArchiveView(False, None, (), 0, None))
    assert "не опрашивается" in str(shown["archive_note"])
    assert (shown["replay"], shown["replay_phase"], shown["has_archive"]) == ("", "", False)
    assert texts(replace(VIEW, count=30))["holes_note"] != ""


@pytest.mark.parametrize("key", ["", "1", "1-2-3", "a-b", "-1-2", "1-²", "1" * 12 + "-2", " 1-2"])
def test_what_is_no_key_names_nothing(key: str) -> None:
    assert span_of(key) is None
