"""The token counts of a response; `events` exports them."""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from .extra import NO_EXTRA
from .field_metadata import nullable
from .pretty_repr import PrettyRepr


@frozen(kw_only=True, repr=False)
class PromptTokensDetails(PrettyRepr):
    """Details of the prompt tokens. A count is None if the service did not send it."""

    cached_tokens: int | None = field(default=None, metadata=nullable("cached_tokens"))
    """Tokens read from a cache."""
    cache_creation_tokens: int | None = field(
        default=None, metadata=nullable("cache_creation_tokens")
    )
    """Tokens written to a cache."""
    audio_tokens: int | None = field(default=None, metadata=nullable("audio_tokens"))
    """Audio tokens."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""


@frozen(kw_only=True, repr=False)
class CompletionTokensDetails(PrettyRepr):
    """Details of the completion tokens. A count is None if the service did not send it."""

    reasoning_tokens: float | None = field(default=None, metadata=nullable("reasoning_tokens"))
    """Reasoning tokens."""
    accepted_prediction_tokens: float | None = field(
        default=None, metadata=nullable("accepted_prediction_tokens")
    )
    """Predicted tokens that were used."""
    rejected_prediction_tokens: float | None = field(
        default=None, metadata=nullable("rejected_prediction_tokens")
    )
    """Predicted tokens that were not used."""
    audio_tokens: int | None = field(default=None, metadata=nullable("audio_tokens"))
    """Audio tokens."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""


@frozen(kw_only=True, repr=False)
class Usage(PrettyRepr):
    """The tokens that a response used. A count is None if the service did not send it."""

    completion_tokens: float | None = field(default=None, metadata={"wire": "completion_tokens"})
    """Tokens that the model wrote."""
    prompt_tokens: float | None = field(default=None, metadata={"wire": "prompt_tokens"})
    """Tokens that the model read."""
    total_tokens: float | None = field(default=None, metadata={"wire": "total_tokens"})
    """Prompt and completion tokens together."""
    prompt_tokens_details: PromptTokensDetails | None = field(
        default=None, metadata=nullable("prompt_tokens_details")
    )
    """Details of the prompt tokens."""
    completion_tokens_details: CompletionTokensDetails | None = field(
        default=None, metadata=nullable("completion_tokens_details")
    )
    """Details of the completion tokens."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""
