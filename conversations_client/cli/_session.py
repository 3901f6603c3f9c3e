"""The session of a command: the common options, a client and the output."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Annotated, Final
from urllib.parse import unquote

import httpx
from attrs import evolve, field, frozen
from cyclopts import Group, Parameter
from cyclopts.validators import mutually_exclusive

from conversations_client import Client, Hooks, NotFoundError, Retry, Timeout
from conversations_client._sandbox_options import SandboxOptions
from conversations_client.cli._display.output import Output, print_message
from conversations_client.cli._display.waits import announce_retry
from conversations_client.cli._exit_codes import ADVICE, ExitCode, UsageError
from conversations_client.cli._local_sandbox import default_db, local_sandbox
from conversations_client.cli._signals import stopped_by_signals

COMMON: Final = Group("Common options", sort_key=10)
FORMAT: Final = Group("Output", sort_key=11, validator=mutually_exclusive)


_MISSING: Final = "Check the ID and base_url, and that the API key belongs to the same workspace."
_NO_ENDPOINT: Final = " If the conversation exists, the service may not have this endpoint."
_MISSING_IN_SANDBOX: Final = (
    "Check the ID: `conversations --sandbox list` shows the conversations in the sandbox."
)


_CREATE: Final = frozenset({"chat", "create", "import"})
_REASONS: Final = {
    "--base-url": ", because it runs the API on this machine",
    "--project-id": ", which applies only to new conversations",
    "--sandbox": ", because it is a sandbox itself",
    "--timeout": ", because it makes no calls",
}
"""Why a command doesn't use an option; the end of a sentence."""
_REPEATED_VARIABLES: Final = frozenset({"ORQ_BASE_URL", "ORQ_PROJECT_ID"})
_MIN_KEY_LENGTH: Final = 8  # a shorter key could be an ordinary word


@frozen(kw_only=True)
class Options:
    """The options of every command."""

    api_key: Annotated[str | None, Parameter(group=COMMON)] = field(default=None, repr=False)
    """The API key. Prefer ORQ_API_KEY, which other users of the machine can't see."""
    base_url: Annotated[str | None, Parameter(group=COMMON)] = None
    """The URL of the service; default: ORQ_BASE_URL, otherwise https://my.orq.ai."""
    project_id: Annotated[str | None, Parameter(group=COMMON)] = None
    """The project to create conversations in; default: ORQ_PROJECT_ID, otherwise none."""
    timeout: Annotated[float | None, Parameter(group=COMMON)] = None
    """Maximum seconds for a call, including retries; in a chat, until a reply begins; default:
    60."""
    sandbox: Annotated[bool, Parameter(group=COMMON, negative="", show_default=False)] = False
    """Use the sandbox on this machine: no key, no network."""
    quiet: Annotated[bool, Parameter(group=COMMON, negative="", show_default=False)] = False
    """Print no notes and no progress bars. Without --json or --jsonl, import, export FILE and
    delete print no report either. Errors and warnings are still printed."""
    json: Annotated[bool, Parameter(group=FORMAT, negative="", show_default=False)] = False
    """Print JSON with the API's field names; the default unless stdout is a terminal."""
    jsonl: Annotated[bool, Parameter(group=FORMAT, negative="", show_default=False)] = False
    """Print JSON Lines: one object per line, each as soon as it arrives."""

    def check(self) -> None:
        """Raise UsageError for options that --sandbox would ignore."""
        ignored = {"--base-url": self.base_url, "--api-key": self.api_key}
        for name, value in ignored.items():
            if self.sandbox and value is not None:
                raise UsageError(
                    f"--sandbox can't be used with {name}, because it starts a sandbox with its "
                    "own URL and key. Remove one of the options."
                )

    def check_key(self, arguments: Iterable[str], environ: Mapping[str, str]) -> None:
        """Raise UsageError if the key is also in another place, which messages may repeat."""
        key = (self.api_key or environ.get("ORQ_API_KEY", "")).lower()
        variables = {
            name: value
            for name, value in environ.items()
            if name in _REPEATED_VARIABLES or name.upper().endswith("_PROXY")
        }
        texts = {"An argument": "\n".join(arguments), **variables}
        options = {"--base-url": self.base_url, "--project-id": self.project_id}
        for name, text in (texts | options).items():
            if len(key) >= _MIN_KEY_LENGTH and key in unquote(text or "").lower():
                raise UsageError(
                    f"{name} contains the API key: pass the key only in ORQ_API_KEY or --api-key."
                )

    def settings_from_environment(self) -> list[str]:
        """The settings that come from environment variables, if these are set."""
        by_option: dict[str, object] = {"project_id": self.project_id}
        if not self.sandbox:
            by_option |= {"api_key": self.api_key, "base_url": self.base_url}
        return [name for name, value in by_option.items() if value is None]

    def check_used(self, command: str) -> None:
        """Raise UsageError for options that a command would ignore."""
        if command == "completion" and evolve(self, quiet=False) != Options():
            raise UsageError("`conversations completion` doesn't use the common options.")
        ignored: dict[str, object] = {}
        if command not in _CREATE:
            ignored["--project-id"] = self.project_id
        if command == "sandbox":
            ignored |= {
                "--base-url": self.base_url,
                "--sandbox": self.sandbox or None,
                "--timeout": self.timeout,
            }
        for name, value in ignored.items():
            if value is not None:
                raise UsageError(
                    f"`conversations {command}` doesn't use {name}{_REASONS[name]}. Remove the "
                    "option."
                )


@frozen(kw_only=True)
class Target:
    """The service that a command calls."""

    options: Options
    api_key: str | None = field(repr=False)
    base_url: str | None
    http_client: httpx.Client | None = None
    name: str | None = None
    """The name that journals record instead of a URL and key that change on every run."""
    retry: Retry = field(factory=Retry)

    @property
    def is_local(self) -> bool:
        """Whether the service is a sandbox that this command runs."""
        return self.http_client is not None

    def client(self) -> Client:
        """Create a client for the service; raises ConfigurationError."""
        timeout = self.options.timeout
        return Client(
            self.api_key,
            base_url=self.base_url,
            project_id=self.options.project_id,
            timeout=Timeout() if timeout is None else timeout,
            retry=self.retry,
            hooks=Hooks(on_retry=announce_retry),
            http_client=self.http_client,
        )


@frozen(kw_only=True)
class Session:
    """A run of a command."""

    options: Options
    output: Output
    retry: Retry = field(factory=Retry)

    @contextmanager
    def target(self) -> Generator[Target, None, None]:
        """The service to call, or a sandbox that runs until the end of the block."""
        options = self.options
        options.check()
        if not options.sandbox:
            yield Target(
                options=options,
                api_key=options.api_key,
                base_url=options.base_url,
                retry=self.retry,
            )
            return
        # A proxy can't reach this machine, so proxies in the environment are ignored.
        db = default_db()
        sandbox_options = SandboxOptions(port=0, db=db)
        with local_sandbox(sandbox_options) as sandbox, httpx.Client(trust_env=False) as direct:
            target = Target(
                options=options,
                api_key=sandbox.api_key,
                base_url=sandbox.url,
                http_client=direct,
                name=f"--sandbox {db}",
                retry=self.retry,
            )
            try:
                yield target
            except NotFoundError as error:
                message = str(error).replace(_MISSING, _MISSING_IN_SANDBOX)
                error.args = (message.replace(_NO_ENDPOINT, ""),)
                raise

    @contextmanager
    def client(self) -> Generator[Client, None, None]:
        """A client that is open until the end of the block."""
        with self.target() as target, target.client() as client:
            yield client

    @contextmanager
    def changing_client(self) -> Generator[Client, None, None]:
        """A client for a call that changes data, which may happen even if a signal stops it."""
        with stopped_by_signals(), self.client() as client:
            try:
                yield client
            except KeyboardInterrupt:
                print_message(
                    "Stopped before the response arrived, so the change may have been made. "
                    f"{ADVICE[ExitCode.UNKNOWN]}"
                )
                raise


Injected = Annotated[Session, Parameter(parse=False)]
"""A parameter that the app passes to a command; it is not an option."""
