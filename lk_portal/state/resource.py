"""The state of a resource's list, made from its declaration: a class each, as if it had been written by hand.

Every choice is in the address: search, sorting, filters, page, and the row whose form is open. The handlers
are guarded by the roles that the declaration names; what a person may not do is not offered to her, and
refused when it comes all the same.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import reflex as rx

from lk_portal.errors import FormError, NotFoundError, PortalError
from lk_portal.i18n import _, say
from lk_portal.security.tokens import hash_of
from lk_portal.services.context import current
from lk_portal.services.resource import Resource
from lk_portal.services.resource.address import (
    NEW,
    Address,
    address_of,
    export_url,
    first_page,
    row_url,
    url_of,
)
from lk_portal.services.resource.reading import begin_with, read_page, read_row
from lk_portal.services.resource.spec import REMOVE
from lk_portal.services.resource.typed import text_of
from lk_portal.services.resource.writing import (
    Author,
    ConflictError,
    act,
    change,
    create,
    remove,
    shown_references,
)
from lk_portal.state.form_once import text_in
from lk_portal.state.guard import requires, user_id, who
from lk_portal.state.opening import is_kept
from lk_portal.state.resource_texts import count_words, row_texts, sent_value, shown_value, typed_value
from lk_portal.state.visits import visit_of

MARK = "row-"
"""So begin the names of the boxes by which rows are marked."""
_states: dict[str, type[ResourceState]] = {}


class ResourceState(rx.State, mixin=True):
    """What every list shows. `rows` begin with the key, have the columns' texts, then what these lead to."""

    rows: list[list[str]] = []
    count_text: str = ""
    earlier: str = ""
    later: str = ""
    query: str = ""
    sort: str = ""
    chosen: dict[str, str] = {}
    sort_links: dict[str, str] = {}
    plain_url: str = ""
    new_url: str = ""
    csv_url: str = ""
    xlsx_url: str = ""
    problem: str = ""
    done: str = ""
    is_loaded: bool = False
    is_narrowed: bool = False
    may_write: bool = False

    row: str = ""
    row_url: str = ""
    fields: dict[str, str] = {}
    errors: dict[str, str] = {}
    form_problem: str = ""
    versions: list[list[str]] = []
    form_key: str = ""
    suggestions: dict[str, list[str]] = {}

    question: str = ""
    _known: dict[str, Any] = {}
    _to_say: str = ""
    _asked: tuple[str, list[int]] = ("", [])

    def _resource(self) -> Resource:
        raise NotImplementedError

    async def _load(self) -> Any:
        resource = self._resource()
        address = address_of(resource, dict(self.router.url.query_parameters))
        is_as_left = await is_kept(self)
        if self._to_say and is_as_left and address.row:
            # The form was saved, and the answer, which leads away from it, lost with the connection.
            return rx.redirect(self.plain_url, replace=True)
        identity = who()
        self.may_write = identity is not None and identity.role in resource.writers
        if not is_as_left:
            self._forget_question()
            self.problem = ""
        if self._to_say or not is_as_left:
            # What was done is said on the page that follows, and no longer.
            self.done, self._to_say = self._to_say, ""
        await self._list(resource, address)
        # The form that a lost connection left open has what was typed since; filling it would take that away.
        if not is_as_left or not address.row or address.row != self.row:
            await self._open(resource, address)
        self.is_loaded = True
        return None

    async def _list(self, resource: Resource, address: Address) -> None:
        portal = current()
        view = address.view
        page = await read_page(portal.database, resource, view, now=portal.clock())
        zone = portal.settings.zone
        self.rows = [[str(row.key), *row_texts(resource, row.values, zone)] for row in page.rows]
        self.count_text = count_words(page)
        at_start = first_page(view)
        self.earlier = (
            url_of(resource, Address(replace(at_start, before=page.earlier))) if page.earlier else ""
        )
        self.later = url_of(resource, Address(replace(at_start, after=page.later))) if page.later else ""
        self.query, self.sort, self.chosen = view.query, view.sort, dict(view.filters)
        self.is_narrowed = bool(view.query or view.filters)
        here = Address(view)
        self.plain_url, self.new_url = url_of(resource, here), url_of(resource, replace(here, row=NEW))
        self.row_url = row_url(resource, view)
        self.sort_links = _sort_links(resource, at_start)
        self.csv_url, self.xlsx_url = export_url(resource, view, "csv"), export_url(resource, view, "xlsx")

    async def _open(self, resource: Resource, address: Address) -> None:
        """Fill the form of the row that the address names."""
        self._forget_answers(resource)
        self.row, self._known, self.suggestions = "", {}, {one.name: [] for one in resource.form}
        if not resource.has_form or not address.row:
            return
        if address.row == NEW:
            if resource.can_create and self.may_write:
                self._begin(NEW, _defaults(resource))
            return
        try:
            self._known = await read_row(current().database, resource, _key(address.row))
        except NotFoundError:
            self.problem = _("This is not there any more.")
            return
        shown, zone = await shown_references(current().database, resource, self._known), _zone()
        fields = {one.name: text_of(one, shown[one.name], zone=zone) for one in resource.form}
        self._begin(address.row, fields)

    def _begin(self, row: str, fields: dict[str, str]) -> None:
        """Show the form of a row.

        Filled with the same once more, as by a portal that was started anew, it is the same form in the
        browser, and keeps what is being typed.
        """
        self.row, self.fields = row, fields
        self.form_key = hash_of(f"{row} {fields}")[:16]

    async def _save(self, form: dict[str, Any]) -> Any:
        """Write the form; what is wrong stands beside its field, and what was typed stays."""
        resource, row = self._resource(), self.row
        if not row or self._to_say or not isinstance(form, dict):
            return None  # what is still to be said is that this very form was saved: it was pressed twice
        self._forget_answers(resource)
        database = current().database
        try:
            if row == NEW:
                await create(database, resource, form, self._author())
            else:
                known = dict(self._known)
                await change(database, resource, _key(row), form, known=known, author=self._author())
        except FormError as error:
            self.errors = {**self.errors, **{name: say(one) for name, one in error.errors.items() if name}}
            self.form_problem = say(error.errors[""]) if "" in error.errors else ""
            return None
        except ConflictError as error:
            await self._show_versions(resource, error, form)
            return None
        except PortalError as error:
            self.form_problem = say(error)
            return None
        self._to_say = _("Saved")
        return rx.redirect(self.plain_url, replace=True)

    async def _show_versions(self, resource: Resource, error: ConflictError, form: dict[str, Any]) -> None:
        """Both versions side by side; the next "Save" is meant against the newer one."""
        shown = await shown_references(current().database, resource, error.now)
        zone = _zone()
        self.form_problem = say(error)
        self.versions = [
            [_(one.label).removesuffix("*"), shown_value(one, shown[one.name], zone), typed_value(one, form)]
            for one in resource.form
            if text_of(one, shown[one.name], zone=zone) != sent_value(one, form) and not one.is_fixed
        ]
        self._known = dict(error.now)

    def _ask(self, name: str, keys: list[int]) -> None:
        """Say what an action would do; nothing is done yet."""
        resource = self._resource()
        label, question = _action_texts(resource, name)
        if not keys:
            self.problem = _("Mark the rows first.")
        elif label:
            self._asked = (name, keys)
            self.problem = ""
            self.question = _(question, count=len(keys)) if question else f"{label}: {len(keys)}"

    async def _confirm(self) -> Any:
        """Do what was asked about."""
        resource, (name, keys) = self._resource(), self._asked
        self._forget_question()
        database = current().database
        try:
            action = resource.action(name)
            if action is not None:
                await act(database, resource, action, keys, self._author())
            elif name == REMOVE and resource.can_remove:
                await remove(database, resource, keys, self._author())
            else:
                return None
        except PortalError as error:
            self.problem = say(error)
            return None
        self._to_say = _("Done")
        return rx.redirect(self.plain_url, replace=True)

    async def _suggest(self, name: str, typed: str) -> None:
        """What a reference may be, by its beginning."""
        for one in self._resource().form:
            if one.name == name and one.reference is not None:
                found = await begin_with(current().database, one.reference.key, typed)
                self.suggestions = {**self.suggestions, name: found}

    def _forget_answers(self, resource: Resource) -> None:
        self.errors = {one.name: "" for one in resource.form}
        self.form_problem, self.versions = "", []

    def _forget_question(self) -> None:
        self.question, self._asked = "", ("", [])

    def _author(self) -> Author:
        return Author(user_id(), _zone(), visit_of(self))


def state_of(resource: Resource) -> type[ResourceState]:
    """The state class of a resource; made once."""
    if resource.name not in _states:
        name = f"{resource.name.title()}ResourceState"
        made = types.new_class(name, (ResourceState, rx.State), {}, lambda body: body.update(_body(resource)))
        _states[resource.name] = made
    return _states[resource.name]


def _body(resource: Resource) -> dict[str, Any]:
    """The handlers, which differ in who may fire them."""

    @rx.event
    @requires(*resource.readers)
    async def load(self: Any) -> Any:
        """The page was opened, or its address changed."""
        return await self._load()

    @rx.event
    @requires(*resource.readers)
    async def seek(self: Any, form: dict[str, Any]) -> Any:
        """The search was sent, or a filter chosen: go to its address."""
        return _sought(resource, form if isinstance(form, dict) else {}, self.sort)

    @rx.event
    @requires(*resource.writers)
    async def save(self: Any, form: dict[str, Any]) -> Any:
        """The form of a row was sent."""
        return await self._save(form)

    @rx.event
    @requires(*resource.writers)
    async def ask(self: Any, form: dict[str, Any]) -> None:
        """An action was chosen for the marked rows."""
        sent = form if isinstance(form, dict) else {}
        keys = [_key(name.removeprefix(MARK)) for name in sent if str(name).startswith(MARK)]
        self._ask(text_in(sent, "deed"), sorted(set(keys) - {0}))

    @rx.event
    @requires(*resource.writers)
    async def ask_one(self: Any, name: str, row: str) -> None:
        """An action was chosen for the row that is open."""
        self._ask(str(name), [_key(row)] if _key(row) else [])

    @rx.event
    @requires(*resource.writers)
    async def confirm(self: Any) -> Any:
        """The question was answered with yes."""
        return await self._confirm()

    @rx.event
    @requires(*resource.readers)
    async def cancel(self: Any) -> None:
        """The question was answered with no."""
        self._forget_question()

    @rx.event
    @requires(*resource.readers)
    async def close(self: Any) -> Any:
        """The form is given up."""
        return rx.redirect(self.plain_url or resource.route, replace=True)

    def _resource(_self: Any) -> Resource:
        return resource

    @rx.event
    @requires(*resource.writers)
    async def suggest(self: Any, name: str, typed: str) -> None:
        """Something was typed into a reference."""
        await self._suggest(str(name), str(typed))

    handlers = (load, seek, save, ask, ask_one, confirm, cancel, close, suggest)
    return {
        "__module__": __name__,
        "__doc__": f"The list at {resource.route}.",
        "_resource": _resource,
        **{one.__name__: one for one in handlers},
    }


def _sought(resource: Resource, form: Mapping[str, Any], sort: str) -> Any:
    filters = {one.name: text_in(dict(form), f"f.{one.name}") for one in resource.filters}
    query = {"q": text_in(dict(form), "q"), "sort": sort, **{f"f.{n}": v for n, v in filters.items() if v}}
    return rx.redirect(url_of(resource, address_of(resource, query)))


def _sort_links(resource: Resource, view: Any) -> dict[str, str]:
    """Where a click on the heading of a column leads, by its name: up first, then down."""
    names = [str(one.expression.key) for one in resource.columns if one.is_sortable]
    return {
        name: url_of(resource, Address(replace(view, sort=f"-{name}" if view.sort == name else name)))
        for name in names
    }


def _defaults(resource: Resource) -> dict[str, str]:
    """What stands in the form of a new row."""
    zone = _zone()
    found = {}
    for one in resource.form:
        default = resource.model.model_fields[one.name].get_default(call_default_factory=False)
        is_value = isinstance(default, str | int | float | bool) and one.reference is None
        found[one.name] = text_of(one, default if is_value else None, zone=zone)
    return found


def _action_texts(resource: Resource, name: str) -> tuple[str, str]:
    """Label and question of an action; ("", "") when there is none of this name."""
    action = resource.action(name)
    if action is not None:
        return _(action.label), action.confirm
    if name == REMOVE and resource.can_remove:
        return _("Remove"), _("Rows to be removed for good: {count}. Go on?")
    return "", ""


def _key(text: object) -> int:
    """A row's key; 0, which no row has, for what is none."""
    plain = str(text)
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 19 else 0


def _zone() -> ZoneInfo:
    return current().settings.zone
