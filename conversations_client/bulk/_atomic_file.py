"""Files that are there whole or not at all."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from errno import EISDIR
from pathlib import Path


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Generator[Path, None, None]:
    """A file to write in place of `path`, which it becomes at the end of the block."""
    final = Path(path)
    if final.is_dir():  # before the work, not after it
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), os.fspath(final))
    part = final.with_name(f"{final.name}.part")
    try:
        yield part
        part.replace(final)
    finally:
        part.unlink(missing_ok=True)
