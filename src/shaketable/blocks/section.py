"""What a probe contributes to a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shaketable.blocks.charts import Chart
from shaketable.blocks.figures import Cell, Pictures
from shaketable.blocks.notes import Heading, Note
from shaketable.blocks.quantities import Number
from shaketable.blocks.rows import RowChart
from shaketable.blocks.tables import Table

Block = Table | Chart | RowChart | Pictures | Note | Heading


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One row of the table on the first page.

    Parameters
    ----------
    name
        What was measured.
    values
        A number for each method by its name; those that are missing are shown as missing.
    """

    name: str
    values: Mapping[str, Number]


@dataclass(frozen=True, kw_only=True)
class Highlight:
    """A candidate for the worst picture of the first page.

    Parameters
    ----------
    severity
        The page shows the most severe one of all probes. From 0 to 1: harm to an image as it is
        (a lost detail). 1 plus the relative change: harm that somebody had to search for.
    sentences
        What it shows; the first one is printed large.
    cells, scale
        The pictures, and the grey scale that they share, as printed.
    pair
        Two pictures to compare with a movable border.
    """

    severity: float
    sentences: tuple[str, ...]
    cells: tuple[Cell, ...] = ()
    scale: str = ""
    pair: tuple[Cell, Cell] | None = None


@dataclass(frozen=True, kw_only=True)
class Caveat:
    """Something that a probe does not show."""

    title: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """What a probe contributes to a report, from a stored run.

    Parameters
    ----------
    title, question
        The heading, and what the probe asks.
    short
        The title in the table of contents; empty for the title itself.
    blocks
        The section, top to bottom; nothing where the run holds no records of the probe. Charts
        that follow each other stand side by side.
    absent
        Why the section is empty when the probe was not run, as the end of a sentence.
    summary
        Rows of the table on the first page.
    highlight
        A candidate for the worst picture.
    caveats
        What the probe does not show.
    evidence, replay
        Blocks for the sections on checks and on how to replay.
    facts
        What the records say about the problem, by name, for the top of the page where the run does
        not describe it.
    """

    title: str
    question: str
    short: str = ""
    blocks: tuple[Block, ...] = ()
    absent: str = "this run holds no records of it."
    summary: tuple[Measure, ...] = ()
    highlight: Highlight | None = None
    caveats: tuple[Caveat, ...] = ()
    evidence: tuple[Block, ...] = ()
    replay: tuple[Block, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
