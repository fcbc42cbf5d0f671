"""The line between a page and the portal, to be cut as in a lift."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, WebSocketRoute

FILLED = '"is_hydrated_rx_state_":true'


class Line:
    """The sockets of a page that is opened after `of`."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._sockets: list[WebSocketRoute] = []

    @classmethod
    async def of(cls, page: Page) -> Line:
        line = cls(page)
        await page.route_web_socket("**/_event/**", line._pass_on)
        return line

    async def cut(self) -> None:
        """Break the connection, and wait until the page has another one and is filled again.

        As in life, the portal is not told: for it the connection that was lost is still open.
        """
        is_filled = asyncio.Event()

        def watch(text: object) -> None:
            if FILLED in str(text):
                is_filled.set()

        self._page.on("websocket", lambda socket: socket.on("framereceived", watch))
        await self._sockets[-1].close()
        async with asyncio.timeout(60):
            await is_filled.wait()

    def _pass_on(self, socket: WebSocketRoute) -> None:
        self._sockets.append(socket)
        socket.on_close(_tell_nobody)
        socket.connect_to_server()


def _tell_nobody(_code: int | None, _reason: str | None) -> None:
    pass
