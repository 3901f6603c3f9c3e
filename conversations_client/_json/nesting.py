"""The limit on how deeply JSON may be nested, checked without recursion."""

from typing import Any, Final, cast

from .mismatch import Mismatch

# Python limits recursion to 1000 frames, and code that walks a value uses up to three per level:
# JSON within this limit can be compared, copied, pickled and printed.
_MAX_DEPTH: Final = 100


def bounded(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same JSON; raises Mismatch if it is nested too deeply."""
    if deeper_than(_MAX_DEPTH, value):
        raise Mismatch(f"nested more than {_MAX_DEPTH} levels deep")
    return value


def deeper_than(levels: int, value: object) -> bool:
    """Whether lists and objects are nested more than `levels` deep."""
    layer = _inside([value])
    for _ in range(levels):
        if not layer:
            return False
        layer = [inner for outer in layer for inner in _inside(outer)]
    return bool(layer)


def _inside(value: Any) -> list[Any]:  # noqa: ANN401 - a list or an object
    members = cast("list[Any]", value.values() if isinstance(value, dict) else value)
    return [member for member in members if isinstance(member, dict | list)]
