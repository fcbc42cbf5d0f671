"""The portal's errors. Anyone may import this module; it imports nothing of ours.

Every error carries a message - an English message id for gettext with `{names}` - and the data that fill
it, so that the edge (page, command, letter) says it in the reader's language. Nothing below the edge
formats a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


def N_(message: str) -> str:  # noqa: N802 - gettext's customary name for "marked, translated later"
    """Mark `message` for extraction into the catalogues without translating it here."""
    return message


class PortalError(Exception):
    """Something went wrong that a person can be told in one sentence."""

    message: ClassVar[str] = N_("Something went wrong.")

    def __init__(self, message: str | None = None, **data: object) -> None:
        self.text = message or self.message
        self.data = data
        super().__init__(self.text)

    def __str__(self) -> str:
        """The English sentence, for logs."""
        return self.text.format_map(Fields(self.data))


class Fields(dict[str, object]):
    """For `format_map`: leaves a placeholder without data as it is. An incomplete sentence beats an error."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


class ConfigurationError(PortalError):
    """A setting or a data file the portal starts from is wrong. Commands exit 2."""

    message = N_("A setting is wrong: {detail}")


class InputError(PortalError):
    """What a person typed cannot be accepted; `field` names where to say so."""

    message = N_("Check what you entered.")

    def __init__(self, message: str | None = None, *, field: str = "", **data: object) -> None:
        super().__init__(message, **data)
        self.field = field


class FormError(InputError):
    """Fields are wrong; `errors` has what is wrong with each by its name, in the form's order.

    Under "" stands what is wrong with the form as a whole. As a sentence it is the first of them.
    """

    def __init__(self, errors: Mapping[str, InputError]) -> None:
        first = next(iter(errors.values()))
        super().__init__(first.text, field=first.field, **first.data)
        self.errors = dict(errors)


def by_field(error: PortalError) -> Mapping[str, PortalError]:
    """What to say beside each field; under "" what belongs beside none."""
    if isinstance(error, FormError):
        return error.errors
    return {error.field if isinstance(error, InputError) else "": error}


class NotFoundError(PortalError):
    """There is no such thing - or it is somebody else's, which must look the same."""

    message = N_("Not found")


class ConflictError(PortalError):
    """Somebody else changed the thing since it was read; nothing was written."""

    message = N_("Somebody else has changed this meanwhile.")


class AccessDeniedError(PortalError):
    """The caller may not do this."""

    message = N_("You may not do this.")


class BadCredentialsError(PortalError):
    """Login or password is wrong; never says which."""

    message = N_("Wrong login or password")


class ThrottledError(PortalError):
    """Too many attempts; `seconds` says how long to wait."""

    message = N_("Too many attempts. Try again in {seconds} s.")

    def __init__(self, *, seconds: int) -> None:
        super().__init__(seconds=seconds)
        self.seconds = seconds


class StorageError(PortalError):
    """The database could not keep what it was given; the caller may retry."""

    message = N_("The data could not be saved. Try again later.")


class MeterError(PortalError):
    """A meter could not be read. `code` is stable: stored, counted and shown."""

    code: ClassVar[str] = "meter"
    is_transient: ClassVar[bool] = False
    message = N_("The meter could not be read: {detail}")


class UnreachableError(MeterError):
    """No connection to the gateway."""

    code = "unreachable"
    is_transient = True
    message = N_("No connection to {endpoint}: {detail}")


class MeterTimeoutError(MeterError):
    """The meter did not answer in time."""

    code = "timeout"
    is_transient = True
    message = N_("No answer within {seconds} s")


class AuthFailedError(MeterError):
    """The meter refused the password."""

    code = "auth"
    message = N_("The meter refused the password")


class ProtocolError(MeterError):
    """The answer is not what the protocol allows."""

    code = "protocol"
    message = N_("Not understood: {detail}")


class DeviceError(MeterError):
    """The meter answered with a refusal; `device_code` is its own number."""

    code = "device"
    message = N_("The meter refused with code {device_code}")

    def __init__(self, device_code: int) -> None:
        super().__init__(device_code=device_code)
        self.device_code = device_code


class UnsupportedError(MeterError):
    """This meter or adapter does not have what was asked."""

    code = "unsupported"
    message = N_("Not supported: {detail}")


class DataInvalidError(MeterError):
    """The values were read but cannot be true."""

    code = "data"
    message = N_("Impossible value: {detail}")


class ClockWrongError(DataInvalidError):
    """The meter's clock is wrong, so what it says of the past belongs to other times."""

    code = "clock"
    message = N_("The meter's clock is wrong by {seconds} s, so nothing was taken from its archive")
