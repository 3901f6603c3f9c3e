"""The command-line app with its commands and common options."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from cyclopts import Parameter
from cyclopts.help import HelpPanel
from cyclopts.help.formatters import DefaultFormatter
from rich.console import Console, ConsoleOptions

from conversations_client import __version__
from conversations_client.cli._commands import conversations as commands
from conversations_client.cli._commands.chat import chat
from conversations_client.cli._commands.delete import delete
from conversations_client.cli._commands.doctor import doctor
from conversations_client.cli._commands.exports import export
from conversations_client.cli._commands.imports import import_
from conversations_client.cli._commands.sandbox import sandbox
from conversations_client.cli._completion import CompletionApp, Shell
from conversations_client.cli._display.output import Output, chosen_format, set_quiet
from conversations_client.cli._display.waits import announced_waits
from conversations_client.cli._exit_codes import ExitCode, UsageError
from conversations_client.cli._option_names import use_variables
from conversations_client.cli._session import COMMON, FORMAT, Options, Session


def completion(shell: Shell, /) -> None:
    """Print a script that completes the commands and options of this tool.

    Args:
        shell: The shell that runs the script.
    """
    sys.stdout.write(app.generate_completion(shell=shell))


COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "create": commands.create,
    "list": commands.list_,
    "show": commands.show,
    "rename": commands.rename,
    "update": commands.update,
    "delete": delete,
    "name": commands.name,
    "import": import_,
    "export": export,
    "chat": chat,
    "sandbox": sandbox,
    "doctor": doctor,
    "completion": completion,
}


class _CommandHelp(DefaultFormatter):
    """Omits the common options, which `conversations --help` lists."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        if panel.title not in {COMMON.name, FORMAT.name}:
            super().__call__(console, options, panel)


app = CompletionApp(
    name="conversations",
    help="Manage orq.ai conversations from the command line.",
    help_epilogue="Exit codes:\n\n" + "\n".join(f"- {code}: {code.meaning}" for code in ExitCode),
    version=__version__,
    exit_on_error=False,
    print_error=False,
    result_action="return_value",
)
for name, command in COMMANDS.items():
    app.command(
        command,
        name=name,
        help_formatter=_CommandHelp(),
        # No option has a negative form such as --no-yes or --empty-model.
        default_parameter=Parameter(negative=""),
        # Backquotes would give the command a black background.
        help_epilogue="For the common options, such as --json and --sandbox, and the exit codes, "
        "see conversations --help.",
    )
app.register_install_completion_command()  # pyright: ignore[reportUnknownMemberType]
# `run` handles Ctrl-C.
app.meta.suppress_keyboard_interrupt = False


_NAMES: Final = {command: name for name, command in COMMANDS.items()}
_TAKE_FILES: Final = frozenset({"delete", "export", "import"})
_REPORT: Final = _TAKE_FILES
"""The commands whose output is a report on what they did, which --quiet omits."""


_NO_COMMAND: Final = (
    "There is no command. If you passed a variable with an option, put it in quotes: without them, "
    "an empty variable disappears, and the option takes the next word as its value. See "
    "`conversations --help`."
)


def _with_standard_streams(tokens: Sequence[str]) -> list[str]:
    """The arguments, with the file name "-" in a form that is not parsed as an option."""
    if not tokens or tokens[0] not in _TAKE_FILES:
        return list(tokens)
    return ["./-" if word == "-" else word for word in tokens]  # the same path


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    options: Annotated[Options, Parameter(name="*")] = Options(),  # noqa: B008 - frozen
) -> object:
    if not tokens and options != Options():
        raise UsageError(_NO_COMMAND)
    set_quiet(quiet=options.quiet)
    options.check_key(tokens, os.environ)
    use_variables(options.settings_from_environment(), os.environ)
    command, bound, injected = app.parse_args(_with_standard_streams(tokens))
    command_name = _NAMES.get(command, "")
    if command_name:  # not for --help or --install-completion
        options.check_used(command_name)
    output = Output(
        chosen_format(
            as_json=options.json,
            as_jsonl=options.jsonl,
            is_terminal=sys.stdout.isatty(),
            is_optional=options.quiet and command_name in _REPORT,
        )
    )
    session = {name: Session(options=options, output=output) for name in injected}
    with announced_waits():
        return command(*bound.args, **bound.kwargs, **session)
