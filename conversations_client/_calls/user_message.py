"""Checks and serializes the message of a request; raises InvalidArgumentError."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from conversations_client._fields.file_arguments import check_mime_type, check_uri
from conversations_client._json.serialization import request_argument
from conversations_client.errors import InvalidArgumentError
from conversations_client.messages import (
    ErrorPart,
    FileContent,
    FilePart,
    TextPart,
    ToolResultPart,
    UserMessage,
)

from .arguments import checked_id, checked_string, type_name

_PARTS: Final = (TextPart, FilePart, ToolResultPart, ErrorPart)
_EXPECTED: Final = "message must be a string, a part, a list of strings and parts, or a UserMessage"
_MESSAGE_ID: Final = re.compile("msg_[0-7][0-9a-hjkmnp-tv-z]{25}")  # an ID of the API
_EXPECTED_PARTS: Final = "message: parts must be a list of strings and parts"


def checked_message(value: object) -> dict[str, Any]:
    """A message under its wire names, from a string, strings and parts, or a UserMessage."""
    if not isinstance(value, UserMessage):
        parts = [value] if isinstance(value, (str, *_PARTS)) else value
        return {"role": "user", "parts": _parts(parts, _EXPECTED)}
    checked: dict[str, Any] = {"role": value.role, "parts": _parts(value.parts, _EXPECTED_PARTS)}
    if value.message_id is not None:
        checked["messageId"] = _checked_message_id(value.message_id)
    return checked


def _checked_message_id(value: object) -> str:
    if not isinstance(value, str) or not _MESSAGE_ID.fullmatch(value):
        raise InvalidArgumentError(
            "message: message_id must be 'msg_' followed by a lowercase ULID, such as "
            "'msg_01jj1hdhn79xas7a01wb3hysdb': omit it to let the service choose an ID."
        )
    return value


def _parts(value: object, expected: str) -> list[object]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise InvalidArgumentError(f"{expected}, not {_described(value)}.")
    parts = cast("Sequence[object]", value)
    if all(_is_blank(part) for part in parts):
        raise InvalidArgumentError(
            "message is empty: pass at least one part, or a string that is not blank."
        )
    return [_part(f"message[{index}]", part) for index, part in enumerate(parts)]


def _is_blank(part: object) -> bool:
    text = part.text if isinstance(part, TextPart) else part
    return isinstance(text, str) and not text.strip()


def _part(name: str, value: object) -> object:
    match value:
        case str():
            return _part(name, TextPart(text=value))
        case TextPart():
            checked_string(f"{name}.text", value.text)
        case FilePart():
            _check_file(f"{name}.file", value.file)
        case ToolResultPart():
            checked_id(f"{name}.tool_call_id", value.tool_call_id)
        case ErrorPart():
            checked_string(f"{name}.error", value.error)
        case _:
            raise InvalidArgumentError(
                f"{name} must be a string, a TextPart, a FilePart, a ToolResultPart or an "
                f"ErrorPart, not {_described(value)}."
            )
    return request_argument(name, value)


def _described(value: object) -> str:
    name = type_name(value)
    return f"{name}: write text as TextPart(text=…)" if isinstance(value, Mapping) else name


def _check_file(name: str, file: object) -> None:
    if not isinstance(file, FileContent):
        raise InvalidArgumentError(f"{name} must be a FileContent, not {type(file).__name__}.")
    if (file.bytes is None) == (file.uri is None):
        raise InvalidArgumentError(
            f"{name} must have either bytes or uri: use FilePart.from_bytes(…) or "
            "FilePart.from_uri(…)."
        )
    check_mime_type(f"{name}.mime_type", file.mime_type)
    if file.name is not None:
        checked_string(f"{name}.name", file.name)
    if file.uri is not None:
        check_uri(f"{name}.uri", file.uri)
        return
    try:
        content = base64.b64decode(checked_string(f"{name}.bytes", file.bytes), validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content:
        raise InvalidArgumentError(
            f"{name}.bytes must be base64 of at least 1 byte: use FilePart.from_bytes(…)."
        )
