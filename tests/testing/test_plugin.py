"""The pytest plugin in separate pytest runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


def test_each_test_has_its_own_sandbox(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        from conversations_client import Client
        from conversations_client.sandbox import Sandbox

        seen = []

        @pytest.mark.parametrize("number", range(3))
        def test_one(conversations_sandbox: Sandbox, number: int) -> None:
            sandbox = conversations_sandbox
            seen.append(sandbox)
            if number == 0:
                sandbox.fail_next(method="DELETE")
            with Client(sandbox.api_key, base_url=sandbox.url) as client:
                client.conversations.create()
                assert len(list(client.conversations.list())) == 1
            assert len(sandbox.requests) == 2
            assert len(sandbox.disruptions) == (number == 0)
            sandbox.clear_disruptions()

        def test_all() -> None:
            assert len({sandbox.api_key for sandbox in seen}) == 3
            assert not any(sandbox._thread.is_alive() for sandbox in seen)
        """
    )
    pytester.runpytest_inprocess("-Werror").assert_outcomes(passed=4)


def test_a_fault_that_never_happens_is_an_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_misspelt(conversations_sandbox):
            conversations_sandbox.fail_next(503, path="/v2/conversation", times=3)
            conversations_sandbox.drop_next(method="DELETE")

        def test_intended(conversations_sandbox):
            conversations_sandbox.fail_next(503)
            conversations_sandbox.clear_disruptions()

        def test_failed_anyway(conversations_sandbox):
            conversations_sandbox.fail_next(503)
            assert False
        """
    )
    result = pytester.runpytest_inprocess("-Werror")
    result.assert_outcomes(passed=2, errors=1, failed=1)
    expected = (
        "*No request met these faults of the sandbox: path='/v2/conversation', status=503; "
        "method='DELETE', after_acting=False. Check their method*"
    )
    result.stdout.fnmatch_lines([expected])


def test_a_test_that_does_not_pass_may_leave_faults(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        def test_skipped(conversations_sandbox):
            conversations_sandbox.fail_next(503)
            pytest.skip("not today")

        @pytest.mark.xfail
        def test_expected_to_fail(conversations_sandbox):
            conversations_sandbox.fail_next(503)
            assert False

        def test_that_passes(conversations_sandbox):
            conversations_sandbox.fail_next(503)
        """
    )
    result = pytester.runpytest_inprocess("-Werror")
    result.assert_outcomes(skipped=1, xfailed=1, passed=1, errors=1)


def test_only_the_fixture_changes_the_environment(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORQ_PROJECT_ID", "prj_1")
    monkeypatch.setenv("ORQ_API_KEY", "mine")
    pytester.makepyfile(
        """
        import asyncio, os

        import pytest

        from conversations_client import AsyncClient, Client

        def environment():
            names = ("ORQ_API_KEY", "ORQ_BASE_URL", "ORQ_PROJECT_ID")
            return [os.environ.get(name) for name in names]

        def test_not_asked_for(conversations_sandbox) -> None:
            assert environment() == ["mine", None, "prj_1"]

        def test_asked_for(conversations_environment, conversations_sandbox) -> None:
            sandbox = conversations_sandbox
            assert environment() == [sandbox.api_key, sandbox.url, None]
            with Client() as client:
                client.conversations.create(display_name="a")

            async def main() -> None:
                async with AsyncClient() as client:
                    async for conversation in client.conversations.list():
                        assert conversation.display_name == "a"

            asyncio.run(main())
            assert len(sandbox.requests) == 2

        def test_afterwards() -> None:
            assert environment() == ["mine", None, "prj_1"]
        """
    )
    pytester.runpytest_inprocess("-Werror").assert_outcomes(passed=3)


def test_the_fixtures_have_descriptions(pytester: pytest.Pytester) -> None:
    shown = pytester.runpytest_inprocess("--fixtures", "-v").stdout
    shown.fnmatch_lines(["conversations_sandbox*", "*A running, empty `Sandbox`*"])


def test_a_run_without_the_fixtures_imports_nothing_of_the_package() -> None:
    code = (
        "import sys, pytest_conversations_client\n"
        "found = {name.partition('.')[0] for name in sys.modules}\n"
        "assert not found & {'conversations_client', 'httpx', 'attrs', 'starlette', 'uvicorn'}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)  # noqa: S603


INSTALLED = {
    "METADATA": "Metadata-Version: 2.1\nName: conversations-client\nVersion: 0.1.0\n",
    "entry_points.txt": "[pytest11]\nconversations_client = pytest_conversations_client\n",
    "RECORD": "conversations_client/__init__.py,,\npytest_conversations_client.py,,\n",
}


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment in which the package looks like an installed wheel.

    pytest rewrites the assertions of the modules in RECORD, which an editable installation lacks.
    """
    folder = tmp_path / "site" / "conversations_client-0.1.0.dist-info"
    folder.mkdir(parents=True)
    for name, content in INSTALLED.items():
        (folder / name).write_text(content)
    (tmp_path / "test_it.py").write_text("def test_it(conversations_sandbox): pass\n")
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder.parent)}


@pytest.mark.parametrize(
    "imported",
    [
        "pytest",
        "conversations_client",
        "pytest_conversations_client",
    ],
)
def test_pytest_starts_with_warnings_as_errors_after_any_imports(
    tmp_path: Path, installed: dict[str, str], imported: str
) -> None:
    program = (
        f"import {imported}\n"
        "import sys, pytest\n"
        "sys.exit(pytest.main(['-W', 'error', '-q', '-p', 'no:cacheprovider']))"
    )
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env=installed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout
    assert run.stderr == ""
