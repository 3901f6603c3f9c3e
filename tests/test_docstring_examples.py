"""Every example in a docstring runs, each against a sandbox of its own."""

import ast
import asyncio
import doctest
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from docstring_examples import Example, code_of, documented, examples, public_names

from conversations_client import AsyncClient, Client
from conversations_client.sandbox import Sandbox

# Packages in which everything that can be called has an example.
COMPLETE = ("conversations_client.sandbox", "conversations_client.testing")


@pytest.fixture
def namespace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, object]]:
    """What an example can use: every public name, and what its reader has already made.

    That is a running `sandbox`, a `client` of it, and a `conversation` with one exchange of
    messages and its `conversation_id`. The file `conversations.jsonl` has two rows. `Client()` and `AsyncClient()` reach the sandbox too, and an
    example that awaits has an `async_client`.
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
def test_it_runs(example: Example, namespace: dict[str, object]) -> None:
    run(example.code, example.name, namespace)


def run(code: str, name: str, namespace: dict[str, object]) -> None:
    """Run code, which may await, or a doctest, whose output is compared."""
    if code.startswith(">>>"):
        run_doctest(code, name, namespace)
        return
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    compiled = compile(code, f"<{name}>", "exec", flags, dont_inherit=True)
    if not compiled.co_flags & inspect.CO_COROUTINE:
        exec(compiled, namespace)  # noqa: S102 - an example is there to be run
        return

    async def main() -> None:
        async with AsyncClient() as async_client:
            namespace["async_client"] = async_client
            await eval(compiled, namespace)  # noqa: S307 - as above

    asyncio.run(main())


def run_doctest(code: str, name: str, namespace: dict[str, object]) -> None:
    test = doctest.DocTestParser().get_doctest(code, namespace, name, None, None)
    report: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("package", COMPLETE)
def test_everything_that_can_be_called_has_an_example(package: str) -> None:
    lacking = [
        name
        for name, docstring in documented()
        if name.startswith(f"{package}.") and code_of(docstring) is None
    ]
    assert lacking == []


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
def test_an_example_that_is_wrong_fails(code: str) -> None:
    with pytest.raises(AssertionError):
        run(code, "wrong", {})
