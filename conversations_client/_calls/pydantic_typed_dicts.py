"""Lets pydantic, and so FastAPI, validate the typed dicts of this package."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

if TYPE_CHECKING:
    from pydantic_core import CoreSchema


T = TypeVar("T")


def checked_strictly(cls: type[T]) -> type[T]:
    """Decorate a typed dict so that pydantic rejects unknown keys and converts no values."""
    configured: Any = cls
    configured.__pydantic_config__ = {"extra": "forbid", "strict": True}
    return cls


@frozen
class InstanceSchema:
    """An annotation for pydantic: an instance of the class is valid as is.

    JSON schemas omit it, because JSON can't contain instances.

    Attributes:
        serialize: Converts an instance to a dict.
    """

    serialize: Callable[[Any], Mapping[str, Any]]

    def __get_pydantic_core_schema__(self, source: type, _: object) -> "CoreSchema":
        from pydantic_core import core_schema

        as_dict = core_schema.plain_serializer_function_ser_schema(self.serialize)
        return core_schema.is_instance_schema(source, serialization=as_dict)

    def __get_pydantic_json_schema__(self, schema: object, _: object) -> dict[str, Any]:
        from pydantic_core import PydanticOmit

        raise PydanticOmit
