"""A server on this machine that implements the Conversations API and stores its data in SQLite.

It needs the `sandbox` extra: `pip install "conversations-client[sandbox]"`.

Example:
    with Sandbox() as sandbox, Client(sandbox.api_key, base_url=sandbox.url) as client:
        client.conversations.create(display_name="Product Feature Discussion")
"""

import sys

try:
    from conversations_client.sandbox._sandbox import Sandbox
    from conversations_client.sandbox._server.request_log import ReceivedRequest
except ModuleNotFoundError as _error:
    _message = (
        f"The sandbox needs {_error.name}, which is not installed: "
        'pip install "conversations-client[sandbox]"'
    )
    # Before `python -m conversations_client.sandbox` runs `__main__`, it imports this package.
    if sys.argv[:1] == ["-m"] and __name__ in sys.orig_argv:
        sys.stderr.write(f"{_message}\n")
        sys.exit(2)
    raise ImportError(_message) from _error

__all__ = ["ReceivedRequest", "Sandbox"]
