"""Logging: one line or one JSON object a record, an error's number, and no secrets anywhere."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Callable, Iterator

import pytest

from lk_portal import logs
from lk_portal.logs import CrowdFilter, redact, redact_value, report

CANARY = "c4n4ry-Zq81"


@pytest.fixture(autouse=True)
def _root_logger_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


def written(*, is_json: bool, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(level=level, is_json=is_json, stream=stream)
    return stream


@pytest.mark.parametrize(
    "text",
    [
        f"Cookie: session={CANARY}; theme=dark",
        f"set-cookie: __Host-lk={CANARY}; HttpOnly",
        f"{{'password': '{CANARY}', 'login': 'anna'}}",
        f'{{"new_password":"{CANARY}"}}',
        f"GET /_event?token={CANARY}&transport=websocket",
        f"client_token={CANARY} joined",
        f"Authorization: Bearer {CANARY}",
        f"postgresql://lk:{CANARY}@db/lk refused",
        f"LK_SECRET_KEY={CANARY}",
        f"{{'session_id': '{CANARY}'}}",
        f"form=password={CANARY}",
        f"cut off within {{'password': '{CANARY}",
        f"a-{'x' * 60_000}-token={CANARY}",
    ],
)
def test_values_of_secrets_are_removed(text: str) -> None:
    assert CANARY in text
    assert CANARY not in redact(text)
    assert logs.REMOVED in redact(text)


@pytest.mark.parametrize(
    "piece",
    ["x", "a-", "password", "password='", "a='\\' ", "cookie:", "a://b:c ", "://", "token ", "b'\\", "a  "],
)
def test_no_text_takes_long(piece: str) -> None:
    """The largest event a socket lets through: each of these once took minutes, or might."""
    text = piece * (65_536 // len(piece))
    began = time.process_time()

    redact(text)

    assert time.process_time() - began < 2


def test_a_text_of_any_length_makes_a_short_record() -> None:
    stream = written(is_json=False)

    logging.getLogger("lk_portal.test").warning("begin %s end", "x" * 50_000, extra={"said": "y" * 50_000})
    try:
        raise ValueError("z" * 50_000)
    except ValueError as error:
        report(error)

    assert len(stream.getvalue()) < 2 * logs.MOST_MESSAGE + logs.MOST_TRACE + 1_000
    assert "begin xxx" in stream.getvalue()
    assert "xxx end" in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_a_crowd_of_equal_records_is_held_back_and_counted() -> None:
    moments = [0.0]
    crowd = CrowdFilter(burst=5, per_second=1, clock=lambda: moments[-1])

    passed = [crowd.filter(record_of(line=1)) for _ in range(100)]
    assert passed.count(True) == 5
    assert crowd.filter(record_of(line=2)), "another place is another crowd"
    moments.append(2.0)
    later = record_of(line=1)
    assert crowd.filter(later)
    assert later.held_back == 95  # type: ignore[attr-defined]
    again = record_of(line=1)
    assert crowd.filter(again)
    assert not hasattr(again, "held_back")


def test_a_crowd_of_one_error_does_not_hide_another() -> None:
    stream = written(is_json=False)

    for _ in range(200):
        report(error_from(lambda: int("x")))
    number = report(error_from(lambda: {}["x"]))

    assert stream.getvalue().count("ValueError") < 100
    assert number in stream.getvalue()


def record_of(*, line: int) -> logging.LogRecord:
    return logging.LogRecord("lk_portal.test", logging.INFO, "x.py", line, "x", None, None)


def error_from(act: Callable[[], object]) -> Exception:
    try:
        act()
    except Exception as error:
        return error
    raise AssertionError


def test_what_is_no_secret_stays() -> None:
    text = "meter 44103814060174 read in 12 ms, endpoint=127.0.0.1:5020"

    assert redact(text) == text


def test_nested_values_lose_their_secrets_only() -> None:
    payload = {"login": "anna", "form": [{"password": CANARY}], "headers": {"Cookie": CANARY}}

    cleaned = redact_value(payload)

    assert CANARY not in str(cleaned)
    assert cleaned["login"] == "anna"


@pytest.mark.parametrize("is_json", [False, True])
def test_no_secret_reaches_the_output(*, is_json: bool) -> None:
    stream = written(is_json=is_json)
    log = logging.getLogger("reflex.state")

    log.warning("unknown event %s", {"cookie": CANARY, "name": "shown"})
    log.warning("extra", extra={"client_token": CANARY, "payload": {"password": CANARY}, "meter": "shown"})
    try:
        raise ValueError(f"password={CANARY}")
    except ValueError as error:
        report(error)

    assert "shown" in stream.getvalue()
    assert "ValueError" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_json_is_one_object_a_line() -> None:
    stream = written(is_json=True)

    logging.getLogger("lk_portal.test").info("meter.read", extra={"serial": "S1", "took_ms": 3})

    entry = json.loads(stream.getvalue())
    assert (entry["message"], entry["serial"], entry["took_ms"], entry["level"]) == (
        "meter.read",
        "S1",
        3,
        "info",
    )


def test_a_line_break_in_a_value_makes_no_second_record() -> None:
    stream = written(is_json=False)

    logging.getLogger("lk_portal.test").info("login", extra={"who": "a\n2026-01-01 ERROR forged"})

    assert len(stream.getvalue().splitlines()) == 1


def test_an_error_is_found_by_the_number_a_person_is_told() -> None:
    stream = written(is_json=False)

    number = report(RuntimeError("something broke"))

    assert number in stream.getvalue()
    assert "RuntimeError: something broke" in stream.getvalue()


def test_a_record_that_does_not_fit_its_arguments_is_logged_all_the_same() -> None:
    stream = written(is_json=False)

    logging.getLogger("lk_portal.test").warning("%d meters", "many")

    assert "many" in stream.getvalue()
