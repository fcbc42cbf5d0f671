"""Sends events as fast as the machine can, over a new socket whenever the portal has cut the last.

    python -m tests.e2e.flood URL COUNT SECONDS

A process of its own, so that a test can measure meanwhile. It spreads COUNT frames over the SECONDS, and
prints how many frames it handed to the network and over how many sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
import uuid

import aiohttp

NAMESPACE = "/_event"
BATCH = 100


def frame(token: str) -> str:
    """One event as Reflex's own script writes it."""
    router_data = {"pathname": "/", "asPath": "/", "query": {}}
    event = {
        "name": "reflex___state____state.hydrate",
        "payload": {},
        "router_data": router_data,
        "token": token,
    }
    return f"42{NAMESPACE}," + json.dumps(["event", event])


async def flood(url: str, count: int, seconds: float) -> tuple[int, int]:
    """Frames sent, and the sockets it took."""
    began = time.monotonic()
    sent = sockets = 0
    async with aiohttp.ClientSession() as session:
        while sent < count:
            sockets += 1
            sent += await _flood_one(session, url, count - sent)
            await asyncio.sleep(max(0.0, began + seconds * sent / count - time.monotonic()))
    return sent, sockets


async def _flood_one(session: aiohttp.ClientSession, url: str, count: int) -> int:
    """Frames sent over one socket until it was cut."""
    token = str(uuid.uuid4())
    address = f"{url}/_event/?EIO=4&transport=websocket&token={token}"
    text, sent = frame(token), 0
    async with session.ws_connect(address, headers={"Origin": url}) as socket:
        await socket.receive()
        await socket.send_str(f"40{NAMESPACE},")
        await socket.receive()
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            while sent < count and not socket.closed:
                await socket.send_str(text)
                sent += 1
                if sent % BATCH == 0:
                    await asyncio.sleep(0)
    return sent


if __name__ == "__main__":
    print(*asyncio.run(flood(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))  # noqa: T201
