"""Checks the arguments that imports and exports share."""

from conversations_client import Client, InvalidArgumentError


def check_client(client: object) -> None:
    """Raise InvalidArgumentError if a client is not a `Client`."""
    if not isinstance(client, Client):
        raise InvalidArgumentError(
            f"client must be a Client, not {type(client).__name__}: imports and exports are sync."
        )
