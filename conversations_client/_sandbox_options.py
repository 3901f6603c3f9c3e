"""What `conversations sandbox` and `python -m conversations_client.sandbox` share."""

import re
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from attrs import field, fields, frozen


def _documented(
    text: str, *, is_repeated: bool = False, module_default: str = "", command_default: str = ""
) -> dict[str, Any]:
    """The metadata of an option; cyclopts shows the value of `help`.

    Args:
        text: What the option does.
        is_repeated: Whether the option can be repeated.
        module_default: The default of `python -m conversations_client.sandbox`, if it differs
            from the default of the field.
        command_default: The same for `conversations sandbox`.
    """
    return {
        "help": _with_default(text, command_default),
        "module_help": _with_default(text, module_default),
        "is_repeated": is_repeated,
    }


def _with_default(text: str, default: str) -> str:
    return f"{text} Default: {default}." if default else text


@frozen(kw_only=True)
class SandboxOptions:
    """The options of the sandbox, except `--api-key`. Each field has the name of its option."""

    port: int = field(
        default=8765, metadata=_documented("The port to listen on; 0 chooses a free port.")
    )
    db: Path | None = field(
        default=None,
        metadata=_documented(
            "The SQLite file that stores everything.",
            module_default="in memory",
            command_default="the file that --sandbox uses",
        ),
    )
    pace: float = field(
        default=0.0, metadata=_documented("The pause between two events in a stream, in seconds.")
    )
    revision: int = field(default=2, metadata=_documented("The revision of the API, 1 or 2."))
    model: tuple[str, ...] | None = field(
        default=None,
        metadata=_documented(
            "A model to accept in addition to the sandbox's own, as provider/model_id; can be "
            "repeated. Requests for other models fail.",
            is_repeated=True,
            module_default="all models are accepted",
            command_default="all models are accepted",
        ),
    )
    host: str = field(default="127.0.0.1", metadata=_documented("The address to listen on."))
    allow_host: tuple[str, ...] | None = field(
        default=None,
        metadata=_documented(
            "A host name to accept in the Host header, in addition to localhost; can be repeated.",
            is_repeated=True,
        ),
    )

    def settings(self) -> dict[str, Any]:
        """The arguments for `Sandbox`."""
        return {
            "port": self.port,
            "db": self.db,
            "pace": self.pace,
            "revision": self.revision,
            "models": self.model,
            "host": self.host,
            "allowed_hosts": self.allow_host or (),
        }


_OPTIONS: Final = {
    "pace": "pace",
    "revision": "revision",
    "models": "model",
    "allowed_hosts": "allow-host",
}
"""The arguments of `Sandbox` that error messages start with, and their options."""
_ARGUMENT: Final = re.compile(rf"^({'|'.join(_OPTIONS)})\b")


def with_options(message: str) -> str:
    """A sandbox error message that refers to options instead of arguments."""
    return (
        _ARGUMENT.sub(lambda found: f"--{_OPTIONS[found[1]]}", message)
        .replace("another port", "another one with --port")
        .replace("as the host", "with --host")
        .replace("another file", "another one with --db")
    )


def add_options(parser: ArgumentParser) -> None:
    """Add the options to a parser."""
    for option in fields(SandboxOptions):
        name, text = f"--{option.name.replace('_', '-')}", option.metadata["module_help"]
        if option.metadata["is_repeated"]:
            parser.add_argument(name, action="append", help=text)
        elif option.default is None:
            parser.add_argument(name, type=Path, help=text)
        else:
            default: object = option.default
            convert = cast("Callable[[str], object]", type(default))
            shown = f"{text} Default: {default}."
            parser.add_argument(name, type=convert, default=default, help=shown)


def parsed_options(arguments: Mapping[str, Any]) -> SandboxOptions:
    """The options among the arguments that a parser returned."""
    return SandboxOptions(**{each.name: arguments[each.name] for each in fields(SandboxOptions)})


def print_variables(variables: Mapping[str, str], about: str = "") -> None:
    """Print `export` lines to stdout, which a shell can evaluate, and a sentence to stderr.

    Args:
        variables: The environment variables for clients of the sandbox.
        about: Another sentence, after a space.
    """
    url, is_terminal = variables["ORQ_BASE_URL"], sys.stdout.isatty()
    introduction = " In another terminal:\n" if is_terminal else ""
    sys.stderr.write(
        f"The sandbox is running at {url} until you press Ctrl-C.{about}{introduction}\n"
    )
    sys.stderr.flush()
    sys.stdout.write("".join(f"export {name}={value}\n" for name, value in variables.items()))
    sys.stdout.flush()
