"""`Timeout.total`, set and unset: what it limits in `responses.create` and in a stream."""

import copy
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import anyio
import attrs
import httpx
import pytest
from injected import made, run
from scripted import ScriptedServer, answer
from streaming import END, STARTED, chunk, head, played, word
from variants import KEY, Variant, World

from conversations_client import (
    UNSET,
    AsyncHooks,
    Client,
    ConfigurationError,
    DeadlineError,
    Delivery,
    Hooks,
    RateLimitError,
    Response,
    ResponseInfo,
    StreamTruncatedError,
    Timeout,
)
from conversations_client.testing import FakeService, factories

ARGUMENTS: dict[str, Any] = {"conversation_id": "conv_1", "message": "Hi", "model": "a/b"}
SET: list[Any] = [5, 5.0, Timeout(total=5), Timeout(total=5, connect=1, idle=120)]
UNLIMITED: list[Any] = [None, Timeout(total=None), Timeout(), Timeout(idle=120)]


def creating(
    *, is_raw: bool = False, changes: dict[str, Any] | None = None, **arguments: Any
) -> Any:
    async def scenario(client: Any) -> Any:
        one = client if changes is None else client.with_options(**changes)
        responses = one.conversations.responses
        created = await (responses.with_raw_response if is_raw else responses).create(
            **ARGUMENTS, **arguments
        )
        return created.parsed if is_raw else created

    return scenario


async def streaming(client: Any) -> Any:
    async with client.conversations.responses.stream(**ARGUMENTS) as stream:
        return await stream.collect()


def passing_time(
    world: World, seconds: float, *, is_async: bool, is_late: threading.Event | None = None
) -> Any:
    """Hooks that advance the clock after the head of each response arrives."""

    def on_response(response: ResponseInfo) -> None:
        world.now += seconds
        if response.status == 200 and is_late is not None:
            is_late.set()

    async def on_response_async(response: ResponseInfo) -> None:
        on_response(response)

    return AsyncHooks(on_response=on_response_async) if is_async else Hooks(on_response=on_response)


def play(
    variant: Variant,
    scenario: Any,
    *responses: bytes,
    seconds: float = 1000,
    is_injected: bool = False,
    **options: Any,
) -> Any:
    """The result of a scenario in which time passes after the head of each response arrives.

    After the given responses, the server sends a stream. Its end arrives after the time has passed.
    """
    world, is_late = World(), threading.Event()
    is_async = variant.name != "sync"
    options["hooks"] = passing_time(world, seconds, is_async=is_async, is_late=is_late)

    def parts() -> Iterator[bytes]:
        yield head() + chunk(STARTED)
        is_late.wait(20)
        yield chunk(word("One two ") + END) + chunk(b"")

    async def in_world(client: Any) -> Any:
        getattr(client, "_sync", client)._environment = world.environment()
        return await scenario(client)

    script: list[Any] = [*responses, parts()]
    with ScriptedServer(script) as server:
        if is_injected:
            return run(variant, made(httpx), in_world, base_url=server.url, **options)
        return variant.run(
            lambda client: played(client, in_world), api_key=KEY, base_url=server.url, **options
        )


def is_limited(variant: Variant, scenario: Any, *responses: bytes, **options: Any) -> bool:
    """Whether the call ends at its deadline instead of returning the late response."""
    with pytest.raises(StreamTruncatedError) as raised:
        play(variant, scenario, *responses, **options)
    reason = raised.value.reason
    assert "the whole call took longer than its timeout of 5 s: " in str(raised.value)
    assert raised.value.may_have_acted
    return isinstance(reason, DeadlineError) and reason.delivery is Delivery.UNKNOWN


@pytest.mark.parametrize("is_injected", [False, True])
@pytest.mark.parametrize("is_raw", [False, True])
def test_a_total_that_is_set_anywhere_limits_the_complete_response(
    variant: Variant, *, is_raw: bool, is_injected: bool
) -> None:
    def check(scenario: Any, **options: Any) -> None:
        assert is_limited(variant, scenario, is_injected=is_injected, **options)

    for timeout in SET:
        check(creating(is_raw=is_raw, timeout=timeout))
        check(creating(is_raw=is_raw), timeout=timeout)
        check(creating(is_raw=is_raw, changes={"timeout": timeout}))
        check(creating(is_raw=is_raw, timeout=timeout), timeout=None)


@pytest.mark.parametrize("is_injected", [False, True])
@pytest.mark.parametrize("timeout", UNLIMITED)
def test_a_total_that_is_not_set_does_not_limit_the_response(
    variant: Variant, timeout: Any, *, is_injected: bool
) -> None:
    cases: list[tuple[Any, dict[str, Any]]] = [
        (creating(), {}),
        (creating(), {"timeout": timeout}),
        (creating(changes={"timeout": timeout}), {"timeout": 5}),
        (creating(timeout=timeout), {"timeout": 5}),
        (creating(is_raw=True, timeout=timeout), {"timeout": 5}),
    ]
    for scenario, options in cases:
        found = play(variant, scenario, is_injected=is_injected, **options)
        assert isinstance(found, Response)
        assert found.text == "One two "


@pytest.mark.parametrize("is_injected", [False, True])
@pytest.mark.parametrize("timeout", [*SET, *UNLIMITED])
def test_no_total_limits_a_stream_after_its_first_byte(
    variant: Variant, timeout: Any, *, is_injected: bool
) -> None:
    found = play(variant, streaming, timeout=timeout, is_injected=is_injected)
    assert found.text == "One two "


@pytest.mark.parametrize("scenario", [creating(), streaming], ids=["create", "stream"])
def test_an_unset_total_limits_the_wait_for_the_first_byte(variant: Variant, scenario: Any) -> None:
    busy = answer(429, {}, Retry_After="10")
    assert play(variant, scenario, busy, seconds=49).text == "One two "
    with pytest.raises(DeadlineError) as raised:
        play(variant, scenario, busy, seconds=50)
    assert "the wait for the first byte took longer than its timeout of 60 s: " in str(raised.value)


def test_attempts_and_pauses_count_towards_a_total_that_is_set(variant: Variant) -> None:
    busy = answer(429, {}, Retry_After="3")
    assert is_limited(variant, creating(), busy, seconds=1, timeout=5)


def test_the_unset_total_of_other_calls_is_60_seconds(variant: Variant) -> None:
    async def create(client: Any) -> Any:
        return await client.conversations.create()

    busy = answer(429, {}, Retry_After="60")
    with pytest.raises(RateLimitError, match=r"doesn't fit in the remaining 60 s of the timeout"):
        play(variant, create, busy, timeout=Timeout(idle=120))


def test_the_total_of_a_fake_services_client_limits_the_complete_response(
    variant: Variant,
) -> None:
    fake, world = FakeService(), World()
    is_async = variant.name != "sync"

    def create(limit: Any) -> Any:
        hooks = passing_time(world, 1000, is_async=is_async)
        make: Any = fake.async_client if is_async else fake.client
        client = make(timeout=limit, hooks=hooks)
        client._environment = world.environment()
        fake.answer(factories.response(text="One two"))
        return client.conversations.responses.create(**ARGUMENTS)

    async def create_async(limit: Any) -> Any:
        return await create(limit)

    def created(limit: Any) -> Any:
        return anyio.run(create_async, limit, backend=variant.name) if is_async else create(limit)

    assert created(Timeout()).text == "One two"
    with pytest.raises(StreamTruncatedError, match=r"longer than its timeout of 5 s"):
        created(5)


def test_an_unset_total_is_part_of_a_timeouts_value() -> None:
    assert Timeout().total is UNSET
    assert repr(Timeout(idle=1)) == "Timeout(total=UNSET, connect=5.0, idle=1)"
    assert Timeout() == Timeout(total=UNSET) != Timeout(total=60)
    assert hash(Timeout()) == hash(Timeout(total=UNSET))
    changed = attrs.evolve(Timeout(), idle=120)
    assert changed == Timeout(idle=120)
    assert attrs.evolve(changed, total=60).total == 60
    for copied in (pickle.loads(pickle.dumps(changed)), copy.deepcopy(changed)):
        assert copied == changed
        assert copied.total is UNSET
    with pytest.raises(ConfigurationError, match=r"Timeout\.total must be a number of seconds"):
        Timeout(total="60")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    for name in ("connect", "idle"):
        unset: Any = {name: UNSET}
        with pytest.raises(ConfigurationError, match=rf"Timeout\.{name} must be"):
            Timeout(**unset)


def test_a_pickled_client_keeps_whether_its_total_is_set() -> None:
    for timeout in (Timeout(), Timeout(total=60), Timeout(total=None)):
        client = pickle.loads(pickle.dumps(Client(KEY, timeout=timeout, pickle_key=True)))
        assert client.timeout == timeout
        assert client.with_options(project_id="prj_1").timeout == timeout
