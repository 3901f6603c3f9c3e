"""The contenders."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Contender:
    """A client, or another way to make the calls.

    Attributes:
        label: Its name in tables.
        module: Its module in `contenders`.
        environment: The name of its requirements and its environment, `.venv/bench-…`.
    """

    label: str
    module: str
    environment: str


SOCKETS = Contender("sockets", "sockets", "harness")
AIOHTTP = Contender("plain aiohttp", "aiohttp_by_hand", "aiohttp")
HTTPX_AIOHTTP = Contender("httpx + httpx-aiohttp", "httpx_over_aiohttp", "httpx-aiohttp")
HTTPX = Contender("plain httpx", "httpx_by_hand", "httpx")
HTTPX2 = Contender("plain httpx2", "httpx2_by_hand", "httpx2")
OPENAI = Contender("openai SDK", "openai_sdk", "openai")
ORQ = Contender("orq-ai-sdk 4.1.15", "orq_sdk", "orq")
OURS = Contender("**conversations-client**", "ours", "ours")
SPED_UP = Contender("**conversations-client with `speedups`**", "ours_sped_up", "ours-speedups")
ON_DASK = Contender("on Dask", "ours_on_dask", "dask")

EVERYONE = (SOCKETS, AIOHTTP, HTTPX_AIOHTTP, HTTPX, HTTPX2, OPENAI, ORQ, OURS, SPED_UP)
