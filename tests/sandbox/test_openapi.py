"""The sandbox's own description: valid, whole, and true of every answer that can be provoked."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import httpx
import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, initialize

pytest.importorskip("schemathesis", reason="schemathesis is not in requirements/test.txt")

import schemathesis
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.generation.stateful.state_machine import APIStateMachine, StepInput, StepOutput
from schemathesis.specs.openapi.checks import (
    positive_data_acceptance,  # pyright: ignore[reportUnknownVariableType]
)

from conversations_client.sandbox import Sandbox
from conversations_client.sandbox._openapi import document

KEY = "k"
HEADERS = {"Authorization": f"Bearer {KEY}"}
# Requests that are each as described and yet don't go together, which no schema can say.
CONFLICTS = {
    "startingAfter and endingBefore exclude each other.",
    "This Idempotency-Key was used for another request.",
    "The conversation already has a name.",
}
GENERATION = {
    "deterministic": True,
    "database": "none",
    "max-examples": 30,
    "with-security-parameters": False,
}
# What schemathesis says of its types is less than strict checking asks for.
THEIRS: Any = schemathesis
API = THEIRS.openapi.from_dict(
    dict(document()), config=THEIRS.Config.from_dict({"generation": GENERATION})
)
OfEachOperation = Callable[[Any, Sandbox], None]
of_each_operation: Callable[[OfEachOperation], OfEachOperation] = API.parametrize()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(api_key=KEY) as running:
        yield running


def test_the_document_is_openapi(sandbox: Sandbox) -> None:
    served = httpx.get(f"{sandbox.url}/openapi.json").raise_for_status().json()
    assert served == document()
    OpenAPIV31SpecValidator(served).validate()


def test_what_is_served_is_described_and_nothing_else(sandbox: Sandbox) -> None:
    app: Any = sandbox._server.config.app
    while not hasattr(app, "routes"):
        app = app._app
    paths: Any = document()["paths"]
    served = {(route.path, method.lower()) for route in app.routes for method in route.methods}
    described = {(path, method) for path in paths for method in paths[path]}
    assert {(path, method) for path, method in served if method != "head"} == {
        (path, method) for path, method in described if method != "parameters"
    } | {("/openapi.json", "get")}


def check(case: Any, response: schemathesis.Response, url: str, **more: Any) -> None:
    """All of schemathesis' checks, those that send further requests among them."""
    conflict = response.status_code in {400, 422} and response.json()["message"] in CONFLICTS
    case.validate_response(
        response,
        headers=HEADERS,
        excluded_checks=[positive_data_acceptance] if conflict else [],
        transport_kwargs={"base_url": url, "headers": HEADERS},
        **more,
    )


@of_each_operation
def test_every_answer_is_as_described(case: Any, sandbox: Sandbox) -> None:
    check(case, case.call(base_url=sandbox.url, headers=HEADERS), sandbox.url)


class Life(APIStateMachine):
    """Goes on with the ids that came back, in any order of calls."""

    url: ClassVar[str]
    seen: ClassVar[Counter[tuple[str, int]]]
    recorder: Any

    @initialize(target=Bundle("POST /v2/conversations -> 201"))
    def create(self) -> StepOutput:
        case = API["/v2/conversations"]["POST"].Case(body={}, media_type="application/json")
        self.recorder.record_case(case=case)
        return self.step(StepInput.initial(case))  # pyright: ignore[reportUnknownMemberType]

    def before_call(self, case: Any) -> None:
        # Kept answers would make a life depend on the lives before it.
        case.headers.pop("Idempotency-Key", None)

    def get_call_kwargs(self, case: Any) -> dict[str, Any]:
        return {"base_url": self.url, "headers": HEADERS}

    def validate_response(
        self, response: schemathesis.Response, case: Any, *_: Any, **__: Any
    ) -> None:
        self.seen[case.method, response.status_code] += 1
        check(case, response, self.url, recorder=self.recorder)


def test_every_answer_is_as_described_along_a_life(sandbox: Sandbox) -> None:
    seen: Counter[tuple[str, int]] = Counter()
    life: Any = type("Life", (Life, API.as_state_machine()), {"url": sandbox.url, "seen": seen})
    life.run(
        settings=settings(
            max_examples=40, stateful_step_count=8, derandomize=True, database=None, deadline=None
        )
    )
    for answer in [("GET", 200), ("PATCH", 200), ("DELETE", 204), ("POST", 200)]:
        assert seen[answer] > 0
        assert seen[answer[0], 404] > 0
