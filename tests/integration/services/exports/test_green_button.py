"""Green Button files: valid by the ESPI 4.0 schema, and right."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from lxml import etree
from sqlalchemy import update

from lk_portal.metering.types import Quality, Quantity
from lk_portal.models import MeteringPoint
from lk_portal.services.database import Database
from lk_portal.services.exports.rows import Step
from lk_portal.services.periods import Basis
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.services.exports.exported import (
    HOUR,
    NAMES,
    NOW,
    Asked,
    hours,
    store,
    texts,
    validate,
)

MIDNIGHT = datetime(2026, 10, 30, 18, tzinfo=UTC)  # in Omsk
DAY = date(2026, 10, 31)
READING = ".//espi:IntervalReading"


def unix(at: datetime) -> str:
    return str(int(at.timestamp()))


async def test_hours_are_readings_with_their_times(sqlite_database: Database) -> None:
    point = await factories.a_metered_point(sqlite_database)
    await store(sqlite_database, hours(point.point_id, MIDNIGHT, [100, None, 300]))

    tree = await Asked(sqlite_database, point.serial, DAY, DAY).xml()

    assert texts(tree, f"{READING}/espi:value") == ["100", "300"]
    assert texts(tree, f"{READING}/espi:timePeriod/espi:start") == [unix(MIDNIGHT), unix(MIDNIGHT + 2 * HOUR)]
    assert set(texts(tree, f"{READING}/espi:timePeriod/espi:duration")) == {"3600"}
    assert texts(tree, f"{READING}//espi:quality") == []
    assert texts(tree, ".//espi:ReadingType/espi:defaultQuality") == ["0"]
    assert texts(tree, ".//espi:IntervalBlock/espi:interval/espi:start") == [unix(MIDNIGHT)]
    assert texts(tree, ".//espi:IntervalBlock/espi:interval/espi:duration") == ["86400"]
    assert texts(tree, ".//espi:tzOffset") == [str(6 * 3600)]


@pytest.mark.parametrize(
    ("quantity", "uom", "direction"),
    [
        (Quantity.A_PLUS, "72", "1"),
        (Quantity.A_MINUS, "72", "19"),
        (Quantity.R_PLUS, "73", "1"),
        (Quantity.R_MINUS, "73", "19"),
    ],
)
async def test_the_reading_type_tells_energy_and_direction(
    sqlite_database: Database, quantity: Quantity, uom: str, direction: str
) -> None:
    point = await factories.a_metered_point(sqlite_database)
    await store(sqlite_database, hours(point.point_id, MIDNIGHT, [1], quantity=quantity))

    tree = await Asked(sqlite_database, point.serial, DAY, DAY, quantity=quantity).xml()

    kind = ".//espi:ReadingType/espi:"
    assert texts(tree, f"{kind}uom") == [uom]
    assert texts(tree, f"{kind}flowDirection") == [direction]
    assert texts(tree, f"{kind}powerOfTenMultiplier") == ["0"]
    assert texts(tree, f"{kind}accumulationBehaviour") == ["4"]
    assert texts(tree, f"{kind}commodity") == ["1"]
    assert texts(tree, f"{READING}/espi:value") == ["1"]


@pytest.mark.parametrize(
    ("step", "basis", "length", "attribute"),
    [
        (Step.HOUR, Basis.CALENDAR, ["3600"], "0"),
        (Step.DAY, Basis.CALENDAR, ["86400"], "11"),
        (Step.MONTH, Basis.CALENDAR, [], "13"),
        (Step.MONTH, Basis.BILLING, [], "8"),
        (Step.YEAR, Basis.CALENDAR, [], "32"),
    ],
)
async def test_the_reading_type_tells_the_interval(
    sqlite_database: Database, step: Step, basis: Basis, length: list[str], attribute: str
) -> None:
    point = await factories.a_metered_point(sqlite_database)
    await store(sqlite_database, hours(point.point_id, MIDNIGHT, [1] * 72))

    asked = Asked(sqlite_database, point.serial, date(2026, 1, 1), date(2026, 12, 31), step, basis=basis)
    tree = await asked.xml()

    assert texts(tree, ".//espi:ReadingType/espi:intervalLength") == length
    assert texts(tree, ".//espi:ReadingType/espi:timeAttribute") == [attribute]
    assert sum(map(int, texts(tree, f"{READING}/espi:value"))) == 72


async def test_qualities(sqlite_database: Database) -> None:
    point = await factories.a_metered_point(sqlite_database)
    rows = hours(point.point_id, MIDNIGHT, [1] * 120)
    rows[24] = rows[24]._replace(covered_s=1800)
    rows[48:72] = [row._replace(quality=Quality.ESTIMATED) for row in rows[48:72]]
    rows[72:96] = [row._replace(quality=Quality.EDITED) for row in rows[72:96]]
    rows[100] = rows[100]._replace(quality=Quality.ESTIMATED)
    await store(sqlite_database, rows)

    tree = await Asked(sqlite_database, point.serial, DAY, DAY + timedelta(days=4), Step.DAY).xml()

    found = [
        [quality.text for quality in reading.iterfind(".//espi:quality", NAMES)]
        for reading in tree.iterfind(READING, NAMES)
    ]
    # Valid is the default; not all there; by a machine; by a person; of two kinds.
    assert found == [[], ["10"], ["8"], ["7"], ["13"]]


async def test_zones_are_readings_of_their_own_and_nothing_is_there_twice(sqlite_database: Database) -> None:
    tariff = await factories.tariff(sqlite_database)
    point = await factories.a_metered_point(sqlite_database, tariff_id=tariff)
    await store(sqlite_database, hours(point.point_id, MIDNIGHT, [100] * 24))

    tree = await Asked(sqlite_database, point.serial, DAY, DAY, Step.DAY).xml()

    assert texts(tree, f"{READING}/espi:value") == ["1600", "800"]
    assert texts(tree, f"{READING}/espi:tou") == ["1", "2"]


async def test_days_of_23_and_25_hours_and_the_rules_of_the_zone(sqlite_database: Database) -> None:
    point = await factories.a_metered_point(sqlite_database, timezone="Europe/Berlin")
    start = datetime(2026, 3, 27, 23, tzinfo=UTC)
    await store(sqlite_database, hours(point.point_id, start, [1] * 24 * 240))
    asked = Asked(sqlite_database, point.serial, date(2026, 3, 28), date(2026, 10, 31), Step.DAY)

    tree = await asked.xml()

    durations = texts(tree, f"{READING}/espi:timePeriod/espi:duration")
    assert sorted(set(durations)) == ["82800", "86400", "90000"]
    assert durations[1] == "82800"
    assert texts(tree, ".//espi:tzOffset") == ["3600"]
    assert texts(tree, ".//espi:dstOffset") == ["3600"]
    assert texts(tree, ".//espi:dstStartRule") == ["3E0E2000"]
    assert texts(tree, ".//espi:dstEndRule") == ["AE0E3000"]


async def test_readings_come_in_blocks_of_a_month(sqlite_database: Database) -> None:
    point = await factories.a_metered_point(sqlite_database)
    await store(sqlite_database, hours(point.point_id, MIDNIGHT, [1] * 72))

    tree = await Asked(sqlite_database, point.serial, DAY, DAY + timedelta(days=2)).xml()

    blocks = tree.findall(".//espi:IntervalBlock", NAMES)
    assert [len(block.findall("espi:IntervalReading", NAMES)) for block in blocks] == [24, 48]


async def test_resources_refer_to_each_other(sqlite_database: Database) -> None:
    point = await factories.a_metered_point(sqlite_database)
    await store(sqlite_database, hours(point.point_id, MIDNIGHT, [1]))

    tree = await Asked(sqlite_database, point.serial, DAY, DAY).xml()

    def links(name: str, relation: str) -> list[str]:
        entry = next(
            one
            for one in tree.iterfind("atom:entry", NAMES)
            if one.find(f".//espi:{name}", NAMES) is not None
        )
        return [str(one.get("href")) for one in entry.iterfind(f"atom:link[@rel='{relation}']", NAMES)]

    (reading,) = links("MeterReading", "self")
    assert reading.rpartition("/")[0] in links("UsagePoint", "related")
    assert links("LocalTimeParameters", "self")[0] in links("UsagePoint", "related")
    assert links("ReadingType", "self")[0] in links("MeterReading", "related")
    assert links("IntervalBlock", "up")[0] in links("MeterReading", "related")


async def test_an_empty_export_is_valid_too(sqlite_database: Database) -> None:
    point = await factories.a_metered_point(sqlite_database)

    tree = await Asked(sqlite_database, point.serial, DAY, DAY).xml()

    assert tree.findall(READING, NAMES) == []


async def test_names_are_texts_whatever_is_in_them(sqlite_database: Database) -> None:
    point = await factories.a_metered_point(sqlite_database)
    name = '</title><script>"&\x07 =1'
    async with sqlite_database.writing() as connection:
        await connection.execute(update(table_of(MeteringPoint)).values(name=name))

    tree = await Asked(sqlite_database, point.serial, DAY, DAY).xml()

    assert texts(tree, "atom:title") == [f"{point.serial} · {name.replace(chr(7), '')}"]


async def test_energy_behind_transformers_is_primary(sqlite_database: Database) -> None:
    point = await factories.a_metered_point(sqlite_database, ct_ratio=Decimal(40))

    tree = await Asked(sqlite_database, point.serial, DAY, DAY).xml()

    assert texts(tree, ".//espi:commodity") == ["2"]


async def test_the_schema_finds_what_is_wrong(sqlite_database: Database) -> None:
    point = await factories.a_metered_point(sqlite_database)
    await store(sqlite_database, hours(point.point_id, MIDNIGHT, [1]))
    tree = await Asked(sqlite_database, point.serial, DAY, DAY, now=NOW).xml()

    for path, wrong in (
        (".//espi:uom", "kWh"),
        (".//espi:value", "1.5"),
        ("atom:id", "1"),
        (".//espi:tzOffset", ""),
    ):
        element = tree.find(path, NAMES)
        assert element is not None
        right, element.text = element.text, wrong
        with pytest.raises(etree.DocumentInvalid):
            validate(tree)
        element.text = right
    validate(tree)
