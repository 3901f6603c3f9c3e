"""Data after a response: later, through a proxy, and through injected clients.

`tests/test_faults.py` tests data that arrives immediately over the client's own connections. If the
next response is a stray response here, that is the behavior of httpx. If such a test fails, the
documentation can promise more.
"""

import threading
from typing import Any

import pytest
from faulty import FaultyServer, Visit, receive, silence
from injected import STACKS, made, run
from pools import either, run_client
from scripted import CONVERSATION, ScriptedServer, answer
from variants import KEY, Variant

OWN = CONVERSATION["_id"]
STRAY = "conv_of_somebody_else"
STRAYING = answer(body={**CONVERSATION, "_id": STRAY})
TWO_AT_ONCE = answer() + STRAYING


async def two_creates(client: Any) -> list[str]:
    return [(await either(client.conversations.create())).id for _ in range(2)]


@pytest.mark.parametrize(("kept", "second"), [(None, STRAY), (0, OWN)])
@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.__name__)
def test_an_injected_client_returns_a_stray_response_unless_it_closes_connections(
    variant: Variant, stack: Any, kept: int | None, second: str
) -> None:
    make = made(stack, limits=stack.Limits(max_keepalive_connections=kept))
    with ScriptedServer([TWO_AT_ONCE, answer()]) as server:
        assert run(variant, make, two_creates, base_url=server.url) == [OWN, second]
    assert server.connections == (1 if second == STRAY else 2)


def test_a_stray_response_through_a_proxy_is_discarded(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(client: Any) -> None:
        assert await two_creates(client) == [OWN, OWN]

    with ScriptedServer([TWO_AT_ONCE, answer()]) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        url = "http://api.invalid"
        run_client(variant, scenario, api_key=KEY, base_url=url, allow_plain_http=True)
    assert proxy.connections == 2


@pytest.mark.parametrize("stack", [None, *STACKS], ids=lambda s: s.__name__ if s else "own")
def test_a_stray_response_before_the_next_request_is_detected(variant: Variant, stack: Any) -> None:
    was_read, has_come = threading.Event(), threading.Event()

    def stray(visit: Visit) -> None:
        was_read.wait(5)
        visit.connection.sendall(STRAYING)
        has_come.set()

    async def scenario(client: Any) -> None:
        assert (await either(client.conversations.create())).id == OWN
        was_read.set()
        assert has_come.wait(5)
        assert (await either(client.conversations.create())).id == OWN

    with FaultyServer([receive, answer(), stray, silence]) as server:
        if stack is None:
            run_client(variant, scenario, api_key=KEY, base_url=server.url, max_connections=1)
        else:
            run(variant, made(stack), scenario, base_url=server.url)
    assert server.connections == 2
