"""Logging of a process: readable lines or JSON, without secrets. Commands set it up; anyone may `report`.

Standard library only. Messages are stable names such as `storage.failed`; what varies goes into `extra`.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

log = logging.getLogger(__name__)

REMOVED = "[removed]"
MOST_MESSAGE = 2_000
MOST_TRACE = 6_000
"""Characters; of a longer text the middle is left out: how it began and how it ended tells most."""
_NAMES = (
    "cookie|password|passwd|pwd|passphrase|token|secret|api[_-]?key"
    "|authorization|credential|session[_-]?id|captcha"
)
_QUOTED = r"b?(?:'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\")"
_IS_SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)
# Anybody can make the portal log a text. So every word is read once: it begins where no word goes on before
# it, and is never given back in part (`++`). Else one long word would keep the portal busy for minutes.
_HEADER = re.compile(
    r"\b((?:set-)?cookie|authorization)(['\"]?\s*+[:=]\s*+)(['\"]?)([^'\"\r\n]++)", re.IGNORECASE
)
_NAME = re.compile(r"(?<![\w-])([\w-]++)['\"]?\s*+[:=]\s*+")
_VALUE = re.compile(rf"{_QUOTED}|['\"]?[^\s'\",;&)}}\]]++")
_USERINFO = re.compile(r"(?<!\w)(\w++://[^\s:/@]*+):[^\s/@]++@")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_OF_DBOS = frozenset({"applicationID", "applicationVersion", "executorID", "operationUUID", "traceId"})
_NUMBER_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no letters that are mistaken for digits when somebody reads the number out on the phone."""


def configure(*, level: str = "info", is_json: bool = False, stream: TextIO | None = None) -> None:
    """Send all records of this process to `stream` (stderr), redacted; replaces what was set up before.

    Args:
        level: debug, info, warning or error.
        is_json: One JSON object a line instead of readable lines.
        stream: Where to write.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if is_json else LineFormatter())
    handler.addFilter(CrowdFilter())
    handler.addFilter(RedactingFilter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("alembic", "pymodbus", "asyncio", "aiosqlite"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))


def report(error: BaseException) -> str:
    """Log `error` with its traceback under a new number and give the number, for the person to quote."""
    number = new_error_number()
    log.error("error", exc_info=error, extra={"error_number": number})
    return number


def new_error_number() -> str:
    """Eight characters, easy to read out, e.g. `7K3M-Q9ZD`."""
    text = "".join(secrets.choice(_NUMBER_ALPHABET) for _ in range(8))
    return f"{text[:4]}-{text[4:]}"


def redact(text: str) -> str:
    """`text` without the values of cookies, passwords, tokens and the like, as far as they are named."""
    text = _USERINFO.sub(rf"\1:{REMOVED}@", text)
    text = _HEADER.sub(rf"\1\2\3{REMOVED}", text)
    return "".join(_without_secrets(text))


def _without_secrets(text: str) -> Iterator[str]:
    """The pieces between the values that stand under a secret's name."""
    at = 0
    for name in _NAME.finditer(text):
        if name.start() < at or not _IS_SECRET_NAME.search(name[1]):
            continue
        if value := _VALUE.match(text, name.end()):
            yield text[at : name.end()] + REMOVED
            at = value.end()
    yield text[at:]


def redact_value(value: Any) -> Any:
    """A copy of a nested value in which everything under a secret's name is removed."""
    if isinstance(value, Mapping):
        return {key: _redact_entry(key, entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_value(entry) for entry in value]
    return shortened(redact(value), MOST_MESSAGE) if isinstance(value, str) else value


def _redact_entry(name: object, value: Any) -> Any:
    return REMOVED if _IS_SECRET_NAME.search(str(name)) else redact_value(value)


class RedactingFilter(logging.Filter):
    """Takes secrets out of a record: its message and arguments, its extra fields, its traceback.

    Put it on handlers. A filter on a logger does not see the records of the loggers below it; where a
    library's logger has handlers of its own, put it on those.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact in place, and shorten; every record passes."""
        record.msg, record.args = shortened(redact(_message(record)), MOST_MESSAGE), None
        for name in vars(record).keys() - _STANDARD:
            value = getattr(record, name)
            setattr(record, name, REMOVED if _IS_SECRET_NAME.search(name) else redact_value(value))
        if record.exc_info and record.exc_info[1] is not None and not record.exc_text:
            trace = redact("".join(traceback.format_exception(record.exc_info[1])).rstrip())
            record.exc_text = shortened(trace, MOST_TRACE)
        return True


class CrowdFilter(logging.Filter):
    """Lets so many records of one place in the code through: anybody can make the portal write some.

    `burst` pass at once and `per_second` for ever. The next that passes says how many were held back before
    it. Errors of different origin are different places, so a flood of one does not hide the others.
    """

    def __init__(
        self, *, burst: int = 50, per_second: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._places: dict[object, _Place] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this one is written."""
        now = self._clock()
        place = self._places.setdefault(_place_of(record), _Place(level=self._burst, at=now))
        place.level = min(self._burst, place.level + (now - place.at) * self._per_second)
        place.at = now
        if place.level < 1:
            place.held_back += 1
            return False
        place.level -= 1
        if place.held_back:
            record.held_back, place.held_back = place.held_back, 0
        return True


@dataclass(slots=True)
class _Place:
    """A bucket of one place in the code."""

    level: float
    at: float
    held_back: int = 0


def _place_of(record: logging.LogRecord) -> object:
    """Where a record was written; of an error, where it arose too."""
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    origin = (trace.tb_frame.f_code.co_filename, trace.tb_lineno) if trace else None
    return record.pathname, record.lineno, origin


def shortened(text: str, most: int) -> str:
    """`text`, without its middle when it has more than `most` characters."""
    if len(text) <= most:
        return text
    return f"{text[: most // 3]} ... {len(text) - most} characters left out ... {text[-(most - most // 3) :]}"


class LineFormatter(logging.Formatter):
    """`2026-11-24T15:42:10.120Z WARNING lk_portal.jobs: message name=value`, then the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the lines of a traceback below it."""
        fields = "".join(
            f" {name}={value}" for name, value in extra_fields(record).items() if name not in _OF_DBOS
        )
        line = f"{_moment(record)} {record.levelname} {record.name}: {_one_line(_message(record) + fields)}"
        trace = _trace(record)
        return f"{line}\n{trace}" if trace else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, logger, message, the extra fields, and `trace` after an error."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        entry: dict[str, Any] = {
            "at": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **extra_fields(record),
        }
        trace = _trace(record)
        if trace:
            entry["trace"] = trace
        return json.dumps(entry, ensure_ascii=False, default=str)


def extra_fields(record: logging.LogRecord) -> dict[str, Any]:
    """What a call gave in `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _message(record: logging.LogRecord) -> str:
    """A record whose arguments do not fit its message must not break the program that logs it."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args}"


def _trace(record: logging.LogRecord) -> str:
    if record.exc_text:
        return record.exc_text
    if record.exc_info and record.exc_info[1] is not None:
        return "".join(traceback.format_exception(record.exc_info[1])).rstrip()
    return ""


def _moment(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _one_line(text: str) -> str:
    """A line break in a logged value must not look like another record."""
    return text.replace("\r", "\\r").replace("\n", "\\n")
