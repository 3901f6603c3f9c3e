"""Metadata of attrs fields that says where they are on the wire."""

from typing import Final

ENVELOPE: Final = {"envelope": True}
"""The metadata of an attribute that lies beside `data`, where the others lie inside it."""
