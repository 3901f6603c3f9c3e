"""The API on this machine: a real server on a loopback port, kept in SQLite.

    from conversations_client import Client
    from conversations_client.sandbox import Sandbox

    with Sandbox() as sandbox, Client(sandbox.api_key, base_url=sandbox.url) as client:
        client.conversations.create(display_name="Product Feature Discussion")

It needs the `sandbox` extra: `pip install "conversations-client[sandbox]"`.
"""

try:
    from conversations_client.sandbox._server import Sandbox
except ModuleNotFoundError as error:
    raise ImportError(
        f"The sandbox needs {error.name}, which is not installed: "
        'pip install "conversations-client[sandbox]"'
    ) from error

__all__ = ["Sandbox"]
