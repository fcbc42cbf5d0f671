"""What people type, field by field: what is kept of it, and what sentence they get instead."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.errors import FormError
from lk_portal.models import (
    Account,
    Gateway,
    InfoPage,
    Installation,
    TariffZone,
    Verification,
    VerificationKind,
)
from lk_portal.services.resource import FormField, Reference, Resource
from lk_portal.services.resource.typed import LONGEST_AREA, text_of, values_of

BERLIN = ZoneInfo("Europe/Berlin")
"""A zone with changes of the clock: 2026-03-29 02:00 to 03:00, 2026-10-25 03:00 back to 02:00."""
KINDS = {VerificationKind.PERIODIC: "Periodic", VerificationKind.INSTRUMENTAL: "Instrumental"}
GATEWAY = (
    FormField(Gateway.name, "Name*"),
    FormField(Gateway.host, "Host"),
    FormField(Gateway.port, "Port*"),
    FormField(Gateway.timeout_s, "Timeout"),
    FormField(Gateway.is_enabled, "On"),
)
RIGHT = {"name": "Линия", "host": "10.0.0.1", "port": "502", "timeout_s": "2,5", "is_enabled": "on"}
EMPTY = "Fill this in."
NO_NUMBER = "This is no number that can stand here."
NO_CLOCK = "This is no time of day; write it like 7:00."
START = FormField(TariffZone.start_minute, "x", is_clock=True)
END = FormField(TariffZone.end_minute, "x", is_clock=True)
NO_TIME = "This is no date and time."


def made(model: Any, *form: FormField) -> Resource:
    return Resource(model, "/admin/x", "X", (), form=form)


def one_value(field: FormField, typed: object, *, zone: ZoneInfo = BERLIN) -> Any:
    """The value of a form with this one field."""
    resource = made(_model_of(field), field)
    return values_of(resource, {field.name: typed}, zone=zone, is_new=True)[field.name]


def one_mistake(field: FormField, typed: object, *, zone: ZoneInfo = BERLIN) -> str:
    """The English sentence beside the field."""
    with pytest.raises(FormError) as refused:
        one_value(field, typed, zone=zone)
    assert list(refused.value.errors) == [field.name]
    return str(refused.value.errors[field.name])


def _model_of(field: FormField) -> Any:
    models = (Account, Gateway, InfoPage, Installation, TariffZone, Verification)
    return next(one for one in models if one.__tablename__ == field.column.table.name)


def test_a_whole_form() -> None:
    found = values_of(made(Gateway, *GATEWAY), RIGHT, zone=BERLIN, is_new=True)

    assert found == {"name": "Линия", "host": "10.0.0.1", "port": 502, "timeout_s": 2.5, "is_enabled": True}


def test_every_wrong_field_is_named_at_once() -> None:
    wrong = {"name": " ", "port": "0", "timeout_s": "x", "host": "a\0b"}

    with pytest.raises(FormError) as refused:
        values_of(made(Gateway, *GATEWAY), wrong, zone=BERLIN, is_new=True)

    assert {name: str(error) for name, error in refused.value.errors.items()} == {
        "name": EMPTY,
        "port": "This must be 1 or more.",
        "timeout_s": NO_NUMBER,
        "host": "This has characters that cannot be kept.",
    }


def test_fixed_fields_count_for_new_rows_only() -> None:
    resource = made(Gateway, FormField(Gateway.name, "Name*", is_fixed=True), GATEWAY[2])

    assert values_of(resource, {"port": "1"}, zone=BERLIN, is_new=False) == {"port": 1}
    with pytest.raises(FormError):
        values_of(resource, {"port": "1"}, zone=BERLIN, is_new=True)


@pytest.mark.parametrize(
    ("field", "empty"),
    [
        (FormField(Gateway.host, "Host"), ""),
        (FormField(Gateway.timeout_s, "Timeout"), 5.0),
        (FormField(Gateway.is_enabled, "On"), False),
        (FormField(Verification.due_on, "Due"), None),
        (FormField(Installation.removed_at, "Removed"), None),
        (FormField(Installation.ct_ratio, "Ratio"), Decimal(1)),
        (FormField(InfoPage.text, "Text"), ""),
        (FormField(Account.subscriber_id, "Owner", reference=Reference(Gateway.name)), None),
    ],
)
@pytest.mark.parametrize("typed", ["", "  ", None, [], {"a": 1}, 5])
def test_nothing_is_nothing_or_the_models_own(field: FormField, empty: Any, typed: object) -> None:
    assert one_value(field, typed) == empty


@pytest.mark.parametrize(
    "field",
    [
        FormField(Gateway.name, "Name*"),
        FormField(Gateway.port, "Port"),
        FormField(Gateway.timeout_s, "Timeout*"),
        FormField(Verification.verified_on, "On*"),
        FormField(Verification.due_on, "Due*"),
        FormField(Installation.installed_at, "Since*"),
        FormField(Verification.kind, "Kind*", texts=KINDS),
    ],
)
def test_what_must_be_there_is_asked_for(field: FormField) -> None:
    assert one_mistake(field, "") == EMPTY


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        (FormField(Gateway.port, "x"), "65535", 65535),
        (FormField(Gateway.port, "x"), " 5 020 ", 5020),
        (FormField(Gateway.port, "x"), "5\u00a0020,0", 5020),
        (FormField(Gateway.timeout_s, "x"), "0,25", 0.25),
        (FormField(Gateway.timeout_s, "x"), "1\u202f000.5", 1000.5),
        (FormField(Installation.ct_ratio, "x"), "40", Decimal(40)),
        (FormField(Installation.ct_ratio, "x"), "0,0001", Decimal("0.0001")),
        (FormField(Installation.ct_ratio, "x"), "99999999.9999", Decimal("99999999.9999")),
        (FormField(Verification.verified_on, "x"), "2024-02-29", date(2024, 2, 29)),
        (FormField(Verification.kind, "x", texts=KINDS), "periodic", VerificationKind.PERIODIC),
        (FormField(Gateway.is_enabled, "x"), "on", True),
        (FormField(Gateway.is_enabled, "x"), True, True),
        (FormField(Gateway.is_enabled, "x"), "off", False),
        (FormField(InfoPage.text, "x"), "ы" * LONGEST_AREA, "ы" * LONGEST_AREA),
        (FormField(Gateway.name, "x"), "<b>=1+1</b>", "<b>=1+1</b>"),
        (FormField(Account.premises_id, "x", reference=Reference(Account.number)), " 55 ", "55"),
        (START, "7:00", 420),
        (START, "07:05", 425),
        (START, " 23.59 ", 1439),
        (START, "0", 0),
        (END, "24:00", 1440),
    ],
)
def test_what_is_right_is_kept(field: FormField, typed: object, value: Any) -> None:
    assert one_value(field, typed) == value


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        (FormField(Gateway.port, "x"), "65536", "This must be 65535 or less."),
        (FormField(Gateway.port, "x"), "-1", "This must be 1 or more."),
        (FormField(Gateway.port, "x"), "1,5", NO_NUMBER),
        (FormField(Gateway.port, "x"), "1,234.5", NO_NUMBER),
        (FormField(Gateway.port, "x"), "NaN", NO_NUMBER),
        (FormField(Gateway.port, "x"), "Infinity", NO_NUMBER),
        (FormField(Gateway.port, "x"), "1e999999999", NO_NUMBER),
        (FormField(Gateway.port, "x"), "9" * 5000, NO_NUMBER),
        (FormField(Gateway.port, "x"), "2147483648", NO_NUMBER),
        (FormField(Gateway.timeout_s, "x"), "0", "This must be more than 0."),
        (FormField(Gateway.timeout_s, "x"), "9" * 30, NO_NUMBER),
        (FormField(Installation.ct_ratio, "x"), "0,00001", NO_NUMBER),
        (FormField(Installation.ct_ratio, "x"), "100000000", NO_NUMBER),
        (FormField(Installation.ct_ratio, "x"), "forty", NO_NUMBER),
        (FormField(Verification.verified_on, "x"), "2026-02-29", "This is no date."),
        (FormField(Verification.verified_on, "x"), "29.02.2024", "This is no date."),
        (FormField(Verification.verified_on, "x"), "10000-01-01", "This is no date."),
        (FormField(Verification.kind, "x", texts=KINDS), "weekly", "Choose one of the list."),
        (FormField(Gateway.name, "x"), "я" * 81, "This must have 1 to 80 characters."),
        (FormField(Gateway.name, "x"), "\ud800", "This has characters that cannot be kept."),
        (FormField(InfoPage.text, "x"), "я" * 20_001, "This must have 1 to 20000 characters."),
        (
            FormField(Account.premises_id, "x", reference=Reference(Account.number)),
            "1" * 301,
            "This must have 1 to 300 characters.",
        ),
        (START, "24:00", "This must be 1439 or less."),
        *((END, typed, NO_CLOCK) for typed in ("24:01", "25", "7:60", "7:5", "420", "-1:00", "٧:00", "7-00")),
    ],
)
def test_what_is_wrong_gets_its_sentence(field: FormField, typed: object, sentence: str) -> None:
    assert one_mistake(field, typed) == sentence


MOMENT = FormField(Installation.installed_at, "Since*")


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-01-01T00:00", datetime(2025, 12, 31, 23, tzinfo=UTC)),
        ("2026-07-01T12:30:15", datetime(2026, 7, 1, 10, 30, 15, tzinfo=UTC)),
        ("2026-10-25T02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T02:30+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("2026-03-29T03:00", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ],
    ids=["winter", "summer", "twice: the first", "twice: the second by its offset", "after the gap"],
)
def test_a_time_of_the_wall_clock(typed: str, moment: datetime) -> None:
    assert one_value(MOMENT, typed) == moment


@pytest.mark.parametrize(
    "typed",
    [
        "2026-03-29T02:30",
        "0001-01-01T00:00",
        "9999-12-31T23:59-12:00",
        "9999-12-31T23:59+00:00",
        "2026-01-01T24:01",
        "noon",
    ],
)
def test_a_time_that_does_not_exist_is_a_mistake(typed: str) -> None:
    assert one_mistake(MOMENT, typed) == NO_TIME


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda moment: 1 < moment.year < 9999))
def test_what_stands_in_a_field_of_time_is_a_time(moment: datetime) -> None:
    text = text_of(MOMENT, moment, zone=BERLIN)
    again = one_value(MOMENT, text)

    assert text_of(MOMENT, again, zone=BERLIN) == text
    is_twice = moment.astimezone(BERLIN).replace(fold=0) != moment.astimezone(BERLIN).replace(fold=1)
    assert is_twice or again == moment


@given(st.text(max_size=40) | st.none() | st.integers() | st.lists(st.text(max_size=3), max_size=2))
def test_nothing_typed_breaks_a_form(typed: object) -> None:
    fields = (*GATEWAY, FormField(Gateway.protocol, "Protocol"))
    form = dict.fromkeys([one.name for one in fields], typed)

    try:
        found = values_of(made(Gateway, *fields), form, zone=BERLIN, is_new=True)
    except FormError as error:
        assert error.errors
        assert all(str(one) for one in error.errors.values())
    else:
        assert 1 <= found["port"] <= 65535


def test_values_stand_in_their_fields_as_they_are_typed() -> None:
    assert text_of(GATEWAY[4], True, zone=BERLIN) == "yes"
    assert text_of(GATEWAY[4], False, zone=BERLIN) == ""
    assert text_of(
        FormField(Verification.kind, "x", texts=KINDS), VerificationKind.PERIODIC, zone=BERLIN
    ) == ("periodic")
    assert text_of(FormField(Verification.due_on, "x"), None, zone=BERLIN) == ""
    assert [text_of(END, minute, zone=BERLIN) for minute in (0, 425, 1440)] == ["00:00", "07:05", "24:00"]
    assert text_of(FormField(Installation.ct_ratio, "x"), Decimal("40.5"), zone=BERLIN) == "40.5"
