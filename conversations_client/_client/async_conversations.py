"""`client.conversations` of an `AsyncClient`."""

from typing import TYPE_CHECKING, cast

from conversations_client._base.cached_attribute import cached_attribute
from conversations_client._base.lazy_imports import begin_import
from conversations_client._base.unset import UNSET, Unset
from conversations_client._calls import endpoints
from conversations_client._calls.arguments import (
    ConversationMetadataParam,
    ConversationMetadataUpdateParam,
)
from conversations_client._calls.call import RawResponse
from conversations_client._client.many.shared_backoff import SharedBackoff
from conversations_client._engine.async_engine import AsyncEngine
from conversations_client.models import (
    Conversation,
    ConversationMetadata,
    ConversationPage,
)

from .pages import AsyncPages
from .raw import AsyncCall, raw_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable

    from conversations_client.messages import ConversationWithMessages

    from .many.async_outcomes import AsyncConversationIds, AsyncCreateRequests, AsyncOutcomes
    from .many.operations import ManyOperation, S
    from .many.outcome import Created, Deleted, Retrieved
    from .many.outcomes_base import ManyOptions
    from .responses_resource import AsyncRawResponses, AsyncResponses


class AsyncConversations:
    """The operations on conversations, as `client.conversations`."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        project_id: str | None,
        pause: SharedBackoff | None = None,
        call: AsyncCall | None = None,
    ) -> None:
        self._engine = engine
        self._project_id = project_id
        self._pause = pause or SharedBackoff()
        self._call = call or engine.call

    @cached_attribute
    def responses(self) -> "AsyncResponses":
        """The responses of conversations, streamed."""
        begin_import("conversations_client._client.responses_resource")
        from .responses_resource import AsyncResponses

        return AsyncResponses(self._engine)

    @property
    def with_raw_response(self) -> "AsyncRawConversations":
        """The same calls, each answer in its envelope (status, headers, request id, attempts)."""
        return AsyncRawConversations(self._engine, project_id=self._project_id)

    async def create(
        self,
        *,
        display_name: str | Unset = UNSET,
        metadata: ConversationMetadata | ConversationMetadataParam | Unset = UNSET,
        project_id: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> Conversation:
        """Create a conversation (`POST /v2/conversations`).

        Args:
            display_name: The name that people see, at most 100 characters; the service calls it
                "Untitled" if it is left out.
            metadata: Parent agent or deployment (`entity_id`), `model`, and whether the service is
                to make up a name (`generating_title`). In a dict a missing key is left out, and
                None is sent as null.
            project_id: The project to create it in, `prj_…`; the client's own if left out, and
                None names no project at all.
            idempotency_key: What the service may know a repeat of this very request by, 1 to 255
                visible ASCII characters; a random one is made up if left out.

        Returns:
            The new conversation.

        Raises:
            InvalidArgumentError: An argument can't be right; nothing was sent.
            TransportError: No complete answer came.
            StatusError: The service refused or failed.
            DecodeError: The answer is not what the API documents.
            ClientClosedError: The client is closed.
        """
        return await self._call(
            endpoints.create(
                display_name=display_name,
                metadata=metadata,
                project_id=self._project_id if project_id is UNSET else project_id,
                idempotency_key=idempotency_key,
            )
        )

    def create_many(
        self,
        requests: "AsyncCreateRequests",
        *,
        max_in_flight: int = 16,
        rate: float | None = None,
        ordered: bool = False,
        stop_on_error: bool = False,
    ) -> "AsyncOutcomes[Created]":
        """Create any number of conversations, several at once (`POST /v2/conversations`).

        Each request is read when there is room for it, and has one outcome: `Created` or `Failed`.
        An invalid request fails on its own. When the service throttles a request, all requests
        wait as long as it asks to. A request fails when it was throttled `Retry.attempts` times
        while the service accepted no other.

        Example:
            requests = [{"display_name": "Refunds"}, {"display_name": "Support"}]
            with client.conversations.create_many(requests) as outcomes:
                created = [outcome for outcome in outcomes if isinstance(outcome, Created)]

        Args:
            requests: What to create: dicts with the arguments of `create`, from an iterable of any
                length. An async client also takes an async iterable.
            max_in_flight: The most requests in flight, including outcomes that you have not
                consumed yet. Default 16.
            rate: The most requests per second; None, the default, for no limit.
            ordered: Whether outcomes come in the order of the requests, rather than as calls end.
                Default False.
            stop_on_error: Whether the first failure is the last: nothing more is read or sent, and
                only the outcomes of requests in flight follow. Default False.

        Returns:
            The outcomes. Iterate over them inside their `with` block.

        Raises:
            InvalidArgumentError: An argument is invalid, other than a single request.
            ClientClosedError: The client is closed; raised by the iteration.
        """
        begin_import("conversations_client._client.many.async_outcomes")
        from .many.operations import creation
        from .many.outcomes_base import ManyOptions

        options = ManyOptions(
            max_in_flight=max_in_flight, rate=rate, ordered=ordered, stop_on_error=stop_on_error
        )
        operation = creation(project_id=self._project_id, new_key=self._engine.environment.new_key)
        return self._outcomes(operation, requests, options)

    async def retrieve(
        self,
        conversation_id: str,
    ) -> "ConversationWithMessages":
        """Read a conversation with its messages (`GET /v2/conversations/{conversation_id}`).

        Args:
            conversation_id: The conversation, `conv_…`.

        Returns:
            The conversation; its `messages` are None where the service sends none.

        Raises:
            InvalidArgumentError: An argument can't be right; nothing was sent.
            TransportError: No complete answer came.
            StatusError: The service refused or failed.
            DecodeError: The answer is not what the API documents.
            ClientClosedError: The client is closed.
        """
        return await self._call(endpoints.retrieve(conversation_id))

    def retrieve_many(
        self,
        conversation_ids: "AsyncConversationIds",
        *,
        max_in_flight: int = 16,
        rate: float | None = None,
        ordered: bool = False,
        stop_on_error: bool = False,
    ) -> "AsyncOutcomes[Retrieved]":
        """Retrieve any number of conversations with their messages, several at once.

        It calls `GET /v2/conversations/{conversation_id}` for each ID. Each ID is read when there
        is room for it, and has one outcome: `Retrieved` or `Failed`. Limits, throttling and backoff
        are those of `create_many`; a call is also repeated after a server error or a broken
        connection, since retrieving changes nothing.

        Example:
            with client.conversations.retrieve_many([conversation_id]) as outcomes:
                found = [one.conversation for one in outcomes if isinstance(one, Retrieved)]

        Args:
            conversation_ids: The conversations, `conv_…`, from an iterable of any length. An async
                client also takes an async iterable.
            max_in_flight: The most requests in flight, including outcomes that you have not
                consumed yet. Default 16.
            rate: The most requests per second; None, the default, for no limit.
            ordered: Whether outcomes come in the order of the IDs, rather than as calls end.
                Default False.
            stop_on_error: Whether the first failure is the last: nothing more is read or sent, and
                only the outcomes of requests in flight follow. Default False.

        Returns:
            The outcomes. Iterate over them inside their `with` block.

        Raises:
            InvalidArgumentError: An argument is invalid, other than a single ID.
            ClientClosedError: The client is closed; raised by the iteration.
        """
        begin_import("conversations_client._client.many.async_outcomes")
        from .many.operations import RETRIEVAL
        from .many.outcomes_base import ManyOptions

        options = ManyOptions(
            max_in_flight=max_in_flight, rate=rate, ordered=ordered, stop_on_error=stop_on_error
        )
        return self._outcomes(RETRIEVAL, conversation_ids, options)

    async def update(
        self,
        conversation_id: str,
        *,
        display_name: str | Unset = UNSET,
        metadata: ConversationMetadata | ConversationMetadataUpdateParam | Unset = UNSET,
    ) -> Conversation:
        """Change a conversation (`PATCH /v2/conversations/{conversation_id}`).

        Only what is given changes, inside the metadata too.

        Args:
            conversation_id: The conversation, `conv_…`.
            display_name: The new name, at most 100 characters.
            metadata: `generating_title` and `entity_id`; in a dict a missing key is left alone,
                and None is sent as null.

        Returns:
            The conversation as it is now.

        Raises:
            InvalidArgumentError: An argument can't be right; nothing was sent.
            TransportError: No complete answer came.
            StatusError: The service refused or failed.
            DecodeError: The answer is not what the API documents.
            ClientClosedError: The client is closed.
        """
        return await self._call(
            endpoints.update(
                conversation_id,
                display_name=display_name,
                metadata=metadata,
            )
        )

    async def delete(
        self,
        conversation_id: str,
    ) -> None:
        """Delete a conversation (`DELETE /v2/conversations/{conversation_id}`).

        Args:
            conversation_id: The conversation, `conv_…`.

        Raises:
            InvalidArgumentError: An argument can't be right; nothing was sent.
            TransportError: No complete answer came.
            StatusError: The service refused or failed.
            ClientClosedError: The client is closed.
        """
        return await self._call(endpoints.delete(conversation_id))

    def delete_many(
        self,
        conversation_ids: "AsyncConversationIds",
        *,
        max_in_flight: int = 16,
        rate: float | None = None,
        ordered: bool = False,
        stop_on_error: bool = False,
    ) -> "AsyncOutcomes[Deleted]":
        """Delete any number of conversations, several at once.

        It calls `DELETE /v2/conversations/{conversation_id}` for each ID. Each ID is read when
        there is room for it, and has one outcome: `Deleted` or `Failed`. Limits, throttling and
        backoff are those of `create_many`; a call is also repeated after a server error or a broken
        connection. If the first attempt took effect, the second one fails with a `NotFoundError`
        whose `may_have_acted` is true.

        Example:
            with client.conversations.delete_many([conversation_id]) as outcomes:
                failures = [outcome for outcome in outcomes if isinstance(outcome, Failed)]

        Args:
            conversation_ids: The conversations, `conv_…`, from an iterable of any length. An async
                client also takes an async iterable.
            max_in_flight: The most requests in flight, including outcomes that you have not
                consumed yet. Default 16.
            rate: The most requests per second; None, the default, for no limit.
            ordered: Whether outcomes come in the order of the IDs, rather than as calls end.
                Default False.
            stop_on_error: Whether the first failure is the last: nothing more is read or sent, and
                only the outcomes of requests in flight follow. Default False.

        Returns:
            The outcomes. Iterate over them inside their `with` block.

        Raises:
            InvalidArgumentError: An argument is invalid, other than a single ID.
            ClientClosedError: The client is closed; raised by the iteration.
        """
        begin_import("conversations_client._client.many.async_outcomes")
        from .many.operations import DELETION
        from .many.outcomes_base import ManyOptions

        options = ManyOptions(
            max_in_flight=max_in_flight, rate=rate, ordered=ordered, stop_on_error=stop_on_error
        )
        return self._outcomes(DELETION, conversation_ids, options)

    async def generate_name(
        self,
        conversation_id: str,
        *,
        context: str,
        idempotency_key: str | None = None,
    ) -> Conversation:
        """Have the service name it (`POST /v2/conversations/{conversation_id}/generate-name`).

        Args:
            conversation_id: The conversation, `conv_…`.
            context: What the conversation is about, at least 1 character.
            idempotency_key: What the service may know a repeat of this very request by, 1 to 255
                visible ASCII characters; a random one is made up if left out.

        Returns:
            The conversation with its new name.

        Raises:
            InvalidArgumentError: An argument can't be right; nothing was sent.
            TransportError: No complete answer came.
            BadRequestError: The conversation already has a name.
            StatusError: The service refused or failed.
            DecodeError: The answer is not what the API documents.
            ClientClosedError: The client is closed.
        """
        return await self._call(
            endpoints.generate_name(
                conversation_id,
                context=context,
                idempotency_key=idempotency_key,
            )
        )

    def list(
        self,
        *,
        limit: int | Unset = UNSET,
        starting_after: str | None = None,
        ending_before: str | None = None,
        entity_id: str | None = None,
    ) -> AsyncPages:
        """List conversations, newest first (`GET /v2/conversations/`).

        Args:
            limit: Conversations per page, 1 to 100; the service takes 10 if it is left out.
            starting_after: The id of a conversation; the listing has what is older.
            ending_before: The id of a conversation; the listing has what is newer, from there
                page by page to the newest. Not together with `starting_after`.
            entity_id: The parent agent or deployment whose conversations to list; left out, the
                service lists those that stand alone.

        Returns:
            The listing, to iterate for conversations or to take `pages()` of. It asks for a page
            when it gets there, and holds one at a time.

        Raises:
            InvalidArgumentError: An argument can't be right; nothing was sent.
        """
        listing = endpoints.Listing(
            limit=limit,
            starting_after=starting_after,
            ending_before=ending_before,
            entity_id=entity_id,
        )
        listing.page(None)  # refuses now what can't be right
        return AsyncPages(lambda cursor: self._call(listing.page(cursor)), listing.is_backwards)

    def _outcomes(
        self,
        operation: "ManyOperation[S]",
        items: "Iterable[object] | AsyncIterable[object]",
        options: "ManyOptions",
    ) -> "AsyncOutcomes[S]":
        from .many.async_outcomes import AsyncOutcomes

        return AsyncOutcomes(self._engine, operation, items, options=options, backoff=self._pause)


class AsyncRawConversations:
    """The same calls, each answer in its envelope (`RawResponse`)."""

    def __init__(self, engine: AsyncEngine, *, project_id: str | None) -> None:
        call = cast("AsyncCall", engine.send)
        self._same = AsyncConversations(engine, project_id=project_id, call=call)
        self._engine = engine

    @raw_async(AsyncConversations.create)
    def create(self) -> AsyncConversations:
        return self._same

    @raw_async(AsyncConversations.retrieve)
    def retrieve(self) -> AsyncConversations:
        return self._same

    @raw_async(AsyncConversations.update)
    def update(self) -> AsyncConversations:
        return self._same

    @raw_async(AsyncConversations.delete)
    def delete(self) -> AsyncConversations:
        return self._same

    @raw_async(AsyncConversations.generate_name)
    def generate_name(self) -> AsyncConversations:
        return self._same

    @property
    def responses(self) -> "AsyncRawResponses":
        """The responses of conversations, each in its envelope."""
        return self._same.responses.with_raw_response

    async def list(
        self,
        *,
        limit: int | Unset = UNSET,
        starting_after: str | None = None,
        ending_before: str | None = None,
        entity_id: str | None = None,
    ) -> RawResponse[ConversationPage]:
        """List one page of conversations (`GET /v2/conversations/`).

        Args:
            limit: Conversations per page, 1 to 100; the service takes 10 if it is left out.
            starting_after: The id of a conversation; the page has what is next older.
            ending_before: The id of a conversation; the page has what is next newer. Not together
                with `starting_after`.
            entity_id: The parent agent or deployment whose conversations to list; left out, the
                service lists those that stand alone.

        Returns:
            The page, newest first.

        Raises:
            InvalidArgumentError: An argument can't be right; nothing was sent.
            TransportError: No complete answer came.
            StatusError: The service refused or failed.
            DecodeError: The answer is not what the API documents.
            ClientClosedError: The client is closed.
        """
        listing = endpoints.Listing(
            limit=limit,
            starting_after=starting_after,
            ending_before=ending_before,
            entity_id=entity_id,
        )
        return await self._engine.send(listing.page(None))
