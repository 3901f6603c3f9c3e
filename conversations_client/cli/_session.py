"""What every command is run with: the common options, a client, an output."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import httpx
from attrs import field, frozen
from cyclopts import Group, Parameter
from cyclopts.validators import mutually_exclusive

from conversations_client import Client, Retry, Timeout
from conversations_client.cli._local_sandbox import local_sandbox
from conversations_client.cli._output import Output

_COMMON = Group("Common options", sort_key=10)
_FORM = Group("Output", sort_key=11, validator=mutually_exclusive)


@frozen(kw_only=True)
class Options:
    """The options that every command takes."""

    api_key: Annotated[str | None, Parameter(group=_COMMON)] = field(default=None, repr=False)
    """The API key; ORQ_API_KEY if left out, where other users of the machine can't see it."""
    base_url: Annotated[str | None, Parameter(group=_COMMON)] = None
    """Where the service is; ORQ_BASE_URL if left out, or else https://my.orq.ai."""
    project_id: Annotated[str | None, Parameter(group=_COMMON)] = None
    """The project to create conversations in; ORQ_PROJECT_ID if left out, or else none."""
    timeout: Annotated[float | None, Parameter(group=_COMMON)] = None
    """Seconds that a call may take, repeats included; 60 if left out."""
    sandbox: Annotated[bool, Parameter(group=_COMMON, negative="", show_default=False)] = False
    """Use the sandbox that is kept on this machine: no key, no network."""
    json: Annotated[bool, Parameter(group=_FORM, negative="", show_default=False)] = False
    """Print JSON, as the API has it; the default where stdout is no terminal."""
    jsonl: Annotated[bool, Parameter(group=_FORM, negative="", show_default=False)] = False
    """Print JSON Lines: one object a line, each as soon as it is there."""


@frozen(kw_only=True)
class Target:
    """Whom a command talks to."""

    options: Options
    api_key: str | None = field(repr=False)
    base_url: str | None
    http_client: httpx.Client | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is a sandbox of this very command."""
        return self.http_client is not None

    def client(self, *, retry: Retry = Retry()) -> Client:  # noqa: B008 - frozen
        """A client for it; raises ConfigurationError."""
        timeout = self.options.timeout
        return Client(
            self.api_key,
            base_url=self.base_url,
            project_id=self.options.project_id,
            timeout=Timeout() if timeout is None else timeout,
            retry=retry,
            http_client=self.http_client,
        )


@frozen(kw_only=True)
class Session:
    """One run of a command."""

    options: Options
    output: Output

    @contextmanager
    def target(self) -> Generator[Target, None, None]:
        """Whom to talk to: the service, or a sandbox that runs until the end of the block."""
        options = self.options
        if not options.sandbox:
            yield Target(options=options, api_key=options.api_key, base_url=options.base_url)
            return
        # No proxy leads back to this machine, so the environment's are not asked.
        with local_sandbox() as sandbox, httpx.Client(trust_env=False) as direct:
            yield Target(
                options=options,
                api_key=sandbox.api_key,
                base_url=sandbox.url,
                http_client=direct,
            )

    @contextmanager
    def client(self, *, retry: Retry = Retry()) -> Generator[Client, None, None]:  # noqa: B008
        """A client that is open until the end of the block."""
        with self.target() as target, target.client(retry=retry) as client:
            yield client


Injected = Annotated[Session, Parameter(parse=False)]
"""What a command gets from the app, and not from the command line."""
