"""What may be written, and when an answer is promised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lk_portal.errors import InputError
from lk_portal.models import TicketCategory, TicketStatus
from lk_portal.services.ticket_rules import (
    CATEGORIES,
    MAX_SUBJECT,
    MAX_TEXT,
    STATUSES,
    WORKING_DAYS,
    can_reopen,
    checked_category,
    checked_subject,
    checked_text,
    reply_by,
    stored_key,
    wrong_fields,
)

OMSK = ZoneInfo("Asia/Omsk")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = "k" * 43


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=OMSK)


@pytest.mark.parametrize(
    ("written", "category", "until"),
    [
        ("2026-11-24 09:00", TicketCategory.LOAD, "2026-11-27 18:00"),  # Tuesday to Friday
        ("2026-11-24 23:59", TicketCategory.LOAD, "2026-11-27 18:00"),
        ("2026-11-25 00:00", TicketCategory.LOAD, "2026-11-30 18:00"),  # over a week's end
        ("2026-11-27 12:00", TicketCategory.READINGS, "2026-12-04 18:00"),
        ("2026-11-28 12:00", TicketCategory.READINGS, "2026-12-04 18:00"),  # a Saturday
        ("2026-11-29 12:00", TicketCategory.OTHER, "2026-12-11 18:00"),
    ],
)
def test_the_promise_counts_working_days_by_the_clock_of_the_premises(
    written: str, category: TicketCategory, until: str
) -> None:
    found = reply_by(category, now=moment(written).astimezone(UTC), zone=OMSK)

    assert found == moment(until)
    assert found.tzinfo is UTC


def test_every_category_and_status_has_words_and_a_promise() -> None:
    assert set(CATEGORIES) == set(WORKING_DAYS) == set(TicketCategory)
    assert set(STATUSES) == set(TicketStatus)


def test_fourteen_days_are_there_to_open_it_again() -> None:
    assert can_reopen(NOW, now=NOW + timedelta(days=14))
    assert not can_reopen(NOW, now=NOW + timedelta(days=14, seconds=1))
    assert not can_reopen(None, now=NOW)


def test_a_subject_is_one_line() -> None:
    assert checked_subject("  Нет \t света\n") == "Нет света"
    assert checked_subject("я" * MAX_SUBJECT) == "я" * MAX_SUBJECT
    assert checked_subject("<b>x</b>") == "<b>x</b>"


@pytest.mark.parametrize("typed", ["", "   ", "я" * (MAX_SUBJECT + 1), "a\x00b", "a\u202eb", "a\ud800b"])
def test_a_wrong_subject_is_refused(typed: str) -> None:
    with pytest.raises(InputError) as refused:
        checked_subject(typed)

    assert refused.value.field == "subject"


def test_a_text_keeps_its_lines() -> None:
    assert checked_text(" one\r\ntwo\rthree\n\n") == "one\ntwo\nthree"
    assert checked_text("😀" * MAX_TEXT) == "😀" * MAX_TEXT


@pytest.mark.parametrize("typed", ["", " \n ", "я" * (MAX_TEXT + 1), "a\x00b", "a\u2067b", "a\x1b[31m"])
def test_a_wrong_text_is_refused(typed: str) -> None:
    with pytest.raises(InputError) as refused:
        checked_text(typed)

    assert refused.value.field == "text"


def test_a_category_is_one_of_those_there_are() -> None:
    assert checked_category("load") is TicketCategory.LOAD
    for odd in ("", "LOAD", "x"):
        with pytest.raises(InputError):
            checked_category(odd)


def test_all_wrong_fields_are_found_at_once() -> None:
    assert [one.field for one in wrong_fields(subject="", category="", text="")] == [
        "subject",
        "category",
        "text",
    ]
    assert [one.field for one in wrong_fields(subject="x", category="load", text=" ")] == ["text"]
    assert wrong_fields(subject="x", category="load", text="x") == ()


def test_a_key_is_ones_own() -> None:
    assert stored_key(KEY, user_id=1) == stored_key(KEY, user_id=1) != stored_key(KEY, user_id=2)
    for odd in ("", "short", "x" * 65, "a b" * 10, KEY + "\n"):
        with pytest.raises(InputError):
            stored_key(odd, user_id=1)
