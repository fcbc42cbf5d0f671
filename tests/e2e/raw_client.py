"""A websocket client that sends what no page of ours would: any event, any payload, any token.

It speaks Socket.IO like Reflex's own script, so that what it is refused is refused by the portal.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import httpx
import socketio

NAMESPACE = "/_event"
QUIET_S = 0.15
# Everything but ASCII escaped: so half a character, which has no UTF-8, can be sent too.
ESCAPED = SimpleNamespace(dumps=lambda data, **_options: json.dumps(data), loads=json.loads)


class RawClient:
    """One connection; `received` keeps every message as text, `given_token` what the portal calls it anew.

    Args:
        url: Of the portal.
        cookie: The Cookie header.
        token: Of the tab that it pretends to be; without, one that nobody has.
        origin: The Origin header; without, the portal's, and none if empty.
        greeting: The name of an event that comes with the connection, from /readings.
        hashes: What a document that was just loaded says in it.
    """

    def __init__(
        self,
        url: str,
        *,
        cookie: str = "",
        token: str = "",
        origin: str | None = None,
        greeting: str = "",
        hashes: Sequence[str] = (),
    ) -> None:
        self.url = url
        self.token = token or str(uuid.uuid4())
        self.received: list[str] = []
        self.arrived = asyncio.Event()
        self.is_closed = asyncio.Event()
        self.given_token = ""
        self._greeting = greeting
        self._hashes = list(hashes)
        self._headers = {"Cookie": cookie} if cookie else {}
        if origin != "":
            self._headers["Origin"] = origin or url
        self._client = socketio.AsyncClient(reconnection=False, json=ESCAPED)
        self._client.on("event", self._keep, namespace=NAMESPACE)
        self._client.on("new_token", self._be_called, namespace=NAMESPACE)
        self._client.on("disconnect", self._close, namespace=NAMESPACE)

    @property
    def patience_s(self) -> float:
        """So long the portal lets a browser wait for its next ping before it takes the line for dead."""
        return float(self._client.eio.ping_interval + self._client.eio.ping_timeout)

    async def connect(self) -> None:
        await self._client.connect(
            f"{self.url}?token={self.token}",
            headers=self._headers,
            transports=["websocket"],
            namespaces=[NAMESPACE],
            socketio_path="_event",
            auth={"event": self._first_event()} if self._greeting else None,
        )

    async def close(self) -> None:
        await self._client.disconnect()

    async def send(
        self,
        name: str,
        payload: dict[str, Any] | None = None,
        *,
        path: str = "/",
        router_data: dict[str, Any] | None = None,
    ) -> None:
        """Fire one event as if from the page at `path`."""
        event = self._event(name, payload or {}, router_data or router_data_of(path))
        await self._client.emit("event", event, namespace=NAMESPACE)

    def _first_event(self) -> dict[str, Any]:
        payload = {"hashes": self._hashes} if self._hashes else {}
        return self._event(self._greeting, payload, router_data_of("/readings"))

    def _event(self, name: str, payload: dict[str, Any], router_data: dict[str, Any]) -> dict[str, Any]:
        return {"name": name, "payload": payload, "router_data": router_data, "token": self.token}

    async def settle(self, *, patience_s: float = 10.0) -> str:
        """Wait for an answer and then until the portal is quiet; all that was received so far."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self.arrived.wait()
                seen = -1
                while seen != len(self.received):
                    seen = len(self.received)
                    await asyncio.sleep(QUIET_S)
        self.arrived.clear()
        return "\n".join(self.received)

    async def wait_for(self, text: str, *, patience_s: float = 20.0) -> str:
        """Wait until an answer has `text` in it, and then as `settle`; without it after `patience_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while not any(text in message for message in self.received):
                    await self.arrived.wait()
                    self.arrived.clear()
        self.arrived.set()
        return await self.settle()

    async def _keep(self, data: Any) -> None:
        self.received.append(data if isinstance(data, str) else json.dumps(data, ensure_ascii=False))
        self.arrived.set()

    async def _be_called(self, token: str) -> None:
        self.given_token = token
        self.arrived.set()

    async def _close(self, *_: Any) -> None:
        self.is_closed.set()


def router_data_of(path: str) -> dict[str, Any]:
    """What a page at `path` says of itself."""
    pathname, _, query = path.partition("?")
    return {
        "pathname": pathname,
        "asPath": path,
        "query": dict(pair.split("=", 1) for pair in query.split("&") if "=" in pair),
    }


@contextlib.asynccontextmanager
async def raw_client(url: str, **options: Any) -> AsyncIterator[RawClient]:
    """A connected client, closed at the end."""
    client = RawClient(url, **options)
    await client.connect()
    try:
        yield client
    finally:
        await client.close()


def session_cookie(url: str, login: str, password: str) -> str:
    """Sign in over plain HTTP; the Cookie header of the session."""
    answer = httpx.post(
        f"{url}/auth/login",
        data={"login": login, "password": password},
        headers={"Origin": url},
        follow_redirects=False,
    )
    value = answer.cookies.get("lk_session")
    assert value, f"{login} could not sign in: {answer.status_code}"
    return f"lk_session={value}"
