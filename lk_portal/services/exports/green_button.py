"""An export as Green Button XML: NAESB ESPI 4.0 resources in an Atom feed. For `services.exports.files` only.

One usage point, one meter reading of one reading type, and its readings in blocks of a month. Energy that
lies in tariff zones is given by zone (`tou`), once: whoever adds the readings up has the whole. A hole has no
reading, for a missing value is no zero. All times are seconds since 1970, UTC.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from uuid import NAMESPACE_URL, UUID, uuid5
from xml.sax.saxutils import escape, quoteattr

from lk_portal.metering.types import Quality, Quantity
from lk_portal.services.exports.cells import plain_text
from lk_portal.services.exports.espi_time import local_time
from lk_portal.services.exports.rows import SUM_ZONE, ExportRow, Step, Wish
from lk_portal.services.exports.source import ExportPoint
from lk_portal.services.periods import Basis

ATOM, ESPI = "http://www.w3.org/2005/Atom", "http://naesb.org/espi"
RESOURCES = "/espi/1_1/resource"

VALID, EDITED, ESTIMATED, QUESTIONABLE, MIXED = 0, 7, 8, 10, 13
"""QualityOfReading: passed the checks; by a person; by a machine; not all there; of several kinds."""
_QUALITIES = {Quality.MEASURED: VALID, Quality.EDITED: EDITED, Quality.ESTIMATED: ESTIMATED}
WATT_HOURS, VAR_HOURS = 72, 73
FORWARD, REVERSE = 1, 19
DELTA_DATA, NORMAL, ENERGY = 4, 12, 12
SECONDARY, PRIMARY = 1, 2
"""CommodityKind: as the meter counts, or behind transformers whose ratios were applied."""
ELECTRICITY, IN_SERVICE = 0, 1
_LENGTHS = {Step.HOUR: 3600, Step.DAY: 86_400}
NONE, BILLING, DAILY, MONTHLY, SPECIFIED = 0, 8, 11, 13, 32
"""TimePeriodOfInterest: fixed intervals need none but their length."""


async def xml_chunks(
    rows: AsyncIterator[ExportRow], point: ExportPoint, wish: Wish, *, author: str, now: datetime
) -> AsyncIterator[bytes]:
    """The file in pieces, UTF-8."""
    feed = _Feed(point, wish, author, now)
    yield feed.head().encode()
    async for block in _blocks(rows):
        if readings := "".join(_readings(block)):
            yield feed.block(block, readings).encode()
    yield b"</feed>\n"


async def _blocks(rows: AsyncIterator[ExportRow]) -> AsyncIterator[list[ExportRow]]:
    """Rows by the month they begin in."""
    block: list[ExportRow] = []
    async for row in rows:
        if block and (row.start.year, row.start.month) != (block[0].start.year, block[0].start.month):
            yield block
            block = []
        block.append(row)
    if block:
        yield block


@dataclass(frozen=True, slots=True)
class _Feed:
    """The resources, and how they refer to each other."""

    point: ExportPoint
    wish: Wish
    author: str
    now: datetime

    def head(self) -> str:
        """All before the readings."""
        title = " · ".join(filter(None, (self.point.serial, self.point.name)))
        own = self._id("feed")
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<feed xmlns="{ATOM}"><id>urn:uuid:{own}</id><title>{_text(title)}</title>'
            f"<author><name>{_text(self.author)}</name></author>"
            f"<updated>{self._updated}</updated>{_link('self', f'{RESOURCES}/Batch/{own}')}\n"
            f"{''.join(self._described())}"
        )

    def block(self, rows: Sequence[ExportRow], readings: str) -> str:
        """An entry of readings."""
        start_s, end_s = _seconds(rows[0].start), _seconds(rows[-1].end)
        path = f"{self._reading}/IntervalBlock"
        return self._entry(
            f"block {start_s}",
            f"{path}/{self._id(f'block {start_s}')}",
            f'<IntervalBlock xmlns="{ESPI}"><interval>{_span(start_s, end_s)}</interval>{readings}'
            "</IntervalBlock>",
            up=path,
        )

    def _described(self) -> Iterator[str]:
        zone, kind = self._path("LocalTimeParameters"), self._path("ReadingType")
        yield self._entry("LocalTimeParameters", zone, self._local_time())
        yield self._entry(
            "UsagePoint",
            self._usage,
            f'<UsagePoint xmlns="{ESPI}"><ServiceCategory><kind>{ELECTRICITY}</kind></ServiceCategory>'
            f"<status>{IN_SERVICE}</status></UsagePoint>",
            related=(f"{self._usage}/MeterReading", zone),
        )
        yield self._entry(
            "MeterReading",
            self._reading,
            f'<MeterReading xmlns="{ESPI}"/>',
            up=f"{self._usage}/MeterReading",
            related=(f"{self._reading}/IntervalBlock", kind),
        )
        yield self._entry("ReadingType", kind, self._reading_type())

    def _reading_type(self) -> str:
        length = _LENGTHS.get(self.wish.step)
        quantity = self.wish.quantity
        is_reverse = quantity in (Quantity.A_MINUS, Quantity.R_MINUS)
        values = {
            "accumulationBehaviour": DELTA_DATA,
            "commodity": PRIMARY if self.point.is_transformed else SECONDARY,
            "dataQualifier": NORMAL,
            "defaultQuality": VALID,
            "flowDirection": REVERSE if is_reverse else FORWARD,
            **({"intervalLength": length} if length else {}),
            "kind": ENERGY,
            "powerOfTenMultiplier": 0,
            "timeAttribute": _time_attribute(self.wish),
            "uom": VAR_HOURS if quantity.is_reactive else WATT_HOURS,
        }
        inside = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
        return f'<ReadingType xmlns="{ESPI}">{inside}</ReadingType>'

    def _local_time(self) -> str:
        found = local_time(self.point.tz, min(self.wish.last, self.now.date()).year)
        return (
            f'<LocalTimeParameters xmlns="{ESPI}"><dstEndRule>{found.end_rule}</dstEndRule>'
            f"<dstOffset>{found.dst_offset_s}</dstOffset><dstStartRule>{found.start_rule}</dstStartRule>"
            f"<tzOffset>{found.tz_offset_s}</tzOffset></LocalTimeParameters>"
        )

    def _entry(self, name: str, path: str, content: str, *, up: str = "", related: Sequence[str] = ()) -> str:
        links = _link("self", path) + _link("up", up or path.rpartition("/")[0])
        links += "".join(_link("related", to) for to in related)
        return (
            f"<entry><id>urn:uuid:{self._id(name)}</id>{links}<title>{name.partition(' ')[0]}</title>"
            f'<content type="application/xml">{content}</content>'
            f"<published>{self._updated}</published><updated>{self._updated}</updated></entry>\n"
        )

    @property
    def _updated(self) -> str:
        return f"{self.now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    @property
    def _usage(self) -> str:
        return self._path("UsagePoint")

    @property
    def _reading(self) -> str:
        return f"{self._usage}/MeterReading/{self._id('MeterReading')}"

    def _path(self, name: str) -> str:
        return f"{RESOURCES}/{name}/{self._id(name)}"

    def _id(self, name: str) -> UUID:
        """The same for the same thing in every file: the point, its zone, what was asked for."""
        code, wish = self.point.code, self.wish
        if name == "UsagePoint":
            return _point_id(code)
        of = "" if name == "LocalTimeParameters" else f" {wish.quantity.name} {wish.step} {wish.basis}"
        span = f" {wish.first} {wish.after}" if name == "feed" else ""
        return uuid5(NAMESPACE_URL, f"{code} {name}{of}{span}")


def _point_id(code: str) -> UUID:
    try:
        return UUID(code)
    except ValueError:
        return uuid5(NAMESPACE_URL, code)


def _time_attribute(wish: Wish) -> int:
    if wish.step is Step.MONTH:
        return BILLING if wish.basis is Basis.BILLING else MONTHLY
    return {Step.HOUR: NONE, Step.DAY: DAILY}.get(wish.step, SPECIFIED)


def _readings(block: Sequence[ExportRow]) -> Iterator[str]:
    for _start, rows in groupby(block, key=lambda row: row.start):
        yield from (_reading(row, value_wh) for row, value_wh in _parts(list(rows)) if row.covered_s)


def _parts(rows: Sequence[ExportRow]) -> Iterator[tuple[ExportRow, int]]:
    """What a slot is made of: its zones, and what is in none; the sum where there are no zones."""
    total, *zones = rows
    in_zones = sum(row.covered_s for row in zones)
    if in_zones < total.covered_s:
        rest_wh = (total.value_wh or 0) - sum(row.value_wh or 0 for row in zones)
        yield total, rest_wh
    yield from ((row, row.value_wh or 0) for row in zones)


def _reading(row: ExportRow, value_wh: int) -> str:
    qualities = "".join(
        f"<ReadingQuality><quality>{code}</quality></ReadingQuality>" for code in _quality_codes(row)
    )
    span = _span(_seconds(row.start), _seconds(row.end))
    tou = "" if row.zone == SUM_ZONE else f"<tou>{row.zone}</tou>"
    return (
        f"<IntervalReading>{qualities}<timePeriod>{span}</timePeriod><value>{value_wh}</value>{tou}"
        "</IntervalReading>\n"
    )


def _quality_codes(row: ExportRow) -> Iterator[int]:
    """Only what differs from the reading type's default."""
    if len(row.qualities) > 1:
        yield MIXED
    elif row.quality is not Quality.MEASURED:
        yield _QUALITIES[row.quality]
    if not row.is_complete:
        yield QUESTIONABLE


def _span(start_s: int, end_s: int) -> str:
    return f"<duration>{end_s - start_s}</duration><start>{start_s}</start>"


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _link(relation: str, to: str) -> str:
    return f'<link rel="{relation}" href={quoteattr(to)}/>'


def _text(text: str) -> str:
    return escape(plain_text(text))
