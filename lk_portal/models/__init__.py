"""The tables, by area. Services read and write them; nothing above services sees them."""

from lk_portal.models.access import (
    Attempt,
    CaptchaChallenge,
    Duty,
    EmailChange,
    NotificationChoice,
    NotificationKind,
    Role,
    Theme,
    User,
    UserSession,
)
from lk_portal.models.audit import AccountClaim, AuditEntry, ClaimReason
from lk_portal.models.customer import Account, Premises, Street, Subscriber, Tariff, TariffZone
from lk_portal.models.document import Acceptance, DocumentKind, DocumentVersion
from lk_portal.models.event import MeterEvent, Severity
from lk_portal.models.letter import Letter, LetterKind, LetterStatus
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
    "Acceptance",
    "Account",
    "AccountClaim",
    "Attempt",
    "AuditEntry",
    "CaptchaChallenge",
    "ClaimReason",
    "DayRollup",
    "DocumentKind",
    "DocumentVersion",
    "Duty",
    "EmailChange",
    "Gateway",
    "Installation",
    "InstallationReading",
    "Interval",
    "Letter",
    "LetterKind",
    "LetterStatus",
    "Meter",
    "MeterConnection",
    "MeterEvent",
    "MeteringPoint",
    "MonthRollup",
    "NotificationChoice",
    "NotificationKind",
    "PointFreshness",
    "Premises",
    "ReadingReview",
    "RegisterMark",
    "RegisterReading",
    "ReviewReason",
    "Role",
    "Seal",
    "Severity",
    "Street",
    "Subscriber",
    "Table",
    "Tariff",
    "TariffZone",
    "Theme",
    "User",
    "UserSession",
    "Verification",
    "VerificationKind",
]
