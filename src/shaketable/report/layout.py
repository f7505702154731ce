"""How blocks lie in the page: charts beside each other, and the markup that notes may hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, get_args

from shaketable.blocks import Block, Chart, RowChart

if TYPE_CHECKING:
    from markupsafe import Markup

_MARKED = re.compile(r"&lt;(i|dfn)&gt;([^<>]*?)&lt;/\1&gt;")


@dataclass(frozen=True, kw_only=True)
class Charts:
    """Charts side by side with one legend."""

    kind: ClassVar[str] = "charts"
    charts: tuple[Chart | RowChart, ...]

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """Swatch and label of everything that is drawn, each once."""
        return tuple(dict.fromkeys(entry for chart in self.charts for entry in chart.legend()))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the charts leave out, each sentence once."""
        return tuple(dict.fromkeys(chart.note for chart in self.charts if chart.note))


def laid_out(blocks: Sequence[Block]) -> tuple[Block | Charts, ...]:
    """Return the blocks with neighbouring charts gathered; empty charts are left out.

    Raises
    ------
    TypeError
        If something is no block.
    """
    for block in blocks:
        if not isinstance(block, get_args(Block)):
            raise TypeError(f"expected a block, got {type(block).__name__}")
    found: list[Block | Charts] = []
    for is_chart, group in groupby(blocks, key=lambda block: block.kind == "chart"):
        if not is_chart:
            found += group
            continue
        charts = tuple(c for c in group if isinstance(c, Chart | RowChart) and not c.is_empty)
        found += [Charts(charts=charts)] if charts else []
    return tuple(found)


def prose(text: str) -> Markup:
    """Return a text with its variables and terms marked, and everything else as it stands.

    Examples
    --------
    >>> str(prose("<i>x</i> & <b>y</b>"))
    '<i>x</i> &amp; &lt;b&gt;y&lt;/b&gt;'
    """
    from markupsafe import Markup, escape

    return Markup(_MARKED.sub(r"<\1>\2</\1>", str(escape(text))))  # noqa: S704  (escaped above)
