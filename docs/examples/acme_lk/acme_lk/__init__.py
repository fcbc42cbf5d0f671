"""A sample extension of lk-portal; `plugin` is what the portal imports."""
