"""The handlers of /register and /recover, fired in this process, as the pages of several tabs do."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import reflex as rx
from reflex.event import Event
from reflex.istate.data import RouterData
from sqlalchemy import select

from lk_portal.models import CaptchaChallenge, DocumentKind, Letter, User
from lk_portal.services import documents
from lk_portal.services.access import Role
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit
from lk_portal.state import form_once
from lk_portal.state.captcha import CaptchaState
from lk_portal.state.guard import acting_as
from lk_portal.state.opening import OpeningMiddleware
from lk_portal.state.recover import RecoverState
from lk_portal.state.register import RegisterState
from tests.integration.services.registering import EMAIL, Office
from tests.unit.state.people import NOW, People, client_state, come_from

pytestmark = pytest.mark.usefixtures("application")


@dataclass
class Tab:
    """One open page: its states, and the fields as its browser sends them."""

    people: People
    root: rx.State
    state: Any
    captcha: CaptchaState
    fields: dict[str, object]

    async def digits(self) -> str:
        table = table_of(CaptchaChallenge)
        async with self.people.database.reading() as connection:
            query = select(table.c.answer).where(table.c.id == self.captcha._challenge)
            return str(await connection.scalar(query))

    async def form(self, **changes: object) -> dict[str, object]:
        return {
            **self.fields,
            "captcha": await self.digits(),
            "attempt": self.state.attempt,
            **changes,
        }

    async def send(self, **changes: object) -> list[Any]:
        return await self.fire(await self.form(**changes))

    async def fire(self, form: Any) -> list[Any]:
        return [event async for event in type(self.state).submit.fn(self.state, form)]

    def said(self) -> dict[str, str]:
        return {place: text for place, text in self.state.errors.items() if text}


@pytest.fixture
async def office(people: People, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setattr(form_once, "ANSWER_S", 0.0)
    made = Office(people.database, people.portal.settings)
    await made.open_account()
    return made


async def open_tab(
    people: People, page: type[rx.State], fields: dict[str, object], *, client: str = "tab"
) -> Tab:
    root = client_state("")
    root.router = RouterData.from_router_data({**root.router_data, "token": client})
    state = await root.get_state(page)
    captcha = await root.get_state(CaptchaState)
    await page.load.fn(state)  # type: ignore[attr-defined]
    return Tab(people, root, state, captcha, fields)


@pytest.fixture
async def tab(people: People, office: Office) -> AsyncIterator[Tab]:
    """/register, filled in well."""
    fields = {
        "account": office.number,
        "address": "Омск, ул. Мира, 5",
        "full_name": "Петров Петр",
        "email": EMAIL,
        "phone": "8 913 123-45-67",
        "agreement": "on",
        "consent": "on",
    }
    yield await open_tab(people, RegisterState, fields)


@pytest.fixture
async def recover_tab(people: People, office: Office) -> Tab:
    await office.a_user(EMAIL)
    return await open_tab(people, RecoverState, {"email": EMAIL})


def focuses(events: list[Any], field: str) -> bool:
    """Whether the answer puts the focus on a field."""
    return f"ref_{field}" in str(events[-1])


async def test_a_good_form_is_taken(tab: Tab, office: Office) -> None:
    assert tab.state.editions["agreement"]

    events = await tab.send()

    assert (tab.state.outcome, tab.state.sent_to, tab.said()) == ("letter_sent", EMAIL, {})
    assert "24" in tab.state.how_long
    assert len(await office.rows(User)) == 1
    assert focuses(events, "done")


async def test_a_double_click_registers_once(tab: Tab, office: Office) -> None:
    form = await tab.form()

    await tab.fire(form)
    await tab.fire(form)

    assert (tab.state.outcome, tab.said(), tab.state.problem) == ("letter_sent", {}, "")
    assert len(await office.rows(Letter)) == 1


async def test_a_double_click_on_a_wrong_form_says_what_was_wrong(tab: Tab) -> None:
    form = await tab.form(address="Омск, Мира, 6")

    await tab.fire(form)
    await tab.fire(form)

    assert list(tab.said()) == ["match"]
    assert tab.state.problem == ""


async def test_the_corrected_form_is_taken(tab: Tab) -> None:
    await tab.send(address="Омск, Мира, 6")
    assert list(tab.said()) == ["match"]

    await tab.send()

    assert (tab.state.outcome, tab.said()) == ("letter_sent", {})


async def test_wrong_fields_keep_the_picture(tab: Tab) -> None:
    picture = tab.captcha.picture

    events = await tab.send(email="x", phone="", captcha="")

    assert list(tab.said()) == ["email", "phone", "captcha"]
    assert focuses(events, "email")
    assert tab.captcha.picture == picture


async def test_a_refused_match_brings_another_picture(tab: Tab) -> None:
    picture = tab.captcha.picture

    events = await tab.send(account="1")

    assert focuses(events, "account")
    assert tab.captcha.picture
    assert tab.captcha.picture != picture


async def test_wrong_digits(tab: Tab, office: Office) -> None:
    await tab.send(captcha="000000x")

    assert list(tab.said()) == ["captcha"]
    assert not await office.rows(User)
    await tab.send()
    assert tab.state.outcome == "letter_sent"


async def test_a_picture_that_is_too_old(tab: Tab, people: People, office: Office) -> None:
    form = await tab.form()
    people.wait(timedelta(minutes=6))

    await tab.fire(form)

    assert list(tab.said()) == ["captcha"]
    assert not await office.rows(User)


@pytest.mark.parametrize("box", ["agreement", "consent"])
@pytest.mark.parametrize("value", ["", "off", False, None, 1])
async def test_an_unticked_box(tab: Tab, office: Office, box: str, value: object) -> None:
    await tab.send(**{box: value})

    assert list(tab.said()) == [box]
    assert not await office.rows(User)


async def test_the_button_follows_both_boxes(tab: Tab) -> None:
    await RegisterState.tick.fn(tab.state, "agreement", True)
    assert (tab.state.is_agreement_ticked, tab.state.is_consent_ticked) == (True, False)
    await RegisterState.tick.fn(tab.state, "consent", True)
    await RegisterState.tick.fn(tab.state, "agreement", False)
    assert (tab.state.is_agreement_ticked, tab.state.is_consent_ticked) == (False, True)
    await RegisterState.tick.fn(tab.state, "role", True)
    await RegisterState.tick.fn(tab.state, "agreement", "yes")
    assert tab.state.is_agreement_ticked is False


async def test_two_tabs_have_pictures_of_their_own(people: People, tab: Tab, office: Office) -> None:
    other = await open_tab(people, RegisterState, tab.fields, client="other")
    digits = await other.digits()

    await tab.send(captcha=digits)
    await other.send()

    assert (list(tab.said()), other.state.outcome) == (["captcha"], "letter_sent")


async def publish_agreement(people: People) -> None:
    await documents.publish(
        people.database,
        kind=DocumentKind.AGREEMENT,
        title="Соглашение",
        text="Новое",
        visit=Visit("", "test", NOW),
    )


async def test_a_document_that_changed_meanwhile_is_shown_anew(tab: Tab, people: People) -> None:
    boxes = tab.state.boxes
    await publish_agreement(people)

    await tab.send()

    assert list(tab.said()) == ["documents"]
    assert "2" in tab.state.editions["agreement"]
    assert tab.state.boxes != boxes
    await tab.send()
    assert tab.state.outcome == "letter_sent"


async def test_a_form_from_before_a_restart_gets_a_sentence(tab: Tab, office: Office) -> None:
    await tab.send(attempt="another")

    assert tab.state.problem
    assert not await office.rows(User)
    await tab.send()
    assert tab.state.outcome == "letter_sent"


async def test_the_outcome_stays_when_the_connection_comes_back(tab: Tab, people: People) -> None:
    await tab.send()

    await RegisterState.load.fn(tab.state)
    assert tab.state.outcome == "letter_sent"
    people.wait(timedelta(minutes=16))
    await RegisterState.load.fn(tab.state)
    assert (tab.state.outcome, tab.state.sent_to) == ("", "")


@pytest.mark.parametrize("page", [RegisterState, RecoverState])
async def test_a_half_filled_form_stays_good_when_the_connection_comes_back(
    people: People, office: Office, tab: Tab, recover_tab: Tab, page: Any
) -> None:
    opened = tab if page is RegisterState else recover_tab
    form = await opened.form()
    people.wait(timedelta(minutes=2))

    await page.load.fn(opened.state)
    await opened.fire(form)

    assert len(await office.rows(Letter)) == 1


@pytest.mark.parametrize(
    ("hashes", "is_new_edition", "is_kept"),
    [([], False, True), (["0"], False, False), ([], True, False)],
    ids=["its connection is back", "loaded anew", "another edition"],
)
async def test_ticks_stay_where_the_page_still_shows_them(
    tab: Tab, application: rx.App, hashes: list[str], is_new_edition: bool, is_kept: bool
) -> None:
    await connect(tab, application, hashes=["0"])
    await RegisterState.tick.fn(tab.state, "agreement", True)
    before = tab.state.boxes
    if is_new_edition:
        await publish_agreement(tab.people)

    await connect(tab, application, hashes=hashes)

    assert (tab.state.is_agreement_ticked, tab.state.boxes == before) == (is_kept, is_kept)
    assert tab.state._shown == [one.id for one in await documents.current(tab.people.database)]


async def connect(tab: Tab, application: rx.App, *, hashes: list[str]) -> None:
    """What a page does when it gets its connection, its first or a new one."""
    come_from(tab.root, "", "/register")
    event = Event(name="reflex___state____state.hydrate_and_load", payload={"hashes": hashes})
    await OpeningMiddleware().preprocess(application, tab.root, event)
    await RegisterState.load.fn(tab.state)
    tab.root.is_hydrated = True  # as Reflex says of a page that is filled


async def test_a_picture_too_old_to_be_typed_is_renewed_when_the_page_is_opened(
    people: People, recover_tab: Tab
) -> None:
    first, attempt = recover_tab.captcha.picture, recover_tab.state.attempt
    people.wait(timedelta(minutes=3))

    await RecoverState.load.fn(recover_tab.state)

    assert recover_tab.captcha.picture not in ("", first)
    assert recover_tab.state.attempt not in ("", attempt)


async def test_a_page_opened_again_says_nothing_of_the_last_try(recover_tab: Tab) -> None:
    await recover_tab.send(email="x")
    assert recover_tab.state.email_error

    await RecoverState.load.fn(recover_tab.state)

    assert recover_tab.state.email_error == ""


async def test_the_form_can_be_had_again(tab: Tab) -> None:
    await tab.send()

    await RegisterState.begin_anew.fn(tab.state)

    assert tab.state.outcome == ""
    await tab.send(email="other@example.com")
    assert tab.state.outcome == "letter_sent"


async def test_an_account_with_an_owner_says_so(tab: Tab, office: Office) -> None:
    await tab.send()
    [first] = await office.rows(User)
    await office.open_account("5500000002", house="6", subscriber_id=first.subscriber_id)
    async with tab.people.database.writing() as connection:
        user = table_of(User)
        await connection.execute(user.update().values(password_hash="x"))
    await RegisterState.begin_anew.fn(tab.state)

    await tab.send(email="other@example.com", phone="+79130000001")

    assert tab.state.outcome == "claim_kept"


@pytest.mark.parametrize("form", [None, [], "x", {}, {"attempt": None}, {"attempt": {}}, {"account": 1}])
@pytest.mark.parametrize("page", [RegisterState, RecoverState])
async def test_garbage_changes_nothing(people: People, office: Office, page: Any, form: Any) -> None:
    before = await office.everything()
    tab = await open_tab(people, page, {})

    await tab.fire(form)

    assert await office.everything() == before


@pytest.mark.parametrize("value", [None, 1, [], {"$gt": ""}, "\0", "'; DROP TABLE portal_user; --", "<b>x"])
@pytest.mark.parametrize("name", ["account", "address", "email", "phone", "captcha"])
async def test_garbage_in_a_field_gets_a_sentence(tab: Tab, office: Office, name: str, value: Any) -> None:
    before = await office.everything()

    await tab.send(**{name: value})

    assert set(tab.said()) <= {name, "match"}
    assert tab.said()
    assert await office.everything() == before


async def test_who_is_signed_in_has_no_business_here(people: People, office: Office) -> None:
    from lk_portal.services.access import Identity

    for page in (RegisterState, RecoverState):
        root = client_state("")
        state = await root.get_state(page)
        with acting_as(Identity(1, Role.OPERATOR, None, "", "x")):
            assert await page.load.fn(state) is not None  # type: ignore[attr-defined]
        assert await page.load.fn(state) is None  # type: ignore[attr-defined]


async def test_recovery_says_the_same_to_everybody(recover_tab: Tab, office: Office) -> None:
    await recover_tab.send()
    assert recover_tab.state.is_done
    known = recover_tab.state.dict()

    await RecoverState.begin_anew.fn(recover_tab.state)
    await recover_tab.send(email="stranger@example.com")

    assert recover_tab.state.is_done
    same = recover_tab.state.dict()
    for values in (*known.values(), *same.values()):
        for name in [name for name in values if name.startswith("attempt")]:
            values.pop(name)
    assert known == same
    assert await office.letters() == [("recovery", EMAIL, "waiting")]


async def test_recovery_twice_by_a_double_click_is_once(recover_tab: Tab, office: Office) -> None:
    form = await recover_tab.form()

    await recover_tab.fire(form)
    await recover_tab.fire(form)

    assert recover_tab.state.is_done
    assert len(await office.letters()) == 1


async def test_recovery_checks_the_address_and_the_digits(recover_tab: Tab, office: Office) -> None:
    await recover_tab.send(email="x")
    assert recover_tab.state.email_error
    await recover_tab.send(captcha="1")
    assert (recover_tab.state.email_error, bool(recover_tab.state.captcha_error)) == ("", True)
    assert not await office.letters()
    await recover_tab.send()
    assert recover_tab.state.is_done


async def test_the_time_of_an_answer_tells_nothing(recover_tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form_once, "ANSWER_S", 0.3)
    took = []
    for email in (EMAIL, "stranger@example.com"):
        form = await recover_tab.form(email=email)
        started = time.perf_counter()
        await recover_tab.fire(form)
        took.append(time.perf_counter() - started)
        await RecoverState.begin_anew.fn(recover_tab.state)

    assert min(took) >= 0.3
