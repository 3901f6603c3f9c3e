"""Exports to files, with and without messages."""
