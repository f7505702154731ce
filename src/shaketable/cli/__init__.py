"""The command line. Nothing here imports torch before a verb needs it."""

from shaketable.cli.main import main

__all__ = ["main"]
