"""Runs a sandbox, by default with a database in the user's data folder."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from conversations_client._sandbox_options import SandboxOptions, with_options
from conversations_client.cli._exit_codes import UsageError
from conversations_client.cli._os_errors import describe_os_error

if TYPE_CHECKING:
    from conversations_client.sandbox import Sandbox

_LATEST: Final = 2


def default_db(revision: int = 2) -> Path:
    """The database file in the user's data folder; the folder is created if it doesn't exist.

    Args:
        revision: The revision of the API. Each revision has its own file.

    Raises:
        UsageError: The folder can't be created.
    """
    try:
        folder = platformdirs.user_data_path(
            "conversations-client", appauthor=False, ensure_exists=True
        )
    except OSError as error:
        raise UsageError(
            f"The sandbox can't create its data folder. {describe_os_error(error)} "
            "Set XDG_DATA_HOME to a folder that you can write to."
        ) from None
    return folder / ("sandbox.db" if revision == _LATEST else f"sandbox-revision-{revision}.db")


@contextmanager
def local_sandbox(
    options: SandboxOptions, *, api_key: str | None = None
) -> Generator["Sandbox", None, None]:
    """A sandbox that runs until the end of the block.

    Args:
        options: The options of the sandbox.
        api_key: The key that callers must send. Default: a generated key.

    Raises:
        UsageError: The `sandbox` extra is missing, the port is taken, the file can't be used, or
            an option is invalid.
    """
    try:
        # Imported here because the import is slow and the extra may be missing.
        from conversations_client.sandbox import Sandbox

        sandbox = Sandbox(api_key=api_key, **options.settings())
    except (ImportError, ValueError) as error:
        raise UsageError(with_options(str(error))) from None
    except OSError as error:
        raise UsageError(with_options(describe_os_error(error))) from None
    with sandbox:
        yield sandbox
