"""Confronts other clients with the faults of `docs/guarantees.md` and prints that page's table.

    python scripts/peers_guarantees.py OPENAI_PYTHON ORQ_PYTHON

Each argument is a Python in which one of them is installed: `benchmarks/requirements/openai.txt`
and `requirements/official-sdk.txt`. The Python that runs the script has this client.
"""

import argparse
import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from attrs import frozen

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from faulty import FaultyServer, Step, asked, reset, trickled
from scripted import CONVERSATION, ScriptedServer, answer

_PATIENCE: Final = 6.0  # seconds until a call with a timeout of 0.3 s counts as endless
_KEY: Final = "key-0123456789"
_BOMB: Final = 3 * 10**8
_LARGE: Final = 20  # MB

# One body for all clients: a conversation and a chat completion at once.
_CHOICE: Final = {
    "index": 0,
    "finish_reason": "stop",
    "message": {"role": "assistant", "content": "Hello"},
}
_BODY: Final[dict[str, Any]] = {
    **CONVERSATION,
    "id": CONVERSATION["_id"],
    "object": "chat.completion",
    "created": 1,
    "model": "a/b",
    "choices": [_CHOICE],
}
_STRAY: Final = "conv_of_somebody_else"

_CLIENTS: Final = {
    "this client": """
from conversations_client import Client
client = Client(key, base_url=url, pickle_key=True, **({"timeout": limit} if limit else {}))
call = client.conversations.create
""",
    "openai": """
from openai import OpenAI
client = OpenAI(api_key=key, base_url=url, **({"timeout": limit} if limit else {}))
def call():
    return client.chat.completions.create(model="a/b", messages=[{"role": "user", "content": "Hi"}])
""",
    "orq-ai-sdk": """
from orq_ai_sdk import Orq
client = Orq(api_key=key, server_url=url, **({"timeout_ms": int(1000 * limit)} if limit else {}))
def call():
    return client.conversations.create(project_id="prj_01jj1hdhn79xas7a01wb3hysdb")
""",
}
_PROGRAM: Final = """
import json, pickle, resource, sys
key, url, limit, calls = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
{client}
def name(error):
    top, kind = type(error).__module__.partition(".")[0], type(error).__qualname__
    return f"{{top}}.{{kind}}" if top in ("httpx", "json") else kind

def pickles(value):
    try:
        pickle.loads(pickle.dumps(value))
    except Exception as error:
        return name(error)

said = dict(error=None, gave=None, acted=None, error_pickles=None)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(calls):
    try:
        given = call()
    except Exception as error:
        said.update(gave=None, error=name(error), error_pickles=pickles(error))
        said.update(acted=getattr(error, "may_have_acted", None))
    else:
        said.update(gave=getattr(given, "id", type(given).__name__), error=None)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps(dict(said, grown=grown // 1024, client_pickles=pickles(client))))
"""


@frozen
class Peer:
    """A client and the Python in which it is installed."""

    name: str
    python: str

    def meet(self, url: str, *, limit: float = 0, calls: int = 1) -> dict[str, Any] | None:
        """Return how the last of its calls ended; None if it did not end."""
        program = _PROGRAM.format(client=_CLIENTS[self.name])
        line = [self.python, "-c", program, _KEY, url, str(limit), str(calls)]
        try:
            done = subprocess.run(  # noqa: S603 - a Python of the caller
                line,
                capture_output=True,
                check=True,
                text=True,
                timeout=_PATIENCE if limit else 120,
            )
        except subprocess.TimeoutExpired:
            if not limit:
                raise
            return None
        result: dict[str, Any] = json.loads(done.stdout)
        return result


def _reset(peer: Peer) -> str:
    with FaultyServer([asked, reset]) as server:
        result = peer.meet(server.url) or {}
    times = {1: "once", 3: "three times"}.get(len(server.seen), f"{len(server.seen)} times")
    has_key = all("idempotency-key" in seen.headers for seen in server.seen)
    without = "" if len(server.seen) == 1 or has_key else ", with no `Idempotency-Key`"
    acted = ", `may_have_acted`" if result["acted"] else ""
    return f"sent {times}{without}; `{result['error']}`{acted}"


def _trickle(peer: Peer) -> str:
    with FaultyServer([asked, trickled(answer(body=_BODY))]) as server:
        result = peer.meet(server.url, limit=0.3)
    return f"still waits after {_PATIENCE:g} s" if result is None else f"`{result['error']}`"


def _stray(peer: Peer) -> str:
    other = {**_BODY, "_id": _STRAY, "id": _STRAY}
    script = [answer(body=_BODY) + answer(body=other), answer(body=_BODY)]
    with ScriptedServer(script) as server:
        result = peer.meet(server.url, calls=2) or {}
    gave = {_STRAY: "returns it from the next call", CONVERSATION["_id"]: "discards it"}
    return gave.get(result["gave"], f"`{result['error']}`")


def _odd(content: object, *, status: int = 201, **headers: str) -> Callable[[Peer], str]:
    steps: list[Step] = [asked, answer(status, content, **headers)]

    def meet(peer: Peer) -> str:
        with FaultyServer(steps) as server:
            result = peer.meet(server.url) or {}
        outcome = (
            f"returns a `{result['gave']}`" if result["error"] is None else f"`{result['error']}`"
        )
        is_large = result["grown"] >= _LARGE
        return outcome + (f", {result['grown']} MB more memory" if is_large else "")

    return meet


def _pickled(peer: Peer) -> str:
    with FaultyServer([asked, answer(404, {"message": "nobody"})]) as server:
        result = peer.meet(server.url) or {}
    error, client = (
        "yes" if result[what] is None else f"`{result[what]}`"
        for what in ("error_pickles", "client_pickles")
    )
    return f"{error}; {client}"


ROWS: Final[dict[str, Callable[[Peer], str]]] = {
    "resets the connection after it has read the request": _reset,
    "sends the response byte by byte; the timeout is 0.3 s": _trickle,
    "sends a second response after the first": _stray,
    "returns 200 with HTML": _odd(b"<p>Created</p>", status=200, Content_Type="text/html"),
    "returns half of a JSON document": _odd(json.dumps(_BODY).encode()[:-40]),
    "returns nested lists, 100,000 deep": _odd(b"[" * 10**5 + b"]" * 10**5),
    "compresses 300 MB of zeros to 300 kB": _odd(
        gzip.compress(bytes(_BOMB)), Content_Encoding="gzip"
    ),
    "returns 404; can you pickle the error, and the client?": _pickled,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Confront other clients with faults.")
    parser.add_argument("openai", help="a Python with openai")
    parser.add_argument("orq", help="a Python with orq-ai-sdk")
    options = parser.parse_args()
    peers = [
        Peer(name, python)
        for name, python in zip(
            _CLIENTS, (sys.executable, options.openai, options.orq), strict=True
        )
    ]
    print(f"| what the server does | {' | '.join(_CLIENTS)} |\n|---|---|---|---|")
    for what, meet in ROWS.items():
        print(f"| {what} | {' | '.join(map(meet, peers))} |", flush=True)


if __name__ == "__main__":
    main()
