"""Lets pydantic, and so FastAPI, validate and serialize the data classes of this package."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_core import CoreSchema


class PydanticSchema:
    """The base class of data classes; pydantic uses `structure` and `unstructure` for them."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: object) -> "CoreSchema":  # noqa: ANN401 - a type
        from pydantic_core import core_schema

        # Imported here because they import this module.
        from conversations_client import ConversationsError, structure, unstructure

        def validate(value: object) -> object:
            if isinstance(value, cls):
                return value
            try:
                return structure(value, cls)
            except ConversationsError as error:
                raise ValueError(str(error)) from None

        return core_schema.no_info_plain_validator_function(
            validate,
            serialization=core_schema.plain_serializer_function_ser_schema(unstructure),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: object, handler: object) -> dict[str, Any]:
        return {"title": cls.__name__, "type": "object"}
