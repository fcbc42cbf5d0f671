"""What the states of a page are before anything has filled them, in the words of Reflex's own script.

A document that was just loaded says by hashes which states it was built with, and is sent only what differs
from them. One whose connection is back has changed since and says nothing: it would be sent every state there
is. The portal says it instead, of the states that this document cannot have been sent. It leans on Reflex's
internals, which the pin in pyproject.toml holds still.
"""

from __future__ import annotations

from collections.abc import Collection

import reflex as rx
from reflex.state import _diff_against_initial_state, _initial_snapshot_cache, _InitialSnapshot

_IS_SENT_WHOLE = ""
"""What is the hash of no state."""


async def hashes_as_built() -> list[str]:
    """What a document says when it was just loaded: a hash of the states' names, then one for each state."""
    built = await _built()
    return [built.names_digest, *(built.hashes[name] for name in sorted(built.hashes))]


async def hashes_where_only(untouched: Collection[type[rx.State]]) -> list[str]:
    """The same of a document in which nothing but `untouched` is surely as it was built."""
    built, kept = await _built(), {state.get_full_name() for state in untouched}
    hashes = (built.hashes[name] if name in kept else _IS_SENT_WHOLE for name in sorted(built.hashes))
    return [built.names_digest, *hashes]


async def _built() -> _InitialSnapshot:
    # Asked to compare nothing it only sees to it that there is something to compare with.
    await _diff_against_initial_state(rx.State, {}, [])
    return _initial_snapshot_cache[rx.State]
