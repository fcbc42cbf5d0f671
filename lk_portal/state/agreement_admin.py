"""The states of /admin/agreement and of the form of a new version: versions, who accepted which, a search."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import reflex as rx

from lk_portal.i18n import _, moment_text, ngettext
from lk_portal.security.navigation import ADMIN_AGREEMENT, CONSENTS_EXPORT
from lk_portal.services import consents, documents
from lk_portal.services.access import Role
from lk_portal.services.consents import MAX_SEARCH, Deed, Person, Tally, Wish
from lk_portal.services.context import current
from lk_portal.services.documents import DocumentKind
from lk_portal.state.flash import flash_of
from lk_portal.state.form_once import is_ticked, text_in
from lk_portal.state.guard import STAFF, requires, who
from lk_portal.state.info_editor import draft_key
from lk_portal.state.info_texts import ROUTE

CONSENTS = "consents"
FORM = "info"
MAX_ID_DIGITS = 12


class AgreementAdminState(rx.State):
    """The versions with how many agree; in the other tab the people, a page of them."""

    is_loaded: bool = False
    may_write: bool = False
    tab: str = "versions"
    done: str = ""
    versions: list[dict[str, str]] = []
    rows: list[dict[str, str]] = []
    query: str = ""
    is_owing: bool = False
    further: str = ""
    back: str = ""
    export: str = ""

    @rx.event
    @requires(*STAFF)
    async def load(self) -> None:
        """The page was opened, or its address changed: ?tab=consents, q=, owing=1, after=."""
        query = dict(self.router.url.query_parameters)
        identity = who()
        self.may_write = identity is not None and identity.role is Role.ADMIN
        self.tab = CONSENTS if query.get("tab", "") == CONSENTS else "versions"
        self.done = (
            _("The new version is published.") if query.get("published", "") in set(DocumentKind) else ""
        )
        if self.tab == CONSENTS:
            await self._show_people(query)
        else:
            await self._show_versions()
        self.is_loaded = True

    @rx.event
    @requires(*STAFF)
    async def search(self, form: dict[str, object]):  # type: ignore[no-untyped-def]
        """The question was sent ("Показать"): go to its address."""
        typed = form if isinstance(form, dict) else {}
        return rx.redirect(_address(Wish(_asked(text_in(typed, "q")), is_ticked(typed, "owing"))))

    async def _show_versions(self) -> None:
        database = current().database
        people = await consents.subscribers(database)
        self.versions = [_version_row(one, people) for one in _marked(await consents.tallies(database))]

    async def _show_people(self, query: dict[str, str]) -> None:
        wish = Wish(_asked(query.get("q", "")), query.get("owing", "") == "1")
        after = query.get("after", "")
        place = int(after) if after.isascii() and after.isdecimal() and len(after) <= MAX_ID_DIGITS else 0
        found, has_more = await consents.people(current().database, wish, after=place)
        self.query, self.is_owing = wish.search, wish.is_owing_only
        self.rows = [_person_row(one) for one in found]
        own = _address(wish)
        self.back = own if place else ""
        self.further = f"{own}&after={found[-1].user_id}" if has_more else ""
        self.export = f"{CONSENTS_EXPORT}?q={quote(wish.search, safe='')}" + (
            "&owing=1" if wish.is_owing_only else ""
        )


class AgreementNewState(rx.State):
    """What the form of a document's next version begins with: the words in force."""

    is_loaded: bool = False
    draft_key: str = ""
    problem: str = ""
    kind: str = ""
    name: str = ""
    version: str = ""
    title: str = ""
    text: str = ""

    @rx.event
    @requires(Role.ADMIN)
    async def load(self) -> None:
        """The page was opened: /admin/agreement/new, perhaps with ?kind=consent."""
        self.reset()
        asked = self.router.url.query_parameters.get("kind", "")
        kind = DocumentKind(asked) if asked in set(DocumentKind) else DocumentKind.AGREEMENT
        found = await documents.of_version(current().database, kind)
        self.kind, self.name, self.version = kind.value, kind_text(kind), str(found.version)
        self.title, self.text = found.title, found.text
        self.draft_key = draft_key(f"document:{kind.value}")
        self.problem = flash_of(self, FORM).message
        self.is_loaded = True


def kind_text(kind: DocumentKind) -> str:
    """What a document is called."""
    return {
        DocumentKind.AGREEMENT: _("User agreement"),
        DocumentKind.CONSENT: _("Consent to processing personal data"),
    }[kind]


def _marked(found: tuple[Tally, ...]) -> list[tuple[Tally, bool]]:
    """Each version with whether it is in force: the first of its kind."""
    newest = {one.kind: one.version for one in reversed(found)}
    return [(one, newest[one.kind] == one.version) for one in found]


def _version_row(marked: tuple[Tally, bool], people: int) -> dict[str, str]:
    one, is_in_force = marked
    agreed = ngettext("{count} subscriber agrees", "{count} subscribers agree", one.agreed)
    return {
        "kind": kind_text(one.kind),
        "version": _("Version {number}", number=one.version),
        "title": one.title,
        "time": moment_text(one.published_at, current().settings.zone),
        "link": f"{ROUTE}/{one.kind.value}?version={one.version}",
        "is_in_force": "1" if is_in_force else "",
        "agreed": _("{agreed} of {count}", agreed=agreed, count=people) if is_in_force else agreed,
    }


def _person_row(one: Person) -> dict[str, str]:
    return {
        "id": str(one.user_id),
        "name": one.name,
        "email": one.email,
        "agreement": _deed_text(one.agreement),
        "consent": _deed_text(one.consent),
    }


def _deed_text(deed: Deed | None) -> str:
    if deed is None:
        return _("not accepted")
    zone = current().settings.zone
    if deed.withdrawn_at is not None:
        return _(
            "version {number}, withdrawn {time}",
            number=deed.version,
            time=moment_text(deed.withdrawn_at, zone),
        )
    return _("version {number}, {time}", number=deed.version, time=moment_text(deed.accepted_at, zone))


def _asked(text: str) -> str:
    return " ".join(text.split())[:MAX_SEARCH]


def _address(wish: Wish) -> str:
    query = {"tab": CONSENTS}
    if wish.search:
        query["q"] = wish.search
    if wish.is_owing_only:
        query["owing"] = "1"
    return f"{ADMIN_AGREEMENT}?{urlencode(query)}"
