"""The representation of responses in logs, terminals and notebooks."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from reprlib import recursive_repr
from typing import Any, Final, Protocol, cast

import attrs

from conversations_client._base.unset import UNSET

from .pydantic_classes import PydanticSchema

_HIDDEN_IF_EMPTY: Final = frozenset({"extra", "envelope"})


class _Printer(Protocol):
    """IPython's printer."""

    def group(self, indent: int, open: str, close: str) -> AbstractContextManager[None]: ...  # noqa: A002 - IPython's
    def text(self, obj: str) -> None: ...
    def breakable(self) -> None: ...
    def pretty(self, obj: object) -> None: ...


class PrettyRepr(PydanticSchema):
    """The base class of response classes; their repr omits an empty `extra` and `envelope`.

    rich and IPython also omit the fields that the service omitted.
    """

    __slots__ = ()

    @recursive_repr()
    def __repr__(self) -> str:
        shown = ", ".join(f"{a.name}={value!r}" for a, value in _shown(self))
        return f"{type(self).__qualname__}({shown})"

    def __rich_repr__(self) -> Iterator[tuple[str, Any]]:
        """The attributes, for rich."""
        for a, value in _shown(self):
            # If the default isn't None, the service sent null.
            if value is not UNSET and not (value is None and a.default is None):
                yield a.name, value

    def _repr_pretty_(self, printer: _Printer, cycle: bool) -> None:  # noqa: FBT001 - IPython's
        name = type(self).__qualname__
        if cycle:
            printer.text(f"{name}(...)")
            return
        with printer.group(len(name) + 1, f"{name}(", ")"):
            for index, (attribute, value) in enumerate(self.__rich_repr__()):
                if index:
                    printer.text(",")
                    printer.breakable()
                printer.text(f"{attribute}=")
                printer.pretty(value)


def _shown(instance: PrettyRepr) -> "Iterator[tuple[attrs.Attribute[Any], Any]]":
    for a in attrs.fields(cast("type[attrs.AttrsInstance]", type(instance))):
        value = getattr(instance, a.name)
        if value or a.name not in _HIDDEN_IF_EMPTY:
            yield a, value
