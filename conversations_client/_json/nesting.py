"""How deep JSON is nested, found without recursion."""

from typing import Any, cast


def deeper_than(levels: int, value: object) -> bool:
    """Whether lists and objects stand in one another more than `levels` deep."""
    layer = _inside([value])
    for _ in range(levels):
        if not layer:
            return False
        layer = [inner for outer in layer for inner in _inside(outer)]
    return bool(layer)


def _inside(value: Any) -> list[Any]:  # noqa: ANN401 - a list or an object
    members = cast("list[Any]", value.values() if isinstance(value, dict) else value)
    return [member for member in members if isinstance(member, dict | list)]
