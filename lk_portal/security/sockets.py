"""What the outermost ASGI layer and the states agree on about websockets. Pure; for `web` and `state`."""

CLOSE = "lk_portal.close"
"""Under this key a websocket's ASGI scope has a function without arguments that closes it."""
