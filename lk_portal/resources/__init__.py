"""The lists under /admin: one module each, in which a resource is declared. The composition root imports all.

A declaration knows models, services and texts, and nothing of how it is drawn.
"""
