"""Состояние нагрузки in words: what the relay does, why the load is off, and what to do. Pure.

The sentences on the reasons are for the codes of the switching journal (СТО 34.01-5.1-006, journal 2) that
switch the load off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from lk_portal.errors import N_
from lk_portal.i18n import _, moment_text
from lk_portal.metering.types import LoadState
from lk_portal.services.load_state import Load, Story

WORDS = {
    LoadState.ON: N_("ON"),
    LoadState.OFF: N_("OFF"),
    LoadState.READY: N_("READY TO SWITCH ON"),
    LoadState.UNKNOWN: N_("NO DATA"),
}
BY_WEIGHT = (LoadState.OFF, LoadState.READY, LoadState.UNKNOWN, LoadState.ON)
"""What a person should see first."""

_ASK = N_(
    "Only the utility can allow it to be switched on again. Ask in the section Support, or call the utility."
)
_LESS = N_(
    "Switch some appliances off. When the meter allows it, switch the load on with its button; if it does "
    "not, ask in the section Support."
)
_DANGER = N_(
    "Do not switch it on yourself: there may be a fault. Switch the appliances off and ask in the section "
    "Support."
)
_WAIT = N_(
    "The meter switches the load on by itself, or allows it, when that is over. If it lasts, ask in the "
    "section Support."
)
_BUTTON = N_("Switch the load on with the button on the meter.")
REASONS = {
    3: (N_("The utility has switched the load off."), _ASK),
    6: (N_("The load was switched off with the button on the meter."), _BUTTON),
    8: (N_("The appliances took more power than is allowed."), _LESS),
    9: (N_("The current was higher than is allowed."), _LESS),
    10: (N_("There was a magnet near the meter."), _ASK),
    11: (N_("The voltage in the network was too high."), _WAIT),
    13: (N_("There was a current without a voltage: something is wrong with the wiring."), _DANGER),
    14: (N_("The currents in the wires differ: there may be a leak."), _DANGER),
    15: (N_("The meter became too hot."), _DANGER),
    18: (N_("The cover of the meter was opened."), _ASK),
    19: (N_("The limit of energy for the tariff is used up."), _ASK),
    25: (N_("The meter switched the load off by the rules that the utility has set."), _ASK),
    28: (N_("The load was switched off with the lock on the meter."), _ASK),
}
UNKNOWN_REASON = N_("The meter has not told the reason.")
NOTHING_KNOWN = N_("The meter has no load relay, or has not told its state lately.")
PRESS = N_("It is allowed to switch the load on: press the button on the meter.")


def word_of(state: LoadState) -> str:
    """ВКЛЮЧЕНО, ОТКЛЮЧЕНО, РАЗРЕШЕНО ВКЛЮЧЕНИЕ or НЕТ ДАННЫХ."""
    return _(WORDS[state])


def time_text(load: Load, zone: ZoneInfo) -> str:
    """When the meter said so, in the premises' zone; "" when it never did."""
    if load.read_at is None:
        return ""
    moment = moment_text(load.read_at, zone)
    if load.state is LoadState.UNKNOWN:
        return _("The last answer is of {moment}", moment=moment)
    return _("as of {moment}", moment=moment)


def reason_text(load: Load, story: Story, zone: ZoneInfo) -> str:
    """Why the load is off, or nothing is known; "" when it is on."""
    if load.state is LoadState.ON:
        return ""
    if load.state is LoadState.UNKNOWN:
        return _(NOTHING_KNOWN)
    if story.off is None:
        return _(UNKNOWN_REASON)
    sentence = _(REASONS[story.off.code][0])
    return f"{moment_text(story.off.at, zone)}: {sentence}"


def advice_text(load: Load, story: Story) -> str:
    """What to do about it; "" when there is nothing to do."""
    if load.state is LoadState.READY:
        return _(PRESS)
    if load.state is LoadState.OFF:
        return _(REASONS[story.off.code][1] if story.off else _ASK)
    return ""


def summary_of(loads: Sequence[Load]) -> tuple[str, str]:
    """The states of several meters: the one to look at first, and all of them in words; ("", "") for none."""
    counted = Counter(load.state for load in loads)
    present = [state for state in BY_WEIGHT if counted[state]]
    if len(loads) == 1:
        return present[0].value, word_of(present[0])
    words = [f"{word_of(state)} — {counted[state]}" for state in present]
    return (present[0].value if present else ""), ", ".join(words)
