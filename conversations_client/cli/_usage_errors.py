"""Describes the errors of the command-line parser.

The descriptions never repeat values from the command line, because a value may be an API key.
"""

import inspect
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, Final, Literal, cast, get_args, get_origin

from attrs import fields
from cyclopts import (
    App,
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
    ValidationError,
)

from conversations_client.cli._session import Options

_COMMAND: Final = re.compile(r"[a-z][a-z-]{0,19}")
_OPTION: Final = re.compile(r"--[\w-]+")
_SYNONYMS: Final = {
    "add": "create",
    "ask": "chat",
    "check": "doctor",
    "download": "export",
    "edit": "update",
    "get": "show",
    "help": "--help",
    "load": "import",
    "ls": "list",
    "new": "create",
    "read": "show",
    "remove": "delete",
    "retrieve": "show",
    "rm": "delete",
    "serve": "sandbox",
    "set": "update",
    "upload": "import",
    "version": "--version",
    "view": "show",
}
"""Words that other tools use, and the command or option to use instead."""
_BOUNDS: Final = {
    "Must be >=": "must be at least",
    "Must be <=": "must be at most",
    "Must be >": "must be more than",
}
"""The wording for each bound, keyed by the wording of cyclopts, longest first."""
_TYPES: Final[dict[type | None, str]] = {
    bool: "takes no value",
    int: "must be a whole number",
    float: "must be a number",
}


def describe_usage_error(error: CycloptsError) -> str:
    """The problem, and the command that prints help."""
    command = " ".join(("conversations", *(error.command_chain or ())))
    problem = (
        _describe_unknown_word(error) or _describe_invalid_value(error) or _describe_other(error)
    )
    return f"{problem} See `{command} --help`."


def _describe_unknown_word(error: CycloptsError) -> str | None:
    match error:
        case UnknownCommandError(unused_tokens=[token, *_], app=App() as app):
            return _unknown_command(token, app)
        case UnknownOptionError():
            names = [name for argument in error.argument_collection for name in argument.names]
            option = error.token.keyword or error.token.value
            if _is_after_dashes(option, error):
                return 'Everything after "--" is an argument. Put options before "--".'
            if advice := _argument_advice(option, error):
                return f"{_unknown_option(option, ())}{advice}"
            return f"{_unknown_option(option, names)}{_dash_advice(option, error)}"
        case UnusedCliTokensError():
            return _too_many_arguments(error)
        case _:
            return None


def _describe_invalid_value(error: CycloptsError) -> str | None:
    match error:
        case CoercionError(target_type=expected) if choices := _choices(expected):
            return f"{_name(error)} must be {' or '.join(choices)}."
        case CoercionError(target_type=expected):
            return f"{_name(error)} {_TYPES.get(expected, 'has an invalid value')}."
        case ValidationError():
            return _invalid(error)
        case MissingArgumentError():
            return _missing(error)
        case _:
            return None


def _choices(expected: object) -> list[str]:
    """The values of a Literal, even inside a union."""
    values = get_args(expected)
    if get_origin(expected) is Literal:
        return [str(value) for value in values]
    return [choice for value in values for choice in _choices(value)]


def _describe_other(error: CycloptsError) -> str:
    if isinstance(error, RepeatArgumentError):
        return f"{error.token.keyword} can be used only once."
    return re.sub(r"(--?[\w-]+)=\S*", r"\1=…", f"{str(error).rstrip('.')}.")


def _unknown_command(token: str, app: App) -> str:
    commands = [name for name in app if not name.startswith("-")]
    if token.startswith("-"):
        return _unknown_option(token, ())
    # Any other word may be an API key.
    unknown = f'Unknown command "{token}".' if _COMMAND.fullmatch(token) else "Unknown command."
    similar = _SYNONYMS.get(token)
    suggestion = f" Did you mean {similar}?" if similar else _suggestion(token, commands)
    return f"{unknown}{suggestion} The commands are {', '.join(commands)}."


def _unknown_option(token: str, names: Iterable[str]) -> str:
    long = _OPTION.match(token)
    option = long[0] if long else token[:2]
    common = [f"--{each.name.replace('_', '-')}" for each in fields(Options)]
    return f"Unknown option {option}.{_suggestion(option, [*names, *common])}"


def _suggestion(word: str, known: Iterable[str]) -> str:
    # The dashes would make all options similar.
    names = {name.removeprefix("--"): name for name in known}
    similar = get_close_matches(word.removeprefix("--"), names, n=1)
    return "".join(f" Did you mean {names[each]}?" for each in similar)


def _too_many_arguments(error: UnusedCliTokensError) -> str:
    limit = len(_arguments(error))
    expected = {0: "no arguments", 1: "one argument"}.get(limit, f"{limit} arguments")
    received = limit + len(error.unused_tokens or ())
    quotes = " Put a name with spaces in quotes." if "name" in _arguments(error) else ""
    return f"{_command(error)} takes {expected}, but got {received}.{quotes}{_repeat_advice(error)}"


def _repeat_advice(error: CycloptsError) -> str:
    """Advice if an option that can be repeated was used, because it takes one value at a time."""
    used = {token.partition("=")[0] for token in error.root_input_tokens or ()}
    app: App = cast("Any", error).app
    for argument in app.assemble_argument_collection():
        option, hint = argument.name, argument.hint
        takes_several = any(get_origin(each) is tuple for each in (hint, *get_args(hint)))
        if option.startswith("-") and option in used and takes_several:
            return f" For several values, repeat the option, as in {option} A {option} B."
    return ""


def _argument_advice(option: str, error: CycloptsError) -> str:
    """Advice for an option with the name of an argument, such as `--name` or `--id`."""
    word = option.partition("=")[0].rpartition("-")[2].removesuffix("s")
    for name in _arguments(error):
        if word and word == name.rpartition("_")[2].removesuffix("s"):
            return f" Pass {name.upper()} as an argument, without an option."
    return ""


def _is_after_dashes(option: str, error: CycloptsError) -> bool:
    """Whether a word that looks like an option comes after `--`."""
    words = iter(error.root_input_tokens or ())
    # The first test reads the words up to "--".
    return "--" in words and any(word.startswith(option) for word in words)


def _dash_advice(option: str, error: CycloptsError) -> str:
    arguments = _arguments(error)
    if not arguments or (option.startswith("--") and "name" not in arguments):
        return ""
    return ' To pass text that begins with "-", put -- before it.'


def _arguments(error: CycloptsError) -> list[str]:
    """The names of the arguments of the command, without its options."""
    target: Callable[..., object] | None = cast("Any", error).target
    parameters = inspect.signature(target).parameters.values() if target else ()
    return [one.name for one in parameters if one.kind is one.POSITIONAL_ONLY]


def _invalid(error: ValidationError) -> str:
    message = error.exception_message
    if message.startswith("Mutually exclusive"):
        return f"Pass only one of {' and '.join(_OPTION.findall(message))}."
    for sign, words in _BOUNDS.items():
        message = message.replace(sign, words)
    return f"{_name(error)} {message.rstrip('.')}."


def _missing(error: MissingArgumentError) -> str:
    if error.keyword is not None:
        return f"{error.keyword} needs a value."
    return f"{_command(error)} needs {_name(error)}."


def _command(error: CycloptsError) -> str:
    return f"`{' '.join(error.command_chain or ('conversations',))}`"


def _name(error: CycloptsError) -> str:
    """The name of the option, or of the argument in upper case as in the help."""
    name = error.argument.name if error.argument else "A value"
    return name if name.startswith("-") else name.upper()
