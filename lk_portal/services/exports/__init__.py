"""Consumption as files: one source of rows, and a writer for each format. For commands and routes."""
