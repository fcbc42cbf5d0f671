"""Errors: every one says a whole sentence from its data, and a missing datum is no second error."""

from __future__ import annotations

import inspect
from string import Formatter

import pytest

from lk_portal import errors
from lk_portal.errors import (
    DeviceError,
    FormError,
    InputError,
    MeterError,
    MeterTimeoutError,
    NotFoundError,
    PortalError,
    ThrottledError,
    UnreachableError,
    by_field,
)

ERRORS = sorted(
    (kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, PortalError)),
    key=lambda kind: kind.__name__,
)
ERRORS.remove(FormError)  # it says what its fields say
METER_ERRORS = [kind for kind in ERRORS if issubclass(kind, MeterError)]


def fields(message: str) -> list[str]:
    """The names in braces of a message."""
    return [name for _, name, _, _ in Formatter().parse(message) if name is not None]


def make(kind: type[PortalError]) -> PortalError:
    """An error of this kind with a number for every field of its message."""
    return kind(**dict.fromkeys(fields(kind.message), 7))


def test_there_are_errors_to_test() -> None:
    assert len(ERRORS) > 12
    assert fields(UnreachableError.message) == ["endpoint", "detail"]


@pytest.mark.parametrize("kind", ERRORS)
def test_a_message_is_filled_with_its_data(kind: type[PortalError]) -> None:
    error = make(kind)

    assert str(error) == kind.message.format(**error.data)
    assert "{" not in str(error)
    assert error.text == kind.message


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_has_words_of_its_own_and_a_reason_to_exist(kind: type[PortalError]) -> None:
    assert kind.__doc__
    assert [other for other in ERRORS if other.message == kind.message] == [kind]


@pytest.mark.parametrize("kind", ERRORS)
def test_fields_are_names(kind: type[PortalError]) -> None:
    assert all(name.isidentifier() for name in fields(kind.message))


def test_a_missing_datum_leaves_its_place() -> None:
    assert str(UnreachableError(endpoint="gw:502")) == "No connection to gw:502: {detail}"


def test_data_with_braces_are_shown_as_they_are() -> None:
    assert str(UnreachableError(endpoint="{x}", detail="{0}")) == "No connection to {x}: {0}"


def test_an_own_message_keeps_its_data() -> None:
    error = PortalError("Row {row} is wrong", row=3)

    assert str(error) == "Row 3 is wrong"
    assert error.data == {"row": 3}


def test_an_input_error_names_its_field() -> None:
    error = InputError("At most {limit} characters", field="name", limit=60)

    assert (error.field, error.data, str(error)) == ("name", {"limit": 60}, "At most 60 characters")
    assert InputError().field == ""


def test_numbers_are_kept_beside_the_message() -> None:
    assert ThrottledError(seconds=30).seconds == 30
    assert DeviceError(2).device_code == 2


def test_codes_of_meter_errors_are_their_own() -> None:
    codes = [kind.code for kind in METER_ERRORS]

    assert len(set(codes)) == len(codes)
    assert all(code.isidentifier() for code in codes)


def test_only_silence_is_worth_another_try() -> None:
    assert {kind for kind in METER_ERRORS if kind.is_transient} == {UnreachableError, MeterTimeoutError}


def test_a_thing_of_somebody_else_looks_like_none() -> None:
    assert str(NotFoundError(account="12-3")) == str(NotFoundError())


def test_what_is_wrong_stands_by_field() -> None:
    first, second = InputError("At most {most}.", field="name", most=7), InputError(field="phone")
    form = FormError({"name": first, "phone": second})

    assert by_field(form) == {"name": first, "phone": second}
    assert (str(form), form.field) == ("At most 7.", "name")
    assert by_field(second) == {"phone": second}
    missing = NotFoundError()
    assert by_field(missing) == {"": missing}
