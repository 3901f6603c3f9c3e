"""The testing tools together with respx and pytest-httpx, in every variant."""

from typing import Any

import httpx
import pytest
import respx
from pytest_httpx import HTTPXMock
from variants import Variant

from conversations_client import RateLimitError, Retry, unstructure
from conversations_client.sandbox import Sandbox
from conversations_client.testing import CreateCall, FakeService, factories

URL = "https://my.orq.ai/v2/conversations"
ONE = factories.conversation()
OPTIONS: dict[str, Any] = {"api_key": "k", "retry": Retry(attempts=1)}


def create(client: Any) -> Any:
    return client.conversations.create(display_name="a")


def test_respx_sends_an_object_of_a_factory(variant: Variant) -> None:
    with respx.mock:
        respx.post(URL).mock(
            side_effect=[
                httpx.Response(201, json=unstructure(ONE)),
                httpx.Response(429, headers={"Retry-After": "2"}),
            ]
        )
        assert variant.run(create, **OPTIONS) == ONE
        with pytest.raises(RateLimitError):
            variant.run(create, **OPTIONS)


def test_pytest_httpx_sends_an_object_of_a_factory(variant: Variant, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(method="POST", url=URL, status_code=201, json=unstructure(ONE))
    assert variant.run(create, **OPTIONS) == ONE
    request = httpx_mock.get_request()
    assert request is not None
    assert request.headers["authorization"] == "Bearer k"


def test_the_sandbox_under_respx(variant: Variant, conversations_sandbox: Sandbox) -> None:
    sandbox = conversations_sandbox
    with respx.mock:
        respx.route(host="127.0.0.1").pass_through()
        respx.get("https://example.com/").respond(204)
        assert httpx.get("https://example.com/").status_code == 204
        variant.run(create, api_key=sandbox.api_key, base_url=sandbox.url)
    assert len(sandbox.requests) == 1


def is_elsewhere(request: httpx.Request) -> bool:
    return request.url.host != "127.0.0.1"


@pytest.mark.httpx_mock(should_mock=is_elsewhere)
def test_the_sandbox_under_pytest_httpx(
    variant: Variant, conversations_sandbox: Sandbox, httpx_mock: HTTPXMock
) -> None:
    sandbox = conversations_sandbox
    httpx_mock.add_response(url="https://example.com/", status_code=204)
    assert httpx.get("https://example.com/").status_code == 204
    variant.run(create, api_key=sandbox.api_key, base_url=sandbox.url)
    assert len(sandbox.requests) == 1


def test_neither_affects_the_fake(httpx_mock: HTTPXMock) -> None:
    fake = FakeService()
    fake.answer(ONE, ONE)
    assert create(fake.client()) == ONE
    with respx.mock:
        assert create(fake.client()) == ONE
    assert fake.calls == (CreateCall(display_name="a"),) * 2
    assert httpx_mock.get_requests() == []
