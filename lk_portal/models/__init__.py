"""The tables, by area. Services read and write them; nothing above services sees them."""

from lk_portal.metering.types import Severity
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
from lk_portal.models.content import InfoKind, InfoPage
from lk_portal.models.customer import Account, Premises, Street, Subscriber, Tariff, TariffZone
from lk_portal.models.document import Acceptance, DocumentKind, DocumentVersion
from lk_portal.models.event import MeterEvent
from lk_portal.models.letter import Letter, LetterKind, LetterStatus
from lk_portal.models.metering import (
    Gateway,
    Installation,
    InstallationReading,
    Meter,
    MeterConnection,
    MeteringPoint,
    MeterLoadState,
    Seal,
    Verification,
    VerificationKind,
)
from lk_portal.models.reading import (
    DayRollup,
    Interval,
    IntervalVersion,
    MonthRollup,
    PointFreshness,
    ReadingReview,
    RegisterMark,
    RegisterReading,
    ReviewReason,
)
from lk_portal.models.seen import Section, SeenMarker
from lk_portal.models.ticket import (
    Attachment,
    AttachmentContent,
    Ticket,
    TicketCategory,
    TicketMessage,
    TicketStatus,
)
from lk_portal.models.types import Table

__all__ = [
    "Acceptance",
    "Account",
    "AccountClaim",
    "Attachment",
    "AttachmentContent",
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
    "InfoKind",
    "InfoPage",
    "Installation",
    "InstallationReading",
    "Interval",
    "IntervalVersion",
    "Letter",
    "LetterKind",
    "LetterStatus",
    "Meter",
    "MeterConnection",
    "MeterEvent",
    "MeterLoadState",
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
    "Section",
    "SeenMarker",
    "Severity",
    "Street",
    "Subscriber",
    "Table",
    "Tariff",
    "TariffZone",
    "Theme",
    "Ticket",
    "TicketCategory",
    "TicketMessage",
    "TicketStatus",
    "User",
    "UserSession",
    "Verification",
    "VerificationKind",
]
