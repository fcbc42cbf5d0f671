"""The map of holes as a figure and as a table: what is missing is never drawn as if it were there."""

from __future__ import annotations

import json
from datetime import date, timedelta

from lk_portal.services.completeness import Completeness, GatewayDays
from lk_portal.state.polling import MOST_GATEWAYS
from lk_portal.state.polling_figure import heat_figure, heat_table, percent, summary_of

DAYS = tuple(date(2026, 11, 24) - timedelta(days=back) for back in range(29, -1, -1))
MOST_BYTES = 30_000


def found(*shares: float | None) -> Completeness:
    cells = (*shares, *[1.0] * (len(DAYS) - len(shares)))
    whole = GatewayDays(0, "", 2, tuple([1.0] * len(DAYS)), 0.98)
    return Completeness(DAYS, (whole, GatewayDays(7, "Шлюз 7", 1, cells, 0.9)), 1)


def test_it_is_a_hundred_only_when_nothing_is_missing() -> None:
    texts = [percent(share) for share in (1.0, 0.9985, 0.5, 0.0, None)]

    assert texts == ["100 %", "99 %", "50 %", "0 %", "—"]


def test_a_hole_is_hatched_and_the_lightest_and_nothing_expected_is_clear() -> None:
    row = heat_figure(found(0.0, 0.5, 0.9, 1.0, None))["data"][0]

    assert row["marker"]["pattern"]["shape"][:5] == ["/", "/", "", "", ""]
    colors = row["marker"]["color"][:5]
    assert len(set(colors)) == 5
    assert colors[4] == "rgba(0,0,0,0)"
    assert colors[0] > colors[3], "the lighter the less there is"


def test_the_table_says_the_same() -> None:
    whole, row = heat_table(found(0.0, 0.5))

    assert row[:5] == ["Шлюз 7", "1", "90 %", "0 %", "50 %"]
    assert len(whole) == len(row) == 3 + len(DAYS)


def test_the_sentence_names_the_worst() -> None:
    assert "Шлюз 7" in summary_of(found(0.5))
    assert "Шлюз 7" not in summary_of(Completeness(DAYS, found().rows[:1], 0))


def test_the_largest_map_fits_into_a_delta() -> None:
    rows = [GatewayDays(key, f"Шлюз {key}", 1, tuple([0.5] * 30), 0.5) for key in range(MOST_GATEWAYS + 1)]
    whole = Completeness(DAYS, tuple(rows), 500)

    sent = json.dumps([heat_figure(whole), heat_table(whole)], ensure_ascii=False, separators=(",", ":"))

    assert len(sent.encode()) <= MOST_BYTES
