"""What every Green Button file has: a feed, its entries, the metering point. For `services.exports` only.

All times are seconds since 1970, UTC. An id is made of what it stands for, so the same thing has the same id
in every file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid5
from xml.sax.saxutils import escape, quoteattr

from lk_portal.metering.types import Quantity
from lk_portal.services.exports.cells import plain_text
from lk_portal.services.exports.espi_time import local_time
from lk_portal.services.exports.source import ExportPoint

ATOM, ESPI = "http://www.w3.org/2005/Atom", "http://naesb.org/espi"
RESOURCES = "/espi/1_1/resource"
FOOT = "</feed>\n"

VALID, EDITED, ESTIMATED, QUESTIONABLE, MIXED = 0, 7, 8, 10, 13
"""QualityOfReading: passed the checks; by a person; by a machine; failed one, or not all there; of
several kinds."""
WATT_HOURS, VAR_HOURS = 72, 73
FORWARD, REVERSE = 1, 19
BULK_QUANTITY, DELTA_DATA = 1, 4
"""AccumulationKind: what the dials show; what was used in an interval."""
NORMAL, ENERGY = 12, 12
SECONDARY, PRIMARY = 1, 2
"""CommodityKind: as the meter counts, or behind transformers whose ratios were applied."""
ELECTRICITY, IN_SERVICE = 0, 1


@dataclass(frozen=True, slots=True)
class Feed:
    """The file of one metering point.

    Attributes:
        point: Whose readings they are.
        author: Who gives them away, the utility.
        now: Aware UTC.
    """

    point: ExportPoint
    author: str
    now: datetime

    def head(self, own: UUID, described: Iterable[str]) -> str:
        """All before the readings: the feed's own elements, then entries that describe them."""
        title = " · ".join(filter(None, (self.point.serial, self.point.name)))
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<feed xmlns="{ATOM}"><id>urn:uuid:{own}</id><title>{text(title)}</title>'
            f"<author><name>{text(self.author)}</name></author>"
            f"<updated>{self._updated}</updated>{_link('self', f'{RESOURCES}/Batch/{own}')}\n"
            f"{''.join(described)}"
        )

    def entry(
        self, own: UUID, title: str, path: str, content: str, *, up: str = "", related: Sequence[str] = ()
    ) -> str:
        """One resource at its address, with links to what it belongs to."""
        links = _link("self", path) + _link("up", up or path.rpartition("/")[0])
        links += "".join(_link("related", to) for to in related)
        return (
            f"<entry><id>urn:uuid:{own}</id>{links}<title>{text(title)}</title>"
            f'<content type="application/xml">{content}</content>'
            f"<published>{self._updated}</published><updated>{self._updated}</updated></entry>\n"
        )

    def local_time(self, year: int) -> str:
        """The entry of the premises' zone, by its rules of a year."""
        found = local_time(self.point.tz, year)
        content = (
            f'<LocalTimeParameters xmlns="{ESPI}"><dstEndRule>{found.end_rule}</dstEndRule>'
            f"<dstOffset>{found.dst_offset_s}</dstOffset><dstStartRule>{found.start_rule}</dstStartRule>"
            f"<tzOffset>{found.tz_offset_s}</tzOffset></LocalTimeParameters>"
        )
        name = "LocalTimeParameters"
        return self.entry(self.id_of(name), name, self._zone, content)

    def usage_point(self) -> str:
        """The entry of the metering point."""
        content = (
            f'<UsagePoint xmlns="{ESPI}"><ServiceCategory><kind>{ELECTRICITY}</kind></ServiceCategory>'
            f"<status>{IN_SERVICE}</status></UsagePoint>"
        )
        related = (f"{self.usage}/MeterReading", self._zone)
        return self.entry(_point_id(self.point.code), "UsagePoint", self.usage, content, related=related)

    def meter_reading(self, own: UUID, title: str, kind: UUID) -> str:
        """The entry of a series of readings, which are of the reading type `kind`."""
        path = self.reading_path(own)
        related = (f"{path}/IntervalBlock", kind_path(kind))
        up = f"{self.usage}/MeterReading"
        return self.entry(own, title, path, f'<MeterReading xmlns="{ESPI}"/>', up=up, related=related)

    def reading_type(self, own: UUID, values: Mapping[str, int]) -> str:
        """The entry that says what readings are of; `values` in the schema's order."""
        inside = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
        content = f'<ReadingType xmlns="{ESPI}">{inside}</ReadingType>'
        return self.entry(own, "ReadingType", kind_path(own), content)

    def block(self, own: UUID, reading: UUID, interval: str, readings: str) -> str:
        """An entry of readings of a series; `interval` is a `span`."""
        path = f"{self.reading_path(reading)}/IntervalBlock"
        content = f'<IntervalBlock xmlns="{ESPI}"><interval>{interval}</interval>{readings}</IntervalBlock>'
        return self.entry(own, "block", f"{path}/{own}", content, up=path)

    @property
    def usage(self) -> str:
        """The address of the metering point."""
        return f"{RESOURCES}/UsagePoint/{_point_id(self.point.code)}"

    def reading_path(self, own: UUID) -> str:
        """The address of a series of readings."""
        return f"{self.usage}/MeterReading/{own}"

    def id_of(self, name: str) -> UUID:
        """The id of a thing of this point, by whatever tells it from the others."""
        return uuid5(NAMESPACE_URL, f"{self.point.code} {name}")

    @property
    def _zone(self) -> str:
        return f"{RESOURCES}/LocalTimeParameters/{self.id_of('LocalTimeParameters')}"

    @property
    def _updated(self) -> str:
        return f"{self.now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def kind_path(own: UUID) -> str:
    """The address of a reading type."""
    return f"{RESOURCES}/ReadingType/{own}"


def direction_of(quantity: Quantity) -> int:
    """FlowDirectionKind."""
    return REVERSE if quantity in (Quantity.A_MINUS, Quantity.R_MINUS) else FORWARD


def unit_code(quantity: Quantity) -> int:
    """UnitSymbolKind."""
    return VAR_HOURS if quantity.is_reactive else WATT_HOURS


def interval_reading(
    start_s: int, duration_s: int, value_wh: int, *, qualities: Iterable[int] = (), tou: int = 0
) -> str:
    """One reading; `qualities` where they are not the reading type's own, `tou` where it is of a zone."""
    codes = "".join(f"<ReadingQuality><quality>{code}</quality></ReadingQuality>" for code in qualities)
    zone = f"<tou>{tou}</tou>" if tou else ""
    return (
        f"<IntervalReading>{codes}<timePeriod>{span(start_s, duration_s)}</timePeriod>"
        f"<value>{value_wh}</value>{zone}</IntervalReading>\n"
    )


def span(start_s: int, duration_s: int) -> str:
    """The inside of a DateTimeInterval."""
    return f"<duration>{duration_s}</duration><start>{start_s}</start>"


def seconds(at: datetime) -> int:
    """Since 1970, UTC."""
    return int(at.timestamp())


def text(written: str) -> str:
    """What somebody typed, as XML can hold it."""
    return escape(plain_text(written))


def _point_id(code: str) -> UUID:
    try:
        return UUID(code)
    except ValueError:
        return uuid5(NAMESPACE_URL, code)


def _link(relation: str, to: str) -> str:
    return f'<link rel="{relation}" href={quoteattr(to)}/>'
