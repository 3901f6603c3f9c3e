"""Shell completion: an app whose script for zsh works however it is loaded."""

from typing import Final, Literal, TypeAlias

from cyclopts import App

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
