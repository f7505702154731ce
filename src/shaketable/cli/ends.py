"""How a command ends: exit codes, and errors as sentences."""

from __future__ import annotations

from shaketable.errors import ShaketableError

DONE, UNSTABLE, WRONG, INCONCLUSIVE, INTERRUPTED = 0, 1, 2, 3, 130


class Interrupted(Exception):  # noqa: N818  (Ctrl-C is no error)
    """Ctrl-C, with a sentence that says what is kept and how to go on."""


def sentence(error: Exception) -> str:
    """What went wrong in one sentence, for any error."""
    if isinstance(error, ShaketableError):
        return str(error)
    usage = getattr(error, "format_message", None)
    if callable(usage):
        context = getattr(error, "ctx", None)
        command = getattr(context, "command_path", "shaketable")
        return f"{command}: {str(usage()).rstrip('.')}; see '{command} --help'."
    if type(error).__name__ == "Abort":
        return "Interrupted; nothing was left half done."
    if isinstance(error, OSError) and error.filename is not None:
        return (
            f"Expected to read or write '{error.filename}', got: {error.strerror}; run again with "
            "--debug to see what wanted it."
        )
    lines = str(error).strip().splitlines()
    what = f"{type(error).__name__} ({lines[0]})" if lines else type(error).__name__
    return f"Expected no error inside Shaketable, got {what}; run again with --debug to see where."
