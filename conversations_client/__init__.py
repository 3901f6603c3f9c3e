"""A typed client for orq.ai's Conversations API, sync and async.

from conversations_client import Client

with Client() as client:
    conversation = client.conversations.create(display_name="Product Feature Discussion")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from ._version import __version__

if TYPE_CHECKING:
    from ._arguments import (
        ConversationMetadataParam,
        ConversationMetadataUpdateParam,
        CreateRequest,
    )
    from ._async_client import AsyncClient
    from ._async_conversations import AsyncConversations
    from ._bulk import Created, CreateOutcome, Failed
    from ._call import RawResponse
    from ._client import Client
    from ._config import Timeout
    from ._conversations import Conversations
    from ._headers import Headers
    from ._outcomes import AsyncOutcomes, Outcomes
    from ._paging import AsyncPages, Pages
    from ._responses import AsyncResponses, Responses
    from ._retry import Retry
    from ._streaming import AsyncStream, Stream
    from ._unset import UNSET, Unset
    from ._wire import converter, structure, unstructure
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
        DataPart,
        ErrorPart,
        FileContent,
        FilePart,
        Message,
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
        ConversationWithMessages,
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

# What a program doesn't use, it doesn't wait for: a name is looked for in these modules when it is
# asked for, those first that import least.
_HOMES: Final = (
    "errors",
    "_unset",
    "_headers",
    "_config",
    "_retry",
    "hooks",
    "_client",
    "_async_client",
    "messages",
    "models",
    "events",
    "responses",
    "_arguments",
    "_call",
    "_bulk",
    "_paging",
    "_streaming",
    "_responses",
    "_conversations",
    "_async_conversations",
    "_outcomes",
    "_wire",
)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever has the name
    if name in _HOMES and not name.startswith("_"):
        return import_module(f".{name}", __name__)
    for home in _HOMES if name in __all__ else ():
        found = vars(import_module(f".{home}", __name__))
        if name in found:
            value = globals()[name] = found[name]
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
