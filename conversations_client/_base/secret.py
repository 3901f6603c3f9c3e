"""A wrapper that hides the API key."""

from typing import Any, Final, TypeVar, cast
from urllib.parse import unquote

import attrs

_T = TypeVar("_T")
_TextOrBytes = TypeVar("_TextOrBytes", str, bytes)

_MIN_LENGTH: Final = 8  # a shorter string could be an ordinary word


class Secret:
    """A string that appears in no repr, error message or `vars()`; `reveal()` returns it."""

    __slots__ = ("_reveal",)

    def __init__(self, value: str) -> None:
        def reveal() -> str:
            return value

        # Neither vars() nor a debugger's list of attributes shows what is in a closure.
        self._reveal = reveal

    def reveal(self) -> str:
        """The string itself."""
        return self._reveal()

    def is_in(self, text: str) -> bool:
        """Whether the text contains the secret, in any letter case and percent-encoded or not.

        Percent-encoding is undone twice, because an ID may be percent-encoded already when a path
        encodes it.

        A secret that could be an ordinary word must be the whole text.
        """
        secret = self._reveal()
        if len(secret) < _MIN_LENGTH:
            return text == secret
        secret, text = secret.lower(), text.lower()
        return secret in text or ("%" in text and secret in unquote(unquote(text)))

    def redact(self, text: _TextOrBytes) -> _TextOrBytes:
        """The text with the secret replaced by `[redacted]`."""
        if len(self._reveal()) < _MIN_LENGTH:
            return text
        if isinstance(text, bytes):
            return text.replace(self._reveal().encode(), b"[redacted]")
        return text.replace(self._reveal(), "[redacted]")

    def redact_within(self, value: _T) -> _T:
        """JSON or an attrs object with the secret replaced in every string, keys included."""
        return cast("_T", self._redacted(value))

    def _redacted(self, value: Any) -> Any:  # noqa: ANN401 - any part of a response
        kind = value.__class__
        if kind is str:  # not isinstance(): members of enums may be strings too
            return self.redact(value)
        if kind is dict:
            return {self._redacted(name): self._redacted(each) for name, each in value.items()}
        if kind is list:
            return [self._redacted(each) for each in value]
        if kind is tuple:
            return tuple(self._redacted(each) for each in value)
        if not attrs.has(kind):
            return value
        fields = [a for a in attrs.fields(kind) if a.init]
        return attrs.evolve(
            value, **{str(a.alias): self._redacted(getattr(value, a.name)) for a in fields}
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.reveal()

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __repr__(self) -> str:
        return "Secret(…)"
