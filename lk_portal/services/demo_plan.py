"""What the demo utility consists of: people, addresses, points, meters, lines and journal entries.

For the demo's seeding and its simulated meters. All of it is invented but the card of the first meter, which
is the one in the customer's manual. Nothing here may be used with real data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lk_portal.metering.types import Quantity
from lk_portal.models import Role, Severity

ZONE = ZoneInfo("Asia/Omsk")
UTC_OFFSET = timedelta(hours=6)
MONTHS_OF_HISTORY = 13
MODEL = "МИР С-07"
ONE_REGISTER = "eastron-sdm630"
WITH_ARCHIVE = "simulated-profile"
"""The holes of its history can be fetched from its archive, on the page of its connection."""
_USED = (Quantity.A_PLUS, Quantity.R_PLUS)
TWO_TARIFFS = "schneider-iem3155"
INSTALLED_ON = date(2020, 1, 21)
NEIGHBOURS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoUser:
    """A login of the demo; printed at its start, so worth nothing anywhere else."""

    email: str
    password: str
    role: Role
    name: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoMeter:
    """A device; `map_name` is what its simulation speaks.

    Attributes:
        serial: Its load curve follows from it.
        map_name: Register map.
        quantities: What its history is made for; it is polled for all four.
        seal: Number of the seal.
        verified_on: Both verifications, periodic and instrumental.
        due_on: The next one.
    """

    serial: str
    map_name: str = ONE_REGISTER
    quantities: tuple[Quantity, ...] = tuple(Quantity)
    seal: str = ""
    verified_on: date = date(2020, 6, 24)
    due_on: date = date(2036, 6, 24)

    @property
    def zones(self) -> tuple[int, ...]:
        """Its registers of A+: the sum and its own tariffs."""
        return (0, 1, 2) if self.map_name == TWO_TARIFFS else (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPoint:
    """A metering point; with two meters the second took the first one's place in mid-year."""

    code: str
    name: str
    place: str
    meters: tuple[DemoMeter, ...]
    has_two_zones: bool = False
    has_holes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAccount:
    """A personal account with its address."""

    number: str
    street: str
    house: str
    flat: str = ""
    note: str = ""
    amenities: str = "Газовая плита"
    points: tuple[DemoPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSubscriber:
    """A person with accounts, and a login where the demo has one."""

    full_name: str
    user: DemoUser | None = None
    accounts: tuple[DemoAccount, ...]


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """A journal entry so many days before the seeding, at a local time."""

    serial: str
    days_ago: int
    at: time
    journal: int
    code: int
    severity: Severity

    def occurred_at(self, now: datetime) -> datetime:
        """The moment, aware, for a seeding at `now`."""
        day = now.astimezone(ZONE).date() - timedelta(days=self.days_ago)
        return datetime.combine(day, self.at, ZONE)


@dataclass(frozen=True, slots=True)
class DemoRelay:
    """What the relay of a meter says; the others have none."""

    serial: str
    is_output_on: bool
    control_state: int


@dataclass(frozen=True, slots=True)
class DemoLine:
    """A gateway and the meters behind it, in the order of their addresses from 1 on."""

    name: str
    protocol: str
    serials: tuple[str, ...]


DEMO_USER = DemoUser(
    email="demo@energomir.example",
    password="Demo-2026-lk",  # noqa: S106 - printed at the demo's start
    role=Role.SUBSCRIBER,
    name="Климова Мария Андреевна",
    phone="+79130000001",
)
SECOND_USER = DemoUser(
    email="second@energomir.example",
    password="Second-2026-lk",  # noqa: S106
    role=Role.SUBSCRIBER,
    name="Орлов Павел Сергеевич",
    phone="+79130000002",
)
OPERATOR = DemoUser(
    email="operator@energomir.example",
    password="Operator-2026-lk",  # noqa: S106
    role=Role.OPERATOR,
    name="Белова Ольга (оператор)",
    phone="+79130000003",
)
ADMIN = DemoUser(
    email="admin@energomir.example",
    password="Admin-2026-lk",  # noqa: S106
    role=Role.ADMIN,
    name="Зайцев Игорь (администратор)",
    phone="+79130000004",
)
USERS = (DEMO_USER, OPERATOR, ADMIN, SECOND_USER)

TWO_ZONE_METER = DemoMeter(serial="44103814060174", map_name=TWO_TARIFFS, seal="ВМ 234798")
REPLACED_METER = DemoMeter(serial="44103811020517", seal="ВМ 118203", due_on=date(2026, 6, 24))
REPLACING_METER = DemoMeter(
    serial="44103826011957", seal="ВМ 301146", verified_on=date(2026, 2, 3), due_on=date(2042, 2, 3)
)
HOLES_METER = DemoMeter(serial="44103814060188", map_name=WITH_ARCHIVE, quantities=_USED, seal="ВМ 234811")
SECOND_METER = DemoMeter(serial="44103814060235", seal="ВМ 234902")

_DEMO_SUBSCRIBER = DemoSubscriber(
    full_name=DEMO_USER.name,
    user=DEMO_USER,
    accounts=(
        DemoAccount(
            number="13225468216",
            street="ул.Садовая",
            house="5 А",
            points=(
                DemoPoint(
                    code="urn:uuid:1c1fb8b0-1f3f-ed11-b239-00155daa9a05",
                    name="",
                    place="Внутреннее (в здании)",
                    meters=(TWO_ZONE_METER,),
                    has_two_zones=True,
                ),
            ),
        ),
        DemoAccount(
            number="13225468324",
            street="СНТ Заречное, 3-я аллея",
            house="17",
            note="Дача",
            amenities="Электрическая плита",
            points=(
                DemoPoint(
                    code="urn:uuid:2a7e04d2-1f3f-ed11-b239-00155daa9a05",
                    name="Дом",
                    place="Наружное (на опоре)",
                    meters=(REPLACED_METER, REPLACING_METER),
                ),
                DemoPoint(
                    code="urn:uuid:5b90c3e6-1f3f-ed11-b239-00155daa9a05",
                    name="Баня",
                    place="Внутреннее (в здании)",
                    meters=(HOLES_METER,),
                    has_holes=True,
                ),
            ),
        ),
    ),
)
_SECOND_SUBSCRIBER = DemoSubscriber(
    full_name=SECOND_USER.name,
    user=SECOND_USER,
    accounts=(
        DemoAccount(
            number="13225468417",
            street="ул.Садовая",
            house="7",
            points=(
                DemoPoint(
                    code="urn:uuid:7d34f1a8-1f3f-ed11-b239-00155daa9a05",
                    name="",
                    place="Внутреннее (в здании)",
                    meters=(SECOND_METER,),
                ),
            ),
        ),
    ),
)
_FAMILIES = ("Абрамов", "Быков", "Власов", "Громов", "Данилов", "Ершов", "Жуков", "Ильин", "Кузьмин", "Лапин")
_GIVEN = ("Алексей Иванович", "Виктор Олегович")


def _neighbour(number: int) -> DemoSubscriber:
    serial = f"441038140603{number:02}"
    point = DemoPoint(
        code=f"urn:uuid:9e2c0000-1f3f-ed11-b239-00155daa{number:04x}",
        name="",
        place="Внутреннее (в здании)",
        meters=(DemoMeter(serial=serial, seal=f"ВМ 2350{number:02}", quantities=_USED),),
    )
    account = DemoAccount(
        number=f"132254690{number:02}", street="ул.Садовая", house="12", flat=str(number), points=(point,)
    )
    name = f"{_FAMILIES[(number - 1) % len(_FAMILIES)]} {_GIVEN[(number - 1) // len(_FAMILIES)]}"
    return DemoSubscriber(full_name=name, accounts=(account,))


SUBSCRIBERS = (
    _DEMO_SUBSCRIBER,
    _SECOND_SUBSCRIBER,
    *(_neighbour(number) for number in range(1, NEIGHBOURS + 1)),
)
_NEIGHBOUR_SERIALS = tuple(one.accounts[0].points[0].meters[0].serial for one in SUBSCRIBERS[2:])
DUE_SOON, DUE_IN = _NEIGHBOUR_SERIALS[4], timedelta(days=24)
"""A neighbour's meter whose verification comes due, and how soon after the demo's first start."""
LINES = (
    DemoLine(
        "ТП-12, ул.Садовая",
        "modbus-tcp",
        (TWO_ZONE_METER.serial, SECOND_METER.serial, *_NEIGHBOUR_SERIALS[:10]),
    ),
    DemoLine("ТП-31, СНТ Заречное", "modbus-tcp", (REPLACING_METER.serial, HOLES_METER.serial)),
    DemoLine("ул.Садовая, 12, подъезд 2", "modbus-rtu-over-tcp", _NEIGHBOUR_SERIALS[10:]),
)

_C, _W, _I = Severity.CRITICAL, Severity.WARNING, Severity.INFO
EVENTS = (
    DemoEvent(TWO_ZONE_METER.serial, 1, time(7, 48, 37), 0, 19, _W),
    DemoEvent(TWO_ZONE_METER.serial, 1, time(7, 48, 41), 0, 20, _I),
    DemoEvent(TWO_ZONE_METER.serial, 4, time(20, 11, 30), 2, 8, _C),
    DemoEvent(TWO_ZONE_METER.serial, 4, time(20, 16, 42), 2, 20, _I),
    DemoEvent(TWO_ZONE_METER.serial, 6, time(2, 0, 9), 3, 68, _I),
    DemoEvent(TWO_ZONE_METER.serial, 9, time(5, 2, 41), 7, 1, _I),
    DemoEvent(TWO_ZONE_METER.serial, 13, time(10, 5, 12), 4, 3, _C),
    DemoEvent(TWO_ZONE_METER.serial, 13, time(10, 26, 3), 3, 65, _I),
    DemoEvent(TWO_ZONE_METER.serial, 17, time(18, 30, 55), 1, 17, _W),
    DemoEvent(TWO_ZONE_METER.serial, 17, time(18, 52, 20), 1, 18, _I),
    DemoEvent(TWO_ZONE_METER.serial, 33, time(6, 40, 2), 0, 1, _W),
    DemoEvent(TWO_ZONE_METER.serial, 33, time(8, 3, 18), 0, 2, _I),
    DemoEvent(TWO_ZONE_METER.serial, 48, time(13, 20, 31), 2, 3, _C),
    DemoEvent(TWO_ZONE_METER.serial, 48, time(16, 2, 7), 2, 5, _I),
    DemoEvent(TWO_ZONE_METER.serial, 48, time(16, 20, 44), 2, 7, _I),
    DemoEvent(HOLES_METER.serial, 3, time(9, 14, 26), 7, 9, _C),
    DemoEvent(REPLACING_METER.serial, 7, time(22, 9, 17), 0, 9, _W),
    DemoEvent(REPLACING_METER.serial, 7, time(23, 41, 50), 0, 10, _I),
    DemoEvent(TWO_ZONE_METER.serial, 2, time(18, 42, 10), 0, 9, _W),
    DemoEvent(TWO_ZONE_METER.serial, 2, time(19, 5, 51), 0, 10, _I),
    DemoEvent(TWO_ZONE_METER.serial, 9, time(3, 14, 2), 0, 27, _W),
    DemoEvent(TWO_ZONE_METER.serial, 9, time(5, 2, 40), 0, 28, _I),
    DemoEvent(TWO_ZONE_METER.serial, 41, time(12, 30, 0), 0, 7, _W),
    DemoEvent(TWO_ZONE_METER.serial, 41, time(12, 33, 27), 0, 8, _I),
    DemoEvent(HOLES_METER.serial, 12, time(8, 0, 5), 0, 27, _W),
    DemoEvent(HOLES_METER.serial, 12, time(9, 20, 44), 0, 28, _I),
    DemoEvent(HOLES_METER.serial, 63, time(16, 8, 19), 0, 9, _W),
    DemoEvent(HOLES_METER.serial, 63, time(17, 41, 3), 0, 10, _I),
    DemoEvent(HOLES_METER.serial, 1, time(19, 12, 40), 2, 8, Severity.CRITICAL),
    DemoEvent(HOLES_METER.serial, 1, time(19, 27, 40), 2, 5, _I),
    DemoEvent(REPLACING_METER.serial, 20, time(21, 15, 33), 0, 7, _W),
    DemoEvent(REPLACING_METER.serial, 20, time(21, 16, 2), 0, 8, _I),
    DemoEvent(SECOND_METER.serial, 5, time(7, 25, 48), 0, 9, _W),
    DemoEvent(SECOND_METER.serial, 5, time(7, 52, 11), 0, 10, _I),
)
RELAYS = (
    DemoRelay(TWO_ZONE_METER.serial, is_output_on=True, control_state=1),
    DemoRelay(HOLES_METER.serial, is_output_on=False, control_state=2),
)
"""One that is on, and one that may be switched on after it was off: its journal tells why."""


def history_start(now: datetime) -> datetime:
    """Local midnight of the first day of the month `MONTHS_OF_HISTORY` before the one of `now`."""
    return _month_before(now, MONTHS_OF_HISTORY)


def replaced_at(now: datetime) -> datetime:
    """When the replaced meter went: on the twelfth of a month half a year before `now`, in the forenoon."""
    return _month_before(now, 6) + timedelta(days=11, hours=11, minutes=20)


def _month_before(now: datetime, months: int) -> datetime:
    local = now.astimezone(ZONE)
    year, month = divmod(local.year * 12 + local.month - 1 - months, 12)
    return datetime(year, month + 1, 1, tzinfo=ZONE)
