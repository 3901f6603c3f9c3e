"""Where the rows of an import are created."""

import json
from typing import Self

from attrs import asdict, frozen

from conversations_client import Client


@frozen
class Destination:
    """The service, project and key that an import uses.

    Attributes:
        service: The client's `base_url`, or the caller's name for the service.
        project_id: The project for rows without one of their own.
        key: A salted digest of the API key, because a key belongs to one workspace; empty for a
            service that the caller names.
    """

    service: str
    project_id: str | None
    key: str

    @classmethod
    def of(cls, client: Client, *, salt: str, name: str | None = None) -> Self:
        """The destination of a client."""
        key = client.key_digest(salt) if name is None else ""
        return cls(service=name or client.base_url, project_id=client.project_id, key=key)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote; raises ValueError, TypeError or KeyError."""
        found = json.loads(text)
        return cls(service=found["service"], project_id=found["project_id"], key=found["key"])

    def to_json(self) -> str:
        """The destination as text."""
        return json.dumps(asdict(self))

    def other(self, now: Self) -> str | None:
        """How another destination differs, as a sentence; None if it is the same."""
        if self.service != now.service:
            return (
                f"Its rows were created at {self.service}, and this client sends to {now.service}."
            )
        if self.project_id != now.project_id:
            before, after = self.project_id or "no project", now.project_id or "no project"
            return f"Its rows were created in {before}, and this client creates in {after}."
        if self.key != now.key:
            return "Its rows were created with another API key, which may be of another workspace."
        return None


def refusal(owner: str, difference: str) -> str:
    """The message for an import that would change its destination."""
    return (
        f"{owner} belongs to another destination. {difference} Nothing was sent. Use a new journal "
        "to create every row here, or pass change_destination=True if the rows that were created "
        "there are not needed here."
    )
