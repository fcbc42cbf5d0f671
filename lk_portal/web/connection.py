"""A websocket that can be closed from outside of the code that serves it: by the rate limit, by the guard."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive, Send


class Connection:
    """The `receive` of one websocket, and its end.

    The server sends a close frame only while nobody waits for a message, so closing ends the waiting first.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._waiting: asyncio.Future[Message] | None = None
        self._code: int | None = None
        self._is_told = False

    async def receive(self) -> Message:
        """The next message; that the browser has gone, once the websocket was closed here."""
        if self._code is None:
            self._waiting = asyncio.ensure_future(self._receive())
            try:
                return await self._waiting
            except asyncio.CancelledError:
                if self._code is None:
                    raise
            finally:
                self._waiting = None
        if not self._is_told:
            self._is_told = True
            await self._send({"type": "websocket.close", "code": self._code})
        return {"type": "websocket.disconnect", "code": self._code}

    def close(self, code: int) -> None:
        """Close the websocket at the next opportunity: now, unless something of it is being handled."""
        if self._code is None:
            self._code = code
            if self._waiting is not None:
                self._waiting.cancel()
