"""What a browser downloads for a page on its first visit: every answer's bytes as sent, gzip where it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.async_api import Page, Request


@dataclass
class Weight:
    """Bytes of bodies by address, in the order they came."""

    bodies: dict[str, int] = field(default_factory=dict)

    @property
    def kilobytes(self) -> float:
        """All of them, in units of 1000 bytes."""
        return sum(self.bodies.values()) / 1000

    def names(self) -> str:
        """The addresses, for a message."""
        return "\n".join(f"{size:8d} {address}" for address, size in self.bodies.items())


def weighing(page: Page) -> Weight:
    """What the page downloads from now on; it grows as answers end."""
    weight = Weight()

    async def count(request: Request) -> None:
        sizes = await request.sizes()
        weight.bodies[request.url] = sizes["responseBodySize"]

    page.on("requestfinished", count)
    return weight


async def weigh(page: Page, address: str, *, wait_for: str) -> Weight:
    """Open `address` in a page that has nothing cached, until `wait_for` (a selector) is seen."""
    weight = weighing(page)
    await page.goto(address)
    await page.wait_for_selector(wait_for)
    await page.wait_for_load_state("networkidle")
    return weight
