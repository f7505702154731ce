"""The sections of the probes: found by name, or made from the records alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from shaketable.blocks import Caveat, Highlight, Measure, Note, Section
from shaketable.blocks.wording import anchor_of
from shaketable.errors import InputError
from shaketable.registry import OURS, find, registered
from shaketable.report.from_records import section_from_records
from shaketable.stored import StoredRun, text


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """The blocks of a section as they stand in the page."""

    blocks: str
    evidence: str
    replay: str


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A probe in the page.

    Parameters
    ----------
    probe, anchor
        Its name in records, and the identifier of its section.
    section, drawn
        What it contributes.
    absence
        Why there is nothing to show; empty where there is something.
    contents
        ``(identifier, words)`` for the table of contents.
    """

    probe: str
    anchor: str
    section: Section
    drawn: Drawn
    absence: str
    contents: tuple[tuple[str, str], ...]


def shown_sections(run: StoredRun, draw: Callable[[Section, str], Drawn]) -> tuple[Shown, ...]:
    """Return a section for each probe: ours, whether they were run or not, and what the run names.

    A section that cannot be made never keeps the page from being made: a note says what happened,
    and the records are shown as they are.

    Parameters
    ----------
    run
        The stored run.
    draw
        Draws the blocks of a section below an identifier.
    """
    named = [*run.probes, *run.planned, *run.not_applicable]
    named += [text(verdict, "probe") for verdict in run.verdicts]
    known = [*OURS["shaketable.sections"], *registered("shaketable.sections")]
    probes = [name for name in known if name in OURS["shaketable.sections"] or name in named]
    shown: list[Shown] = []
    for probe in dict.fromkeys([*probes, *named]):
        anchor = _free(f"probe-{anchor_of(probe)}", (one.anchor for one in shown))
        section, drawn = _made(run, probe, anchor, draw)
        parts = [(anchor, section.short or section.title)]
        parts += [
            (f"{anchor}-{anchor_of(block.title)}", block.short or block.title)
            for block in section.blocks
            if block.kind == "heading" and block.level == 2
        ]
        absence = "" if section.blocks else _absence(run, probe, section)
        shown.append(
            Shown(
                probe=probe,
                anchor=anchor,
                section=section,
                drawn=drawn,
                absence=absence,
                contents=tuple(parts),
            )
        )
    return tuple(shown)


def _free(anchor: str, taken: Iterable[str]) -> str:
    known = set(taken)
    while anchor in known:
        anchor += "-more"
    return anchor


def _made(
    run: StoredRun, probe: str, anchor: str, draw: Callable[[Section, str], Drawn]
) -> tuple[Section, Drawn]:
    if probe not in registered("shaketable.sections"):
        plain = section_from_records(run, probe)
        return plain, draw(plain, anchor)
    try:
        section = _checked(find("shaketable.sections", probe)(run))
        return section, draw(section, anchor)
    except Exception as error:  # anybody's code: whatever it raises, the page is made
        reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        note = Note(
            style="warning",
            title="A section that could not be made",
            text=(f"The section of “{probe}” is made from its records alone. {reason}",),
        )
        plain = section_from_records(run, probe)
        plain = replace(plain, blocks=(note, *plain.blocks))
        return plain, draw(plain, anchor)


def _checked(section: object) -> Section:
    """The section where it consists of what it should; its blocks are checked when drawn."""
    if not isinstance(section, Section):
        raise TypeError(f"expected a Section, got {type(section).__name__}")
    highlights = () if section.highlight is None else (section.highlight,)
    for parts, kind in (
        (section.summary, Measure),
        (section.caveats, Caveat),
        (highlights, Highlight),
    ):
        for part in parts:
            if not isinstance(part, kind):
                raise TypeError(f"expected a {kind.__name__}, got {type(part).__name__}")
    return section


def _absence(run: StoredRun, probe: str, section: Section) -> str:
    if probe in run.not_applicable:
        return f"Not applicable: {run.not_applicable[probe]}."
    if probe in run.planned:
        return (
            "Planned, but no item of it was finished; what failed, if anything did, stands under "
            "the checks."
        )
    return f"Not run: {section.absent}"
