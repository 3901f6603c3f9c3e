"""Rejects files that the command already has open, such as /dev/stdout."""

import os
import re
import stat
from contextlib import suppress
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
    found = _status(path)
    if found is not None:
        # Writing to the null device loses nothing.
        if os.path.samestat(found, Path(os.devnull).stat()):
            return None
        for descriptor, name in _STANDARD_STREAMS.items():
            stream = _status_of_stream(descriptor)
            if stream is not None and os.path.samestat(found, stream):
                return name
    # A pipe, such as that of the shell's >(…), has no content to lose.
    has_content = found is None or stat.S_ISREG(found.st_mode)
    is_descriptor = _DESCRIPTORS.fullmatch(os.path.realpath(path.parent))
    return "an open file" if is_descriptor and has_content else None


def _status(path: Path) -> os.stat_result | None:
    """The status of a file; None if it doesn't exist."""
    found = None
    with suppress(OSError, ValueError):
        found = path.stat()
    return found


def _status_of_stream(descriptor: int) -> os.stat_result | None:
    """The status of a standard stream; None if it is closed."""
    found = None
    with suppress(OSError):
        found = os.fstat(descriptor)
    return found
