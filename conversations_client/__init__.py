"""A typed client for orq.ai's Conversations API, sync and async.

from conversations_client import Client

with Client() as client:
    conversation = client.conversations.create(display_name="Product Feature Discussion")
"""

from ._arguments import ConversationMetadataParam, ConversationMetadataUpdateParam
from ._call import RawResponse
from ._client import AsyncClient, Client
from ._config import Timeout
from ._conversations import AsyncConversations, Conversations
from ._headers import Headers
from ._paging import AsyncPages, Pages
from ._retry import Retry
from ._unset import UNSET, Unset
from ._version import __version__
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
    TLSError,
    TransportError,
    TransportTimeoutError,
    UnprocessableEntityError,
)
from .messages import (
    ErrorPart,
    FileContent,
    FilePart,
    Message,
    MessageRole,
    Part,
    TextPart,
    ToolResultPart,
    UnknownPart,
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

__all__ = [
    "UNSET",
    "AsyncClient",
    "AsyncConversations",
    "AsyncPages",
    "AuthenticationError",
    "BadRequestError",
    "Client",
    "ClientClosedError",
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
    "DeadlineError",
    "DecodeError",
    "Delivery",
    "DisconnectError",
    "ErrorPart",
    "Fault",
    "FileContent",
    "FilePart",
    "Headers",
    "IdleTimeoutError",
    "InvalidArgumentError",
    "Message",
    "MessageRole",
    "NotFoundError",
    "OutOfRangeError",
    "Pages",
    "PagingError",
    "Part",
    "PermissionDeniedError",
    "PoolTimeoutError",
    "ProxyError",
    "RateLimitError",
    "RawResponse",
    "ResponseTooLargeError",
    "Retry",
    "ServerError",
    "StatusError",
    "TLSError",
    "TextPart",
    "Timeout",
    "ToolResultPart",
    "TransportError",
    "TransportTimeoutError",
    "UnknownPart",
    "UnprocessableEntityError",
    "Unset",
    "__version__",
    "converter",
    "structure",
    "unstructure",
]
