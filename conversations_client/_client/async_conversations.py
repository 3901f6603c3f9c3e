"""`client.conversations` of an `AsyncClient`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from conversations_client._base.cached_attribute import cached_attribute
from conversations_client._base.lazy_annotations import import_for_annotations
from conversations_client._base.lazy_imports import lazy_import
from conversations_client._base.unset import UNSET, Unset
from conversations_client._calls import endpoints
from conversations_client._calls.arguments import (
    ConversationMetadataParam,
    ConversationMetadataUpdateParam,
)
from conversations_client._calls.call import RawResponse
from conversations_client._calls.call_options import call_options, with_options
from conversations_client._calls.settings import Timeout
from conversations_client._client.many.shared_backoff import SharedBackoff
from conversations_client._engine.async_engine import AsyncEngine
from conversations_client.models import (
    Conversation,
    ConversationMetadata,
    ConversationPage,
)

from .pages import AsyncPages
from .raw_methods import AsyncCall, raw_async
from .resource import Resource

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable

    from conversations_client.messages import ConversationWithMessages

    from .many.async_outcomes import AsyncConversationIds, AsyncCreateRequests, AsyncOutcomes
    from .many.operations import ManyOperation, S
    from .many.outcome import Created, Deleted, Retrieved
    from .many.outcomes_base import ManyOptions
    from .responses_resource import AsyncRawResponses, AsyncResponses


class AsyncConversations(Resource[AsyncEngine]):
    """The operations on conversations, available as `client.conversations`.

    Example:
        conversation = await client.conversations.create(display_name="Refunds")
        await client.conversations.delete(conversation)
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        project_id: str | None,
        backoff: SharedBackoff | None = None,
        call: AsyncCall | None = None,
    ) -> None:
        self._engine = engine
        self._project_id = project_id
        self._backoff = backoff or SharedBackoff()
        self._call = call or engine.call

    @cached_attribute
    def responses(self) -> "AsyncResponses":
        """The operations on responses, which are streamed."""
        lazy_import("conversations_client._client.responses_resource")
        from .responses_resource import AsyncResponses

        return AsyncResponses(self._engine)

    @cached_attribute
    def with_raw_response(self) -> "AsyncRawConversations":
        """The same methods, except that each returns a `RawResponse`.

        A `RawResponse` also has the status, the headers, the request ID and the number of attempts.

        Example:
            response = await client.conversations.with_raw_response.retrieve(conversation_id)
            print(response.request_id, response.parsed.display_name)
        """
        return AsyncRawConversations(self._engine, project_id=self._project_id)

    async def create(
        self,
        *,
        display_name: str | Unset = UNSET,
        metadata: ConversationMetadata | ConversationMetadataParam | Unset = UNSET,
        project_id: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | float | Unset | None = UNSET,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Conversation:
        """Create a conversation (`POST /v2/conversations`).

        Args:
            display_name: The name that users see, at most 100 characters. Default: the service
                uses "Untitled".
            metadata: The parent agent or deployment (`entity_id`), the `model`, and whether the
                service generates a name (`generating_title`). In a dict, omit a key to omit the
                field; None sends null.
            project_id: The project to create the conversation in, `prj_…`. Default: the client's
                project. Pass None to send no project.
            idempotency_key: A key of 1 to 255 visible ASCII characters that lets the service
                recognize a repeat of this request. Default: a random one.
            timeout: How long this call may take: a `Timeout`, a number of seconds for the whole
                call, or None for no limit on the whole call. Default: the client's timeout.
            extra_headers: Headers to add to the request. Default: none.

        Returns:
            The new conversation.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            TransportError: No complete response arrived.
            StatusError: The service rejected the request or failed.
            DecodeError: The response doesn't match the API's documentation.
            ClientClosedError: The client is closed.

        Example:
            conversation = await client.conversations.create(
                display_name="Refunds", metadata={"model": "openai/gpt-4o"}
            )
            print(conversation.id)
        """
        return await self._call(
            with_options(
                endpoints.create(
                    display_name=display_name,
                    metadata=metadata,
                    project_id=self._project_id if project_id is UNSET else project_id,
                    idempotency_key=idempotency_key,
                ),
                timeout=timeout,
                extra_headers=extra_headers,
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
        timeout: Timeout | float | Unset | None = UNSET,
        extra_headers: Mapping[str, str] | None = None,
    ) -> "AsyncOutcomes[Created]":
        """Create any number of conversations, several at once (`POST /v2/conversations`).

        Each request is read only when it can be sent, and has one outcome: `Created` or `Failed`.
        An invalid request doesn't affect the others. If the service throttles a request, all
        requests wait for as long as the service asks. A request fails if it is throttled
        `Retry.attempts` times without the service accepting any other request in the meantime.

        Example:
            requests = [CreateRequest(display_name=name) for name in ("Refunds", "Support")]
            async with client.conversations.create_many(requests) as outcomes:
                created = [outcome async for outcome in outcomes if isinstance(outcome, Created)]

        Args:
            requests: Dicts with the arguments for `create`, from an iterable of any length. An
                async client also takes an async iterable.
            max_in_flight: The maximum number of requests in flight, including outcomes that you
                have not consumed yet. Default: 16.
            rate: The maximum number of requests per second; None, the default, for no limit.
            ordered: Whether outcomes arrive in the order of the requests instead of the order in
                which the calls finish. Default: False.
            stop_on_error: Whether to stop at the first failure: nothing more is read or sent, and
                only the outcomes of requests in flight follow. Default: False.
            timeout: How long each call may take: a `Timeout`, a number of seconds for the whole
                call, or None for no limit on the whole call. Default: the client's timeout.
            extra_headers: Headers to add to each request. Default: none.

        Returns:
            The outcomes. Iterate over them inside their `with` block.

        Raises:
            InvalidArgumentError: An argument is invalid. An invalid request in `requests` yields a
                `Failed` outcome instead.
            ClientClosedError: The client is closed; raised during iteration.
        """
        lazy_import("conversations_client._client.many.async_outcomes")
        from .many.operations import creation
        from .many.outcomes_base import ManyOptions

        options = ManyOptions(
            max_in_flight=max_in_flight,
            rate=rate,
            ordered=ordered,
            stop_on_error=stop_on_error,
            call=call_options(timeout=timeout, extra_headers=extra_headers),
        )
        operation = creation(project_id=self._project_id, new_key=self._engine.environment.new_key)
        return self._outcomes(operation, requests, options)

    async def retrieve(
        self,
        conversation_id: str | Conversation,
        *,
        timeout: Timeout | float | Unset | None = UNSET,
        extra_headers: Mapping[str, str] | None = None,
    ) -> "ConversationWithMessages":
        """Retrieve a conversation with its messages (`GET /v2/conversations/{conversation_id}`).

        Args:
            conversation_id: The conversation, or its ID, `conv_…`.
            timeout: How long this call may take: a `Timeout`, a number of seconds for the whole
                call, or None for no limit on the whole call. Default: the client's timeout.
            extra_headers: Headers to add to the request. Default: none.

        Returns:
            The conversation; its `messages` is None if the service did not send any.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            TransportError: No complete response arrived.
            StatusError: The service rejected the request or failed.
            DecodeError: The response doesn't match the API's documentation.
            ClientClosedError: The client is closed.

        Example:
            conversation = await client.conversations.retrieve(conversation_id)
            for message in conversation.messages or ():
                print(message.role, message.text)
        """
        return await self._call(
            with_options(
                endpoints.retrieve(conversation_id), timeout=timeout, extra_headers=extra_headers
            )
        )

    def retrieve_many(
        self,
        conversation_ids: "AsyncConversationIds",
        *,
        max_in_flight: int = 16,
        rate: float | None = None,
        ordered: bool = False,
        stop_on_error: bool = False,
        timeout: Timeout | float | Unset | None = UNSET,
        extra_headers: Mapping[str, str] | None = None,
    ) -> "AsyncOutcomes[Retrieved]":
        """Retrieve any number of conversations with their messages, several at once.

        This calls `GET /v2/conversations/{conversation_id}` for each ID. An ID is read only when
        its request can be sent, and has one outcome: `Retrieved` or `Failed`. Limits, throttling
        and backoff work as in `create_many`; a call is also retried after a server error or a
        broken connection, because that is safe.

        Example:
            async with client.conversations.retrieve_many([conversation_id]) as outcomes:
                names = [
                    outcome.conversation.display_name
                    async for outcome in outcomes
                    if isinstance(outcome, Retrieved)
                ]

        Args:
            conversation_ids: Conversations or their IDs, from an iterable of any length. An
                async client also takes an async iterable.
            max_in_flight: The maximum number of requests in flight, including outcomes that you
                have not consumed yet. Default: 16.
            rate: The maximum number of requests per second; None, the default, for no limit.
            ordered: Whether outcomes arrive in the order of the IDs instead of the order in which
                the calls finish. Default: False.
            stop_on_error: Whether to stop at the first failure: nothing more is read or sent, and
                only the outcomes of requests in flight follow. Default: False.
            timeout: How long each call may take: a `Timeout`, a number of seconds for the whole
                call, or None for no limit on the whole call. Default: the client's timeout.
            extra_headers: Headers to add to each request. Default: none.

        Returns:
            The outcomes. Iterate over them inside their `with` block.

        Raises:
            InvalidArgumentError: An argument is invalid. An invalid ID yields a `Failed` outcome
                instead.
            ClientClosedError: The client is closed; raised during iteration.
        """
        lazy_import("conversations_client._client.many.async_outcomes")
        from .many.operations import RETRIEVAL
        from .many.outcomes_base import ManyOptions

        options = ManyOptions(
            max_in_flight=max_in_flight,
            rate=rate,
            ordered=ordered,
            stop_on_error=stop_on_error,
            call=call_options(timeout=timeout, extra_headers=extra_headers),
        )
        return self._outcomes(RETRIEVAL, conversation_ids, options)

    async def update(
        self,
        conversation_id: str | Conversation,
        *,
        display_name: str | Unset = UNSET,
        metadata: ConversationMetadata | ConversationMetadataUpdateParam | Unset = UNSET,
        timeout: Timeout | float | Unset | None = UNSET,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Conversation:
        """Change a conversation (`PATCH /v2/conversations/{conversation_id}`).

        Only the fields that you pass are changed; this also applies to the metadata.

        Args:
            conversation_id: The conversation, or its ID, `conv_…`.
            display_name: The new name, at most 100 characters.
            metadata: `generating_title` and `entity_id`; the `model` can't be changed. In a dict,
                omit a key to keep the field; None sends null.
            timeout: How long this call may take: a `Timeout`, a number of seconds for the whole
                call, or None for no limit on the whole call. Default: the client's timeout.
            extra_headers: Headers to add to the request. Default: none.

        Returns:
            The updated conversation.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            TransportError: No complete response arrived.
            StatusError: The service rejected the request or failed.
            DecodeError: The response doesn't match the API's documentation.
            ClientClosedError: The client is closed.

        Example:
            await client.conversations.update(conversation_id, display_name="Refund of order 7")
        """
        return await self._call(
            with_options(
                endpoints.update(
                    conversation_id,
                    display_name=display_name,
                    metadata=metadata,
                ),
                timeout=timeout,
                extra_headers=extra_headers,
            )
        )

    async def delete(
        self,
        conversation_id: str | Conversation,
        *,
        timeout: Timeout | float | Unset | None = UNSET,
        extra_headers: Mapping[str, str] | None = None,
    ) -> None:
        """Delete a conversation (`DELETE /v2/conversations/{conversation_id}`).

        Args:
            conversation_id: The conversation, or its ID, `conv_…`.
            timeout: How long this call may take: a `Timeout`, a number of seconds for the whole
                call, or None for no limit on the whole call. Default: the client's timeout.
            extra_headers: Headers to add to the request. Default: none.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            TransportError: No complete response arrived.
            StatusError: The service rejected the request or failed.
            ClientClosedError: The client is closed.

        Example:
            await client.conversations.delete(conversation_id)
        """
        return await self._call(
            with_options(
                endpoints.delete(conversation_id), timeout=timeout, extra_headers=extra_headers
            )
        )

    def delete_many(
        self,
        conversation_ids: "AsyncConversationIds",
        *,
        max_in_flight: int = 16,
        rate: float | None = None,
        ordered: bool = False,
        stop_on_error: bool = False,
        timeout: Timeout | float | Unset | None = UNSET,
        extra_headers: Mapping[str, str] | None = None,
    ) -> "AsyncOutcomes[Deleted]":
        """Delete any number of conversations, several at once.

        This calls `DELETE /v2/conversations/{conversation_id}` for each ID. An ID is read only when
        its request can be sent, and has one outcome: `Deleted` or `Failed`. Limits, throttling and
        backoff work as in `create_many`; a call is also retried after a server error or a broken
        connection. If the first attempt took effect, the retry fails with a `NotFoundError` whose
        `may_have_acted` is true.

        Example:
            async with client.conversations.delete_many([conversation_id]) as outcomes:
                failures = [outcome async for outcome in outcomes if isinstance(outcome, Failed)]

        Args:
            conversation_ids: Conversations or their IDs, from an iterable of any length. An
                async client also takes an async iterable.
            max_in_flight: The maximum number of requests in flight, including outcomes that you
                have not consumed yet. Default: 16.
            rate: The maximum number of requests per second; None, the default, for no limit.
            ordered: Whether outcomes arrive in the order of the IDs instead of the order in which
                the calls finish. Default: False.
            stop_on_error: Whether to stop at the first failure: nothing more is read or sent, and
                only the outcomes of requests in flight follow. Default: False.
            timeout: How long each call may take: a `Timeout`, a number of seconds for the whole
                call, or None for no limit on the whole call. Default: the client's timeout.
            extra_headers: Headers to add to each request. Default: none.

        Returns:
            The outcomes. Iterate over them inside their `with` block.

        Raises:
            InvalidArgumentError: An argument is invalid. An invalid ID yields a `Failed` outcome
                instead.
            ClientClosedError: The client is closed; raised during iteration.
        """
        lazy_import("conversations_client._client.many.async_outcomes")
        from .many.operations import DELETION
        from .many.outcomes_base import ManyOptions

        options = ManyOptions(
            max_in_flight=max_in_flight,
            rate=rate,
            ordered=ordered,
            stop_on_error=stop_on_error,
            call=call_options(timeout=timeout, extra_headers=extra_headers),
        )
        return self._outcomes(DELETION, conversation_ids, options)

    async def generate_name(
        self,
        conversation_id: str | Conversation,
        *,
        context: str,
        idempotency_key: str | None = None,
        timeout: Timeout | float | Unset | None = UNSET,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Conversation:
        """Generate a name (`POST /v2/conversations/{conversation_id}/generate-name`).

        Args:
            conversation_id: The conversation, or its ID, `conv_…`.
            context: What the conversation is about, at least 1 character.
            idempotency_key: A key of 1 to 255 visible ASCII characters that lets the service
                recognize a repeat of this request. Default: a random one.
            timeout: How long this call may take: a `Timeout`, a number of seconds for the whole
                call, or None for no limit on the whole call. Default: the client's timeout.
            extra_headers: Headers to add to the request. Default: none.

        Returns:
            The conversation with its new name.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            TransportError: No complete response arrived.
            BadRequestError: The conversation already has a name. In the sandbox, an empty name
                counts as a name.
            StatusError: The service rejected the request or failed.
            DecodeError: The response doesn't match the API's documentation.
            ClientClosedError: The client is closed.

        Example:
            conversation = await client.conversations.create(metadata={"generating_title": True})
            named = await client.conversations.generate_name(conversation, context="My late order")
            print(named.display_name)
        """
        return await self._call(
            with_options(
                endpoints.generate_name(
                    conversation_id,
                    context=context,
                    idempotency_key=idempotency_key,
                ),
                timeout=timeout,
                extra_headers=extra_headers,
            )
        )

    def list(
        self,
        *,
        limit: int | Unset | None = UNSET,
        starting_after: str | Conversation | None = None,
        ending_before: str | Conversation | None = None,
        entity_id: str | None = None,
        timeout: Timeout | float | Unset | None = UNSET,
        extra_headers: Mapping[str, str] | None = None,
    ) -> AsyncPages:
        """List conversations, newest first (`GET /v2/conversations/`).

        Args:
            limit: Conversations per page, 1 to 100. Default: the service uses 10.
            starting_after: A conversation or its ID; only older conversations are listed.
            ending_before: A conversation or its ID; only newer conversations are listed. Successive
                pages move toward the newest. You can't combine it with `starting_after`.
            entity_id: The parent agent or deployment of the conversations to list. Default: the
                service lists those without a parent.
            timeout: How long the call for each page may take: a `Timeout`, a number of seconds for
                the whole call, or None for no limit on the whole call. Default: the client's
                timeout.
            extra_headers: Headers to add to each request. Default: none.

        Returns:
            The listing: iterate over its conversations or its `pages()`. Each page is requested
            when it is needed, and only one page is kept in memory at a time.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.

        Example:
            async for conversation in client.conversations.list(limit=100):
                print(conversation.created, conversation.display_name)
        """
        listing = endpoints.Listing(
            limit=limit,
            starting_after=starting_after,
            ending_before=ending_before,
            entity_id=entity_id,
            options=call_options(timeout=timeout, extra_headers=extra_headers),
        )
        self._engine.check(listing.page(None))
        return AsyncPages(lambda cursor: self._call(listing.page(cursor)), listing)

    def _outcomes(
        self,
        operation: "ManyOperation[S]",
        items: "Iterable[object] | AsyncIterable[object]",
        options: "ManyOptions",
    ) -> "AsyncOutcomes[S]":
        lazy_import("conversations_client._client.many.async_outcomes")
        from .many.async_outcomes import AsyncOutcomes

        return AsyncOutcomes(self._engine, operation, items, options=options, backoff=self._backoff)


class AsyncRawConversations(Resource[AsyncEngine]):
    """The methods of the resource; each returns a `RawResponse`."""

    def __init__(self, engine: AsyncEngine, *, project_id: str | None) -> None:
        call = cast("AsyncCall", engine.send)
        self._resource = AsyncConversations(engine, project_id=project_id, call=call)
        self._engine = engine

    @raw_async(AsyncConversations.create)
    def create(self) -> AsyncConversations:
        return self._resource

    @raw_async(AsyncConversations.retrieve)
    def retrieve(self) -> AsyncConversations:
        return self._resource

    @raw_async(AsyncConversations.update)
    def update(self) -> AsyncConversations:
        return self._resource

    @raw_async(AsyncConversations.delete)
    def delete(self) -> AsyncConversations:
        return self._resource

    @raw_async(AsyncConversations.generate_name)
    def generate_name(self) -> AsyncConversations:
        return self._resource

    @cached_attribute
    def responses(self) -> "AsyncRawResponses":
        """The operations on responses; each returns a `RawResponse`."""
        return self._resource.responses.with_raw_response

    async def list(
        self,
        *,
        limit: int | Unset | None = UNSET,
        starting_after: str | Conversation | None = None,
        ending_before: str | Conversation | None = None,
        entity_id: str | None = None,
        timeout: Timeout | float | Unset | None = UNSET,
        extra_headers: Mapping[str, str] | None = None,
    ) -> RawResponse[ConversationPage]:
        """List one page of conversations (`GET /v2/conversations/`).

        Args:
            limit: Conversations per page, 1 to 100. Default: the service uses 10.
            starting_after: A conversation or its ID; the page contains the next older ones.
            ending_before: A conversation or its ID; the page contains the next newer ones. You
                can't combine it with `starting_after`.
            entity_id: The parent agent or deployment of the conversations to list. Default: the
                service lists those without a parent.
            timeout: How long this call may take: a `Timeout`, a number of seconds for the whole
                call, or None for no limit on the whole call. Default: the client's timeout.
            extra_headers: Headers to add to the request. Default: none.

        Returns:
            The page, newest first.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            TransportError: No complete response arrived.
            StatusError: The service rejected the request or failed.
            DecodeError: The response doesn't match the API's documentation.
            ClientClosedError: The client is closed.
        """
        listing = endpoints.Listing(
            limit=limit,
            starting_after=starting_after,
            ending_before=ending_before,
            entity_id=entity_id,
            options=call_options(timeout=timeout, extra_headers=extra_headers),
        )
        return await self._engine.send(listing.page(None))


import_for_annotations(
    globals(),
    {
        "conversations_client.messages": ("ConversationWithMessages",),
        "conversations_client._client.many.outcome": ("Created", "Deleted", "Retrieved"),
        "conversations_client._client.many.async_outcomes": (
            "AsyncConversationIds",
            "AsyncCreateRequests",
            "AsyncOutcomes",
        ),
        "conversations_client._client.responses_resource": ("AsyncRawResponses", "AsyncResponses"),
    },
)
