"""Runs every example in a docstring, each against its own sandbox."""

import ast
import asyncio
import doctest
import inspect
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import FunctionType

import public_api
import pytest
from docstring_examples import Example, code_of, documented, examples, public_names

import conversations_client
from conversations_client import AsyncClient, Client
from conversations_client.sandbox import Sandbox

# The packages whose classes and functions all have an example.
COMPLETE = (
    "conversations_client.bulk",
    "conversations_client.sandbox",
    "conversations_client.testing",
)
# Classes whose objects users only receive: from the service, or in a hook.
RECEIVED = {
    "CompletionTokensDetails",
    "ConversationPage",
    "ConversationWithMessages",
    "DataPart",
    "Fault",
    "PartDelta",
    "PartDone",
    "PartialResponse",
    "PromptTokensDetails",
    "ReasoningPart",
    "RequestInfo",
    "ResponseDone",
    "ResponseFailed",
    "ResponseInfo",
    "ResponseStarted",
    "RetryInfo",
    "ToolCall",
    "ToolDone",
    "ToolFailed",
    "ToolFunction",
    "ToolReviewDone",
    "ToolReviewRequested",
    "ToolStarted",
    "UnknownEvent",
    "UnknownPart",
    "Usage",
}
# Public methods that only the client itself calls.
INTERNAL = {
    "AsyncStream.envelope",
    "Stream.envelope",
}


@pytest.fixture
def namespace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, object]]:
    """The names that an example can use: every public name and a few objects.

    These are a running `sandbox`, its `client`, and a `conversation` with two messages and its
    `conversation_id`. In an example that awaits, `client` is an `AsyncClient`. `Client()` and
    `AsyncClient()` use the sandbox, and the file `conversations.jsonl` has two rows.
    """
    with Sandbox() as sandbox:
        monkeypatch.setenv("ORQ_API_KEY", sandbox.api_key)
        monkeypatch.setenv("ORQ_BASE_URL", sandbox.url)
        monkeypatch.chdir(tmp_path)
        Path("conversations.jsonl").write_text('{"displayName": "a"}\n{"displayName": "b"}\n')
        with Client() as client:
            conversation = client.conversations.create(display_name="Refunds")
            assert conversation.id is not None
            client.conversations.responses.create(
                conversation.id, message="How do I get a refund?", model="sandbox/echo"
            )
            yield {
                **public_names(),
                "sandbox": sandbox,
                "client": client,
                "conversation": conversation,
                "conversation_id": conversation.id,
            }


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_the_example_runs(example: Example, namespace: dict[str, object]) -> None:
    if example.name.startswith("bulk.dask."):
        pytest.importorskip("distributed")
    run(example.code, example.name, namespace)


def run(code: str, name: str, namespace: dict[str, object]) -> None:
    """Run code, which may await, or a doctest, whose output is compared."""
    if code.startswith(">>>"):
        run_doctest(code, name, namespace)
        return
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    compiled = compile(code, f"<{name}>", "exec", flags, dont_inherit=True)
    if not compiled.co_flags & inspect.CO_COROUTINE:
        exec(compiled, namespace)  # noqa: S102 - the project's own example
        return

    async def main() -> None:
        async with AsyncClient() as async_client:
            namespace["client"] = async_client
            await eval(compiled, namespace)  # noqa: S307 - as above

    asyncio.run(main())


def run_doctest(code: str, name: str, namespace: dict[str, object]) -> None:
    test = doctest.DocTestParser().get_doctest(code, namespace, name, None, None)
    report: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append)
    assert not report, "".join(report)


def is_called(name: str) -> bool:
    """Whether a public name of the package itself is a function or a method."""
    value: object = conversations_client
    for part in name.split("."):
        value = inspect.getattr_static(value, part)
    return isinstance(getattr(value, "__func__", value), FunctionType)


def needs_example(name: str) -> bool:
    """Whether users call a name, create an instance of it, or catch it for its attributes."""
    value = getattr(conversations_client, name, None)
    if not isinstance(value, type):
        return is_called(name) and name not in INTERNAL
    if issubclass(value, Exception):
        return "Attributes:" in (value.__doc__ or "") or bool(inspect.get_annotations(value))
    return not issubclass(value, Enum) and value.__name__ not in RECEIVED


def test_everything_that_users_call_has_an_example() -> None:
    prefix = f"{conversations_client.__name__}."
    names = {
        name.removeprefix(prefix): code_of(docstring)
        for name, docstring in documented()
        if name.removeprefix(prefix).partition(".")[0] in conversations_client.__all__
    }
    needed = {name for name in names if needs_example(name)}
    assert {"Client", "Client.request", "FilePart.from_uri", "StatusError", "structure"} <= needed
    assert {name for name in needed if names[name] is None} == set()
    # The names that are left out exist, and have no example.
    assert names.keys() >= INTERNAL | RECEIVED
    assert all(names[name] is None for name in INTERNAL | RECEIVED)


@pytest.mark.parametrize("package", COMPLETE)
def test_everything_callable_has_an_example(package: str) -> None:
    modules = {module.__name__ for module in public_api.public_modules()}
    without_example = [
        name
        for name, docstring in documented()
        if name.startswith(f"{package}.") and name not in modules and code_of(docstring) is None
    ]
    assert without_example == []


@pytest.mark.parametrize(
    ("docstring", "code"),
    [
        ("Do it.\n\n    Example:\n        a = 1\n\n        b = 2\n\n    Args:\n        a: b", "a = 1\n\nb = 2\n"),
        ("Do it.\n\n    Example::\n\n        a = 1\n    ", "a = 1\n"),
        ("Do it.\n\n    Examples:\n        >>> a = 1\n        >>> a\n        1\n", ">>> a = 1\n>>> a\n1\n"),
        ("Do it.\n\n    Returns:\n        An example.\n", None),
    ],
)  # fmt: skip
def test_code_is_found(docstring: str, code: str | None) -> None:
    assert code_of(docstring) == code


@pytest.mark.parametrize("code", ["assert False", ">>> 1\n2\n", ">>> assert False\n"])
def test_a_wrong_example_fails(code: str) -> None:
    with pytest.raises(AssertionError):
        run(code, "wrong", {})
