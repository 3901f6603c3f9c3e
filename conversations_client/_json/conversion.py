"""Converts JSON to objects and back; cattrs is imported only if no generated function applies."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from conversations_client._base.lazy_imports import lazy_import
from conversations_client.errors import DecodeError, Fault

from . import parser
from .generated_functions import function_of

T = TypeVar("T")

_LARGE: Final = 2**11


def structure(value: object, cls: type[T]) -> T:
    """Convert parsed JSON to an instance of a class.

    Args:
        value: The JSON, as `json.loads` returns it.
        cls: Any attrs class, from this package or your own. An attribute's wire name is its name in
            camelCase, unless `attrs.field(metadata={"wire": …})` sets a different one.

    Returns:
        An instance of `cls`. Nothing is coerced; `extra` contains the unknown fields.

    Raises:
        DecodeError: The JSON doesn't match the class; `faults` lists each fault with its JSON path.

    Example:
        from conversations_client import ConversationMetadata, structure

        assert structure({"model": "openai/gpt-4o"}, ConversationMetadata).model == "openai/gpt-4o"
    """
    try:
        return structure_by(_function(cls), value, cls)
    except DecodeError as error:
        if not isinstance(value, str | bytes | bytearray):
            raise
        faults = tuple(map(_with_advice, error.faults))
    raise DecodeError(faults)


def read(body: bytes, cls: type[T]) -> T:
    """Convert a JSON document to an instance of a class; raises DecodeError."""
    # For smaller documents, the typed decoder saves less than its failures would cost.
    # A union has no name.
    is_page = len(body) > _LARGE and getattr(cls, "__name__", "") == "ConversationPage"
    if is_page and parser.has_speedups():
        lazy_import("conversations_client._json.typed_pages")
        from .typed_pages import read_page

        page: Any = read_page(body)
        if page is not None and cls is type(page):
            typed: T = page
            return typed
    return structure_by(_function(cls), parser.parse(body), cls)


def structure_by(function: Callable[[Any], T], value: object, cls: Any) -> T:  # noqa: ANN401 - a type
    """Convert JSON with the function of a class or union; raises DecodeError."""
    try:
        return function(value)
    except Exception:  # noqa: BLE001 - hooks that users register may raise anything
        lazy_import("conversations_client._json.converter")
        from .converter import faults

        found = faults(value, cls)
    raise DecodeError(found)


def _with_advice(fault: Fault) -> Fault:
    """The fault, with advice if the value is an unparsed JSON document."""
    if not fault.problem.startswith("expected an object"):
        return fault
    return Fault(fault.path, f"{fault.problem}: parse it with json.loads first")


def _function(cls: type[T]) -> Callable[[Any], T]:
    return function_of(cls) or _converter_function(cls)


def _converter_function(cls: type[T]) -> Callable[[Any], T]:
    lazy_import("conversations_client._json.converter")
    from .converter import converter

    return lambda value: converter.structure(value, cls)


def unstructure(value: object) -> Any:  # noqa: ANN401 - any JSON
    """Convert an object to JSON, represented as Python values; the inverse of `structure`.

    Args:
        value: An instance of one of this package's classes or of your own attrs class.

    Returns:
        The object as JSON, including unknown fields.

    Example:
        from conversations_client import ConversationMetadata, unstructure

        metadata = ConversationMetadata(model="openai/gpt-4o")
        assert unstructure(metadata) == {"model": "openai/gpt-4o"}
    """
    lazy_import("conversations_client._json.converter")
    from .converter import converter

    return converter.unstructure(value)
