"""Plain sentences for errors of the operating system."""


def describe_os_error(error: OSError) -> str:
    """The problem without its number, and the file if the error names one."""
    problem = f"{(error.strerror or str(error) or type(error).__name__).rstrip('.')}."
    return f"{error.filename}: {problem}" if error.filename else problem
