"""What a page is made of: tables, charts, pictures and notes, and how numbers and pictures look.

Plain data, drawn without torch and without a template; the report lays them out.
"""

from shaketable.blocks.axes import Axis
from shaketable.blocks.charts import Chart, Ink, Series, method_inks
from shaketable.blocks.figures import (
    Cell,
    Drawer,
    Figure,
    Fold,
    Frame,
    Panel,
    PictureBudget,
    Pictures,
    Strip,
    draw_figures,
    printed_scale,
)
from shaketable.blocks.notes import Heading, Note
from shaketable.blocks.quantities import Interval, Number, decibel, interval, percent, plain
from shaketable.blocks.rows import Dot, RowChart
from shaketable.blocks.section import Block, Caveat, Highlight, Measure, Section
from shaketable.blocks.tables import Entry, Lines, Table

__all__ = [
    "Axis",
    "Block",
    "Caveat",
    "Cell",
    "Chart",
    "Dot",
    "Drawer",
    "Entry",
    "Figure",
    "Fold",
    "Frame",
    "Heading",
    "Highlight",
    "Ink",
    "Interval",
    "Lines",
    "Measure",
    "Note",
    "Number",
    "Panel",
    "PictureBudget",
    "Pictures",
    "RowChart",
    "Section",
    "Series",
    "Strip",
    "Table",
    "decibel",
    "draw_figures",
    "interval",
    "method_inks",
    "percent",
    "plain",
    "printed_scale",
]
