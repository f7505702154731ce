"""Words between tables, charts and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, kw_only=True)
class Note:
    """Paragraphs or a list.

    Parameters
    ----------
    text
        One entry per paragraph (or per point of a list). Plain text, in which ``<i>x</i>`` is a
        variable and ``<dfn>term</dfn>`` a term that is explained here; other markup is shown as it
        stands.
    style
        ``text``, or ``small`` print, a ``list``, a framed ``warning`` with a list.
    title
        The heading of a warning.
    """

    kind: ClassVar[Literal["note"]] = "note"
    text: tuple[str, ...]
    style: Literal["text", "small", "list", "warning"] = "text"
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A heading inside a section.

    Parameters
    ----------
    title
        Its words.
    level
        2 begins a part that has an entry in the table of contents, 3 stands below that.
    short
        The entry in the table of contents; empty for the title itself.
    """

    kind: ClassVar[Literal["heading"]] = "heading"
    title: str
    level: Literal[2, 3] = 3
    short: str = ""
