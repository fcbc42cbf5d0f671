"""Plain HTTP around the Reflex application: sign-in routes, headers, guards, static files, the server."""
