"""What a person types to get at an account, checked field by field. Pure; others ask the registry.

Everything wrong is found at once, so that a person corrects a form in one go.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from lk_portal.errors import N_, FormError, InputError
from lk_portal.services.users import normal_email, normal_phone

MAX_ACCOUNT = 64
MAX_ADDRESS = 200
MAX_NAME = 200
MAX_LOGIN = 254

_FILLERS = re.compile(r"[\s\-\u2010-\u2015\u2212№]+")
_FORBIDDEN = frozenset(["Cc", "Cs", "Zl", "Zp"])
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn the direction of what follows: a name could look like another one."""


class _RefusedError(ValueError):
    """Carries an error of ours through pydantic."""

    def __init__(self, error: InputError) -> None:
        super().__init__(str(error))
        self.error = error


def compact_number(typed: str) -> str:
    """An account number without the spaces and dashes that people put into it; wide digits become plain."""
    return unicodedata.normalize("NFKC", _FILLERS.sub("", typed))


def one_line(typed: str, *, most: int) -> str:
    """What was typed into a field of one line, trimmed. Emoji and markup are text like any other.

    Raises:
        InputError: It is too long, or holds zero bytes or others that no keyboard has.
    """
    typed = typed.strip()
    if any(unicodedata.category(sign) in _FORBIDDEN or sign in _TURNS for sign in typed):
        raise InputError(N_("There are characters in it that cannot be used."))
    if len(typed) > most:
        raise InputError(N_("At most {most} characters, please."), most=most)
    return typed


def _field(*, most: int, missing: str = "", normal: Callable[[str], str] | None = None) -> AfterValidator:
    """How a text field is read; `missing` is what to say when it is empty but must not be."""

    def check(typed: str) -> str:
        try:
            text = one_line(typed, most=most)
            if missing and not text:
                raise InputError(missing)
            return normal(text) if normal else text
        except InputError as error:
            raise _RefusedError(error) from None

    return AfterValidator(check)


def _must_be_ticked(is_ticked: bool) -> bool:
    if not is_ticked:
        raise _RefusedError(InputError(N_("Without this you cannot register.")))
    return is_ticked


def _account(text: str) -> str:
    if not compact_number(text):
        raise InputError(N_("Enter the account number."))
    return text


Form = TypeVar("Form", bound="AccountForm")
Tick = Annotated[bool, AfterValidator(_must_be_ticked)]


class AccountForm(BaseModel):
    """Number and address of an account, as typed and trimmed; whether they belong together is asked later."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    account: Annotated[
        str, _field(most=MAX_ACCOUNT, missing=N_("Enter the account number."), normal=_account)
    ]
    address: Annotated[str, _field(most=MAX_ADDRESS, missing=N_("Enter the address."))]


class RegistrationForm(AccountForm):
    """A registration that is complete and well-formed; whether it fits the registry is not known yet.

    Attributes:
        email: As it is stored.
        phone: E.164.
        agreement: Ticked.
        consent: Ticked.
        document_ids: The versions that were shown beside the ticks.
        locale: The language of the page, or "".
    """

    full_name: Annotated[str, _field(most=MAX_NAME)] = ""
    email: Annotated[str, _field(most=MAX_LOGIN, missing=N_("Enter an e-mail address."), normal=normal_email)]
    phone: Annotated[str, _field(most=MAX_LOGIN, missing=N_("Enter a phone number."), normal=normal_phone)]
    agreement: Tick
    consent: Tick
    document_ids: tuple[int, ...]
    locale: str = ""


def read_form(values: Mapping[str, object]) -> RegistrationForm:
    """The form behind `values`, whatever they are.

    Raises:
        FormError: A sentence for every field that is wrong.
    """
    return _read(RegistrationForm, values)


def read_account(values: Mapping[str, object]) -> AccountForm:
    """The number and address behind `values`, whatever they are.

    Raises:
        FormError: A sentence for every field that is wrong.
    """
    return _read(AccountForm, values)


def _read(form: type[Form], values: Mapping[str, object]) -> Form:
    try:
        return form.model_validate(dict(values))
    except ValidationError as invalid:
        problems = [(str(one["loc"][0]), one.get("ctx", {}).get("error")) for one in invalid.errors()]
        raise FormError({field: _problem(field, cause) for field, cause in problems}) from None


def _problem(field: str, cause: object) -> InputError:
    """What to say beside a field; one whose type is wrong was not sent by a page of ours."""
    if isinstance(cause, _RefusedError):
        return InputError(cause.error.text, field=field, **cause.error.data)
    return InputError(field=field)
