"""Builds the browser's half with Reflex's tools, and serves the whole. For commands and tests."""
