"""Creates conversations in a sandbox with both clients; prints the code and the results."""

import asyncio
import inspect
import os
import sys
from collections.abc import Callable

from conversations_client import AsyncClient, Client, Conversation
from conversations_client._standard_streams import output_failure, protect_standard_streams
from conversations_client.sandbox import Sandbox


def with_the_client() -> Conversation:
    """Create a conversation and wait for it."""
    with Client() as client:
        return client.conversations.create(display_name="Product Feature Discussion")


async def with_the_async_client() -> Conversation:
    """Create a conversation while other tasks run."""
    async with AsyncClient() as client:
        return await client.conversations.create(
            display_name="Customer Support",
            metadata={"entity_id": "agent_support", "model": "openai/gpt-4o"},
        )


def show(code: Callable[..., object], conversation: Conversation) -> None:
    """Print the code that ran and the conversation that it returned."""
    print("\n" + inspect.getsource(code))
    print(f"-> {conversation}")
    print(f"   .id          {conversation.id}")
    print(f"   .created_at  {conversation.created_at} (milliseconds)")
    print(f"   .created     {conversation.created.isoformat()}")


def main() -> None:
    """Run both functions with a sandbox that stops at the end."""
    with Sandbox() as sandbox:
        print(f"The sandbox is running at {sandbox.url}. Both clients find it in the environment.")
        os.environ |= {"ORQ_BASE_URL": sandbox.url, "ORQ_API_KEY": sandbox.api_key}
        show(with_the_client, with_the_client())
        show(with_the_async_client, asyncio.run(with_the_async_client()))
    print("\nThe sandbox has stopped. README.md describes how to keep one running.")


protect_standard_streams()
main()
sys.exit(output_failure() is not None)
