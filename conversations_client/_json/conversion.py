"""Converts JSON to objects; cattrs is imported only if no generated function applies."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from conversations_client._base.lazy_imports import lazy_import
from conversations_client._fields.attributes import check_is_type, is_type
from conversations_client.errors import DecodeError, Fault, InvalidArgumentError

from . import parser
from .generated_functions import function_of

if TYPE_CHECKING:
    from cattrs import Converter

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
        InvalidArgumentError: `cls` is not a class, or JSON can't be converted to it.

    Example:
        from conversations_client import ConversationMetadata, structure

        assert structure({"model": "openai/gpt-4o"}, ConversationMetadata).model == "openai/gpt-4o"
    """
    function: Callable[[Any], T] = function_of(cls) or _checked_function(value, cls)
    try:
        return structure_by(function, value, cls)
    except DecodeError as error:
        failure = error
    if all(map(_is_about_types, failure.faults)):
        check_type("cls", cls)
    if isinstance(value, str | bytes | bytearray):
        raise DecodeError(tuple(map(_with_advice, failure.faults)))
    raise failure


def _checked_function(value: object, cls: type[T]) -> Callable[[Any], T]:
    if is_type(value) and not is_type(cls):
        raise InvalidArgumentError(
            "The arguments of structure are swapped: pass the JSON first, and then the class."
        )
    check_is_type("cls", cls)
    return _converter_function(cls)


def check_type(name: str, form: T) -> T:
    """A type that JSON can be converted to; raises InvalidArgumentError."""
    if function_of(form) is None:
        check_is_type(name, form)
        lazy_import("conversations_client._json.converter")
        from .converter import check_is_supported

        check_is_supported(name, form)
    return form


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


def _is_about_types(fault: Fault) -> bool:
    """Whether the class, rather than the value, may be the cause of a fault."""
    at_top = fault.path == "$" and fault.problem.startswith("conversion failed")
    return at_top or fault.problem.startswith("no hook for")


def _with_advice(fault: Fault) -> Fault:
    """The fault, with advice if the value is an unparsed JSON document."""
    if not fault.problem.startswith("expected an object"):
        return fault
    return Fault(fault.path, f"{fault.problem}: parse it with json.loads first")


def _function(cls: type[T]) -> Callable[[Any], T]:
    return function_of(cls) or _converter_function(cls)


def _converter_function(cls: type[T]) -> Callable[[Any], T]:
    converter = loaded_converter()
    return lambda value: converter.structure(value, cls)


@cache
def loaded_converter() -> "Converter":
    """The converter, which is imported on first use."""
    lazy_import("conversations_client._json.converter")
    from .converter import converter

    return converter
