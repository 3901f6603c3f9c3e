"""How many tokens a response took, as its last event says; `events` has these names too."""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from conversations_client._base.unset import UNSET, Unset

from .display import PrettyRepr


@frozen(kw_only=True, repr=False)
class PromptTokensDetails(PrettyRepr):
    """Where a prompt's tokens went; None for null, UNSET for what the service didn't say.

    Attributes:
        cached_tokens: Tokens that were read from a cache.
        cache_creation_tokens: Tokens that were written to a cache.
        audio_tokens: Tokens of sound.
        extra: Fields that this version doesn't know, under their wire names.
    """

    cached_tokens: int | Unset | None = field(default=UNSET, metadata={"wire": "cached_tokens"})
    cache_creation_tokens: int | Unset | None = field(
        default=UNSET, metadata={"wire": "cache_creation_tokens"}
    )
    audio_tokens: int | Unset | None = field(default=UNSET, metadata={"wire": "audio_tokens"})
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)


@frozen(kw_only=True, repr=False)
class CompletionTokensDetails(PrettyRepr):
    """Where a completion's tokens went; None for null, UNSET for what the service didn't say.

    Attributes:
        reasoning_tokens: Tokens of thoughts.
        accepted_prediction_tokens: Tokens of a prediction that were used.
        rejected_prediction_tokens: Tokens of a prediction that were not used.
        audio_tokens: Tokens of sound.
        extra: Fields that this version doesn't know, under their wire names.
    """

    reasoning_tokens: float | Unset | None = field(
        default=UNSET, metadata={"wire": "reasoning_tokens"}
    )
    accepted_prediction_tokens: float | Unset | None = field(
        default=UNSET, metadata={"wire": "accepted_prediction_tokens"}
    )
    rejected_prediction_tokens: float | Unset | None = field(
        default=UNSET, metadata={"wire": "rejected_prediction_tokens"}
    )
    audio_tokens: int | Unset | None = field(default=UNSET, metadata={"wire": "audio_tokens"})
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)


@frozen(kw_only=True, repr=False)
class Usage(PrettyRepr):
    """How many tokens a response took.

    Attributes:
        completion_tokens: Tokens of what was written; None where the service didn't say.
        prompt_tokens: Tokens of what was read; None where the service didn't say.
        total_tokens: Both; None where the service didn't say.
        prompt_tokens_details: None for null, UNSET where the service didn't say.
        completion_tokens_details: None for null, UNSET where the service didn't say.
        extra: Fields that this version doesn't know, under their wire names.
    """

    completion_tokens: float | None = field(default=None, metadata={"wire": "completion_tokens"})
    prompt_tokens: float | None = field(default=None, metadata={"wire": "prompt_tokens"})
    total_tokens: float | None = field(default=None, metadata={"wire": "total_tokens"})
    prompt_tokens_details: PromptTokensDetails | Unset | None = field(
        default=UNSET, metadata={"wire": "prompt_tokens_details"}
    )
    completion_tokens_details: CompletionTokensDetails | Unset | None = field(
        default=UNSET, metadata={"wire": "completion_tokens_details"}
    )
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)
