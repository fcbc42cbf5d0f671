"""/admin/polling/[gateway]: a gateway, the meters behind it, and where their data are missing."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.breadcrumb import breadcrumb
from lk_portal.components.facts import facts
from lk_portal.components.heat_map import heat_map
from lk_portal.components.kit import card, empty, link, skeleton
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.services.access import Role
from lk_portal.state.polling import PollingLineState

HEADING = "text-lg font-semibold mb-3"
Row = rx.Var[dict[str, str]]


@portal_page(
    route="/admin/polling/[gateway]",
    title=_("Gateway"),
    icon="server",
    roles=frozenset({Role.ADMIN}),
    on_load=(PollingLineState.load,),
    tab=rx.cond(PollingLineState.is_shown, f"{_('Gateway')} {PollingLineState.name}", ""),
)
def polling_line() -> rx.Component:
    """Its settings, its holes, its meters: those that fail first."""
    return rx.cond(
        PollingLineState.is_shown,
        rx.el.div(
            breadcrumb((_("Polling"), "/admin/polling"), here=PollingLineState.name),
            card(facts(PollingLineState.facts)),
            card(
                rx.el.h2(_("Completeness of the data"), class_name=HEADING),
                heat_map(PollingLineState),
            ),
            card(
                rx.el.h2(_("Meters"), class_name=HEADING),
                rx.cond(
                    PollingLineState.meters.length() > 0,
                    _table(),
                    empty(_("There is nothing here yet"), _("What is added will stand here.")),
                ),
                rx.el.p(PollingLineState.note, class_name="text-sm"),
            ),
            class_name="grid grid-cols-1 gap-4",
        ),
        rx.el.div(skeleton("h-48 w-full mb-4"), skeleton("h-96 w-full")),
    )


def _table() -> rx.Component:
    heads = (
        _("Meter"),
        _("Address on the line"),
        _("Last read"),
        _("Error"),
        _("Failures in a row"),
        _("Success rate"),
    )
    return rx.el.table(
        rx.el.caption(_("Meters"), class_name="sr-only"),
        rx.el.thead(rx.el.tr(*(rx.el.th(head, scope="col") for head in heads))),
        rx.el.tbody(rx.foreach(PollingLineState.meters, lambda row: _meter(row, heads))),
        class_name="table rows-as-cards",
    )


def _meter(row: Row, heads: tuple[str, ...]) -> rx.Component:
    texts = [row[name] for name in ("address", "read", "error", "failures", "rate")]
    return rx.el.tr(
        rx.el.td(link(row["serial"], to=row["link"]), custom_attrs={"data-label": heads[0]}),
        *(
            rx.el.td(text, custom_attrs={"data-label": head})
            for text, head in zip(texts, heads[1:], strict=True)
        ),
        key=row["serial"],
    )
