"""JSON on the wire to attrs classes and back: the one cattrs converter, which coerces nothing."""

from typing import Any, Final, TypeVar

from cattrs import Converter

from conversations_client.errors import DecodeError, Fault

from . import class_hooks as objects
from . import scalar_hooks as values
from .decode_errors import faults_of

T = TypeVar("T")

converter: Final = Converter(detailed_validation=False)
"""What turns JSON into the classes of this package; register hooks on it for types of your own."""

values.register(converter)
objects.register(converter)


def structure(value: object, cls: type[T]) -> T:
    """Parsed JSON as an object of `cls`; raises DecodeError, which names every fault at once.

    `cls` may be any attrs class, of this package or your own: its attributes are the snake case
    of the wire names, `attrs.field(metadata={"wire": …})` where they are not.
    """
    try:
        return converter.structure(value, cls)
    except Exception:  # noqa: BLE001 - hooks that users register may raise anything
        faults = _explain(value, cls)
    raise DecodeError(faults)


def unstructure(value: object) -> Any:  # noqa: ANN401 - any JSON
    """An object of the package's classes as the JSON that it came from, as Python values."""
    return converter.unstructure(value)


def _explain(value: object, cls: type) -> tuple[Fault, ...]:
    # A second converter, made only now: collecting every fault costs the quick path too much.
    try:
        converter.copy(detailed_validation=True).structure(value, cls)
    except Exception as error:  # noqa: BLE001 - as above
        return tuple(faults_of(error))
    return (Fault("$", f"is no {cls.__name__}"),)
