"""Tools for testing code that uses the client.

`FakeService` replaces the service in unit tests, and `factories` creates its responses. The pytest
fixtures `conversations_sandbox` and `conversations_environment` use a real server and need the
`testing` extra: `pip install "conversations-client[testing]"`.

Example:
    fake = FakeService()
    fake.answer(factories.conversation(display_name="Refunds"))
    fake.client().conversations.create(display_name="Refunds")
    assert fake.calls == (CreateCall(display_name="Refunds"),)
"""

from conversations_client.testing import factories
from conversations_client.testing._calls import (
    Call,
    CreateCall,
    CreateResponseCall,
    DeleteCall,
    GenerateNameCall,
    ListCall,
    RequestCall,
    RetrieveCall,
    UpdateCall,
)
from conversations_client.testing._fake_service import FakeService
from conversations_client.testing._responses import Answer, Failure

__all__ = [
    "Answer",
    "Call",
    "CreateCall",
    "CreateResponseCall",
    "DeleteCall",
    "Failure",
    "FakeService",
    "GenerateNameCall",
    "ListCall",
    "RequestCall",
    "RetrieveCall",
    "UpdateCall",
    "factories",
]
