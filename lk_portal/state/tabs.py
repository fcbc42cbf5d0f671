"""Which websocket a tab speaks through. For `state.opening`, whose application has this namespace.

Reflex takes a client token that comes over a second websocket for a tab that was duplicated, and gives it a
token, and states, of its own. But a telephone that leaves a lift is back over a new websocket before the
portal misses the old one, which nobody has closed: that takes as long as a ping and its answer may. It would
be a stranger to its own tab, whose states - the choices made, the picture beside a form - would begin anew
under the person's hands.

The two can be told apart. A duplicate is a document that was just loaded, and says what it begins with; one
that has lost its connection does not, and gets its token back. (A duplicate whose very first connection
failed says nothing either, and takes its original's place; the original gets it back when it is looked at.)
"""

from __future__ import annotations

import asyncio
import urllib.parse
from typing import Any

from reflex.app import EventNamespace
from reflex.utils.token_manager import RedisTokenManager, SocketRecord
from reflex_base.constants import CompileVars

from lk_portal.state.payloads import HYDRATES


class TabNamespace(EventNamespace):
    """Reflex's namespace of events, in which a tab that is back is the same tab."""

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        """A websocket is open; a tab that comes back over it leaves the one it had."""
        # A websocket that has just ended is forgotten in a task of its own, which must not come after this:
        # it forgets the token, whichever websocket has it by then.
        await asyncio.sleep(0)
        tokens = urllib.parse.parse_qs(environ.get("QUERY_STRING", "")).get("token", [])
        left = await self._take_back(tokens[0], sid) if tokens and is_back(auth) else None
        await super().on_connect(sid, environ, auth)
        if left is not None:
            # With a goodbye, after which a browser does not come back by itself: two that have the same token
            # would take it from each other for ever.
            await self.disconnect(left)

    async def _take_back(self, token: str, sid: str) -> str | None:
        """Let the token be this websocket's; gives the one of this process that had it."""
        manager = self._token_manager
        had = manager.token_to_socket.get(token)
        record = SocketRecord(instance_id=manager.instance_id, sid=sid)
        if had is not None:
            manager.sid_to_token.pop(had.sid, None)
        manager.token_to_socket[token] = record
        manager.sid_to_token[sid] = token
        if isinstance(manager, RedisTokenManager):
            # Other machines hear of it by Redis, and forget the websocket that they have had.
            manager._ensure_socket_record_task()
            await manager._store_socket_record(token, record)
        return had.sid if had is not None and had.instance_id == manager.instance_id else None


def is_back(auth: object) -> bool:
    """Whether who connects is a document that has been connected before; nothing is certain of its words."""
    event = auth.get(CompileVars.CONNECT_AUTH_EVENT) if isinstance(auth, dict) else None
    if not isinstance(event, dict) or event.get("name") not in HYDRATES:
        return False
    payload = event.get("payload")
    return not (isinstance(payload, dict) and payload.get("hashes"))
