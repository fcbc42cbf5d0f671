"""A portal in this process with people signed in, for tests of the guard and the broadcaster."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import reflex as rx
from reflex.istate.data import RouterData
from reflex.state import State

from lk_portal.security.tokens import hash_of
from lk_portal.services import access
from lk_portal.services.access import Role, Visit
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.settings import load_settings
from tests import factories

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSWORD = "Correct-horse-2026"


@dataclass
class People:
    """The portal with a clock that stands still until it is moved."""

    database: Database
    folder: Path
    moments: list[datetime] = field(default_factory=lambda: [NOW])

    def __post_init__(self) -> None:
        settings = load_settings(data_dir=self.folder, bcrypt_rounds=4, public_url="http://127.0.0.1:8000")
        self.portal = Portal(settings, self.database, clock=lambda: self.moments[-1])

    def wait(self, duration: timedelta) -> None:
        self.moments.append(self.moments[-1] + duration)

    async def add(self, name: str, role: Role, subscriber_id: int | None = None) -> str:
        """A person who has just signed in; the hash of her session."""
        email = f"{name}@example.com"
        user_id = await access.create_user(
            self.database,
            self.portal.settings,
            email=email,
            phone=None,
            role=role,
            display_name=name,
            password=PASSWORD,
            subscriber_id=subscriber_id,
            now=NOW,
        )
        if role is Role.SUBSCRIBER:
            await factories.documents_accepted(self.database, user_id=user_id)
        visit = Visit(address="192.0.2.1", agent="", at=self.moments[-1])
        signed_in = await access.sign_in(
            self.database, self.portal.settings, login=email, password=PASSWORD, visit=visit
        )
        return hash_of(signed_in.token)

    async def subscriber(self, name: str) -> tuple[str, factories.MeteredPoint]:
        """A signed-in subscriber with a meter."""
        placed = await factories.a_metered_point(self.database)
        return await self.add(name, Role.SUBSCRIBER, placed.subscriber_id), placed


def client_state(session_hash: str, path: str = "/readings") -> rx.State:
    """The root state of one browser tab under a session ("": a visitor)."""
    root = State(_reflex_internal_init=True)
    come_from(root, session_hash, path)
    return root


def come_from(root: rx.State, session_hash: str, path: str = "/readings", *, locale: str = "") -> None:
    """The tab's next event comes under this session, from a page in this language ("": the portal's)."""
    cookie = f"lk_session_hash={session_hash}" if session_hash else ""
    cookie += f"; lk_locale={locale}" if locale else ""
    root.router_data = {"headers": {"cookie": cookie}, "pathname": path, "asPath": path, "token": "tab"}
    root.router = RouterData.from_router_data(root.router_data)
