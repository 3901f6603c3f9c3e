"""The command-line tool, `conversations`.

It needs the `cli` extra: `pip install "conversations-client[cli]"`.
"""

import sys

from conversations_client._standard_streams import protect_standard_streams

__all__ = ["main"]


def main() -> int:
    """Run the command line of this process. It may replace `sys.stdout` and `sys.stderr`.

    Returns:
        The exit code; `conversations --help` lists them.
    """
    protect_standard_streams()
    try:
        return _import_and_run()
    except KeyboardInterrupt:  # during the imports, or a second Ctrl-C as the command ends
        return 130


def _import_and_run() -> int:
    try:
        # Imported here because the extra may be missing, which should print more than a traceback.
        from conversations_client.cli._run import run
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"The command-line tool needs {error.name}, which is not installed: "
            'pip install "conversations-client[cli]"\n'
        )
        return 2
    return run(sys.argv[1:])
