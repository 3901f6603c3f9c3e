"""Rewords the client's error messages for the command line: options or environment variables."""

import math
import re
import shlex
from ast import literal_eval
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Final

from conversations_client import ConversationsError, Retry
from conversations_client.cli._long_waits import long_wait

_OPTIONS: Final = "api_key|base_url|project_id|max_in_flight"
_VARIABLES: Final = {
    "api_key": "ORQ_API_KEY",
    "base_url": "ORQ_BASE_URL",
    "project_id": "ORQ_PROJECT_ID",
}
_from_environment: ContextVar[frozenset[str]] = ContextVar("from_environment", default=frozenset())
# The values of the options for retries; None for a command that doesn't have them.
_retry_options: ContextVar[Retry | None] = ContextVar("retry_options", default=None)

# Advice about arguments that have no option is removed.
_REWORDINGS: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in {
        r"\[Errno -?\d+\] ": "",
        # `describe_failure` adds advice for the command.
        r" The service may have acted on the request: check before you send it again\.": "",
        r" `partial` contains what arrived; the service may have continued[^.]*\.": "",
        r"(No API key: .*)\.$": r"\1. To try it without a key, add --sandbox.",
        r"increase Timeout\(total=…\)": "increase --timeout",
        r"\btimeout must be a conversations_client\.Timeout, a": "--timeout must be a",
        r", or None for no limit": "",
        # The rest of the advice concerns the proxy.
        r"(check base_url and [^:]+), or increase Timeout\(connect=…\)": r"\1",
        r", or increase Timeout\(connect=…\)": " and the network",
        r": increase Timeout\(idle=…\) if the service needs longer": "",
        r": increase max_connections, or send fewer requests at once": ": lower --max-in-flight",
        r"pass an ssl_context that trusts the service's certificate": (
            "set SSL_CERT_FILE to its certificate authority's certificate file"
        ),
        r", or pass allow_plain_http=True[^.]*": "",
        r", or allow more attempts with retry=Retry\(attempts=…\)": "",
        r"retry_after_max=(\S+): wait that long, or increase it": (
            r"the command-line limit of \1 s: wait that long, then try again"
        ),
        r"max_(?:response|event)_bytes=(\d+)(?:: increase the limit if the \w+ is valid)?": (
            r"the command-line limit of \1 bytes"
        ),
        r"(?<=documentation: )\$: ": "",
        r", and strip\(\) it if you read it from a file": "",
        r"; pass an ssl_context with one": ", which this command can't send",
        r"\bUse a new journal or folder\b": "Choose new files with --journal and --results",
        r"\b(with|[Uu]se) (?:a new|another) journal(?=; every row| \(every row)": (
            r"\1 new files for --journal and --results"
        ),
        r"\b([Uu])se another journal\b": r"\1se another file with --journal",
        r"\bthis client\b": "this command",
        r"\bpass change_destination=True\b": "add --change-destination",
        r"(\balready has a name\b)\.?": r"\1. Use `conversations rename` to change it.",
        r"The ORQ_BASE_URL environment variable is invalid: ": "",
        r"api_key,? or the ORQ_API_KEY environment variable": "api_key",
        r"base_url or the ORQ_BASE_URL environment variable": "base_url",
        r"project_id or the ORQ_PROJECT_ID environment variable": "project_id",
    }.items()
)


def _advise_on_long_wait(found: re.Match[str]) -> str:
    wait, limit = found.groups()
    retry = _retry_options.get()
    # With a single attempt, the command would continue, but without this request.
    more = " and a higher --attempts" if retry and retry.attempts == 1 else ""
    return (
        f"The service asks to wait {wait} s, which is longer than --retry-after-max {limit}: run "
        f"the same command again after that, or pass --retry-after-max {wait}{more}"
    )


_Replacement = str | Callable[[re.Match[str]], str]
_LONG_WAIT: Final = (
    r"The Retry-After of (\S+) s is longer than retry_after_max=(\S+): "
    "wait that long, or increase it"
)
# For the commands that have these options.
_RETRY_ADVICE: Final[dict[str, _Replacement]] = {
    # This advice is for shorter waits.
    r" Wait \S+ s before you try again \(Retry-After\)\."
    r"( Send fewer requests, or allow more attempts with retry=Retry\(attempts=…\)\.)?"
    r"(?=.* is longer than retry_after_max=)": "",
    _LONG_WAIT: _advise_on_long_wait,
    r"\b(Gave up after \d+ attempts)\.": r"\1 (--attempts).",
    r"allow more attempts with retry=Retry\(attempts=…\)": "pass a higher --attempts",
}
_RETRY_REWORDINGS: Final = tuple(
    (re.compile(pattern), replacement) for pattern, replacement in _RETRY_ADVICE.items()
)
# In quotes, it is the name of a column in a file.
_SETTING: Final = re.compile(rf"(?<!['\"])\b({_OPTIONS})\b(?:=…)?")
_ARGUMENTS: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in {
        r"contains half of a surrogate pair[^.]*": (
            "is not valid UTF-8: type it again, or convert it"
        ),
        r"^message\[\d+\](?:\.text)?": "The message",
        r"^display_name\b": "The name",
        r"^conversation_id\b": "The ID",
        r"^(?:metadata: )?(entity_id|context|model|rate)\b": r"--\1",
    }.items()
)
_IN_A_FILE: Final = (
    (
        re.compile(r"contains half of a surrogate pair[^.]*"),
        r"contains an unpaired surrogate such as \\ud800, which is half of a character: replace it",
    ),
)
_OPTION: Final = re.compile(r"--[a-z_]+")
_MAP: Final = re.compile(r"columns=\{'([\w.]+)': ('.*?'|\".*?\")\}")
_IGNORE: Final = re.compile(r"ignore=\[('.*?'|\".*?\")\]")
# Revision 1 of the API requires an agent or deployment.
_NEEDS_ENTITY: Final = re.compile(
    r"POST /v2/conversations returned 4(?:00|22)\b.*"
    r"(?:\bmust have (?:metadata|entity_?id)\b(?!\.\w)"
    r"|\bentity_?id must be of type string(?! or\b)"
    r"|\b(?:metadata|entity_?id) is required\b)",
    re.IGNORECASE | re.DOTALL,
)
_CALL: Final = re.compile(
    r"(?P<request>[A-Z]+ /\S*?)(?:: | (?=returned ))(?P<problem>.+)", re.DOTALL
)


def use_variables(settings: Iterable[str], environ: Mapping[str, str]) -> None:
    """Set the settings that come from the environment if their variable is set."""
    _from_environment.set(frozenset(name for name in settings if environ.get(_VARIABLES[name])))


def use_retry_options(retry: Retry) -> None:
    """Name the options for retries in error messages: this command has them."""
    _retry_options.set(retry)


def setting_name(name: str) -> str:
    """The name of a setting for the user: its option, or the variable that it comes from."""
    if name in _from_environment.get():
        return _VARIABLES[name]
    return f"--{name.replace('_', '-')}"


def describe(error: ConversationsError) -> str:
    """The error message in sentences, with options instead of arguments.

    It omits the request, which `request_of` returns.
    """
    message = str(error)
    reworded = _reworded(_with_long_wait(message, error), (*_REWORDINGS, *_ARGUMENTS))
    return f"{reworded}{_entity_advice(message, '`conversations create --entity-id ID`')}"


def _with_long_wait(message: str, error: ConversationsError) -> str:
    """The message with the reason why the command stops, if the service asks for a long wait.

    The client omits this reason if it would not have sent the request again anyway. It also rounds
    the wait, so the value in its message may be too low for the option.
    """
    retry = _retry_options.get()
    wait = None if retry is None else long_wait(error, retry)
    if retry is None or wait is None:
        return message
    reason = (
        f"The Retry-After of {math.ceil(wait)} s is longer than "
        f"retry_after_max={retry.retry_after_max:.15g}: wait that long, or increase it"
    )
    reworded, count = re.subn(_LONG_WAIT, reason, message)
    return reworded if count else f"{message} {reason}."


def describe_row(problem: str) -> str:
    """The error message for a row of a file, with options instead of arguments.

    A word such as `model` at its beginning is a column, not an option.
    """
    advice = _entity_advice(problem, "the column metadata.entityId")
    return f"{_reworded(problem, (*_REWORDINGS, *_IN_A_FILE))}{advice}"


def _entity_advice(message: str, how: str) -> str:
    """A sentence, after a space, if the service requires an entity for each conversation."""
    if not _NEEDS_ENTITY.search(message):
        return ""
    return f" This service requires an agent or deployment for each conversation: use {how}."


def _reworded(message: str, rewordings: Iterable[tuple[re.Pattern[str], _Replacement]]) -> str:
    call = _CALL.fullmatch(message)
    message = _sentence(call["problem"]) if call else message
    retries = () if _retry_options.get() is None else _RETRY_REWORDINGS
    for pattern, replacement in (*retries, *rewordings):
        message = pattern.sub(replacement, message)
    message = _SETTING.sub(lambda found: setting_name(found[1]), message)
    try:
        message = _MAP.sub(lambda found: f"--map {_word(found[1], '=', found[2])}", message)
        message = _IGNORE.sub(lambda found: f"--ignore {_word(found[1])}", message)
    except (SyntaxError, ValueError):  # the text comes from the service
        return message
    return _OPTION.sub(_hyphenated, message)


def _word(*parts: str) -> str:
    """A word for a shell; the last part is a name that Python has quoted."""
    return shlex.quote(f"{''.join(parts[:-1])}{literal_eval(parts[-1])}")


def explain(error: ConversationsError, advice: str) -> str:
    """What went wrong, what to do, and the request that failed."""
    problem, request = describe(error), request_of(error)
    # The last sentence may be a command to copy, without a period.
    is_ended = problem.endswith(("?", "…")) or not (advice or request)
    ended = problem if is_ended else f"{problem.rstrip('.')}."
    return " ".join(filter(None, (ended, advice, request and f"({request})")))


def request_of(error: ConversationsError) -> str:
    """The failed request, such as `GET /v2/conversations`; empty if no request was sent."""
    call = _CALL.fullmatch(str(error))
    return call["request"] if call else ""


def may_have_changed_something(error: ConversationsError) -> bool:
    """Whether the service may have carried out a request that makes a change."""
    return error.may_have_acted and error.method != "GET"


def _sentence(problem: str) -> str:
    if problem.startswith("returned "):
        return f"The service {problem}"
    return f"{problem[:1].upper()}{problem[1:]}"


def _hyphenated(option: re.Match[str]) -> str:
    return option[0].replace("_", "-")
