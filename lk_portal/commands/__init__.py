"""The commands of `lk`, by area. `lk_portal.cli` imports them when they are asked for; nobody else does.

A command parses, calls services and prints. What it needs it imports inside, so that help comes at once.
"""
