"""Both revisions of the API, which the client supports and the sandbox serves."""

from typing import Any

REVISIONS = [1, 2]


def required(revision: int, entity_id: str = "agent_1") -> dict[str, Any]:
    """The arguments that `create` needs, because revision 1 requires an entity."""
    return {"metadata": {"entity_id": entity_id}} if revision == 1 else {}
