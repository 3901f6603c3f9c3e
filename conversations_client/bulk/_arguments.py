"""Checks the arguments that imports and exports share."""

from conversations_client import Client, InvalidArgumentError


def check_client(client: object) -> None:
    """Raise InvalidArgumentError if a client is not a `Client`."""
    if not isinstance(client, Client):
        raise InvalidArgumentError(
            "client must be a Client, because imports and exports are sync, "
            f"not {type(client).__name__}."
        )
