"""Sign-in, sign-out and health over HTTP, on a real database, without a browser."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from lk_portal.security.cookies import read_cookie, read_devices
from lk_portal.security.tokens import hash_of
from lk_portal.services import access, health
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.settings import load_settings
from tests.unit.web.site import EMAIL, NOW, PASSWORD, Site


async def test_the_right_password_gives_a_session_and_the_page(site: Site) -> None:
    answer = await site.sign_in(next="/readings?interval=year")

    token = answer.cookies["lk_session"]
    assert (answer.status_code, answer.headers["location"]) == (303, "/readings?interval=year")
    assert "lk_flash" not in answer.cookies
    assert await site.is_signed_in(token)


async def test_the_wrong_one_gives_a_sentence_and_keeps_what_was_typed(site: Site) -> None:
    answer = await site.sign_in(" Ivanov@example.com", "wrong", next="/readings")

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "lk_session" not in answer.cookies
    assert site.flash(answer) == {
        "message": "Wrong login or password",
        "data": {},
        "field": "",
        "form": "login",
        "login": " Ivanov@example.com",
        "next": "/readings",
    }


async def test_a_refusal_is_not_said_again_after_what_followed_it(site: Site) -> None:
    """It lives for a minute; who signs in and out within that would read that her password was wrong."""
    refused = await site.sign_in(password="wrong")
    kept = httpx.Cookies(refused.cookies)

    answer = await site.sign_in(cookies=dict(kept))

    kept.extract_cookies(answer)
    assert "lk_flash" in refused.cookies
    assert "lk_flash" not in kept


async def test_who_guesses_is_told_how_long_to_wait(site: Site) -> None:
    for _ in range(5):
        assert (await site.sign_in(password="wrong")).headers.get("retry-after") is None

    answer = await site.sign_in()

    assert answer.headers["retry-after"] == "1"
    assert site.flash(answer)["data"] == {"seconds": 1}
    assert "lk_session" not in answer.cookies


async def test_a_form_sent_before_the_scripts_knows_its_page(site: Site) -> None:
    """The hidden field is still "/" then; the address of the form says where to go."""
    form = {"login": EMAIL, "password": PASSWORD, "next": "/"}
    for referer, page in (
        ("http://127.0.0.1:8000/login?next=%2Freadings%3Finterval%3Dday", "/readings?interval=day"),
        ("http://127.0.0.1:8000/login?next=https%3A%2F%2Fevil.example", "/"),
        ("http://127.0.0.1:8000/login", "/"),
        ("http://[", "/"),
    ):
        answer = await site.http.post("/auth/login", data=form, headers={"referer": referer})
        assert answer.headers["location"] == page


@pytest.mark.parametrize("charset", ["utf-7", "idna", "nonsense", "utf-16", "rot13"])
async def test_a_form_in_an_odd_charset_is_only_a_wrong_password(site: Site, charset: str) -> None:
    fields = {"login": "+2AA-@example.com", "password": "+2AA-", "next": "/+2AA-"}
    body = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )

    answer = await site.http.post(
        "/auth/login",
        content=f"{body}--b--\r\n".encode("ascii"),
        headers={"content-type": f"multipart/form-data; boundary=b; charset={charset}"},
    )

    assert answer.status_code in (303, 400)
    assert "lk_session" not in answer.cookies


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/x-www-form-urlencoded", ""])
async def test_no_form_is_a_wrong_password(site: Site, kind: str) -> None:
    answer = await site.http.post("/auth/login", content=b"\xff\x00{", headers={"content-type": kind})

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


async def test_a_file_is_refused(site: Site) -> None:
    answer = await site.http.post("/auth/login", files={"login": ("a.txt", b"x" * 10)})

    assert answer.status_code == 400


async def test_what_breaks_inside_gets_a_number_and_no_traceback(site: Site) -> None:
    async with site.portal.database.writing() as connection:
        await connection.execute(text('DROP TABLE "user_session"'))

    answer = await site.sign_in()

    told = site.flash(answer)
    assert "lk_session" not in answer.cookies
    assert answer.headers["location"] == "/login"
    assert str(told["message"]) in (
        "Something went wrong. Error number {number}.",
        "The data could not be saved. Try again later.",
    )
    assert "user_session" not in str(told)


async def test_sign_out_ends_the_session_in_both_places(site: Site) -> None:
    token = (await site.sign_in()).cookies["lk_session"]

    answer = await site.http.post("/auth/logout", headers={"cookie": f'prefs={{"a":1}}; lk_session={token}'})

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert read_cookie(answer.headers["set-cookie"], "lk_session").strip('"') == ""
    assert not await site.is_signed_in(token)
    assert (await site.http.post("/auth/logout", headers={"cookie": ""})).status_code == 303


@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout"])
async def test_a_link_signs_nobody_in_or_out(site: Site, path: str) -> None:
    assert (await site.http.get(path)).status_code == 405


def _broken() -> bool:
    raise RuntimeError("gone")


async def test_health_names_what_fails(site: Site) -> None:
    assert (await site.http.get("/healthz")).json() == {"status": "ok", "failing": []}
    try:
        health.watch("polling", lambda: False)
        health.watch("mail", lambda: True)
        health.watch("push", _broken)
        answer = await site.http.get("/healthz")
    finally:
        for name in ("polling", "mail", "push"):
            health.unwatch(name)

    assert (answer.status_code, answer.json()) == (
        503,
        {"status": "failing", "failing": ["polling", "push"]},
    )
    assert answer.headers["cache-control"] == "no-store"


async def test_a_database_that_is_gone_is_the_first_to_be_named(
    tmp_path: Path,
) -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/gone")
    try:
        found = await health.check_health(Portal(load_settings(data_dir=tmp_path), database))
    finally:
        await database.close()

    assert found.failing == ("database",)
    assert not found.is_well


async def test_sessions_last_as_long_as_the_settings_say(site: Site) -> None:
    answer = await site.sign_in()

    assert f"Max-Age={site.portal.settings.session_max_hours * 3600}" in answer.headers["set-cookie"]
    later = NOW + timedelta(minutes=site.portal.settings.session_idle_minutes)
    assert not await access.identity_of(
        site.portal.database,
        site.portal.settings,
        session_hash=hash_of(answer.cookies["lk_session"]),
        now=later,
    )


async def test_a_sign_in_ends_the_session_the_browser_came_with(site: Site) -> None:
    before = (await site.sign_in()).cookies["lk_session"]

    after = (await site.sign_in(cookies={"lk_session": before})).cookies["lk_session"]

    assert not await site.is_signed_in(before)
    assert await site.is_signed_in(after)


async def test_a_browser_is_known_after_a_sign_in(site: Site) -> None:
    """Others' failures from its own address do not hold it up; a mark that was forged does not help."""
    answer = await site.sign_in()
    known = {"lk_device": answer.cookies["lk_device"]}
    cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("lk_device"))
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=31536000"} <= set(cookie.split("; "))
    for _ in range(5):
        await site.sign_in(password="wrong")

    assert "lk_session" not in (await site.sign_in()).cookies
    for forged in ("e30=.00", known["lk_device"][:-1], "x", '"'):
        assert "lk_session" not in (await site.sign_in(cookies={"lk_device": forged})).cookies
    again = await site.sign_in(cookies=known)
    assert again.cookies["lk_session"]
    devices = [
        read_devices(f"lk_device={one}", site.portal.settings, now=NOW)
        for one in (known["lk_device"], again.cookies["lk_device"])
    ]
    assert devices[0] == devices[1]
    assert list(devices[0]) == [1]


async def test_a_refused_sign_in_marks_no_browser(site: Site) -> None:
    assert "lk_device" not in (await site.sign_in(password="wrong")).cookies


async def test_a_sign_out_that_cannot_be_stored_still_empties_the_browser(site: Site) -> None:
    token = (await site.sign_in()).cookies["lk_session"]
    async with site.portal.database.writing() as connection:
        await connection.execute(text('DROP TABLE "user_session"'))

    answer = await site.post("/auth/logout", cookies={"lk_session": token})

    assert answer.headers["location"] == "/login"
    assert 'lk_session=""' in answer.headers["set-cookie"]
    assert site.flash(answer)["message"]
