"""The app: commands and options put together, and how everything ends."""

import sys
from typing import Annotated

from cyclopts import App, Parameter

from conversations_client import __version__
from conversations_client.cli import _bulk as bulk
from conversations_client.cli import _commands as commands
from conversations_client.cli._chat import chat
from conversations_client.cli._doctor import doctor
from conversations_client.cli._exit_codes import ExitCode
from conversations_client.cli._output import Output, chosen_format
from conversations_client.cli._serve import sandbox
from conversations_client.cli._session import Options, Session

app = App(
    name="conversations",
    help="Conversations of orq.ai, from the command line.",
    help_epilogue="Exit codes:\n\n" + "\n".join(f"- {code}: {code.meaning}" for code in ExitCode),
    version=__version__,
    exit_on_error=False,
    print_error=False,
    result_action="return_value",
)
app.command(commands.create)
app.command(commands.list_, name="list")
app.command(commands.show)
app.command(commands.rename)
app.command(commands.delete)
app.command(commands.name)
app.command(bulk.import_, name="import")
app.command(bulk.export)
app.command(chat)
app.command(sandbox)
app.command(doctor)
app.register_install_completion_command()  # pyright: ignore[reportUnknownMemberType]
# Ctrl-C is ended where everything else is.
app.meta.suppress_keyboard_interrupt = False


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    options: Annotated[Options, Parameter(name="*")] = Options(),  # noqa: B008 - frozen
) -> object:
    command, bound, injected = app.parse_args(tokens)
    output = Output(
        chosen_format(as_json=options.json, as_jsonl=options.jsonl, is_terminal=sys.stdout.isatty())
    )
    session = {name: Session(options=options, output=output) for name in injected}
    return command(*bound.args, **bound.kwargs, **session)
