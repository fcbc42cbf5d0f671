"""An HTML form that the browser submits itself; Reflex's own always hands it to an event handler."""

from __future__ import annotations

from reflex_base.components.component import field
from reflex_base.vars.base import Var
from reflex_components_core.el.elements.base import BaseHTML


class PlainForm(BaseHTML):
    """<form>, without a submit handler: works before and without scripts."""

    tag = "form"

    action: Var[str] = field(doc="Where the fields are sent.")
    method: Var[str] = field(doc="get or post.")
    enc_type: Var[str] = field(doc="multipart/form-data, for a form with files.")


plain_form = PlainForm.create
