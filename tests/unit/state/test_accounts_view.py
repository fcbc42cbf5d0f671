"""Accounts and meters in words: what is said of loads, verifications, seals and late data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from lk_portal.errors import (
    AuthFailedError,
    DataInvalidError,
    DeviceError,
    MeterTimeoutError,
    ProtocolError,
    UnreachableError,
    UnsupportedError,
)
from lk_portal.i18n import using_locale
from lk_portal.metering.types import LoadState, Quantity
from lk_portal.services.accounts import AccountLine, RegisterReading, Replacement
from lk_portal.services.load_state import RELAY_CODES, SWITCHED_OFF, Load, Story, Switching
from lk_portal.services.meters import LastReading, MeterCard, PlacedMeter, Polling, SealView, Verifications
from lk_portal.state import accounts_view as view
from lk_portal.state import load_view

OMSK = ZoneInfo("Asia/Omsk")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = date(2026, 11, 24)
HOUR = timedelta(hours=1)
OFF, READY, ON, UNKNOWN = LoadState.OFF, LoadState.READY, LoadState.ON, LoadState.UNKNOWN


@pytest.fixture(autouse=True)
def in_russian() -> Iterator[None]:
    with using_locale("ru"):
        yield


def placed(serial: str = "441", **changes: object) -> PlacedMeter:
    values: dict[str, object] = {
        "account_id": 1,
        "account": "1322",
        "address": "г. Омск, ул. Садовая, д.5 А",
        "zone": OMSK,
        "point_id": 1,
        "code": "urn:uuid:1",
        "point_name": "",
        "place": "",
        "tariff": "",
        "amenities": "",
        "installation_id": 1,
        "meter_id": 1,
        "serial": serial,
        "model": "МИР С-07",
        "installed_at": datetime(2020, 1, 20, 20, tzinfo=UTC),
        "removed_at": None,
        "ratio": Decimal(1),
        "data_until": None,
        "load": Load(UNKNOWN),
        **changes,
    }
    return PlacedMeter(**values)  # type: ignore[arg-type]


def card(**changes: object) -> MeterCard:
    values: dict[str, object] = {
        "placed": placed(),
        "story": Story(),
        "verifications": Verifications(),
        "seals": (),
        "readings": (),
        "polling": None,
        "replaced_by": "",
        "replaced": "",
        **changes,
    }
    return MeterCard(**values)  # type: ignore[arg-type]


# ---- load


@pytest.mark.parametrize(
    ("state", "word"),
    [(ON, "ВКЛЮЧЕНО"), (OFF, "ОТКЛЮЧЕНО"), (READY, "РАЗРЕШЕНО ВКЛЮЧЕНИЕ"), (UNKNOWN, "НЕТ ДАННЫХ")],
)
def test_the_four_words(state: LoadState, word: str) -> None:
    assert load_view.word_of(state) == word


def test_a_load_has_its_time() -> None:
    assert load_view.time_text(Load(ON, NOW), OMSK) == "по данным на 24.11.2026, 18:00"
    assert load_view.time_text(Load(UNKNOWN, NOW), OMSK) == "последний ответ: 24.11.2026, 18:00"
    assert load_view.time_text(Load(UNKNOWN), OMSK) == ""


@pytest.mark.parametrize("code", sorted(SWITCHED_OFF))
def test_every_switching_off_has_a_reason_and_an_advice(code: int) -> None:
    story = Story(Switching(code, NOW - HOUR))
    for locale in ("ru", "en"):
        with using_locale(locale):
            reason = load_view.reason_text(Load(OFF, NOW), story, OMSK)
            advice = load_view.advice_text(Load(OFF, NOW), story)
            assert len(reason) > len("24.11.2026, 17:00: ")
            assert advice.endswith(".")


def test_reasons_are_for_codes_that_switch_off() -> None:
    assert load_view.REASONS.keys() == SWITCHED_OFF
    assert SWITCHED_OFF < RELAY_CODES


def test_a_load_that_is_off_says_why_and_what_to_do() -> None:
    story = Story(Switching(8, NOW - HOUR))

    texts = view.load_texts(card(placed=placed(load=Load(OFF, NOW)), story=story))

    assert texts["load"] == "ОТКЛЮЧЕНО"
    assert texts["reason"] == "24.11.2026, 17:00: Электроприборы потребляли больше разрешенной мощности."
    assert "Отключите часть электроприборов" in texts["advice"]


def test_a_permission_asks_to_press_the_button() -> None:
    story = Story(Switching(3, NOW - 2 * HOUR), Switching(5, NOW - HOUR))

    assert load_view.reason_text(Load(READY, NOW), story, OMSK).startswith("24.11.2026, 16:00: ")
    assert "нажмите кнопку" in load_view.advice_text(Load(READY, NOW), story)


def test_without_a_journal_the_reason_is_not_known() -> None:
    assert load_view.reason_text(Load(OFF, NOW), Story(), OMSK) == "Причину прибор учета не сообщил."
    assert "«Поддержка»" in load_view.advice_text(Load(OFF, NOW), Story())


def test_a_load_that_is_on_needs_no_words() -> None:
    old = Story(Switching(3, NOW - HOUR))

    assert load_view.reason_text(Load(ON, NOW), old, OMSK) == ""
    assert load_view.advice_text(Load(ON, NOW), old) == ""


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], ("", "")),
        ([ON], ("on", "ВКЛЮЧЕНО")),
        ([ON, ON], ("on", "ВКЛЮЧЕНО — 2")),
        ([ON, OFF, UNKNOWN, ON], ("off", "ОТКЛЮЧЕНО — 1, НЕТ ДАННЫХ — 1, ВКЛЮЧЕНО — 2")),
    ],
)
def test_what_is_off_comes_first(states: list[LoadState], expected: tuple[str, str]) -> None:
    assert load_view.summary_of([Load(state, NOW) for state in states]) == expected


# ---- accounts


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 приборов учета"), (1, "1 прибор учета"), (2, "2 прибора учета")]
)
def test_an_account_counts_its_meters(count: int, text: str) -> None:
    row = view.account_row(AccountLine("13-22/А", "г. Омск", "Дача", tuple(placed() for _ in range(count))))

    assert (row["meters"], row["note"], bool(row["load"])) == (text, "Дача", count > 0)
    assert row["link"] == "/accounts/13-22%252F%D0%90"


def test_a_replacement_shows_both_ends_by_register() -> None:
    readings = (
        RegisterReading(True, Quantity.A_PLUS, 0, 19_598_620),
        RegisterReading(True, Quantity.R_PLUS, 1, 5_000),
        RegisterReading(False, Quantity.A_PLUS, 0, 1_640),
    )

    row = view.replacement_row(Replacement(placed("old"), placed("new"), NOW, readings))

    assert row["at"] == "24.11.2026, 18:00"
    assert row["final"].replace("\xa0", " ").splitlines() == [
        "Активная прямая, сумма: 19 598,62 кВт·ч",
        "Реактивная прямая, T1: 5,00 квар·ч",
    ]
    assert row["initial"] == "Активная прямая, сумма: 1,64 кВт·ч"
    assert (row["old_link"], row["new_link"]) == ("/meters/old", "/meters/new")


def test_a_replacement_without_readings_has_a_dash() -> None:
    row = view.replacement_row(Replacement(placed("old"), placed("new"), NOW, ()))

    assert (row["final"], row["initial"]) == ("—", "—")


# ---- a meter


def test_the_facts_of_a_meter_are_in_the_premises_time() -> None:
    facts = {row["name"]: row["value"] for row in view.meter_facts(placed())}

    assert facts["Дата установки"].startswith("21 января 2020")
    assert (facts["Тариф"], facts["Код точки учета"]) == ("—", "urn:uuid:1")
    assert "Коэффициент трансформации" not in facts


def test_a_ratio_is_told_where_there_is_one() -> None:
    facts = {row["name"]: row["value"] for row in view.meter_facts(placed(ratio=Decimal("20.00")))}

    assert facts["Коэффициент трансформации"] == "20"


@pytest.mark.parametrize(
    ("due_on", "words"),
    [
        (None, ""),
        (TODAY + timedelta(days=61), ""),
        (TODAY + timedelta(days=60), "До поверки осталось 60 дней."),
        (TODAY + timedelta(days=1), "До поверки остался 1 день."),
        (TODAY, "Срок поверки — сегодня."),
        (TODAY - timedelta(days=1), "Срок поверки истек 23 ноября 2026"),
    ],
)
def test_a_verification_is_warned_of_sixty_days_ahead(due_on: date | None, words: str) -> None:
    warning = view.verification_warning(Verifications(due_on=due_on), TODAY)

    assert warning.replace("\xa0", " ").replace("\u202f", " ").startswith(words)
    assert bool(warning) is bool(words)


def test_present_and_earlier_seals() -> None:
    seals = [
        SealView("A 2", date(2021, 1, 1), None),
        SealView("A 1", date(2020, 1, 1), date(2021, 1, 1)),
    ]

    present, earlier = view.seal_texts(seals)

    assert present == "A 2"
    assert earlier == ["A 1: с 01.01.2020 по 01.01.2021"]
    assert view.seal_texts([]) == ("—", [])


def test_a_reading_names_its_register() -> None:
    row = view.reading_row(LastReading(Quantity.A_PLUS, 2, 1_234_567, NOW), OMSK)

    assert (row["register"], row["at"]) == ("Активная прямая, T2", "24.11.2026, 18:00")
    assert row["value"].replace("\xa0", " ") == "1 234,57 кВт·ч"


def test_every_error_of_a_meter_has_plain_words() -> None:
    errors = (
        UnreachableError,
        MeterTimeoutError,
        AuthFailedError,
        ProtocolError,
        DeviceError,
        UnsupportedError,
        DataInvalidError,
    )

    assert {error.code for error in errors} == view.WHY_LATE.keys()
    assert view.late_text(Polling("timeout", NOW)) == "Прибор учета не отвечает."
    assert view.late_text(Polling("of a plugin", NOW)) == "Прибор учета не удалось опросить."
    assert view.late_text(Polling("", NOW)) == ""
    assert "не опрашивается" in view.late_text(None)


def test_when_it_is_read_next() -> None:
    assert view.next_text(Polling("", NOW + HOUR), now=NOW, zone=OMSK) == "Следующий опрос: 24.11.2026, 19:00"
    assert "ближайшие минуты" in view.next_text(Polling("", NOW - HOUR), now=NOW, zone=OMSK)
    assert "ближайшие минуты" in view.next_text(Polling("", None), now=NOW, zone=OMSK)
    assert view.next_text(None, now=NOW, zone=OMSK) == ""


def test_a_meter_that_is_gone_says_so() -> None:
    gone = placed(removed_at=NOW)

    assert view.gone_text(card()) == ""
    assert "заменен 24.11.2026, 18:00 на прибор учета 999" in view.gone_text(
        card(placed=gone, replaced_by="999")
    )
    assert "снят 24.11.2026, 18:00" in view.gone_text(card(placed=gone))


def test_a_name_is_of_the_meter_that_stands_there() -> None:
    assert placed(point_name="Дом").name == "Дом"
    assert placed("441", point_name="Дом", removed_at=NOW).name == "441"


def test_links_hold_any_serial() -> None:
    assert view.meter_link("a/b ?&") == "/meters/a%252Fb%20%3F%26"
    assert view.chart_link("a&b") == "/readings?meter=a%26b"
    assert view.events_link("a&b") == "/diagnostics?meter=a%26b"
