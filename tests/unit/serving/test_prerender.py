"""Pages with a parameter in their address are drawn ahead for one example."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from reflex.utils.frontend_skeleton import _update_react_router_config
from reflex_base.config import get_config

from lk_portal.errors import ConfigurationError
from lk_portal.serving.prerender import (
    ROUTER_CONFIG,
    WHOLE_ONLY,
    ExamplesPlugin,
    draw_too,
    example_of,
    with_examples,
)

ROUTES = ["info/[slug]", "login", "index", "a/[one]/b/[two]", "rest/[[...splat]]", "maybe/[[id]]"]


@pytest.mark.parametrize(
    ("route", "address"),
    [("info/[slug]", "/info/_"), ("a/[one]/b/[two]", "/a/_/b/_"), ("login", "/login"), ("/login", "/login")],
)
def test_an_example_has_a_word_for_each_parameter(route: str, address: str) -> None:
    assert example_of(route) == address


def test_routes_with_parameters_have_examples() -> None:
    assert with_examples(ROUTES) == ["/a/_/b/_", "/info/_"]


def test_what_this_reflex_writes_is_changed() -> None:
    source = _update_react_router_config(get_config(), prerender_routes=True)
    changed = draw_too(source, ["/a/_", "/b/_"])

    assert source.count(WHOLE_ONLY) == 1
    assert changed == source.replace(
        WHOLE_ONLY, '"prerender": ({ getStaticPaths }) => [...getStaticPaths(), "/a/_", "/b/_"]'
    )


def test_without_drawing_ahead_nothing_is_changed() -> None:
    source = _update_react_router_config(get_config(), prerender_routes=False)

    assert draw_too(source, ["/a/_"]) == source


def test_another_version_of_reflex_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="Reflex"):
        draw_too('export default {"prerender": ["/"]};', ["/a/_"])


def test_the_plugin_changes_the_routers_configuration() -> None:
    asked = []
    ExamplesPlugin().pre_compile(
        add_modify_task=lambda path, task: asked.append((path, task)),
        unevaluated_pages=[SimpleNamespace(route=route) for route in ROUTES],
    )

    [(path, task)] = asked
    assert path == ROUTER_CONFIG
    assert '"/a/_/b/_", "/info/_"]' in task(f"export default {{{WHOLE_ONLY}}};")
