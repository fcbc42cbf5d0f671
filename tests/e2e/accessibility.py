"""axe-core in the browser: what it finds on a page that shuts people out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

AXE = Path(__file__).with_name("axe") / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def require_axe() -> None:
    """Its absence fails on CI and skips elsewhere."""
    if AXE.exists():
        return
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail("CI must test accessibility: axe-core was not installed", pytrace=False)
    pytest.skip("accessibility tests need axe-core: scripts/ensure-test-tools.sh")


async def violations(page: Page) -> list[str]:
    """One line for each element of the open page that breaks a rule.

    The script comes in through the browser's debugger, which no Content-Security-Policy concerns: the page is
    tested as people get it.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
    )
    return [_line(rule, node) for rule in found["violations"] for node in rule["nodes"]]


def _line(rule: dict[str, Any], node: dict[str, Any]) -> str:
    summary = node["failureSummary"].replace("\n", " ")
    return f"{rule['id']}: {rule['help']}: {node['html'][:160]} - {summary}"
