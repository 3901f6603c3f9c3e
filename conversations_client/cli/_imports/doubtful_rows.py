"""What to do about rows that may have been imported."""

from typing import Final

from attrs import evolve

from conversations_client.bulk import Entry, State
from conversations_client.cli._option_names import describe_row

# A row that may have been imported isn't a reason to contact anybody.
_SUPPORT: Final = " If the problem persists, contact the service's support."
_CHECK: Final = (
    "Check whether the conversation exists: running the import again doesn't send this row, "
    "unless you add --trust-idempotency-keys."
)


def problem_of(entry: Entry) -> str:
    """Why a row was not imported, or may have been."""
    problem = describe_row(entry.detail)
    return problem.replace(_SUPPORT, "") if entry.state is State.DOUBTFUL else problem


def with_advice(entry: Entry, *, is_resent: bool) -> Entry:
    """The entry for the results file, with the error for people who use the command line.

    Args:
        entry: The entry.
        is_resent: Whether running the same command again sends the row again.
    """
    if entry.state is State.CREATED:
        return entry
    advice = f" {_CHECK}" if entry.state is State.DOUBTFUL and not is_resent else ""
    return evolve(entry, detail=f"{problem_of(entry)}{advice}")


def advice(*, is_resent: bool) -> str:
    """What to do about all these rows."""
    if is_resent:
        return "Run the same command again to send the rows that may have been imported again."
    return (
        "Check whether the conversations of the rows that may have been imported exist. Running "
        "the import again doesn't send these rows, unless you add --trust-idempotency-keys, which "
        "is safe only if the service never creates two conversations for one Idempotency-Key. If "
        "a conversation doesn't exist, append a copy of its row to the file."
    )
