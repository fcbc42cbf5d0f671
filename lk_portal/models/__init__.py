"""The tables, by area. Services read and write them; nothing above services sees them."""

from lk_portal.models.access import Role, SignInAttempt, User, UserSession
from lk_portal.models.customer import Account, Premises, Subscriber, Tariff, TariffZone
from lk_portal.models.event import MeterEvent, Severity
from lk_portal.models.metering import (
    Gateway,
    Installation,
    InstallationReading,
    Meter,
    MeterConnection,
    MeteringPoint,
    Seal,
    Verification,
    VerificationKind,
)
from lk_portal.models.reading import (
    DayRollup,
    Interval,
    MonthRollup,
    PointFreshness,
    ReadingReview,
    RegisterMark,
    RegisterReading,
    ReviewReason,
)
from lk_portal.models.types import Table

__all__ = [
    "Account",
    "DayRollup",
    "Gateway",
    "Installation",
    "InstallationReading",
    "Interval",
    "Meter",
    "MeterConnection",
    "MeterEvent",
    "MeteringPoint",
    "MonthRollup",
    "PointFreshness",
    "Premises",
    "ReadingReview",
    "RegisterMark",
    "RegisterReading",
    "ReviewReason",
    "Role",
    "Seal",
    "Severity",
    "SignInAttempt",
    "Subscriber",
    "Table",
    "Tariff",
    "TariffZone",
    "User",
    "UserSession",
    "Verification",
    "VerificationKind",
]
