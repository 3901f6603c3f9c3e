"""JSON to objects and back; cattrs is imported only for what has no ready-made function."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from conversations_client._base.lazy_imports import begin_import
from conversations_client.errors import DecodeError

from . import parser
from .ready_made import function_of

T = TypeVar("T")

_LARGE: Final = 2**11


def structure(value: object, cls: type[T]) -> T:
    """Turn parsed JSON into an object of a class.

    Args:
        value: The JSON, as `json.loads` returns it.
        cls: Any attrs class, of this package or your own. The wire name of an attribute is its name
            in camelCase, or `attrs.field(metadata={"wire": …})`.

    Returns:
        An instance of `cls`; nothing is coerced, and unknown fields are kept in `extra`.

    Raises:
        DecodeError: The JSON does not fit; `faults` has each fault with its JSON path.

    Example:
        from conversations_client import ConversationMetadata, structure

        assert structure({"model": "openai/gpt-4o"}, ConversationMetadata).model == "openai/gpt-4o"
    """
    function: Callable[[Any], T] = function_of(cls) or _converted(cls)
    return structure_by(function, value, cls)


def read(body: bytes, cls: type[T]) -> T:
    """Turn a JSON document into an object of a class; raises DecodeError."""
    # Smaller documents take longer to be read twice, should the typed decoder refuse them.
    if cls.__name__ == "ConversationPage" and len(body) > _LARGE and parser.has_speedups():
        begin_import("conversations_client._json.typed_pages")
        from .typed_pages import read_page

        page: Any = read_page(body)
        if page is not None and cls is type(page):
            found: T = page
            return found
    return structure(parser.parse(body), cls)


def structure_by(function: Callable[[Any], T], value: object, cls: Any) -> T:  # noqa: ANN401 - a type
    """Read JSON with the function of a class or union; raises DecodeError."""
    try:
        return function(value)
    except Exception:  # noqa: BLE001 - hooks that users register may raise anything
        begin_import("conversations_client._json.converter")
        from .converter import faults

        found = faults(value, cls)
    raise DecodeError(found)


def _converted(cls: type[T]) -> Callable[[Any], T]:
    begin_import("conversations_client._json.converter")
    from .converter import converter

    return lambda value: converter.structure(value, cls)


def unstructure(value: object) -> Any:  # noqa: ANN401 - any JSON
    """Turn an object into JSON, as Python values; the opposite of `structure`.

    Args:
        value: An object of a class of this package or of your own attrs class.

    Returns:
        The JSON that the object came from, unknown fields included.

    Example:
        from conversations_client import ConversationMetadata, unstructure

        metadata = ConversationMetadata(model="openai/gpt-4o")
        assert unstructure(metadata) == {"model": "openai/gpt-4o"}
    """
    begin_import("conversations_client._json.converter")
    from .converter import converter

    return converter.unstructure(value)
