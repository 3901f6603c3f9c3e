"""The subcommands of `conversations`."""
