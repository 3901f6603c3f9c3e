"""Checks the arguments that imports and exports share."""

from collections.abc import Iterable

from conversations_client import Client, InvalidArgumentError


def check_client(client: object) -> None:
    """Raise InvalidArgumentError if a client is not a `Client`."""
    if not isinstance(client, Client):
        raise InvalidArgumentError(
            f"client must be a Client, not {type(client).__name__}: imports and exports are sync."
        )


def check_iterable(items: object, requirement: str) -> None:
    """Raise InvalidArgumentError with the requirement if items can't be iterated over.

    A string can, but its items are never what the caller meant.
    """
    if isinstance(items, str | bytes) or not isinstance(items, Iterable):
        raise InvalidArgumentError(f"{requirement}, not {type(items).__name__}.")


def check_item(item: object, cls: type, requirement: str) -> None:
    """Raise InvalidArgumentError with the requirement if an item is not of the class."""
    if not isinstance(item, cls):
        raise InvalidArgumentError(f"{requirement}, but an item is of type {type(item).__name__}.")
