"""Metadata of attrs fields: the position of a value on the wire and whether it may be null."""

from typing import Final

ENVELOPE: Final = {"envelope": True}
"""The metadata of an attribute of the envelope, which is beside `data`, not inside it."""

NULLABLE: Final = "nullable"
"""The metadata key of an attribute that may be null on the wire as well as absent."""


def nullable(wire: str | None = None) -> dict[str, object]:
    """The metadata of an attribute that may be null, with its wire name if that is irregular."""
    return {NULLABLE: True} if wire is None else {NULLABLE: True, "wire": wire}
