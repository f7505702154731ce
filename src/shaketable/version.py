"""The version, below everything: results and the command line state it."""

__version__ = "0.1.0"
