"""The state of /admin/meters/[meter]/replace: what is known of the old meter, and the form."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import reflex as rx

from lk_portal.errors import NotFoundError, PortalError, by_field
from lk_portal.i18n import _, kwh, moment_text, say
from lk_portal.services.access import Role
from lk_portal.services.context import current
from lk_portal.services.quantity_texts import quantity_text, unit_of
from lk_portal.services.register_texts import register_text
from lk_portal.services.registry_rules import map_names
from lk_portal.services.replacement import Standing, replace_meter, standing
from lk_portal.services.replacement_form import FINAL, INITIAL, Register, field_of, read_replacement
from lk_portal.services.resource.writing import Author
from lk_portal.state.address_bar import named_in
from lk_portal.state.form_once import text_in
from lk_portal.state.guard import STAFF, requires, user_id, who
from lk_portal.state.opening import is_kept
from lk_portal.state.visits import visit_of

Row = dict[str, str]
FIELDS = (
    "removed_at",
    "serial",
    "model",
    "map_name",
    "installed_at",
    "ct_ratio",
    "vt_ratio",
    "keeps_line",
    "seal",
    "verified_on",
    "due_on",
)


class ReplacementState(rx.State):
    """The replacement of the meter that the address names. `final` and `initial` are the readings' fields."""

    serial: str = ""
    facts: list[Row] = []
    final: list[Row] = []
    initial: list[Row] = []
    maps: list[str] = []
    ratios: Row = {"ct_ratio": "", "vt_ratio": ""}
    is_connected: bool = False
    may_write: bool = False
    is_loaded: bool = False
    errors: Row = dict.fromkeys(FIELDS, "")
    problem: str = ""
    done: str = ""
    done_link: str = ""

    @rx.event
    @requires(*STAFF)
    async def load(self) -> Any:
        """The page was opened, or its address changed."""
        serial = named_in(self, "/admin/meters").removesuffix("/replace")
        if self.done and serial == self.serial and await is_kept(self):
            return  # the answer was lost with the connection; now it is here
        self.reset()
        self.serial = serial
        identity = who()
        self.may_write = identity is not None and identity.role is Role.ADMIN
        try:
            found = await standing(current().database, self.serial)
        except NotFoundError as error:
            self.problem = say(error)
            self.is_loaded = True
            return
        self._show(found)

    @rx.event
    @requires(Role.ADMIN)
    async def save(self, form: dict[str, Any]) -> Any:
        """The form was sent; what is wrong stands beside its field, and what was typed stays."""
        if not isinstance(form, dict) or not self.facts or self.done:
            return None
        self._say({})
        database = current().database
        try:
            found = await standing(database, self.serial)
            wanted = read_replacement(form, final=found.final, initial=found.initial, zone=found.zone)
            author = Author(user_id(), found.zone, visit_of(self))
            await replace_meter(database, serial=self.serial, replacement=wanted, author=author)
        except PortalError as error:
            self._say({name: say(one) for name, one in by_field(error).items()})
        else:
            self.done = _("The replacement is registered.")
            self.done_link = f"/admin/meters?q={quote(text_in(form, 'serial').strip(), safe='')}"
            return None
        return rx.set_focus(next((name for name, text in self._all_errors().items() if text), "problem"))

    def _show(self, found: Standing) -> None:
        known = {one.register: one for one in found.known}
        hints = {
            register: _(
                "Last: {value} {unit}, {at}",
                value=kwh(one.value_wh, digits=3),
                unit=unit_of(register[0]),
                at=moment_text(one.taken_at, found.zone),
            )
            for register, one in known.items()
        }
        self.facts = [
            {"name": _("Model"), "value": found.model},
            {"name": _("Personal account"), "value": f"{found.account}, {found.address}"},
            {"name": _("Installed"), "value": moment_text(found.installed_at, found.zone)},
            *([{"name": _("Place of installation"), "value": found.place}] if found.place else []),
        ]
        self.final = [_field(FINAL, one, hints.get(one, "")) for one in found.final]
        self.initial = [_field(INITIAL, one, "") for one in found.initial]
        self.ratios = {"ct_ratio": f"{found.ct_ratio:f}", "vt_ratio": f"{found.vt_ratio:f}"}
        self.maps, self.is_connected, self.is_loaded = map_names(), found.is_connected, True

    def _say(self, errors: Row) -> None:
        self.problem = errors.get("", "")
        self.errors = {name: errors.get(name, "") for name in FIELDS}
        self.final = [{**row, "error": errors.get(row["name"], "")} for row in self.final]
        self.initial = [{**row, "error": errors.get(row["name"], "")} for row in self.initial]

    def _all_errors(self) -> Row:
        """Every field's sentence, in the order of the form."""
        old = {"removed_at": self.errors["removed_at"], **{row["name"]: row["error"] for row in self.final}}
        new = {name: self.errors[name] for name in FIELDS[1:7]}
        return {**old, **new, **{row["name"]: row["error"] for row in self.initial}, **self.errors}


def _field(side: str, register: Register, hint: str) -> Row:
    """One reading's field: its name, label and hint."""
    quantity, zone = register
    label = f"{quantity_text(quantity)}, {register_text(zone)}, {unit_of(quantity)}"
    return {"name": field_of(side, register), "label": label, "hint": hint, "error": ""}
