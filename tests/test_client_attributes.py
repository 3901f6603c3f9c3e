"""The attributes of a client: what can be set, and what a subclass must set."""

import copy
import inspect
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any
from unittest import mock

import httpx
import pytest
from pools import either, run_client
from scripted import CONVERSATION, ScriptedServer, answer
from variants import KEY, Variant

from conversations_client import AsyncClient, Client, ConfigurationError, Timeout

BOTH = pytest.mark.parametrize("cls", [Client, AsyncClient])


def parameters(function: Any) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]


class Tenant(Client):
    """Has an attribute of its own."""


class AsyncTenant(AsyncClient):
    """Has an attribute of its own."""


# Settings.


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        *product([Client, AsyncClient], parameters(Client.__init__)),
        *product([Tenant, AsyncTenant], ["base_url", "project_id", "timeout", "retry"]),
    ],
)
def test_a_setting_cannot_be_set_as_an_attribute(cls: Any, name: str) -> None:
    changeable = parameters(Client.with_options)
    assert set(changeable) < set(parameters(cls.__init__))
    client = cls(KEY)
    with pytest.raises(AttributeError) as raised:
        setattr(client, name, "secret-value")
    advice = (
        f"use client.with_options({name}=…), which returns a copy"
        if name in changeable
        else f"create a new client with {cls.__name__}({name}=…)"
    )
    assert str(raised.value) == f"{cls.__name__}.{name} can't be set: {advice}."
    assert name not in vars(client)


@BOTH
def test_an_unknown_attribute_cannot_be_set(cls: Any) -> None:
    client = cls(KEY)
    with pytest.raises(AttributeError) as raised:
        client.max_retries = 5
    assert str(raised.value) == (
        f"{cls.__name__} has no attribute 'max_retries': pass settings to {cls.__name__}(…) or to "
        "client.with_options(…), and use a subclass for attributes of your own."
    )
    assert not hasattr(client, "max_retries")


@pytest.mark.parametrize("cls", [Client, AsyncClient, Tenant, AsyncTenant])
@pytest.mark.parametrize("name", ["is_closed", "proxy"])
def test_a_property_that_is_not_a_setting_cannot_be_set(cls: Any, name: str) -> None:
    client = cls(KEY)
    with pytest.raises(AttributeError):
        setattr(client, name, "other")
    assert client.is_closed is False
    assert name not in vars(client)


@pytest.mark.parametrize("cls", [Tenant, AsyncTenant])
def test_a_subclass_can_have_attributes(cls: Any) -> None:
    client = cls(KEY, pickle_key=True)
    client.tenant = "a"
    client.tenant = "b"
    copies = [copy.copy(client), copy.deepcopy(client), pickle.loads(pickle.dumps(client))]
    for each in (client, client.with_options(timeout=1), *copies):
        assert each.tenant == "b"
    del client.tenant
    assert not hasattr(client, "tenant")


@dataclass
class Described(Client):
    """Declares attributes that are named like settings."""

    hooks: Any = None
    pickle_key: bool = False

    def __post_init__(self) -> None:
        super().__init__(KEY)


class Owner(Client):
    """Stores the arguments that a client doesn't have as attributes."""

    def __init__(self, api_key: str, http_client: httpx.Client) -> None:
        self.http_client = http_client
        super().__init__(api_key, http_client=http_client)
        self.api_key = api_key


class WithSetter(AsyncClient):
    """Replaces a property."""

    @property
    def timeout(self) -> Timeout:
        return Timeout(total=self._seconds)

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._seconds = seconds


def test_a_subclass_can_declare_an_attribute_named_like_a_setting() -> None:
    described = Described(hooks="mine", pickle_key=True)
    described.hooks = "other"
    assert (described.hooks, described.pickle_key) == ("other", True)
    with httpx.Client() as http_client:
        owner = Owner(KEY, http_client)
        assert (owner.api_key, owner.http_client) == (KEY, http_client)
    client: Any = WithSetter(KEY)
    client.timeout = 5
    assert client.timeout == Timeout(total=5)


def test_attributes_can_be_replaced_by_mocks(variant: Variant) -> None:
    async def scenario(client: Any) -> None:
        for _ in range(2):  # before and after the attribute is cached
            with mock.patch.object(client, "conversations") as conversations:
                assert client.conversations is conversations
            with mock.patch.object(client, "request") as request:
                assert client.request is request
            found = await either(client.conversations.create())
            assert found.id == CONVERSATION["_id"]

    with ScriptedServer([answer()] * 2) as server:
        run_client(variant, scenario, api_key=KEY, base_url=server.url)
    for cls in (Client, AsyncClient):
        mock.create_autospec(cls, instance=True).conversations.create.assert_not_called()


# Subclasses without settings.


class Empty(Client):
    def __init__(self) -> None:
        self.tenant = "a"


class AsyncEmpty(AsyncClient):
    def __init__(self) -> None:
        self.tenant = "a"


USES: list[Callable[[Any], Any]] = [
    lambda client: client.conversations,
    lambda client: client.conversations.create(),
    lambda client: client.request("GET", "/v2/x", returns=dict),
    lambda client: client.with_options(timeout=1),
    lambda client: client.close() if isinstance(client, Client) else client.aclose(),
    lambda client: client.__enter__() if isinstance(client, Client) else client.__aenter__(),
    lambda client: client.base_url,
    lambda client: client.proxy,
    lambda client: client.is_closed,
    lambda client: client.key_digest("a"),
    repr,
    copy.copy,
    copy.deepcopy,
    pickle.dumps,
]


@pytest.mark.parametrize("use", USES)
def test_a_subclass_that_does_not_set_up_the_client_raises_an_error(
    variant: Variant, use: Any
) -> None:
    cls = Empty if variant.name == "sync" else AsyncEmpty
    with pytest.raises(ConfigurationError) as raised:
        variant.run(lambda _: use(cls()), api_key=KEY)
    assert str(raised.value) == (
        f"The {cls.__name__} is not set up: call super().__init__(…) first in its __init__."
    )


def test_other_attributes_of_such_a_subclass_work() -> None:
    client: Any = Empty()
    assert client.tenant == "a"
    assert not hasattr(client, "other")
