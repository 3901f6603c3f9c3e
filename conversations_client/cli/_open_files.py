"""Rejects files that the command already has open, such as /dev/stdout."""

import os
import re
from pathlib import Path
from typing import Final

from conversations_client.cli._exit_codes import UsageError

_STANDARD_STREAMS: Final = {0: "stdin", 1: "stdout", 2: "stderr"}
_DESCRIPTORS: Final = re.compile(r"/dev/fd|/proc/.+/fd")


def check_not_open(path: Path, option: str) -> None:
    """Raise UsageError if a file is a stream of this command; replacing it would lose its content.

    Args:
        path: The file to write.
        option: The option or argument that names it.
    """
    if stream := _stream_of(path):
        raise UsageError(
            f"{path} is {stream} of this command, so it can't be {option}. Choose another file."
        )


def _stream_of(path: Path) -> str | None:
    if str(path) == os.devnull:
        return None  # writing to it loses nothing that should be kept
    for descriptor, name in _STANDARD_STREAMS.items():
        try:
            if os.path.samestat(path.stat(), os.fstat(descriptor)):
                return name
        except (OSError, ValueError):  # it doesn't exist or is closed
            continue
    is_descriptor = _DESCRIPTORS.fullmatch(os.path.realpath(path.parent))
    return "an open file" if is_descriptor else None
