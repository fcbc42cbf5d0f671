"""Answers, notes and templates of the staff over plain HTTP, without a browser."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from lk_portal.models import AnswerTemplate
from lk_portal.services.access import Role
from lk_portal.web import uploads
from tests.attached import PDF, bomb
from tests.unit.web.test_support import JSON, KEY, ORIGIN, Files, Site, form, site  # noqa: F401

SENDING = "/admin/tickets/send"


async def desk(site: Site) -> tuple[str, str]:  # noqa: F811
    """The tokens of an operator and of a subscriber with ticket 1."""
    token, account = await site.person()
    await site.send(token, form(account))
    operator, _ = await site.person("operator", Role.OPERATOR)
    return operator, token


async def send(site: Site, token: str, fields: dict[str, str], files: Files | None = None, **headers: str):  # type: ignore[no-untyped-def]  # noqa: F811
    return await site.http.post(
        SENDING,
        data={"ticket": "1", "form": "desk-answer", "text": "Чиним.", "send_key": KEY, **fields},
        files=files or [("files", ("", b""))],
        headers={"origin": ORIGIN, "cookie": f"lk_session={token}", **headers},
    )


async def messages(site: Site) -> list[tuple[str, bool, bool]]:  # noqa: F811
    rows = await site.rows("SELECT text, is_staff, is_internal FROM ticket_message ORDER BY id")
    return [(row[0], bool(row[1]), bool(row[2])) for row in rows][1:]


async def test_an_answer_goes_with_its_files_once(site: Site) -> None:  # noqa: F811
    operator, _token = await desk(site)
    files = [("files", ("Акт.pdf", PDF))]

    answer = await send(site, operator, {}, files)
    again = await send(site, operator, {}, files, **JSON)

    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/tickets/1")
    assert again.json() == {"to": "/admin/tickets/1"}
    assert await messages(site) == [("Чиним.", True, False)]
    assert [row[0] for row in await site.rows("SELECT name FROM attachment")] == ["Акт.pdf"]


async def test_a_note_is_a_note_and_what_says_to_be_nothing_is_nothing(site: Site) -> None:  # noqa: F811
    operator, _token = await desk(site)

    await send(site, operator, {"form": "desk-note", "text": "CANARY-NOTE"}, **JSON)
    for odd in ("", "note", "desk-answer "):
        assert (
            await send(site, operator, {"form": odd, "send_key": KEY + odd.strip()}, **JSON)
        ).status_code == 422

    assert await messages(site) == [("CANARY-NOTE", True, True)]


@pytest.mark.parametrize("fields", [{"ticket": ""}, {"ticket": "999"}, {"ticket": "x"}, {"ticket": "9" * 30}])
async def test_a_ticket_that_is_none_is_not_found(site: Site, fields: dict[str, str]) -> None:  # noqa: F811
    operator, _token = await desk(site)

    answer = await send(site, operator, fields)

    assert answer.headers["location"] == "/not-found"
    assert await messages(site) == []


async def test_what_is_wrong_is_said_at_its_field(site: Site) -> None:  # noqa: F811
    operator, _token = await desk(site)

    assert (await send(site, operator, {"text": " "}, **JSON)).json()["field"] == "text"
    files = [("files", ("bomb.png", bomb()))]
    assert (await send(site, operator, {}, files, **JSON)).json()["field"] == "files"
    assert site.flash(await send(site, operator, {"text": ""}))["form"] == "desk-answer"
    assert await messages(site) == []
    assert uploads._sending == set()


async def test_nobody_else_answers_or_reads_a_template(site: Site) -> None:  # noqa: F811
    operator, token = await desk(site)
    async with site.portal.database.writing() as connection:
        await connection.execute(insert(AnswerTemplate).values(title="x", text="Слова & <b>", position=1))

    async def template(token: str, number: str = "1"):  # type: ignore[no-untyped-def]
        return await site.http.get(
            f"/admin/tickets/templates/{number}", headers={"cookie": f"lk_session={token}"}
        )

    for stranger in (token, "", "x"):
        assert (await send(site, stranger, {})).headers["location"].startswith("/login")
        assert (await template(stranger)).status_code == 404
        assert "Слова" not in (await template(stranger)).text
    assert await messages(site) == []
    found = await template(operator)
    assert (found.status_code, found.text) == (200, "Слова & <b>")
    assert found.headers["content-type"].startswith("text/plain")
    for number in ("2", "x", "9" * 30):
        assert (await template(operator, number)).status_code == 404
