"""Pages with a parameter in their address, drawn at build time too. For `serving.frontend` and the root.

React Router draws ahead only pages whose address is whole. /info/[slug] would be an empty page until all
scripts are there: a second more before anything is seen on a telephone. What is drawn does not depend on the
parameter - the frame and a skeleton, as on every page -, so it is drawn for one example and served for all.
"""

from __future__ import annotations

import re

from reflex_base.plugins.base import Plugin

from lk_portal.errors import ConfigurationError

ROUTER_CONFIG = "react-router.config.js"
WHOLE_ONLY = '"prerender": true'
EXAMPLE = "_"
_PARAMETER = re.compile(r"\[\w+\]")


def example_of(route: str) -> str:
    """The address of a route's example: /info/_ of info/[slug]; of a whole address itself."""
    return "/" + _PARAMETER.sub(EXAMPLE, route).strip("/")


class ExamplesPlugin(Plugin):
    """Has the examples of all routes with parameters drawn; optional ones and those of any length are not."""

    def pre_compile(self, **context: object) -> None:
        """Register the change of React Router's configuration."""
        add, pages = context["add_modify_task"], context["unevaluated_pages"]
        assert callable(add)  # noqa: S101 - narrows the type Reflex promises
        examples = with_examples([page.route for page in pages])  # type: ignore[attr-defined]
        add(ROUTER_CONFIG, lambda source: draw_too(source, examples))


def with_examples(routes: list[str]) -> list[str]:
    """The examples' addresses."""
    found = ((route, example_of(route)) for route in sorted(routes))
    return [example for route, example in found if _PARAMETER.search(route) and "[" not in example]


def draw_too(source: str, examples: list[str]) -> str:
    """React Router's configuration, with these addresses drawn ahead; unchanged where none is.

    Raises:
        ConfigurationError: Reflex says it in another way.
    """
    if "prerender" not in source:
        return source
    if source.count(WHOLE_ONLY) != 1:
        raise ConfigurationError(detail=f"this Reflex version has no {WHOLE_ONLY} in {ROUTER_CONFIG}")
    addresses = ", ".join(f'"{address}"' for address in examples)
    return source.replace(
        WHOLE_ONLY, f'"prerender": ({{ getStaticPaths }}) => [...getStaticPaths(), {addresses}]'
    )
