"""The table of readings: its address and its texts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal import i18n
from lk_portal.errors import InputError
from lk_portal.metering.types import Quantity
from lk_portal.services.register_table import Nature, RegisterPage, RegisterRow
from lk_portal.services.table_choice import TableChoice, table_choice_of
from lk_portal.state.readings_table_view import table_view_of
from lk_portal.state.readings_url import ROUTE, table_url

AT = datetime(2026, 11, 24, 6, tzinfo=UTC)
SINCE = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def russian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n._Active, "locale", "ru")


def row(
    *values: int | None,
    used: int | None = 500,
    nature: Nature = Nature.MEASURED,
    hour: int = 0,
    serial: str = "1",
) -> RegisterRow:
    padded = (*values, *[None] * (5 - len(values)))
    return RegisterRow(AT - timedelta(hours=hour), serial, padded, used, nature)


def page(*rows: RegisterRow, later: datetime | None = None, ratio: Decimal = Decimal(1)) -> RegisterPage:
    return RegisterPage(1, "Asia/Omsk", SINCE, rows, None, later, ratio)


def test_columns_are_the_registers_that_the_meter_has() -> None:
    shown = table_view_of(page(row(1500, 900, 600), row(1000, 600, 400, hour=1)), Quantity.A_PLUS)

    assert shown.columns == ["Сумма, кВт·ч", "T1, кВт·ч", "T2, кВт·ч"]
    assert shown.rows[0] == ["24.11.2026, 12:00", "1", "измерено", "0,50", "1,50", "0,90", "0,60"]
    assert shown.heading == "24.11.2026, 11:00 — 24.11.2026, 12:00"
    assert not shown.has_serials
    assert shown.ratio_note == ""


def test_what_is_not_known_is_no_zero() -> None:
    shown = table_view_of(
        page(row(5, used=None, nature=Nature.FIRST), row(9, used=None, nature=Nature.REVIEW, serial="2")),
        Quantity.R_PLUS,
    )

    assert [line[2:4] for line in shown.rows] == [
        ["нет данных для сравнения", "—"],
        ["на проверке, не учтено", "—"],
    ]
    assert shown.has_serials
    assert shown.consumption_column == "Потребление, квар·ч"


@pytest.mark.parametrize("nature", list(Nature))
def test_every_nature_has_its_words(nature: Nature) -> None:
    assert table_view_of(page(row(5, nature=nature)), Quantity.A_PLUS).rows[0][2]


def test_the_ratio_is_told() -> None:
    shown = table_view_of(page(row(5), ratio=Decimal("60.00")), Quantity.A_PLUS)

    assert shown.ratio_note == "Потребление умножено на коэффициент трансформации 60."


def test_an_empty_page_says_why() -> None:
    assert table_view_of(page(), Quantity.A_PLUS).empty_title == "Показаний еще нет"
    assert table_view_of(page(later=AT), Quantity.A_PLUS).empty_title == "До этой даты показаний нет"
    assert table_view_of(page(row(1)), Quantity.A_PLUS).empty_title == ""
    advice = table_view_of(page(later=AT), Quantity.A_PLUS).empty_advice
    assert advice.startswith("Выберите более позднюю дату: прибор учета установлен ")
    assert advice.endswith("\u202fг.")  # of "год": a second full stop would be one too many


@given(
    st.builds(
        TableChoice,
        st.text(max_size=40),
        st.sampled_from(Quantity),
        st.none() | st.dates(date(1990, 1, 1), date(2100, 12, 31)),
        st.none()
        | st.integers(1, 4_000_000_000_000).map(
            lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + ms * timedelta(milliseconds=1)
        ),
    )
)
def test_an_address_is_read_back(choice: TableChoice) -> None:
    query = dict(parse_qsl(table_url(choice).removeprefix(f"{ROUTE}?"), keep_blank_values=True))

    assert query.pop("tab") == "table"
    assert table_choice_of(query) == choice


@pytest.mark.parametrize(
    "query",
    [
        {"date": "2026-02-30"},
        {"date": "1900-01-01"},
        {"energy": "X"},
        {"before": "x"},
        {"before": "-1"},
        {"before": "9" * 15},
        {"before": "١٢"},
    ],
)
def test_an_address_that_means_nothing_is_said(query: dict[str, str]) -> None:
    with pytest.raises(InputError):
        table_choice_of(query)


def test_a_moment_far_away_is_as_good_as_the_end() -> None:
    assert table_choice_of({"before": "9" * 14}).before == datetime(2101, 1, 1, tzinfo=UTC)
