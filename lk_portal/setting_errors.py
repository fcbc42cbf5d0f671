"""What is wrong with a setting, as errors that can be said in the reader's language. For `settings` only."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lk_portal.errors import N_, ConfigurationError, PortalError


class SettingError(PortalError, ValueError):
    """A value of a setting is refused; as a ValueError pydantic collects it with the others."""


_REASONS = {
    "int_parsing": N_("must be a whole number"),
    "float_parsing": N_("must be a number"),
    "bool_parsing": N_("must be true or false"),
    "greater_than": N_("must be more than {gt}"),
    "greater_than_equal": N_("must be at least {ge}"),
    "less_than_equal": N_("must be at most {le}"),
    "string_too_short": N_("must have at least {min_length} characters"),
    "string_too_long": N_("must have at most {max_length} characters"),
    "string_pattern_mismatch": N_("must match {pattern}"),
    "enum": N_("must be one of {expected}"),
}
"""pydantic's kinds of errors that our fields can have; the data in braces are pydantic's too."""


def refusal(error: ValidationError) -> ConfigurationError:
    """All that is wrong, as one error with others in it."""
    first, *others = (_problem(problem) for problem in error.errors())
    for other in others:
        first = PortalError("{first}; {other}", first=first, other=other)
    return ConfigurationError(detail=first)


def _problem(problem: ErrorDetails) -> PortalError:
    reason = _reason(problem)
    if not problem["loc"]:
        return reason
    name = "LK_" + "_".join(str(part) for part in problem["loc"]).upper()
    return PortalError("{name}: {reason}", name=name, reason=reason)


def _reason(problem: ErrorDetails) -> PortalError:
    known = problem.get("ctx", {})
    refused = known.get("error")
    if isinstance(refused, PortalError):
        return refused
    return PortalError(_REASONS.get(problem["type"], "{msg}"), **{"msg": problem["msg"], **known})
