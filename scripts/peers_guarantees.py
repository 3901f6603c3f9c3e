"""Tests other clients with the faults in `docs/guarantees.md` and prints that page's table.

    python scripts/peers_guarantees.py OPENAI_PYTHON ORQ_PYTHON

The arguments are Pythons with `benchmarks/requirements/openai.txt` and
`requirements/official-sdk.txt` installed. The Python that runs the script must have this client.
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
from faulty import FaultyServer, Step, receive, reset, trickled
from scripted import CONVERSATION, ScriptedServer, answer

_PATIENCE: Final = 6.0  # seconds until a call with a timeout of 0.3 s counts as endless
_KEY: Final = "key-0123456789"
_BOMB: Final = 3 * 10**8
_LARGE: Final = 20  # MB

# A body for all clients: it is both a conversation and a chat completion.
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

outcome = dict(error=None, returned=None, acted=None, error_pickles=None)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(calls):
    try:
        result = call()
    except Exception as error:
        outcome.update(returned=None, error=name(error), error_pickles=pickles(error))
        outcome.update(acted=getattr(error, "may_have_acted", None))
    else:
        outcome.update(returned=getattr(result, "id", type(result).__name__), error=None)
growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps(dict(outcome, growth=growth // 1024, client_pickles=pickles(client))))
"""


@frozen
class Peer:
    """A client and the Python in which it is installed."""

    name: str
    python: str

    def run(self, url: str, *, limit: float = 0, calls: int = 1) -> dict[str, Any] | None:
        """Return the outcome of its last call; None if the call did not end."""
        program = _PROGRAM.format(client=_CLIENTS[self.name])
        line = [self.python, "-c", program, _KEY, url, str(limit), str(calls)]
        try:
            completed = subprocess.run(  # noqa: S603 - a Python that the caller chose
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
        result: dict[str, Any] = json.loads(completed.stdout)
        return result


def _reset(peer: Peer) -> str:
    with FaultyServer([receive, reset]) as server:
        result = peer.run(server.url) or {}
    times = {1: "once", 3: "three times"}.get(len(server.seen), f"{len(server.seen)} times")
    has_key = all("idempotency-key" in seen.headers for seen in server.seen)
    without = "" if len(server.seen) == 1 or has_key else ", with no `Idempotency-Key`"
    acted = ", `may_have_acted`" if result["acted"] else ""
    return f"sent {times}{without}; `{result['error']}`{acted}"


def _trickle(peer: Peer) -> str:
    with FaultyServer([receive, trickled(answer(body=_BODY))]) as server:
        result = peer.run(server.url, limit=0.3)
    return f"still waiting after {_PATIENCE:g} s" if result is None else f"`{result['error']}`"


def _stray(peer: Peer) -> str:
    other = {**_BODY, "_id": _STRAY, "id": _STRAY}
    script = [answer(body=_BODY) + answer(body=other), answer(body=_BODY)]
    with ScriptedServer(script) as server:
        result = peer.run(server.url, calls=2) or {}
    outcomes = {_STRAY: "returns it from the next call", CONVERSATION["_id"]: "discards it"}
    return outcomes.get(result["returned"], f"`{result['error']}`")


def _odd(content: object, *, status: int = 201, **headers: str) -> Callable[[Peer], str]:
    steps: list[Step] = [receive, answer(status, content, **headers)]

    def run(peer: Peer) -> str:
        with FaultyServer(steps) as server:
            result = peer.run(server.url) or {}
        outcome = (
            f"returns a `{result['returned']}`"
            if result["error"] is None
            else f"`{result['error']}`"
        )
        is_large = result["growth"] >= _LARGE
        return outcome + (f", {result['growth']} MB more memory" if is_large else "")

    return run


def _pickled(peer: Peer) -> str:
    with FaultyServer([receive, answer(404, {"message": "nobody"})]) as server:
        result = peer.run(server.url) or {}
    error, client = (
        "yes" if result[name] is None else f"`{result[name]}`"
        for name in ("error_pickles", "client_pickles")
    )
    return f"{error}; {client}"


ROWS: Final[dict[str, Callable[[Peer], str]]] = {
    "resets the connection after it has read the request": _reset,
    "sends the response byte by byte; the timeout is 0.3 s": _trickle,
    "sends a second response after the first": _stray,
    "returns 200 with HTML": _odd(b"<p>Created</p>", status=200, Content_Type="text/html"),
    "returns half of a JSON document": _odd(json.dumps(_BODY).encode()[:-40]),
    "returns lists that are nested 100,000 levels deep": _odd(b"[" * 10**5 + b"]" * 10**5),
    "returns 300 MB of zeros, compressed to 300 kB": _odd(
        gzip.compress(bytes(_BOMB)), Content_Encoding="gzip"
    ),
    "returns 404; can the error and the client be pickled?": _pickled,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Test other clients with faults.")
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
    for fault, run in ROWS.items():
        print(f"| {fault} | {' | '.join(map(run, peers))} |", flush=True)


if __name__ == "__main__":
    main()
