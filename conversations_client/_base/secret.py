"""The API key, in a wrapper that doesn't show it."""

from typing import Any, Final, TypeVar, cast

import attrs

_T = TypeVar("_T")
_TextOrBytes = TypeVar("_TextOrBytes", str, bytes)

_SHORTEST: Final = 8  # what is no longer may be any word, and is no key


class Secret:
    """A text that shows in no repr, message or dict of attributes; `reveal()` gives it."""

    __slots__ = ("_reveal",)

    def __init__(self, value: str) -> None:
        def reveal() -> str:
            return value

        # In a closure, where neither vars() nor a debugger's list of attributes finds it.
        self._reveal = reveal

    def reveal(self) -> str:
        """The text itself."""
        return self._reveal()

    def redact(self, text: _TextOrBytes) -> _TextOrBytes:
        """A text without the secret, should it be in there."""
        if len(self._reveal()) < _SHORTEST:
            return text
        if isinstance(text, bytes):
            return text.replace(self._reveal().encode(), b"[redacted]")
        return text.replace(self._reveal(), "[redacted]")

    def redact_within(self, value: _T) -> _T:
        """JSON, or an object of attrs, with the secret in no text of it, names included."""
        return cast("_T", self._redacted(value))

    def _redacted(self, value: Any) -> Any:  # noqa: ANN401 - whatever an answer holds
        kind = value.__class__
        if kind is str:  # exactly, for the members of enums are strings too
            return self.redact(value)
        if kind is dict:
            return {self._redacted(name): self._redacted(each) for name, each in value.items()}
        if kind is list:
            return [self._redacted(each) for each in value]
        if kind is tuple:
            return tuple(self._redacted(each) for each in value)
        if not attrs.has(kind):
            return value
        given = [a for a in attrs.fields(kind) if a.init]
        return attrs.evolve(
            value, **{str(a.alias): self._redacted(getattr(value, a.name)) for a in given}
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.reveal()

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __repr__(self) -> str:
        return "Secret(…)"
