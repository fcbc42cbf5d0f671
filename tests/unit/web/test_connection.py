"""Closing a websocket from outside: while it waits for a message, while one is handled, and only once."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from lk_portal.web.connection import Connection

CLOSED = {"type": "websocket.close", "code": 1008}
GONE = {"type": "websocket.disconnect", "code": 1008}
TEXT = {"type": "websocket.receive", "text": "x"}


class Wire:
    """What the server would send, and what the browser sends."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[Message] = []
        self.connection = Connection(self.incoming.get, self._send)

    async def _send(self, message: Message) -> None:
        self.sent.append(dict(message))


@pytest.fixture
def wire() -> Wire:
    return Wire()


async def test_messages_pass(wire: Wire) -> None:
    wire.incoming.put_nowait(TEXT)

    assert await wire.connection.receive() == TEXT
    assert wire.sent == []


async def test_it_closes_while_it_waits(wire: Wire) -> None:
    waiting = asyncio.create_task(wire.connection.receive())
    await asyncio.sleep(0)

    wire.connection.close(1008)

    assert await asyncio.wait_for(waiting, 5) == GONE
    assert wire.sent == [CLOSED]


async def test_it_closes_after_what_is_being_handled(wire: Wire) -> None:
    wire.incoming.put_nowait(TEXT)
    await wire.connection.receive()
    wire.incoming.put_nowait(TEXT)

    wire.connection.close(1008)
    assert wire.sent == []

    assert await wire.connection.receive() == GONE
    assert wire.sent == [CLOSED]


async def test_it_closes_once(wire: Wire) -> None:
    wire.connection.close(1008)
    wire.connection.close(1000)

    assert [await wire.connection.receive() for _ in range(3)] == [GONE] * 3
    assert wire.sent == [CLOSED]


async def test_a_server_that_stops_is_no_close(wire: Wire) -> None:
    waiting = asyncio.create_task(wire.connection.receive())
    await asyncio.sleep(0)

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert wire.sent == []
