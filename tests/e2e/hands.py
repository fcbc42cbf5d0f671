"""How a person uses a page: with a mouse or a finger, or with nothing but the keys."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

MOST_TABS = 120


class Pointer:
    """Clicks and types, as most people do."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def fill(self, label: str, text: str) -> None:
        """Type into the field with this label, in place of what stood there."""
        await self.page.get_by_label(label, exact=True).fill(text)

    async def press(self, name: str, *, role: str = "button") -> None:
        """A button, or a link."""
        await self.page.get_by_role(role, name=name, exact=True).first.click()  # type: ignore[arg-type]

    async def open_menu(self, label: str) -> None:
        """A menu that folds."""
        await self.page.get_by_label(label).click()

    async def tick(self, label: str) -> None:
        """A box whose label begins so; beside the link that is in it."""
        await self.page.get_by_role("checkbox", name=label).check()

    async def choose_address(self, typed: str, address: str) -> None:
        """Type into "Адрес*" and take one of the addresses that come."""
        await self.page.get_by_label("Адрес*").press_sequentially(typed, delay=20)
        await self.page.get_by_role("option", name=address, exact=True).click()


class Keys(Pointer):
    """Tab, Enter, Space, arrows and letters; whatever cannot be reached by Tab fails."""

    async def fill(self, label: str, text: str) -> None:
        await self._reach(self.page.get_by_label(label, exact=True))
        await self.page.keyboard.press("ControlOrMeta+a")
        await self.page.keyboard.type(text)

    async def press(self, name: str, *, role: str = "button") -> None:
        await self._reach(self.page.get_by_role(role, name=name, exact=True).first)  # type: ignore[arg-type]
        await self.page.keyboard.press("Enter")

    async def open_menu(self, label: str) -> None:
        await self._reach(self.page.get_by_label(label))
        await self.page.keyboard.press("Enter")

    async def tick(self, label: str) -> None:
        await self._reach(self.page.get_by_role("checkbox", name=label))
        await self.page.keyboard.press("Space")

    async def choose_address(self, typed: str, address: str) -> None:
        await self._reach(self.page.get_by_label("Адрес*"))
        await self.page.keyboard.type(typed, delay=20)
        wanted = self.page.get_by_role("option", name=address, exact=True)
        await expect(wanted).to_be_visible()
        for _ in range(20):
            await self.page.keyboard.press("ArrowDown")
            if await wanted.get_attribute("aria-selected") == "true":
                break
        await self.page.keyboard.press("Enter")

    async def _reach(self, target: Locator) -> None:
        await expect(target).to_be_enabled()
        for _ in range(MOST_TABS):
            if await target.evaluate("element => element === document.activeElement"):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {target}")
