"""Why a meter could not be read, in words for the utility's staff. Message ids by `MeterError.code`."""

from __future__ import annotations

from lk_portal.errors import N_
from lk_portal.i18n import _

KINDS = {
    "unreachable": N_("No connection to the gateway"),
    "timeout": N_("The meter did not answer in time"),
    "auth": N_("The meter did not accept the password"),
    "protocol": N_("The answer was not understood"),
    "device": N_("The meter refused to answer"),
    "unsupported": N_("It cannot be read in this way"),
    "data": N_("Impossible values came"),
    "clock": N_("The meter's clock is wrong"),
}
"""What happened, short."""

ADVICE = {
    "unreachable": N_(
        "Look whether the gateway has power and a network, and whether host and port are right."
    ),
    "timeout": N_("Look whether the meter has power, and whether its address on the line is right."),
    "auth": N_("Look at the meter's password in the settings of its connection."),
    "protocol": N_("Look whether the protocol is right, and whether something disturbs the line."),
    "device": N_("Look whether the register map is the one of this model."),
    "unsupported": N_("Look at the protocol, the address on the line and the register map."),
    "clock": N_("Set the meter's clock right; until then nothing is taken from its archive."),
    "data": N_("Nothing was counted. Compare the meter's display with the readings."),
}
"""What to do about it."""


def kind_text(code: str) -> str:
    """What happened; "" for nothing, and a code without words as it is."""
    return _(KINDS[code]) if code in KINDS else code


def advice_text(code: str) -> str:
    """What to do; "" for nothing and for codes without advice."""
    return _(ADVICE[code]) if code in ADVICE else ""
