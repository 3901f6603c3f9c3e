"""Metadata of attrs fields: where a value is on the wire and whether it may be null."""

from typing import Final

ENVELOPE: Final = {"envelope": True}
"""The metadata of an attribute that is beside `data`, where the others are inside it."""

NULLABLE: Final = "nullable"
"""The metadata key of an attribute that may be null on the wire as well as absent."""


def nullable(wire: str | None = None) -> dict[str, object]:
    """The metadata of an attribute that may be null, with its wire name if that is irregular."""
    return {NULLABLE: True} if wire is None else {NULLABLE: True, "wire": wire}
