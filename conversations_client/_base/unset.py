"""The marker for an omitted value, as opposed to None."""

from enum import Enum
from typing import Final, Literal


class Unset(Enum):
    """The type of `UNSET`. It is an enum so that every type checker narrows on `is UNSET`.

    In an argument, `UNSET` omits the field from the request, while None sends null.
    In a response, it means that the service omitted the field.

    Example:
        from conversations_client import Unset

        def described(description: str | Unset | None) -> str:
            return "not sent" if description is UNSET else f"sent as {description!r}"

        assert described(UNSET) == "not sent"
    """

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> Literal[False]:
        return False


UNSET: Final = Unset.UNSET
