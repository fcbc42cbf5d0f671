"""Points, meters, what stood where and when, and how each meter is reached."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from lk_portal.metering.types import Quantity
from lk_portal.models.types import Coded, Named, Ratio, Table, UtcTime


class VerificationKind(StrEnum):
    """Поверка: the periodic one by law, or the instrumental check on site."""

    PERIODIC = "periodic"
    INSTRUMENTAL = "instrumental"


class MeteringPoint(Table, table=True):
    """Точка учета (UsagePoint): where energy is counted. Consumption belongs to it, meters come and go."""

    __tablename__ = "metering_point"

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(max_length=64, unique=True, description="urn:uuid:...")
    account_id: int = Field(foreign_key="account.id", index=True)
    tariff_id: int | None = Field(default=None, foreign_key="tariff.id")
    name: str = Field(default="", max_length=60, description="The subscriber's own name for it")
    place: str = Field(default="", max_length=120, description="Место установки")


class Meter(Table, table=True):
    """Прибор учета: a device with a serial number. Its ratios belong to the installation."""

    __tablename__ = "meter"

    id: int | None = Field(default=None, primary_key=True)
    serial: str = Field(max_length=32, unique=True)
    model: str = Field(max_length=64, description="As on the plate, e.g. МИР С-07")
    map_name: str = Field(default="", max_length=64, description="Register map; empty: not read by us")


class Installation(Table, table=True):
    """A meter at a point from one moment to another, with its ratios (КТТ, КТН)."""

    __tablename__ = "installation"
    __table_args__ = (
        UniqueConstraint("meter_id", "installed_at"),
        UniqueConstraint("point_id", "installed_at"),
        # A meter stands at one point, and a point has one meter, at a time.
        Index(
            "uq_installation_meter_open",
            "meter_id",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
        Index(
            "uq_installation_point_open",
            "point_id",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    meter_id: int = Field(foreign_key="meter.id")
    point_id: int = Field(foreign_key="metering_point.id")
    installed_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    removed_at: datetime | None = Field(default=None, sa_column=Column(UtcTime()))
    ct_ratio: Decimal = Field(default=Decimal(1), sa_column=Column(Ratio(), nullable=False))
    vt_ratio: Decimal = Field(default=Decimal(1), sa_column=Column(Ratio(), nullable=False))


class InstallationReading(Table, table=True):
    """Initial and final register values of an installation, Wh before ratios."""

    __tablename__ = "installation_reading"

    installation_id: int = Field(foreign_key="installation.id", primary_key=True, ondelete="CASCADE")
    is_final: bool = Field(primary_key=True)
    quantity: Quantity = Field(sa_column=Column(Coded(Quantity), primary_key=True))
    zone: int = Field(primary_key=True, description="0 is the sum")
    value_wh: int = Field(sa_type=BigInteger)


class MeterLoadState(Table, table=True):
    """What a meter last said of its relay: attributes 2 and 3 of the disconnect control (class 70).

    Raw, as it was read; `services` make Состояние нагрузки of it. A meter without a relay has no row.
    """

    __tablename__ = "meter_load_state"

    meter_id: int = Field(foreign_key="meter.id", primary_key=True)
    is_output_on: bool | None = None
    control_state: int | None = Field(default=None, description="0 disconnected, 1 connected, 2 ready")
    read_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))


class Verification(Table, table=True):
    """Поверка of a meter and when the next is due."""

    __tablename__ = "verification"

    id: int | None = Field(default=None, primary_key=True)
    meter_id: int = Field(foreign_key="meter.id", index=True)
    kind: VerificationKind = Field(sa_column=Column(Named(VerificationKind), nullable=False))
    verified_on: date
    due_on: date | None = Field(default=None, index=True)


class Seal(Table, table=True):
    """Пломба on a meter."""

    __tablename__ = "seal"

    id: int | None = Field(default=None, primary_key=True)
    meter_id: int = Field(foreign_key="meter.id", index=True)
    number: str = Field(max_length=32, index=True)
    placed_on: date
    removed_on: date | None = None


class Gateway(Table, table=True):
    """One line to meters: a TCP endpoint on which one question is asked at a time."""

    __tablename__ = "gateway"
    __table_args__ = (UniqueConstraint("host", "port"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, index=True)
    protocol: str = Field(max_length=32, description="A registered adapter, e.g. modbus-tcp")
    host: str = Field(max_length=253)
    port: int = Field(ge=1, le=65535)
    timeout_s: float = Field(default=5.0, gt=0)
    is_enabled: bool = Field(default=True)


class MeterConnection(Table, table=True):
    """How a meter is reached, and how that has been going."""

    __tablename__ = "meter_connection"
    __table_args__ = (
        UniqueConstraint("gateway_id", "device_id"),
        Index("ix_meter_connection_due", "next_poll_at"),
        Index("ix_meter_connection_last_success_at", "last_success_at"),
    )

    meter_id: int = Field(foreign_key="meter.id", primary_key=True)
    gateway_id: int = Field(foreign_key="gateway.id")
    device_id: int = Field(ge=0, le=65535)
    is_enabled: bool = Field(default=True)
    options: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    interval_s: int | None = Field(default=None, description="Seconds between polls; none: the setting")
    next_poll_at: datetime | None = Field(default=None, sa_column=Column(UtcTime()))
    last_success_at: datetime | None = Field(default=None, sa_column=Column(UtcTime()))
    last_error_at: datetime | None = Field(default=None, sa_column=Column(UtcTime()))
    last_error_code: str = Field(default="", max_length=32)
    last_error: str = Field(default="", max_length=400)
    failures_in_row: int = Field(default=0)
    attempts: int = Field(default=0)
    successes: int = Field(default=0)


class PollBatch(Table, table=True):
    """A batch of the polling queue and how far it got; kept for a day, for the page that shows the queue.

    The queue itself is the jobs' own. This says the same to processes that have no part in it.
    """

    __tablename__ = "poll_batch"

    job_id: str = Field(primary_key=True, max_length=64)
    meters: int = Field(description="How many are in it")
    enqueued_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False, index=True))
    started_at: datetime | None = Field(default=None, sa_column=Column(UtcTime()))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcTime()))
    read: int = Field(default=0)
    failed: int = Field(default=0)


class ArchiveReplay(Table, table=True):
    """A wish to fill holes of a meter's data from its own archive, and what came of it.

    A meter has one that is open at a time. It is done at the meter's next successful poll from `due_at` on.
    `since` and `until` bound the holes; `outcomes` says what became of their parts (`services.replays.Part`).
    """

    __tablename__ = "archive_replay"
    __table_args__ = (
        Index("ix_archive_replay_meter_id_asked_at", "meter_id", "asked_at"),
        Index(
            "uq_archive_replay_open",
            "meter_id",
            unique=True,
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    meter_id: int = Field(foreign_key="meter.id")
    since: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    until: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    asked_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    due_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    asked_by: int | None = Field(
        default=None, foreign_key="portal_user.id", ondelete="SET NULL", description="None: the portal itself"
    )
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcTime()))
    failures: int = Field(default=0)
    tried_at: datetime | None = Field(default=None, sa_column=Column(UtcTime()))
    error_code: str = Field(default="", max_length=32)
    error: str = Field(default="", max_length=400)
    filled: int = Field(default=0, description="Intervals that were filled")
    left: int = Field(default=0, description="Intervals that were not")
    outcomes: list[dict[str, int | str]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
