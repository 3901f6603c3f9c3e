"""The mark of a value that was not given, which is not the same as None."""

from enum import Enum
from typing import Final, Literal


class Unset(Enum):
    """The type of `UNSET`; one member, so that `is UNSET` narrows in every type checker.

    In an argument it means "leave this out of the request", where None means "send null".
    In an answer it means that the service left the field out.
    """

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> Literal[False]:
        return False


UNSET: Final = Unset.UNSET
