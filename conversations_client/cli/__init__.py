"""The command line, `conversations`.

It needs the `cli` extra: `pip install "conversations-client[cli]"`.
"""

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command that the process was started with.

    Returns:
        The exit code; `conversations --help` lists them.
    """
    try:
        # Here, because the extra may be missing: that is to be said, not thrown.
        from conversations_client.cli._run import run
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"The command line needs {error.name}, which is not installed: "
            'pip install "conversations-client[cli]"\n'
        )
        return 2
    return run(sys.argv[1:])
