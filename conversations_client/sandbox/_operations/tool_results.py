"""Checks the tool results in a message against the pending tool calls of the conversation."""

from collections.abc import Iterator, Mapping
from typing import Any

from starlette.exceptions import HTTPException


def check_tool_results(body: Mapping[str, Any], pending: Mapping[str, str]) -> None:
    """Check that each tool result belongs to a different pending call.

    Args:
        body: A valid request body.
        pending: The task ID of each pending call by the call's ID.

    Raises:
        HTTPException: 409 if a result belongs to no pending call, or to one of a different task.
    """
    faults = "; ".join(_faults(body, pending))
    if faults:
        raise HTTPException(409, f"The tool results don't match the conversation: {faults}.")


def _faults(body: Mapping[str, Any], pending: Mapping[str, str]) -> Iterator[str]:
    remaining = dict(pending)
    for index, part in enumerate(body["message"]["parts"]):
        if part["kind"] != "tool_result":
            continue
        path = f"$.message.parts[{index}]"
        calls = ", ".join(remaining)
        task_id = remaining.pop(part["tool_call_id"], None)
        if task_id is None and calls:
            yield f"{path}.tool_call_id must be the ID of a pending tool call: {calls}"
        elif task_id is None:
            yield f"{path} must not be a tool_result, because no tool call is pending"
        elif body.get("task_id", task_id) != task_id:
            yield f"$.task_id must be {task_id}, the task of the tool call"
