"""Pictures arranged for readers: cells in strips, strips in panels, panels within a budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from shaketable.blocks.pictures import Array, GreyScale, Picture, encode

SMALLEST_SIDE = 32
MOST_NAMES = 12


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A box drawn over a picture, in percent of its sides."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A picture with its caption; no picture where the run stored none."""

    picture: Picture | None
    caption: str
    note: str = ""
    frame: Frame | None = None


@dataclass(frozen=True, kw_only=True)
class Strip:
    """Pictures side by side under one heading.

    Parameters
    ----------
    title, note
        The heading, and a sentence that explains it.
    cells
        The pictures, left to right.
    kind
        Whose pictures these are, for the coloured edge: input, network, baseline or change.
    """

    title: str
    cells: tuple[Cell, ...]
    note: str = ""
    kind: str = "input"

    @property
    def is_empty(self) -> bool:
        """Whether there is no picture at all."""
        return all(cell.picture is None for cell in self.cells)


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Strips that a reader opens on demand."""

    title: str
    strips: tuple[Strip, ...]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One figure: strips that share one printed grey scale.

    Parameters
    ----------
    title, anchor
        The heading and the identifier in the page.
    scales
        The printed scales and magnifications, one sentence each.
    strips, folds
        The pictures shown at once, and those behind a click.
    is_open
        Whether the whole figure is shown at once.
    """

    title: str
    anchor: str
    scales: tuple[str, ...]
    strips: tuple[Strip, ...]
    folds: tuple[Fold, ...] = ()
    is_open: bool = True

    @property
    def n_bytes(self) -> int:
        """What the pictures weigh in the page."""
        folded = (strip for fold in self.folds for strip in fold.strips)
        cells = [cell for strip in (*self.strips, *folded) for cell in strip.cells]
        return sum(len(cell.picture.uri) for cell in cells if cell.picture is not None)


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Figures, and what was left out for the page's size.

    Parameters
    ----------
    panels
        The figures, top to bottom.
    left_out
        What is not drawn, and in which file of the run directory it lies.
    """

    kind: ClassVar[Literal["pictures"]] = "pictures"
    panels: tuple[Panel, ...]
    left_out: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What is not drawn; empty where everything is."""
        if not self.left_out:
            return ""
        named = ", ".join(self.left_out[:MOST_NAMES])
        rest = len(self.left_out) - MOST_NAMES
        more = f" and {rest} more" if rest > 0 else ""
        return (
            f"Not drawn here, to keep the page small: {named}{more}. The pictures are in these "
            "files of the run directory."
        )


def printed_scale(scale: GreyScale, units: str) -> str:
    """Return the grey scale as it stands under a figure."""
    unit = f" {units}" if units else ""
    kind = "values" if scale.signed else "magnitudes"
    return (
        f"Grey scale: {scale.sentence}{unit}, {kind}, the same for all pictures of this figure; "
        "brighter values are drawn white."
    )


@dataclass(frozen=True, kw_only=True)
class Drawer:
    """Draws the cells of one figure with one grey scale and one size limit."""

    scale: GreyScale
    largest_side: int

    def cell(
        self,
        array: Array | None,
        caption: str,
        alt: str,
        note: str = "",
        scale: GreyScale | None = None,
    ) -> Cell:
        """One cell.

        Parameters
        ----------
        array
            ``(H, W)``; None gives a cell without picture.
        caption, note
            The two lines below the picture.
        alt
            What the picture shows, for those who do not see it.
        scale
            Another scale than the figure's, for differences and magnified perturbations.
        """
        picture = None
        if array is not None:
            picture = encode(array, scale or self.scale, alt, self.largest_side)
        return Cell(picture=picture, caption=caption, note=note)


@dataclass(kw_only=True)
class PictureBudget:
    """How many bytes of pictures a section may put into the page.

    The first figure is always drawn, as small as it takes; the next ones until one does not fit.

    Parameters
    ----------
    n_bytes
        What is left.
    largest_side
        The longest side of a picture before it is reduced, in pixels.
    n_figures
        How many figures may still be drawn, however small.
    """

    n_bytes: int
    n_figures: int
    largest_side: int = 320
    is_empty: bool = True

    @property
    def is_spent(self) -> bool:
        """Whether nothing more can be drawn."""
        return self.n_figures < 1

    def draw(self, make: Callable[[int], Panel]) -> Panel | None:
        """Return the figure of ``make(largest_side)``, or None where no room is left for it."""
        if self.is_spent:
            return None
        panel = make(self.largest_side)
        while self.is_empty and panel.n_bytes > self.n_bytes and self.largest_side > SMALLEST_SIDE:
            self.largest_side //= 2
            panel = make(self.largest_side)
        if panel.n_bytes > self.n_bytes:
            self.n_figures = 0
            return None
        self.n_bytes -= panel.n_bytes
        self.n_figures -= 1
        self.is_empty = False
        return panel


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure that can be drawn.

    Parameters
    ----------
    make
        Draws it with a longest side in pixels.
    left_out
        What it does not show even where there is room.
    """

    make: Callable[[int], Panel]
    left_out: tuple[str, ...] = ()


def draw_figures(
    items: Iterable[str],
    read: Callable[[str], Figure | None],
    where: Callable[[str], str],
    budget: PictureBudget,
) -> Pictures:
    """Draw figures in the order of the items while there is room.

    Parameters
    ----------
    items
        What there is to draw, the most important first.
    read
        The figure of an item; None where the run stored no pictures of it.
    where
        Where the pictures of an item lie, for the sentence on what was left out.
    budget
        The room; what is beyond it is not even read.
    """
    panels: list[Panel] = []
    left_out: list[str] = []
    for item in items:
        figure = None if budget.is_spent else read(item)
        panel = None if figure is None else budget.draw(figure.make)
        if figure is None or panel is None:
            left_out.append(where(item))
        else:
            panels.append(panel)
            left_out += figure.left_out
    return Pictures(panels=tuple(panels), left_out=tuple(left_out))
