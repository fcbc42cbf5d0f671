"""A little chart of columns as plain SVG: no chart library is loaded for it.

The paths come ready from the server (`state.home_view.sparkline`): whole days, days of which a part is known,
and holes, which are outlined and hatched - never low columns.
"""

from __future__ import annotations

import reflex as rx


def sparkline(row: rx.Var[dict[str, str]]) -> rx.Component:
    """The chart of a row with `box`, `whole`, `partial`, `holes`, and in words `chart_text`."""
    return rx.el.svg(
        rx.el.path(d=row["whole"], class_name="spark-whole"),
        rx.el.path(d=row["partial"], class_name="spark-partial"),
        rx.el.path(d=row["holes"], class_name="spark-hole"),
        view_box=row["box"],
        preserve_aspect_ratio="none",
        class_name="spark",
        role="img",
        custom_attrs={"aria-label": row["chart_text"]},
    )
