"""The sandbox that stores its conversations in the user's data folder."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from conversations_client.cli._exit_codes import UsageError
from conversations_client.cli._os_errors import describe_os_error

if TYPE_CHECKING:
    from conversations_client.sandbox import Sandbox


def default_db() -> Path:
    """The file of the user's sandbox; its folder is created if it is missing.

    Raises:
        UsageError: The folder can't be created.
    """
    try:
        folder = platformdirs.user_data_path(
            "conversations-client", appauthor=False, ensure_exists=True
        )
    except OSError as error:
        raise UsageError(
            f"The sandbox has no folder for its data: {describe_os_error(error)} "
            "Set XDG_DATA_HOME to a folder that you can write to."
        ) from None
    return folder / "sandbox.db"


@contextmanager
def local_sandbox(
    *, port: int = 0, db: Path | None = None, api_key: str | None = None
) -> Generator["Sandbox", None, None]:
    """A sandbox that runs until the end of the block.

    Args:
        port: The port to listen on; 0, the default, takes a free one.
        db: The SQLite file; default: the one in the user's data folder.
        api_key: The key that callers must send; default: a random one.

    Raises:
        UsageError: The `sandbox` extra is missing, the port is taken, or the file is unusable.
    """
    try:
        # Imported here: the server takes time to import, and its extra may be missing.
        from conversations_client.sandbox import Sandbox

        sandbox = Sandbox(port=port, db=db or default_db(), api_key=api_key)
    except (ImportError, ValueError) as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(describe_os_error(error)) from None
    with sandbox:
        yield sandbox
