"""The HTTP paths of the sandbox for tests, so that programs in any language can use them."""

import inspect
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from attrs import asdict
from jsonschema import Draft202012Validator
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from conversations_client.sandbox._argument_checks import text
from conversations_client.sandbox._controls import Controls
from conversations_client.sandbox._fault_injection.faults import (
    BreakStream,
    CannedResponse,
    Delay,
    Drop,
    Fault,
)
from conversations_client.sandbox._operations.json_responses import json_response
from conversations_client.sandbox._operations.request_body import read_body
from conversations_client.sandbox._operations.routes import CONTROLS, Handler, route
from conversations_client.sandbox._server.request_log import ReceivedRequest
from conversations_client.sandbox._storage.clock import SettableClock, iso_8601

_OBJECT: Final = Draft202012Validator({"type": "object"})
_KINDS: Final[Mapping[type[Fault], str]] = {
    CannedResponse: "response",
    Delay: "delay",
    Drop: "drop",
    BreakStream: "break",
}


def control_routes(controls: Controls, clock: SettableClock) -> list[Route]:
    """Create the routes.

    Args:
        controls: The methods for tests.
        clock: The time of new conversations and messages.

    Returns:
        A route for each method, and one each for the pending faults and the received requests.
    """

    def set_iso_time(*, time: object) -> dict[str, object]:
        clock.set(None if time is None else _parsed_time(text("time", time)))
        return {"time": None if time is None else iso_8601(clock())}

    async def faults(_request: Request) -> Response:
        listed = [_fault_json(each, len([*same])) for each, same in groupby(controls.disruptions)]
        return json_response({**_pending(controls), "faults": listed})

    async def clear_faults(_request: Request) -> Response:
        controls.clear_disruptions()
        return json_response(_pending(controls))

    async def requests(_request: Request) -> Response:
        return json_response({"requests": [_request_json(each) for each in controls.requests]})

    async def clear_requests(request: Request) -> Response:
        controls.clear_requests()
        return await requests(request)

    methods: Mapping[str, Callable[..., dict[str, object] | None]] = {
        "fail-next": controls.fail_next,
        "answer-next": controls.answer_next,
        "delay-next": controls.delay_next,
        "drop-next": controls.drop_next,
        "break-stream": controls.break_stream,
        "set-time": set_iso_time,
    }
    return [
        *(
            route(f"{CONTROLS}{name}", POST=_handler(method, controls))
            for name, method in methods.items()
        ),
        route(f"{CONTROLS}faults", GET=faults, DELETE=clear_faults),
        route(f"{CONTROLS}requests", GET=requests, DELETE=clear_requests),
    ]


def _parsed_time(time: str) -> datetime:
    try:
        return datetime.fromisoformat(time)
    except ValueError:
        raise ValueError(f"time must be like 2024-12-21T00:00:00Z, not {time[:50]!r}.") from None


def _handler(method: Callable[..., dict[str, object] | None], controls: Controls) -> Handler:
    async def call(request: Request) -> Response:
        arguments = await _arguments(request)
        try:
            inspect.signature(method).bind(**arguments)
        except TypeError as error:
            raise HTTPException(422, f"The body is invalid: {error}.") from None
        try:
            result = method(**arguments)
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        return json_response(result or _pending(controls))

    return call


async def _arguments(request: Request) -> dict[str, Any]:
    """Read the arguments in the body; a request without a body uses the defaults."""
    length = request.headers.get("content-length", "0")
    has_body = length != "0" or "transfer-encoding" in request.headers
    return await read_body(request, _OBJECT) if has_body else {}


def _pending(controls: Controls) -> dict[str, object]:
    return {"pending": len(controls.disruptions)}


def _fault_json(fault: Fault, times: int) -> dict[str, object]:
    """Describe a fault, without the content that it sends."""
    fields = asdict(fault, filter=lambda _, value: not isinstance(value, bytes))
    return {"kind": _KINDS[type(fault)], "times": times, **fields}


def _request_json(request: ReceivedRequest) -> dict[str, object]:
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": dict(request.headers),
        "body": request.body.decode(errors="replace"),
    }
