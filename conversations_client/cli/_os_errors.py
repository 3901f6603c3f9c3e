"""Describes operating system errors."""


def describe_os_error(error: OSError) -> str:
    """The error message without its number, after the name of the file if there is one."""
    problem = f"{(error.strerror or str(error) or type(error).__name__).rstrip('.')}."
    return f"{error.filename}: {problem}" if error.filename else problem
