"""Runs command lines in processes that are forked after the imports, which take the most time.

Reads jobs from stdin, one JSON object per line, and prints the exit code of each. Each process
has the standard streams that Python would have opened: None if the descriptor is closed.
"""

import gc
import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, TextIO

from conversations_client.cli import main
from conversations_client.cli._run import run


def replace_descriptors(streams: list[str]) -> None:
    """Redirect descriptors 0, 1 and 2; "closed" closes one, and "gone" is a pipe without a reader."""
    for number, stream in enumerate(streams):
        if stream == "gone":
            reading, target = os.pipe()
            os.close(reading)
        else:
            path = os.devnull if stream == "closed" else stream
            target = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT)
        os.dup2(target, number)
        os.close(target)
    for number, stream in enumerate(streams):
        if stream == "closed":
            os.close(number)


def opened(number: int, *, unbuffered: bool) -> TextIO | None:
    """The stream that Python opens when it starts."""
    try:
        os.fstat(number)
    except OSError:
        return None
    if number == 0:
        return open(0, encoding="utf-8", closefd=False)
    raw = io.FileIO(number, "w", closefd=False)
    buffer: Any = raw if unbuffered else io.BufferedWriter(raw)
    return io.TextIOWrapper(buffer, encoding="utf-8", write_through=unbuffered)


def become(job: dict[str, Any]) -> None:
    """Set up this process as if a shell had started it."""
    os.environ.clear()
    os.environ.update(job["environment"])
    replace_descriptors(job["streams"])
    sys.stdin, sys.stdout, sys.stderr = (
        opened(number, unbuffered=job["unbuffered"]) for number in range(3)
    )
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore[misc,assignment]
    sys.argv = ["conversations", *job["arguments"]]


def import_everything() -> None:
    """Import the modules that commands import lazily."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        run(["--help"])
        run(["list", "--base-url", "http://127.0.0.1:1", "--api-key", "k", "--timeout", "0.1"])


import_everything()
gc.freeze()
for line in sys.stdin:
    child = os.fork()
    if not child:
        become(json.loads(line))
        sys.exit(main())
    _, status = os.waitpid(child, 0)
    sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
    sys.stdout.flush()
