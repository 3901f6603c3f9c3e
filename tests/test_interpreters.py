"""State of modules: in a subinterpreter, and with many threads at first use."""

import subprocess
import sys

import pytest
from command_line import unmeasured
from scripted import CONVERSATION
from serving import AnsweringServer
from variants import KEY

ID = CONVERSATION["_id"]

IN_ANOTHER = """
import sys

try:
    import _interpreters as interpreters

    another = interpreters.create("legacy")
except ImportError:
    import _xxsubinterpreters as interpreters

    another = interpreters.create(isolated=False)

from conversations_client import Client

PROGRAM = f'''
import sys
import threading
import warnings

sys.path[:] = {sys.path!r}
warnings.simplefilter("error")
try:
    import attrs, cattrs, httpx
except ImportError as error:
    print("refused:", error)
    sys.exit()

import anyio
from conversations_client import AsyncClient, Client, NotFoundError

with Client(*{sys.argv[1:2]!r}, base_url={sys.argv[2]!r}) as client:
    print(client.conversations.create().id)
    print(client.conversations.responses.create("conv_1", message="Hi", model="a/b").text)
    try:
        client.conversations.retrieve("conv_of_nobody")
    except NotFoundError as error:
        print(error.service_message)

async def main():
    async with AsyncClient(*{sys.argv[1:2]!r}, base_url={sys.argv[2]!r}) as client:
        print((await client.conversations.create()).id, flush=True)

anyio.run(main)

# An interpreter can't end while another thread is about to.
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join(timeout=60)
'''

with Client(sys.argv[1], base_url=sys.argv[2]) as client:
    print(client.conversations.create().id, flush=True)
    failed = interpreters.run_string(another, PROGRAM)
    interpreters.destroy(another)
    print(client.conversations.create().id)
if failed is not None:
    sys.exit(str(failed))
"""

AT_ONCE = """
import sys
import threading

THREADS = 16
barrier = threading.Barrier(THREADS)
said, failed = [], []
sys.setswitchinterval(1e-6)


def at_once(work):
    def run(number):
        barrier.wait()
        try:
            said.append(work(number))
        except BaseException as error:
            failed.append(repr(error))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def call(client, number):
    from conversations_client import NotFoundError

    conversations = client.conversations
    match number % 5:
        case 0:
            return conversations.create().id
        case 1:
            return conversations.retrieve("conv_1").id
        case 2:
            return [each.id for each in conversations.list()][0]
        case 3:
            say = {"message": "Hi", "model": "a/b"}
            return conversations.responses.create("conv_1", **say).text
        case _:
            try:
                conversations.retrieve("conv_of_nobody")
            except NotFoundError as error:
                return error.service_message


def with_its_own(number):
    from conversations_client import Client

    with Client(sys.argv[1], base_url=sys.argv[2]) as client:
        return call(client, number)


at_once(with_its_own)

from conversations_client import Client

for _ in range(int(sys.argv[3])):
    with Client(sys.argv[1], base_url=sys.argv[2], max_connections=3) as client:
        # Copies, for each has caches of its own before what it shares with the others.
        at_once(lambda number: call(client.with_options(timeout=30), number))

print(sorted(said))
print(failed)
"""


def output_of(program: str, *given: str) -> list[str]:
    line = [sys.executable, "-W", "error", "-c", program, KEY, *given]
    # Coverage can't start in the second interpreter.
    ended = subprocess.run(  # noqa: S603
        line, capture_output=True, text=True, check=False, env=unmeasured(), timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.splitlines()


def test_a_subinterpreter() -> None:
    with AnsweringServer() as server:
        said = output_of(IN_ANOTHER, server.url)
    if said[1].startswith("refused"):
        pytest.skip(said[1])
    assert said == [ID, ID, "One two ", "nobody", ID, ID]


def test_many_threads_use_everything_for_the_first_time() -> None:
    clients = 20
    with AnsweringServer() as server:
        said, failed = output_of(AT_ONCE, server.url, str(clients))
    assert failed == "[]"
    each = [ID] * 10 + ["One two "] * 3 + ["nobody"] * 3
    assert said == str(sorted(each * (1 + clients)))
    assert len(server.seen) == 16 * (1 + clients)
    assert server.connections <= 16 + 3 * clients
