"""What was typed into a form as the values of a row, and the values as they stand in the form. Pure.

Every wrong field is found at once, each with its own sentence.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from pydantic_core import PydanticUndefined
from sqlalchemy import Numeric

from lk_portal.errors import N_, FormError, InputError
from lk_portal.services.resource.spec import FormField, Resource, fits, python_type
from lk_portal.services.texts import is_storable

LONGEST_AREA = 20_000
LONGEST_NUMBER = 60
"""Characters of a number or a date."""
MINUTES_OF_DAY = 24 * 60
_CLOCK = re.compile(r"(\d{1,2})(?:[:.]([0-5]\d))?", re.ASCII)


class SkippedTimeError(ValueError):
    """The clocks were put forward over this time."""


def values_of(
    resource: Resource, form: Mapping[str, object], *, zone: ZoneInfo, is_new: bool
) -> dict[str, Any]:
    """The values by name of the column; a reference is still the text that was typed.

    Args:
        resource: Whose form.
        form: What was sent; anything at all.
        zone: Of the wall clock that times were typed by.
        is_new: Whether fixed fields count.

    Raises:
        FormError: A field cannot be accepted.
    """
    found: dict[str, Any] = {}
    errors: dict[str, InputError] = {}
    for one in resource.form:
        if one.is_fixed and not is_new:
            continue
        try:
            found[one.name] = _value(one, resource, form.get(one.name), zone)
        except InputError as error:
            errors[one.name] = error
    if errors:
        raise FormError(errors)
    return found


def text_of(one: FormField, value: Any, *, zone: ZoneInfo) -> str:
    """A value as it stands in its field."""
    if value is None:
        return ""
    if one.kind == "flag":
        return "yes" if value else ""
    if one.kind == "moment":
        local = value.astimezone(zone).replace(tzinfo=None)
        return str(local.isoformat(timespec="auto" if local.second or local.microsecond else "minutes"))
    if one.kind == "clock":
        return clock_of(value)
    return str(value.value) if isinstance(value, Enum) else str(value)


def clock_of(minute: int) -> str:
    """A minute of the day as a clock shows it; the end of the day is 24:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _value(one: FormField, resource: Resource, typed: object, zone: ZoneInfo) -> Any:
    if one.kind == "flag":
        return typed in (True, "on", "yes", "true")
    text = typed.strip() if isinstance(typed, str) else ""
    if not is_storable(text):
        raise InputError(N_("This has characters that cannot be kept."), field=one.name)
    if not text:
        return _nothing(one, resource)
    if one.kind == "choice":
        return _choice(one, text)
    if one.kind in ("date", "moment", "number", "clock"):
        return _checked(one, resource, _parsed(one, text, zone))
    most = LONGEST_AREA if one.kind == "area" else _length(one, resource)
    if len(text) > most:
        raise InputError(N_("This must have 1 to {most} characters."), field=one.name, most=most)
    return text


def _nothing(one: FormField, resource: Resource) -> Any:
    """What an empty field means: nothing where that may be, else the model's own value, else a mistake."""
    if one.label.endswith("*"):
        raise InputError(N_("Fill this in."), field=one.name)
    if one.column.nullable:
        return None
    if one.kind in ("text", "area"):
        return ""
    default = resource.model.model_fields[one.name].default
    # A factory's default stands in no form; None is the model's word for "the database knows".
    if default is not PydanticUndefined and default is not None:
        return default
    raise InputError(N_("Fill this in."), field=one.name)


def _choice(one: FormField, text: str) -> Any:
    for value in one.texts:
        if str(value.value if isinstance(value, Enum) else value) == text:
            return value
    raise InputError(N_("Choose one of the list."), field=one.name)


def _parsed(one: FormField, text: str, zone: ZoneInfo) -> Any:
    kind = python_type(one.column)
    try:
        if len(text) > LONGEST_NUMBER:
            raise ValueError
        if kind is datetime:
            return wall_time(text, zone)
        if kind is date:
            return date.fromisoformat(text)
        return _minute(text) if one.kind == "clock" else _number(one, text)
    except (ValueError, ArithmeticError):
        raise InputError(_MISTAKES[one.kind], field=one.name) from None


_MISTAKES = {
    "date": N_("This is no date."),
    "moment": N_("This is no date and time."),
    "number": N_("This is no number that can stand here."),
    "clock": N_("This is no time of day; write it like 7:00."),
}


def _number(one: FormField, text: str) -> int | float | Decimal:
    """A number as people write it, with a comma or a point, and spaces between the thousands."""
    kind: Any = python_type(one.column)
    number = Decimal("".join(text.split()).replace(",", "."))
    if not number.is_finite() or abs(number) >= 2**63:
        raise ValueError
    if kind is int:
        if number != int(number) or not fits(one.column, int(number)):
            raise ValueError
        return int(number)
    return _exact(one, number) if kind is Decimal else float(number)


def _minute(text: str) -> int:
    """Of the day, 0 to 1440."""
    found = _CLOCK.fullmatch(text)
    minute = int(found[1]) * 60 + int(found[2] or 0) if found else MINUTES_OF_DAY + 1
    if minute > MINUTES_OF_DAY:
        raise ValueError
    return minute


def _exact(one: FormField, number: Decimal) -> Decimal:
    """A decimal number that the column can hold to its last place."""
    column: Any = getattr(one.column.type, "impl_instance", one.column.type)
    if not isinstance(column, Numeric) or column.scale is None or column.precision is None:
        return number
    if number != round(number, column.scale) or abs(number) >= 10 ** (column.precision - column.scale):
        raise ValueError
    return number


def wall_time(text: str, zone: ZoneInfo) -> datetime:
    """A time of the wall clock, aware UTC; of one that exists twice the first, unless its offset is there.

    Raises:
        ValueError: It is no time, or the clock never showed it.
        OverflowError: It is beyond the years that can be written.
    """
    typed = datetime.fromisoformat(text)
    if typed.tzinfo is None:
        return moment_at(typed, zone)
    moment = typed.astimezone(UTC)
    moment.astimezone(zone)  # it must be possible to show it
    return moment


def moment_at(local: datetime, zone: ZoneInfo) -> datetime:
    """When the clock of `zone` shows `local`, aware UTC; where it does so twice the first.

    Raises:
        SkippedTimeError: It never does.
        ValueError: `local` has an offset.
        OverflowError: It is beyond the years that can be written.
    """
    if local.tzinfo is not None:
        raise ValueError
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != local:
        raise SkippedTimeError
    return moment


def _checked(one: FormField, resource: Resource, value: Any) -> Any:
    """The limits that the model declares (`ge`, `le`, `gt`, `lt`)."""
    for rule in resource.model.model_fields[one.name].metadata:
        for name, is_kept, text in _LIMITS:
            limit = getattr(rule, name, None)
            if limit is not None and not is_kept(value, limit):
                raise InputError(text, field=one.name, limit=limit)
    return value


_LIMITS: tuple[tuple[str, Callable[[Any, Any], bool], str], ...] = (
    ("ge", operator.ge, N_("This must be {limit} or more.")),
    ("gt", operator.gt, N_("This must be more than {limit}.")),
    ("le", operator.le, N_("This must be {limit} or less.")),
    ("lt", operator.lt, N_("This must be less than {limit}.")),
)


def _length(one: FormField, resource: Resource) -> int:
    """How long a text may be: by the model, else by the column."""
    if one.reference is not None:
        return 300
    for rule in resource.model.model_fields[one.name].metadata:
        most = getattr(rule, "max_length", None)
        if most is not None:
            return int(most)
    return int(getattr(one.column.type, "length", None) or LONGEST_AREA)
