"""Lets pydantic, and so FastAPI, validate, serialize and describe the package's data classes."""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, Literal, get_origin

import attrs

from .attributes import (
    Attribute,
    attributes,
    is_inside_data,
    is_nullable,
    wire_name,
    without,
)

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

_BEING_DESCRIBED: Final = ContextVar[frozenset[type]]("being_described", default=frozenset())
"""The classes whose schemas are being created, because a class may contain itself."""


class PydanticSchema:
    """The base class of data classes; pydantic uses `structure` and `unstructure` for them."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(
        cls,
        source: Any,  # noqa: ANN401 - a type
        handler: "GetCoreSchemaHandler",
    ) -> "CoreSchema":
        from pydantic_core import core_schema

        # Imported here because they import this module.
        from conversations_client import ConversationsError, structure

        def validate(value: object, _: object) -> object:
            if isinstance(value, cls):
                return value
            try:
                return structure(value, cls)
            except ConversationsError as error:
                raise ValueError(str(error)) from None

        ref = f"{cls.__module__}.{cls.__qualname__}:{id(cls)}"
        if cls in _BEING_DESCRIBED.get():
            return core_schema.definition_reference_schema(ref)
        token = _BEING_DESCRIBED.set(_BEING_DESCRIBED.get() | {cls})
        try:
            shape = _json_object(cls, handler)
        finally:
            _BEING_DESCRIBED.reset(token)
        # The inner schema describes the JSON. It doesn't validate, because `validate` ignores it.
        return core_schema.no_info_wrap_validator_function(
            validate,
            shape,
            ref=ref,
            serialization=_serialization(cls),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: "CoreSchema", handler: "GetJsonSchemaHandler"
    ) -> dict[str, Any]:
        described = handler(schema)
        handler.resolve_ref_schema(described)["title"] = cls.__name__
        return described


def _serialization(cls: type) -> Any:  # noqa: ANN401 - pydantic's typed dict
    """Serializes by the declared class, as pydantic does: without the fields of a subclass."""
    from pydantic_core import core_schema

    from conversations_client import unstructure

    def serialize(value: object, check: Callable[[object], object]) -> object:
        if type(value) is cls:
            return unstructure(value)
        result = check(value)
        return unstructure(_as_class(value, cls)) if isinstance(value, cls) else result

    # In a union, the member with the object's own class serializes it, or else one with a base
    # class. pydantic checks classes in this way only in unions of at least two members.
    fields = core_schema.dataclass_args_schema(cls.__name__, [])
    instance = core_schema.dataclass_schema(cls, fields, [])
    union = core_schema.union_schema([instance, core_schema.none_schema()])
    return core_schema.wrap_serializer_function_ser_schema(serialize, schema=union)


def _as_class(value: object, cls: Any) -> object:  # noqa: ANN401 - a data class
    """Copy an instance of a subclass to an instance of the class."""
    copy = object.__new__(cls)
    for attribute in attrs.fields(cls):
        object.__setattr__(copy, attribute.name, getattr(value, attribute.name))
    return copy


def _json_object(cls: type, handler: "GetCoreSchemaHandler") -> "CoreSchema":
    """The schema of a class's JSON object."""
    try:
        found = attributes(cls)
    except NameError:  # a subclass has a type that isn't defined yet
        found = ()
    inside = [a for a in found if is_inside_data(a, cls)]
    fields = _fields((a for a in found if a not in inside), handler)
    if inside:
        fields["data"] = _field(_object(_fields(inside, handler)), is_required=True)
    return _object(fields)


def _fields(found: Iterable[Attribute], handler: "GetCoreSchemaHandler") -> dict[str, Any]:
    return {
        wire_name(a): _field(
            _value(a, handler),
            is_required=a.default is attrs.NOTHING or get_origin(a.type) is Literal,
        )
        for a in found
    }


def _value(attribute: Attribute, handler: "GetCoreSchemaHandler") -> "CoreSchema":
    from pydantic import PydanticSchemaGenerationError
    from pydantic_core import core_schema

    # None stands for an absent field, which may not be null on the wire.
    is_optional = attribute.default is None and not is_nullable(attribute)
    form: Any = without(attribute.type, NoneType) if is_optional else attribute.type
    try:
        return handler.generate_schema(form)
    except PydanticSchemaGenerationError:  # the type in a subclass may have a hook only here
        return core_schema.any_schema()


def _object(fields: dict[str, Any]) -> "CoreSchema":
    from pydantic_core import core_schema

    return core_schema.typed_dict_schema(fields, extra_behavior="allow")


def _field(schema: "CoreSchema", *, is_required: bool) -> Any:  # noqa: ANN401 - pydantic's typed dict
    from pydantic_core import core_schema

    return core_schema.typed_dict_field(schema, required=is_required)
