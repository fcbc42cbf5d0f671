"""The outbox in words, for the utility's staff, who need to know that a letter hangs, not whose it is."""

from __future__ import annotations

from lk_portal.errors import N_
from lk_portal.letters.fields import masked_email, without_addresses
from lk_portal.models import LetterKind, LetterStatus

__all__ = ["KINDS", "STATUSES", "masked_email", "without_addresses"]

KINDS = {
    LetterKind.WELCOME: N_("First password"),
    LetterKind.RECOVERY: N_("New password"),
    LetterKind.ACCESS_GIVEN: N_("Access given"),
    LetterKind.ALREADY_REGISTERED: N_("Registered already"),
    LetterKind.CLAIM_KEPT: N_("Request passed on"),
    LetterKind.CLAIM_ACCEPTED: N_("Request accepted"),
    LetterKind.CLAIM_REFUSED: N_("Request refused"),
    LetterKind.ACCOUNT_MOVED: N_("Account given to somebody else"),
    LetterKind.EMAIL_CODE: N_("Code for an e-mail"),
    LetterKind.EMAIL_CHANGED: N_("E-mail changed"),
    LetterKind.PHONE_CHANGED: N_("Phone changed"),
    LetterKind.PASSWORD_CHANGED: N_("Password changed"),
    LetterKind.SECOND_FACTOR_DROPPED: N_("Second factor taken away"),
    LetterKind.NEW_DEVICE: N_("Sign-in from a new device"),
    LetterKind.METER_EVENT: N_("Meter event"),
    LetterKind.UNUSUAL_CONSUMPTION: N_("Unusual consumption"),
    LetterKind.VERIFICATION_DUE: N_("Verification due"),
    LetterKind.ERASED: N_("Data erased"),
    LetterKind.TICKET_ANSWERED: N_("Answer to a request"),
}
STATUSES = {
    LetterStatus.WAITING: N_("Waiting"),
    LetterStatus.SENT: N_("Sent"),
    LetterStatus.DEAD: N_("Given up"),
    LetterStatus.DROPPED: N_("Not needed"),
}
