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
        self._is_deaf = self._is_mute = False

    @classmethod
    async def of(cls, page: Page) -> Line:
        line = cls(page)
        await page.route_web_socket("**/_event/**", line._pass_on)
        return line

    def lose(self, *, events: bool = False, answers: bool = False) -> None:
        """From now on, until it is cut, the line loses what is sent over it, and neither side is told."""
        self._is_mute, self._is_deaf = events, answers

    async def cut(self) -> None:
        """Break the connection, and wait until the page has another one and is filled again.

        As in life, the portal is not told: for it the connection that was lost is still open.
        """
        is_filled = asyncio.Event()

        def watch(text: object) -> None:
            if FILLED in str(text):
                is_filled.set()

        self._page.on("websocket", lambda socket: socket.on("framereceived", watch))
        self._is_mute = self._is_deaf = False
        await self._sockets[-1].close()
        async with asyncio.timeout(60):
            await is_filled.wait()

    def _pass_on(self, page: WebSocketRoute) -> None:
        portal = page.connect_to_server()
        self._sockets.append(page)

        def to_portal(message: str | bytes) -> None:
            if not self._is_mute:
                portal.send(message)

        def to_page(message: str | bytes) -> None:
            if not self._is_deaf and page is self._sockets[-1]:
                page.send(message)

        page.on_message(to_portal)
        portal.on_message(to_page)
        page.on_close(_tell_nobody)


def _tell_nobody(_code: int | None, _reason: str | None) -> None:
    pass
