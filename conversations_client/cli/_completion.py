"""Shell completion: an app whose script for zsh works however it is loaded."""

from pathlib import Path
from typing import Final, Literal, TypeAlias

from cyclopts import App

from conversations_client.cli._exit_codes import UsageError

Shell: TypeAlias = Literal["bash", "fish", "powershell", "zsh"]

# Without it, zsh completes only if the file has the name of the function, and not after `source`.
_ZSH_END: Final = """
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _cyclopts_conversations "$@"
else
  compdef _cyclopts_conversations conversations
fi
"""


class CompletionApp(App):
    """An app with completion scripts."""

    def generate_completion(
        self, *, prog_name: str | None = None, shell: Shell | None = None
    ) -> str:
        """The completion script for a shell; the current shell by default."""
        script = super().generate_completion(prog_name=prog_name, shell=shell)
        return f"{script}{_ZSH_END}" if script.startswith("#compdef") else script

    def install_completion(
        self,
        *,
        shell: Shell | None = None,
        output: Path | None = None,
        add_to_startup: bool = True,
    ) -> Path:
        """Reject a file that zsh wouldn't load."""
        if shell == "zsh" and output is not None and not output.name.startswith("_"):
            raise UsageError(
                "zsh loads a completion script only if the name of its file begins with an "
                f"underscore. Pass --output {output.with_name('_conversations')}, or omit --output."
            )
        return super().install_completion(shell=shell, output=output, add_to_startup=add_to_startup)
