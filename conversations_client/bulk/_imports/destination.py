"""Where an import creates its conversations."""

import json
from typing import Self

from attrs import asdict, frozen

from conversations_client import Client


@frozen
class Destination:
    """The service, project and key that an import uses.

    Attributes:
        service: The client's `base_url`, or the name that the caller gives the service.
        project_id: The project for rows that have no project ID.
        key: A salted digest of the API key, which stands for the workspace, because each key
            belongs to one. Empty if the caller passes a name for the service.

    Example:
        with Journal("import.journal") as journal:
            import_file(client, "conversations.jsonl", journal)
            assert journal.destination == Destination.of(client, salt=journal.import_id)
    """

    service: str
    project_id: str | None
    key: str

    @classmethod
    def of(cls, client: Client, *, salt: str, name: str | None = None) -> Self:
        """The destination of a client.

        Args:
            client: The client.
            salt: The salt for the digest of the key.
            name: A name to use for the service in place of its URL and key. Default: none.

        Example:
            assert Destination.of(client, salt="a").service == client.base_url
            assert Destination.of(client, salt="a", name="production").service == "production"
        """
        key = client.key_digest(salt) if name is None else ""
        return cls(service=name or client.base_url, project_id=client.project_id, key=key)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Parse the output of `to_json`.

        Raises:
            ValueError: The text is not JSON.
            TypeError: The JSON is not an object.
            KeyError: A field is missing.

        Example:
            destination = Destination(service="production", project_id=None, key="")
            assert Destination.from_json(destination.to_json()) == destination
        """
        data = json.loads(text)
        return cls(service=data["service"], project_id=data["project_id"], key=data["key"])

    def to_json(self) -> str:
        """The destination as JSON.

        Example:
            >>> Destination(service="production", project_id=None, key="").to_json()
            '{"service": "production", "project_id": null, "key": ""}'
        """
        return json.dumps(asdict(self))

    def other(self, now: Self) -> str | None:
        """A sentence that says how this destination differs from `now`; None if it doesn't.

        Example:
            >>> before = Destination(service="staging", project_id=None, key="")
            >>> before.other(Destination(service="production", project_id=None, key=""))
            'Its conversations were created at staging, but this client sends to production.'
        """
        if self.service != now.service:
            return (
                f"Its conversations were created at {self.service}, but this client sends to "
                f"{now.service}."
            )
        if self.project_id != now.project_id:
            before, after = self.project_id or "no project", now.project_id or "no project"
            return f"Its conversations belong to {before}, but this client uses {after}."
        if self.key != now.key:
            return (
                "Its conversations were created with a different API key, which may belong to a "
                "different workspace."
            )
        return None


def conflict_message(owner: str, difference: str) -> str:
    """The error message for an import that would change its destination."""
    return (
        f"{owner} belongs to a different destination. {difference} Nothing was sent. Use a new "
        "journal or folder to import every row into the new destination, or pass "
        "change_destination=True to skip the rows already imported."
    )
