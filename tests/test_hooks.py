"""When hooks run, what they receive, and what happens if they raise."""

from collections.abc import Callable, Iterator
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest
from attrs import evolve
from pools import either, run_client
from scripted import CONVERSATION, HANG_UP, ScriptedServer, answer
from streaming import WHOLE, played, streamed
from variants import KEY, Variant, World

from conversations_client import (
    AsyncClient,
    AsyncHooks,
    Client,
    ClientClosedError,
    ConversationsError,
    DisconnectError,
    Hooks,
    RequestInfo,
    ResponseInfo,
    Retry,
    RetryInfo,
)

HOOKS = ["on_request", "on_response", "on_retry"]


def hooks(variant: Variant, **functions: Callable[[Any], object]) -> Any:
    """Hooks of a variant that call these functions."""
    if variant.name == "sync":
        return Hooks(**functions)
    return AsyncHooks(**{name: awaited(function) for name, function in functions.items()})


def awaited(function: Callable[[Any], object]) -> Any:
    async def hook(info: Any) -> None:
        await anyio.lowlevel.checkpoint()
        function(info)

    return hook


def recording_hooks(variant: Variant, into: list[Any]) -> Any:
    return hooks(variant, **dict.fromkeys(HOOKS, into.append))


def slowly(world: World, steps: list[bytes]) -> Iterator[bytes]:
    """A script whose steps take a quarter of a second each."""
    for step in steps:
        world.now += 0.25
        yield step


def comparable(info: Any) -> Any:
    """The info with the class of its error, because errors are never equal."""
    if isinstance(info, RetryInfo):
        return evolve(info, response=comparable(info.response))
    if isinstance(info, ResponseInfo) and info.error is not None:
        return evolve(info, error=cast("Any", type(info.error)))
    return info


async def create(client: Any) -> Any:
    return await client.conversations.create()


async def retrieve(client: Any) -> Any:
    return await client.conversations.retrieve("conv_1/2")


async def respond(client: Any) -> Any:
    return await client.conversations.responses.create("conv_1", message="Hello", model="a/b")


def creating(attempt: int) -> RequestInfo:
    return RequestInfo(
        method="POST",
        template="/v2/conversations",
        path="/v2/conversations",
        attempt=attempt,
        idempotency_key="made-up-1",
    )


def retrieving(attempt: int) -> RequestInfo:
    return RequestInfo(
        method="GET",
        template="/v2/conversations/{conversation_id}",
        path="/v2/conversations/conv_1%2F2",
        attempt=attempt,
        idempotency_key=None,
    )


RESPONDING = RequestInfo(
    method="POST",
    template="/v2/conversations/{conversation_id}/responses",
    path="/v2/conversations/conv_1/responses",
    attempt=1,
    idempotency_key="made-up-1",
)


def ended(
    request: RequestInfo, status: int | None, error: Any = None, request_id: str | None = None
) -> ResponseInfo:
    return ResponseInfo(
        request=request, status=status, error=error, request_id=request_id, elapsed=0.25
    )


BUSY = ended(creating(1), 429, request_id="req_1")
BROKEN = ended(retrieving(1), None, DisconnectError)

ROWS: list[tuple[Any, list[bytes], list[Any]]] = [
    (
        create,
        [answer(x_request_id="req_1")],
        [creating(1), ended(creating(1), 201, request_id="req_1")],
    ),
    (
        create,
        [answer(429, {}, retry_after="2", x_request_id="req_1"), answer()],
        [
            creating(1),
            BUSY,
            RetryInfo(response=BUSY, pause=2.0),
            creating(2),
            ended(creating(2), 201),
        ],
    ),
    (create, [answer(400, {})], [creating(1), ended(creating(1), 400)]),
    (create, [HANG_UP], [creating(1), ended(creating(1), None, DisconnectError)]),
    (
        retrieve,
        [HANG_UP, answer(200)],
        [
            retrieving(1),
            BROKEN,
            RetryInfo(response=BROKEN, pause=0.375),
            retrieving(2),
            ended(retrieving(2), 200),
        ],
    ),
    (respond, [streamed(WHOLE)], [RESPONDING, ended(RESPONDING, 200)]),
    (respond, [answer(404, {})], [RESPONDING, ended(RESPONDING, 404)]),
]


@pytest.mark.parametrize(("call", "script", "expected"), ROWS)
def test_what_hooks_receive(
    variant: Variant, call: Any, script: list[bytes], expected: list[Any]
) -> None:
    found: list[Any] = []
    world = World()

    async def scenario(client: Any) -> None:
        try:
            await call(client)
        except ConversationsError:
            assert isinstance(expected[-1], ResponseInfo)
            assert expected[-1].status not in {200, 201}

    with ScriptedServer(slowly(world, script)) as server:
        variant.run(
            lambda client: played(client, scenario),
            world=world,
            api_key=KEY,
            base_url=server.url,
            hooks=recording_hooks(variant, found),
        )
    assert [comparable(info) for info in found] == expected
    assert [info.pause for info in found if isinstance(info, RetryInfo)] == world.pauses
    assert KEY not in repr(found)


def test_a_retry_hook_runs_before_the_delay(variant: Variant) -> None:
    world = World()
    pauses_before: list[list[float]] = []
    with ScriptedServer([answer(429, {}, retry_after="2"), answer()]) as server:
        variant.run(
            lambda client: client.conversations.create(),
            world=world,
            api_key=KEY,
            base_url=server.url,
            hooks=hooks(variant, on_retry=lambda _: pauses_before.append(list(world.pauses))),
        )
    assert (pauses_before, world.pauses) == ([[]], [2.0])


def fail(_: Any) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize(("hook", "sent"), [("on_request", 0), ("on_response", 1), ("on_retry", 1)])
def test_an_exception_in_a_hook_ends_the_call(variant: Variant, hook: str, sent: int) -> None:
    world = World()

    async def scenario(client: Any) -> None:
        with pytest.raises(ZeroDivisionError):
            await create(client.with_options(hooks=hooks(variant, **{hook: fail})))
        assert (len(server.seen), world.pauses) == (sent, [])
        await create(client)

    with ScriptedServer([answer(503, {}, retry_after="1")] * sent + [answer()]) as server:
        variant.run(
            lambda client: played(client, scenario),
            world=world,
            api_key=KEY,
            base_url=server.url,
            max_connections=1,
        )
    assert server.connections == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("hook", ["on_request", "on_response", "on_retry"])
def test_a_sync_function_as_an_async_hook_is_explained(backend: str, hook: str) -> None:
    def sync(_: object) -> None:
        """Return nothing that can be awaited."""

    given: Any = {hook: sync}
    expected = rf"AsyncHooks\.{hook} must be an async function, but it returned NoneType"
    with (
        ScriptedServer([answer(503, {}, retry_after="1")]) as server,
        pytest.raises(TypeError, match=expected),
    ):
        Variant(backend).run(create, api_key=KEY, base_url=server.url, hooks=AsyncHooks(**given))


def test_an_exception_in_a_hook_releases_the_connection_of_a_stream(variant: Variant) -> None:
    kept: list[Any] = []  # the tracebacks refer to the response, which is not collected then

    async def scenario(client: Any) -> None:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError) as raised:
                await respond(client.with_options(hooks=hooks(variant, on_response=fail)))
            kept.append(raised)
        await create(client)

    with ScriptedServer([[streamed(WHOLE)[:-5]]] * 3 + [answer()]) as server:
        variant.run(
            lambda client: played(client, scenario),
            api_key=KEY,
            base_url=server.url,
            max_connections=1,
            timeout=10,
        )
    assert len(server.seen) == 4


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_hook_releases_the_connection_of_a_stream(backend: str) -> None:
    async def scenario(client: AsyncClient) -> None:
        with anyio.CancelScope() as scope:

            async def cancel(_: ResponseInfo) -> None:
                scope.cancel()
                await anyio.sleep_forever()

            await respond(client.with_options(hooks=AsyncHooks(on_response=cancel)))
        await create(client)

    with ScriptedServer([[streamed(WHOLE)[:-5]], answer()]) as server:
        run_client(
            Variant(backend),
            scenario,
            api_key=KEY,
            base_url=server.url,
            max_connections=1,
            timeout=10,
        )
    assert len(server.seen) == 2


def test_with_options_keeps_replaces_and_removes_hooks(variant: Variant) -> None:
    first: list[Any] = []
    second: list[Any] = []

    async def scenario(client: Any) -> None:
        await create(client.with_options(retry=Retry(attempts=1)))
        await create(client.with_options(hooks=recording_hooks(variant, second)))
        await create(client.with_options(hooks=None))

    with ScriptedServer([answer()] * 3) as server:
        variant.run(
            lambda client: played(client, scenario),
            api_key=KEY,
            base_url=server.url,
            hooks=recording_hooks(variant, first),
        )
    assert [type(info) for info in first] == [type(info) for info in second]
    assert [type(info) for info in first] == [RequestInfo, ResponseInfo]


def test_a_custom_path_is_its_own_template(variant: Variant) -> None:
    found: list[Any] = []
    with ScriptedServer([answer(200, CONVERSATION)]) as server:
        variant.run(
            lambda client: client.request("GET", "/v2/things/1", returns=dict),
            api_key=KEY,
            base_url=server.url,
            hooks=recording_hooks(variant, found),
        )
    assert (found[0].template, found[0].path) == ("/v2/things/1", "/v2/things/1")


def test_the_key_is_in_no_hook_of_a_client() -> None:
    for client in (Client(KEY, hooks=Hooks()), AsyncClient(KEY, hooks=AsyncHooks())):
        assert KEY not in repr(vars(client))


def test_a_closed_client_calls_no_hook(variant: Variant) -> None:
    infos: list[Any] = []

    async def create_after_closing(client: Any) -> None:
        await either(client.close() if variant.name == "sync" else client.aclose())
        with pytest.raises(ClientClosedError):
            await either(client.conversations.create())

    options = {"base_url": "http://127.0.0.1:1", "hooks": recording_hooks(variant, infos)}
    run_client(variant, create_after_closing, api_key=KEY, **options)
    assert infos == []
