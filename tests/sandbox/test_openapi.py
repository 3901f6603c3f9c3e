"""The OpenAPI documents are valid, complete and correct for all generated requests."""

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
from conversations_client.sandbox._replies.models import MODELS
from conversations_client.sandbox._schemas.messages import create_response
from conversations_client.sandbox._schemas.openapi import document
from conversations_client.sandbox._schemas.revisions import REVISIONS

KEY = "k"
HEADERS = {"Authorization": f"Bearer {KEY}"}
# Each request is valid, but they contradict each other, which a schema can't express.
CONFLICTS = {
    "startingAfter and endingBefore can't be used together.",
    "This Idempotency-Key was used for a different request.",
    "The conversation already has a name.",
}
GENERATION = {
    "deterministic": True,
    "database": "none",
    "max-examples": 30,
    "with-security-parameters": False,
}
# The types of schemathesis are less complete than strict checking requires.
THEIRS: Any = schemathesis
CREATE_RESPONSE = create_response(own_models=MODELS, other_models=None)
DOCUMENTS: dict[int, dict[str, Any]] = {
    number: dict(document(revision, create_response=CREATE_RESPONSE))
    for number, revision in REVISIONS.items()
}
FIRST, SECOND = (
    THEIRS.openapi.from_dict(
        DOCUMENTS[number], config=THEIRS.Config.from_dict({"generation": GENERATION})
    )
    for number in (1, 2)
)
APIS = {1: FIRST, 2: SECOND}
OfEachOperation = Callable[[Any, Sandbox], None]
of_each_operation: dict[int, Callable[[OfEachOperation], OfEachOperation]] = {
    number: api.parametrize() for number, api in APIS.items()
}


@pytest.fixture(scope="module", params=[1, 2])
def revision(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def sandbox(revision: int) -> Iterator[Sandbox]:
    with Sandbox(api_key=KEY, revision=revision) as running:
        yield running


@pytest.fixture(scope="module")
def first() -> Iterator[Sandbox]:
    with Sandbox(api_key=KEY, revision=1) as running:
        yield running


@pytest.fixture(scope="module")
def second() -> Iterator[Sandbox]:
    with Sandbox(api_key=KEY) as running:
        yield running


def test_the_document_is_openapi(revision: int, sandbox: Sandbox) -> None:
    served = httpx.get(f"{sandbox.url}/openapi.json").raise_for_status().json()
    assert served == DOCUMENTS[revision]
    OpenAPIV31SpecValidator(served).validate()


def test_the_document_describes_exactly_the_served_paths(revision: int, sandbox: Sandbox) -> None:
    app: Any = sandbox._server.config.app
    while not hasattr(app, "routes"):
        app = app._app
    paths: Any = DOCUMENTS[revision]["paths"]
    served = {
        (route.path, method.lower())
        for route in app.routes
        for method in route.methods
        if not route.path.startswith("/sandbox/")
    }
    described = {(path, method) for path in paths for method in paths[path]}
    assert {(path, method) for path, method in served if method != "head"} == {
        (path, method) for path, method in described if method != "parameters"
    } | {("/openapi.json", "get")}


def test_the_revisions_differ_as_the_service_documents() -> None:
    first, second = (document["paths"] for document in DOCUMENTS.values())
    assert second.keys() - first.keys() == {
        "/v2/conversations/",
        "/v2/conversations/{conversation_id}/responses",
    }
    one, two = (document["components"]["schemas"] for document in DOCUMENTS.values())
    assert two.keys() - one.keys() == {"ConversationWithMessages", "Message", "Part"}
    assert "entityId" in one["Conversation"]["required"]
    assert "entityId" not in two["Conversation"]["properties"]


def check(case: Any, response: schemathesis.Response, url: str, **more: Any) -> None:
    """Run all checks of schemathesis, including those that send more requests."""
    conflict = response.status_code in {400, 422} and response.json()["message"] in CONFLICTS
    case.validate_response(
        response,
        headers=HEADERS,
        excluded_checks=[positive_data_acceptance] if conflict else [],
        transport_kwargs={"base_url": url, "headers": HEADERS},
        **more,
    )


@of_each_operation[1]
def test_every_response_of_the_first_revision_matches_the_document(
    case: Any, first: Sandbox
) -> None:
    check(case, case.call(base_url=first.url, headers=HEADERS), first.url)


@of_each_operation[2]
def test_every_response_matches_the_document(case: Any, second: Sandbox) -> None:
    check(case, case.call(base_url=second.url, headers=HEADERS), second.url)


class Life(APIStateMachine):
    """Makes calls in any order with the returned IDs."""

    url: ClassVar[str]
    api: ClassVar[Any]
    body: ClassVar[dict[str, Any]]
    seen: ClassVar[Counter[tuple[str, int]]]
    recorder: Any

    @initialize(target=Bundle("POST /v2/conversations -> 201"))
    def create(self) -> StepOutput:
        create = self.api["/v2/conversations"]["POST"]
        case = create.Case(body=self.body, media_type="application/json")
        self.recorder.record_case(case=case)
        return self.step(StepInput.initial(case))  # pyright: ignore[reportUnknownMemberType]

    def before_call(self, case: Any) -> None:
        # Stored responses would make runs depend on each other.
        case.headers.pop("Idempotency-Key", None)

    def get_call_kwargs(self, case: Any) -> dict[str, Any]:
        return {"base_url": self.url, "headers": HEADERS}

    def validate_response(
        self, response: schemathesis.Response, case: Any, *_: Any, **__: Any
    ) -> None:
        self.seen[case.method, response.status_code] += 1
        check(case, response, self.url, recorder=self.recorder)


def test_every_response_in_a_sequence_matches_the_document(revision: int, sandbox: Sandbox) -> None:
    seen: Counter[tuple[str, int]] = Counter()
    api = APIS[revision]
    body = {"metadata": {"entityId": "a"}} if revision == 1 else {}
    attributes = {"url": sandbox.url, "seen": seen, "api": api, "body": body}
    life: Any = type("Life", (Life, api.as_state_machine()), attributes)
    life.run(
        settings=settings(
            max_examples=40, stateful_step_count=8, derandomize=True, database=None, deadline=None
        )
    )
    for call in [("GET", 200), ("PATCH", 200), ("DELETE", 204), ("POST", 200)]:
        assert seen[call] > 0
        assert seen[call[0], 404] > 0
