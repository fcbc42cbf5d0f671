"""Reflex's configuration; everything that may differ comes from lk_portal.settings."""

import reflex as rx

from lk_portal.serving.frontend import portal_config

config: rx.Config = portal_config()
