"""From a period of events to what /diagnostics shows: texts and addresses. Pure: no state, no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from lk_portal.i18n import _, active_locale, day_text, moment_text
from lk_portal.i18n.durations import duration_text
from lk_portal.metering.types import Severity
from lk_portal.services.event_history import EventHistory
from lk_portal.services.event_pairs import Episode
from lk_portal.state.diagnostics_url import Choice, Layout, url_of
from lk_portal.state.readings_texts import period_text

PAGE_ROWS = 25
"""So many rows weigh at most 20 KB, were every one of them of another kind."""
YES = "yes"


@dataclass(frozen=True, slots=True)
class DiagnosticsView:
    """Everything /diagnostics shows of one period.

    Attributes:
        heading: The period.
        counts: How many events each group has, by the group's word in the address.
        critical: Rows of the group: id, when, kind, lasted, is_open, serial.
        warning: The same.
        info: The same.
        kinds: What rows have in common: name, meaning, advice.
        note: That not all events of the period were read; "" if they were.
        empty_title: Why there are no rows; "" if there are.
        empty_advice: What to do then.
        summary: What a screen reader hears when something new has come.
        earlier: Address of the period before.
        later: Of the one after.
        as_list: Of the same as a list.
        as_table: As a table.
        previous_page: Of the rows before these; "" if there are none.
        next_page: Of those after them.
    """

    heading: str
    counts: dict[str, str]
    critical: list[dict[str, str]]
    warning: list[dict[str, str]]
    info: list[dict[str, str]]
    kinds: dict[str, list[str]]
    note: str
    empty_title: str
    empty_advice: str
    summary: str
    earlier: str
    later: str
    as_list: str
    as_table: str
    previous_page: str
    next_page: str


def group_text(severity: Severity) -> str:
    """The name of a group of events on the screen."""
    return {
        Severity.CRITICAL: _("Critical"),
        Severity.WARNING: _("Warnings"),
        Severity.INFO: _("Informational"),
    }[severity]


def view_of(history: EventHistory, choice: Choice, *, now: datetime) -> DiagnosticsView:
    """Build the view of one period; `now` (aware UTC) tells a period that has not come from an empty one."""
    choice = replace(choice, serial=history.place.serial)
    chosen = _ordered(history.episodes, choice)
    start = (choice.page - 1) * PAGE_ROWS
    rows = chosen[start : start + PAGE_ROWS]
    kinds = _Kinds()
    shown = {
        group: [_row(one, kinds, history) for one in rows if one.severity is group] for group in Severity
    }
    counts = history.counts()
    empty_title, empty_advice = ("", "") if rows else _why_empty(history, now)
    return DiagnosticsView(
        heading=period_text(history.period),
        counts={group.value: str(counts[group]) for group in Severity},
        critical=shown[Severity.CRITICAL],
        warning=shown[Severity.WARNING],
        info=shown[Severity.INFO],
        kinds=kinds.texts,
        note=_note(history),
        empty_title=empty_title,
        empty_advice=empty_advice,
        summary=_summary(history),
        earlier=url_of(choice.at(history.period.previous())),
        later=url_of(choice.at(history.period.next())),
        as_list=url_of(replace(choice, layout=Layout.LIST)),
        as_table=url_of(replace(choice, layout=Layout.TABLE)),
        previous_page=url_of(replace(choice, page=choice.page - 1)) if choice.page > 1 else "",
        next_page=url_of(replace(choice, page=choice.page + 1)) if len(chosen) > start + PAGE_ROWS else "",
    )


def _ordered(episodes: Sequence[Episode], choice: Choice) -> list[Episode]:
    """Those of the chosen groups, the most serious first; within a group as they come, newest first."""
    return [one for group in choice.groups for one in episodes if one.severity is group]


class _Kinds:
    """Names and meanings, each of which is sent once however many rows have it."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self._known: dict[tuple[str, ...], str] = {}

    def key_of(self, episode: Episode) -> str:
        """The key of an episode's texts."""
        locale = active_locale()
        words = episode.meaning(locale)
        texts = (episode.name(locale), words.text, words.advice)
        key = self._known.setdefault(texts, str(len(self._known)))
        self.texts[key] = list(texts)
        return key


def _row(episode: Episode, kinds: _Kinds, history: EventHistory) -> dict[str, str]:
    return {
        "id": str(episode.first.event_id),
        "when": when_text(episode.first.at, ZoneInfo(history.place.timezone)),
        "kind": kinds.key_of(episode),
        "lasted": "" if episode.duration is None else duration_text(episode.duration),
        "is_open": YES if episode.is_open else "",
        "serial": episode.first.serial if history.place.has_several_meters else "",
    }


def when_text(at: datetime, zone: ZoneInfo) -> str:
    """A moment in the premises' zone; with its offset where the clock shows the same time twice."""
    local = at.astimezone(zone)
    is_repeated = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    text = moment_text(at, zone)
    return f"{text} {local:%z}" if is_repeated else text


def _why_empty(history: EventHistory, now: datetime) -> tuple[str, str]:
    zone = ZoneInfo(history.place.timezone)
    first, after = history.period.bounds(zone)
    if history.episodes:
        return _("No events of the chosen groups"), _("Tick other groups to see the rest.")
    if first > now:
        return _("This period has not come yet"), _("Choose an earlier period.")
    if after <= history.place.since:
        installed = day_text(history.place.since.astimezone(zone).date())
        return _("There was no meter yet"), _("It was installed on {day}.", day=installed)
    return _("No events in this period"), _("All is well: the meter reported nothing unusual.")


def _note(history: EventHistory) -> str:
    if history.cut_at is None:
        return ""
    return _(
        "There are very many events: the newest are shown, since {moment}. Choose a shorter interval.",
        moment=moment_text(history.cut_at, ZoneInfo(history.place.timezone)),
    )


def _summary(history: EventHistory) -> str:
    counts = history.counts()
    return ", ".join(f"{group_text(group)}: {counts[group]}" for group in Severity)
