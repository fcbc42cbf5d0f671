"""What there is to tell subscribers and has not been told yet: one query for each occasion.

For `services.notifications`. Each query goes from the news to the persons in whose cabinet the meter is, and
leaves out what `notified` has already: what comes back is small, however much the tables hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, exists, func, or_, select

from lk_portal.metering.types import Quantity
from lk_portal.models import (
    Acceptance,
    Account,
    ConsumptionLimit,
    DocumentKind,
    DocumentVersion,
    Installation,
    Meter,
    MeterEvent,
    MeteringPoint,
    MonthRollup,
    NotificationKind,
    Notified,
    Premises,
    Severity,
    User,
    Verification,
)
from lk_portal.services.meters import DUE_SOON
from lk_portal.services.owned import is_owned
from lk_portal.services.tables import table_of

WINDOW = timedelta(days=1)
"""Events that were received earlier are told no more: the portal was down for longer than news last."""
FRESH = timedelta(days=3)
"""Events that happened earlier are history, read from an archive or brought in by a file."""
AT_MOST_EVERY = timedelta(hours=1)
"""One telling per person and kind; what comes in between goes with the next."""
LATE = timedelta(days=3)
"""So long after its end a month is still looked at: its last hours may come late."""
AHEAD_OF_UTC = timedelta(hours=14)
MOST_PERSONS = 200
MOST_ROWS = 2000

SEVERITIES = {
    NotificationKind.CRITICAL_EVENT: Severity.CRITICAL,
    NotificationKind.WARNING_EVENT: Severity.WARNING,
}

_user, _account, _point = table_of(User), table_of(Account), table_of(MeteringPoint)
_premises, _placed, _meter = table_of(Premises), table_of(Installation), table_of(Meter)
_event, _verification, _month = table_of(MeterEvent), table_of(Verification), table_of(MonthRollup)
_limit, _notified = table_of(ConsumptionLimit), table_of(Notified)
_acceptance, _document = table_of(Acceptance), table_of(DocumentVersion)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a scan looks: `now` is aware UTC, `today` the utility's date."""

    now: datetime
    today: date


Query = Callable[[Moment], Select[Any]]


def events(kind: NotificationKind) -> Query:
    """Events of a severity: columns of `_about`, `occurred_at`, `timezone`."""

    def query(moment: Moment) -> Select[Any]:
        key = cast(_event.c.id, String)
        stood_there = and_(
            _placed.c.installed_at <= _event.c.occurred_at,
            or_(_placed.c.removed_at.is_(None), _placed.c.removed_at > _event.c.occurred_at),
        )
        found = (
            select(*_about(key), _event.c.occurred_at, _premises.c.timezone)
            .select_from(_event)
            .join(_placed, and_(_placed.c.meter_id == _event.c.meter_id, stood_there))
            .where(
                _event.c.severity == SEVERITIES[kind],
                _event.c.received_at > moment.now - WINDOW,
                _event.c.received_at >= _user.c.created_at,
                _event.c.occurred_at > moment.now - FRESH,
            )
        )
        return _untold(found, kind, key, moment, order=_event.c.id)

    return query


def consumption(moment: Moment) -> Select[Any]:
    """Months above a person's threshold: columns of `_about`, `month`, `total_wh`, `month_wh`."""
    times = (moment.now - LATE, moment.now, moment.now + AHEAD_OF_UTC)
    months = {time.date().replace(day=1) for time in times}
    point_and_month = cast(_point.c.id, String) + ":" + cast(_month.c.month, String)
    key = point_and_month + ":" + cast(_limit.c.month_wh, String)
    found = (
        select(*_about(key), _month.c.month, _month.c.total_wh, _limit.c.month_wh)
        .select_from(_limit)
        .join(_month, _month.c.point_id == _limit.c.point_id)
        .join(_placed, _placed.c.point_id == _limit.c.point_id)
        .where(
            _placed.c.removed_at.is_(None),
            _month.c.quantity == Quantity.A_PLUS,
            _month.c.month.in_(months),
            _month.c.total_wh > _limit.c.month_wh,
            _limit.c.user_id == _user.c.id,
        )
    )
    return _untold(found, NotificationKind.UNUSUAL_CONSUMPTION, key, moment, order=_point.c.id)


def verification(moment: Moment) -> Select[Any]:
    """Meters to be verified soon, or overdue: columns of `_about`, `due_on`, `is_overdue`.

    Soon and overdue are told once each, for each date.
    """
    order = (_verification.c.verified_on.desc(), _verification.c.due_on.desc())
    rank = func.row_number().over(partition_by=_verification.c.meter_id, order_by=order)
    # The one that was done last says when the next is due, as on the meter's card.
    next_due = (
        select(_verification.c.meter_id, _verification.c.due_on, rank.label("rank"))
        .where(_verification.c.due_on.is_not(None))
        .subquery()
    )
    is_overdue = next_due.c.due_on < moment.today
    stage = case((is_overdue, "overdue"), else_="soon")
    key = cast(_meter.c.id, String) + ":" + cast(next_due.c.due_on, String) + ":" + stage
    found = (
        select(*_about(key), next_due.c.due_on, is_overdue.label("is_overdue"))
        .select_from(next_due)
        .join(_placed, _placed.c.meter_id == next_due.c.meter_id)
        .where(
            next_due.c.rank == 1,
            _placed.c.removed_at.is_(None),
            next_due.c.due_on <= moment.today + DUE_SOON,
        )
    )
    return _untold(found, NotificationKind.VERIFICATION_DUE, key, moment, order=_meter.c.id)


def may_be_told() -> ColumnElement[bool]:
    """A person who may sign in, and who has not taken her consent to the processing of her data back."""
    consent = (
        select(_acceptance.c.id)
        .join(_document, _document.c.id == _acceptance.c.document_id)
        .where(
            _acceptance.c.user_id == _user.c.id,
            _acceptance.c.withdrawn_at.is_(None),
            _document.c.kind == DocumentKind.CONSENT,
        )
    )
    return and_(_user.c.is_active, exists(consent))


def was_told_lately(kind: NotificationKind, now: datetime) -> ColumnElement[bool]:
    """Whether a person was told of this kind within the last hour."""
    return exists().where(
        _notified.c.user_id == _user.c.id, _notified.c.kind == kind, _notified.c.at > now - AT_MOST_EVERY
    )


def _about(key: ColumnElement[str]) -> tuple[ColumnElement[Any], ...]:
    """Whom it concerns, by which key it is remembered, and what the thing is called."""
    return _user.c.id.label("user_id"), key.label("key"), _point.c.name, _meter.c.model, _meter.c.serial


def _untold(
    query: Select[Any],
    kind: NotificationKind,
    key: ColumnElement[str],
    moment: Moment,
    *,
    order: ColumnElement[Any],
) -> Select[Any]:
    """A query from an installation on to the persons it concerns; all news of a few of them at a time."""
    is_told = exists().where(
        _notified.c.user_id == _user.c.id, _notified.c.kind == kind, _notified.c.key == key
    )
    owned = (
        query.join(_meter, _meter.c.id == _placed.c.meter_id)
        .join(_point, _point.c.id == _placed.c.point_id)
        .join(_account, _account.c.id == _point.c.account_id)
        .join(_premises, _premises.c.id == _account.c.premises_id)
        .join(_user, is_owned(_user.c.subscriber_id))
        .where(may_be_told(), ~is_told, ~was_told_lately(kind, moment.now))
    )
    persons = owned.with_only_columns(_user.c.id).distinct().order_by(_user.c.id).limit(MOST_PERSONS)
    return (
        owned.where(_user.c.id.in_(persons.subquery().select())).order_by(_user.c.id, order).limit(MOST_ROWS)
    )
