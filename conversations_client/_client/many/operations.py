"""What `create_many`, `retrieve_many` and `delete_many` do for each item. No I/O."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias

from attrs import evolve, frozen

from conversations_client._calls.arguments import checked_conversation_id
from conversations_client._calls.call import RawResponse
from conversations_client._calls.call_options import NO_OPTIONS, CallOptions
from conversations_client._calls.endpoints import create_one_of_many, delete, retrieve
from conversations_client._calls.operation import Operation
from conversations_client.errors import ConversationsError
from conversations_client.messages import ConversationWithMessages
from conversations_client.models import Conversation

from .outcome import Created, Deleted, Failed, Retrieved

Success: TypeAlias = Created | Retrieved | Deleted

if TYPE_CHECKING:
    # Type checkers know this package even if it isn't installed. typing.TypeVar has no default
    # before Python 3.13.
    from typing_extensions import TypeVar

    S = TypeVar("S", bound=Success, default=Created)
else:
    from typing import TypeVar

    S = TypeVar("S", bound=Success)


@frozen(kw_only=True)
class ManyOperation(Generic[S]):
    """An operation that is called for each of many items.

    Attributes:
        name: The name of the method that users call.
        argument: The name of the method's first argument.
        items: The kind of items in that argument, for error messages.
        operation: The call for an item; raises InvalidArgumentError.
        success: The outcome of a successful call, from the index, the item and the response.
        failure: The outcome of a failed call, from the index, the item and the error.
    """

    name: str
    argument: str
    items: str
    operation: Callable[[object], Operation[Any]]
    success: Callable[[int, Any, RawResponse[Any]], S]
    failure: Callable[[int, object, ConversationsError], Failed]

    def with_options(self, options: CallOptions) -> "ManyOperation[S]":
        """The operation with options for each call."""
        if options is NO_OPTIONS:
            return self

        def operation(item: object) -> Operation[Any]:
            return options.apply(self.operation(item))

        return evolve(self, operation=operation)


def creation(*, project_id: str | None, new_key: Callable[[], str]) -> ManyOperation[Created]:
    """`create_many`.

    Args:
        project_id: The project for requests without one.
        new_key: Creates the idempotency key for a request without one.
    """

    def operation(item: object) -> Operation[Conversation]:
        return create_one_of_many(item, project_id=project_id, new_key=new_key)

    def success(index: int, _: object, response: RawResponse[Conversation]) -> Created:
        return Created(index, response.parsed, response.request_id)

    def failure(index: int, _: object, error: ConversationsError) -> Failed:
        return Failed(index, error)

    return ManyOperation(
        name="create_many",
        argument="requests",
        items="CreateRequest",
        operation=operation,
        success=success,
        failure=failure,
    )


def _retrieve(item: Any) -> Operation[ConversationWithMessages]:  # noqa: ANN401 - retrieve() checks it
    return _one_of_many(retrieve(item))


def _delete(item: Any) -> Operation[None]:  # noqa: ANN401 - delete() checks it
    return _one_of_many(delete(item))


def _one_of_many(operation: Operation[Any]) -> Operation[Any]:
    return evolve(operation, request=evolve(operation.request, caller_handles_throttling=True))


def _retrieved(
    index: int, item: str | Conversation, response: RawResponse[ConversationWithMessages]
) -> Retrieved:
    return Retrieved(index, response.parsed, _id(item), response.request_id)


def _deleted(index: int, item: str | Conversation, response: RawResponse[None]) -> Deleted:
    return Deleted(index, _id(item), response.request_id)


def _failed(index: int, item: object, error: ConversationsError) -> Failed:
    item_id = item.id if isinstance(item, Conversation) else item
    return Failed(index, error, item_id if isinstance(item_id, str) else None)


def _id(item: str | Conversation) -> str:
    return checked_conversation_id("conversation_id", item)


RETRIEVAL: Final = ManyOperation(
    name="retrieve_many",
    argument="conversation_ids",
    items="conversation IDs",
    operation=_retrieve,
    success=_retrieved,
    failure=_failed,
)

DELETION: Final = ManyOperation(
    name="delete_many",
    argument="conversation_ids",
    items="conversation IDs",
    operation=_delete,
    success=_deleted,
    failure=_failed,
)
