"""A typed client for orq.ai's Conversations API, sync and async.

`Client` and `AsyncClient` create, list, retrieve, update and delete conversations, and stream the
responses of models and agents. They read the API key from `ORQ_API_KEY`. Every error is a
`ConversationsError`.

- `conversations_client.sandbox`: the API on your machine, to try it without a key
- `conversations_client.testing`: fakes and factories for your tests
- `conversations_client.bulk`: imports and exports of files
- `conversations_client.cli`: the command line, `conversations`

Example:
    from conversations_client import Client

    with Client() as client:
        conversation = client.conversations.create(display_name="Product Feature Discussion")
        for conversation in client.conversations.list():
            print(conversation.display_name)

PYTEST_DONT_REWRITE (for pytest: the package has a plugin but no assertions to rewrite)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from conversations_client._base.version import __version__

if TYPE_CHECKING:
    from conversations_client._base.headers import Headers
    from conversations_client._base.unset import UNSET, Unset
    from conversations_client._calls.arguments import (
        ConversationMetadataParam,
        ConversationMetadataUpdateParam,
        CreateRequest,
    )
    from conversations_client._calls.call import RawResponse
    from conversations_client._calls.retry import Retry
    from conversations_client._calls.settings import Timeout
    from conversations_client._client.async_client import AsyncClient
    from conversations_client._client.async_conversations import AsyncConversations
    from conversations_client._client.client import Client
    from conversations_client._client.conversations import Conversations
    from conversations_client._client.many.async_outcomes import AsyncOutcomes
    from conversations_client._client.many.outcome import (
        Created,
        CreateOutcome,
        Deleted,
        DeleteOutcome,
        Failed,
        Retrieved,
        RetrieveOutcome,
    )
    from conversations_client._client.many.sync_outcomes import Outcomes
    from conversations_client._client.pages import AsyncPages, Pages
    from conversations_client._client.responses_resource import AsyncResponses, Responses
    from conversations_client._client.streams import AsyncStream, Stream
    from conversations_client._json.conversion import structure
    from conversations_client._json.converter import converter
    from conversations_client._json.serialization import unstructure

    from .errors import (
        AuthenticationError,
        BadRequestError,
        ClientClosedError,
        ConfigurationError,
        ConflictError,
        ConnectError,
        ConnectTimeoutError,
        ConversationsError,
        DeadlineError,
        DecodeError,
        Delivery,
        DisconnectError,
        Fault,
        IdleTimeoutError,
        InvalidArgumentError,
        NotFoundError,
        OutOfRangeError,
        PagingError,
        PermissionDeniedError,
        PoolTimeoutError,
        ProxyError,
        RateLimitError,
        ResponseTooLargeError,
        ServerError,
        StatusError,
        StreamClosedError,
        TLSError,
        TransportError,
        TransportTimeoutError,
        UnprocessableEntityError,
    )
    from .events import (
        CompletionTokensDetails,
        Event,
        FinishReason,
        PartDelta,
        PartDone,
        PromptTokensDetails,
        ResponseDone,
        ResponseFailed,
        ResponseStarted,
        ToolCall,
        ToolDone,
        ToolFailed,
        ToolFunction,
        ToolReview,
        ToolReviewDone,
        ToolReviewRequested,
        ToolStarted,
        UnknownEvent,
        Usage,
    )
    from .hooks import AsyncHooks, Hooks, RequestInfo, ResponseInfo, RetryInfo
    from .messages import (
        ConversationWithMessages,
        DataPart,
        ErrorPart,
        FileContent,
        FilePart,
        Message,
        MessageInput,
        MessageRole,
        Part,
        ReasoningPart,
        RequestPart,
        TextPart,
        ToolResultPart,
        UnknownPart,
        UserMessage,
    )
    from .models import (
        Conversation,
        ConversationKind,
        ConversationMetadata,
        ConversationPage,
        CreateConversationConversationsMetadata,
        CreateConversationKind,
        CreateConversationResponseBody,
    )
    from .responses import (
        EventTooLargeError,
        PartialResponse,
        Response,
        ResponseFailedError,
        StreamError,
        StreamTruncatedError,
    )

__all__ = [
    "UNSET",
    "AsyncClient",
    "AsyncConversations",
    "AsyncHooks",
    "AsyncOutcomes",
    "AsyncPages",
    "AsyncResponses",
    "AsyncStream",
    "AuthenticationError",
    "BadRequestError",
    "Client",
    "ClientClosedError",
    "CompletionTokensDetails",
    "ConfigurationError",
    "ConflictError",
    "ConnectError",
    "ConnectTimeoutError",
    "Conversation",
    "ConversationKind",
    "ConversationMetadata",
    "ConversationMetadataParam",
    "ConversationMetadataUpdateParam",
    "ConversationPage",
    "ConversationWithMessages",
    "Conversations",
    "ConversationsError",
    "CreateConversationConversationsMetadata",
    "CreateConversationKind",
    "CreateConversationResponseBody",
    "CreateOutcome",
    "CreateRequest",
    "Created",
    "DataPart",
    "DeadlineError",
    "DecodeError",
    "DeleteOutcome",
    "Deleted",
    "Delivery",
    "DisconnectError",
    "ErrorPart",
    "Event",
    "EventTooLargeError",
    "Failed",
    "Fault",
    "FileContent",
    "FilePart",
    "FinishReason",
    "Headers",
    "Hooks",
    "IdleTimeoutError",
    "InvalidArgumentError",
    "Message",
    "MessageInput",
    "MessageRole",
    "NotFoundError",
    "OutOfRangeError",
    "Outcomes",
    "Pages",
    "PagingError",
    "Part",
    "PartDelta",
    "PartDone",
    "PartialResponse",
    "PermissionDeniedError",
    "PoolTimeoutError",
    "PromptTokensDetails",
    "ProxyError",
    "RateLimitError",
    "RawResponse",
    "ReasoningPart",
    "RequestInfo",
    "RequestPart",
    "Response",
    "ResponseDone",
    "ResponseFailed",
    "ResponseFailedError",
    "ResponseInfo",
    "ResponseStarted",
    "ResponseTooLargeError",
    "Responses",
    "RetrieveOutcome",
    "Retrieved",
    "Retry",
    "RetryInfo",
    "ServerError",
    "StatusError",
    "Stream",
    "StreamClosedError",
    "StreamError",
    "StreamTruncatedError",
    "TLSError",
    "TextPart",
    "Timeout",
    "ToolCall",
    "ToolDone",
    "ToolFailed",
    "ToolFunction",
    "ToolResultPart",
    "ToolReview",
    "ToolReviewDone",
    "ToolReviewRequested",
    "ToolStarted",
    "TransportError",
    "TransportTimeoutError",
    "UnknownEvent",
    "UnknownPart",
    "UnprocessableEntityError",
    "Unset",
    "Usage",
    "UserMessage",
    "__version__",
    "converter",
    "structure",
    "unstructure",
]

# A public name is imported on first use, from the first of these modules that has it. The modules
# with the fewest imports come first, so that programs start fast.
_MODULES: Final = (
    "errors",
    "_base.unset",
    "_base.headers",
    "_calls.settings",
    "_calls.retry",
    "hooks",
    "_client.client",
    "_client.async_client",
    "messages",
    "models",
    "events",
    "responses",
    "_calls.arguments",
    "_calls.call",
    "_client.many.outcome",
    "_client.pages",
    "_client.streams",
    "_client.responses_resource",
    "_client.conversations",
    "_client.async_conversations",
    "_client.many.sync_outcomes",
    "_client.many.async_outcomes",
    "_json.conversion",
    "_json.serialization",
    "_json.converter",
)


_BEFORE_CALLS: Final = ("_client.client", "_client.async_client", "_client.many.outcome")
"""The modules of `_client` that import no HTTP library."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    if name in _MODULES and not name.startswith("_"):
        return _import(name)
    for module in _MODULES if name in __all__ else ():
        namespace: dict[str, Any] = _import(module).__dict__
        if name in namespace:
            value = globals()[name] = namespace[name]
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _import(name: str) -> Any:  # noqa: ANN401 - a module
    from ._base.lazy_imports import lazy_import

    if name.startswith("_client"):
        from ._client.fork_safety import import_for_calls

        if name not in _BEFORE_CALLS:
            import_for_calls()
    lazy_import(f"{__name__}.{name}")
    return import_module(f".{name}", __name__)


def __dir__() -> list[str]:
    modules = {home for home in _MODULES if not home.startswith("_")}
    return sorted({*__all__, *modules, *(name for name in globals() if name.startswith("__"))})
