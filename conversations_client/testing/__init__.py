"""For the tests of code that uses the client.

    from conversations_client.testing import CreateCall, FakeService, factories

    fake = FakeService()
    fake.answer(factories.conversation(display_name="Refunds"))
    fake.client().conversations.create(display_name="Refunds")
    assert fake.calls == (CreateCall(display_name="Refunds"),)

The pytest fixtures over a real server (`conversations_sandbox`, `conversations_environment`) need
the `testing` extra: `pip install "conversations-client[testing]"`.
"""

from conversations_client.testing import factories
from conversations_client.testing._answers import Answer, Failure
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
from conversations_client.testing._fake import FakeService

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
