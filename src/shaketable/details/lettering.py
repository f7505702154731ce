"""Letters and words, drawn with the font that comes with Pillow."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from shaketable.details.suits import Array, block_mean
from shaketable.errors import InputError

OVERSIZE = 8
# Share of the capital height by which strokes are widened, so that letters of ten pixels read well.
BOLDNESS = 0.035
# Space between two lines, as a share of the capital height.
LINE_GAP = 0.45

Font = ImageFont.FreeTypeFont


def lettering(text: str, size: int) -> Array:
    r"""Draw words; capitals are ``size`` pixels high.

    Parameters
    ----------
    text
        What to write; ``\n`` starts a new line, lines are centred.
    size
        Height of a capital letter, in pixels.

    Returns
    -------
    ``(h, w)`` in [0, 1], cropped to the ink; ``h`` is about ``size`` for one line of capitals.

    Raises
    ------
    InputError
        If nothing visible is to be written, or the font lacks a character.

    Examples
    --------
    >>> word = lettering("CAN U SEE IT", 12)
    >>> word.shape[0], word.shape[1] > 60
    (14, True)
    """
    if not text.strip():
        raise InputError(
            "Expected a text with at least one visible character, got none; "
            "write for example 'text:CAN U SEE IT'."
        )
    capital = size * OVERSIZE
    font = _font_of_height(capital)
    _check_characters(text, font)
    lines = [_draw_line(line.strip(), font, capital) for line in text.strip().splitlines()]
    width = max(line.shape[1] for line in lines)
    pitch = round(capital * (1 + LINE_GAP))
    canvas = np.zeros((pitch * (len(lines) - 1) + lines[0].shape[0], width))
    for number, line in enumerate(lines):
        left, top = (width - line.shape[1]) // 2, number * pitch
        view = canvas[top : top + line.shape[0], left : left + line.shape[1]]
        np.maximum(view, line, out=view)
    words = block_mean(_padded_to_blocks(_crop(canvas)), OVERSIZE)
    result: Array = words / words.max()
    return result


def line_breaks(text: str, n_lines: int) -> str | None:
    r"""Break a text between words into ``n_lines`` lines, the longest as short as possible.

    Returns None where it has too few words, or already has line breaks.

    Examples
    --------
    >>> line_breaks("CAN U SEE IT", 2)
    'CAN U\nSEE IT'
    """
    words = text.split(" ")
    if "\n" in text or n_lines > len(words):
        return None
    choices = []
    for cuts in combinations(range(1, len(words)), n_lines - 1):
        edges = [0, *cuts, len(words)]
        lines = [" ".join(words[a:b]) for a, b in pairwise(edges)]
        choices.append((max(map(len, lines)), "\n".join(lines)))
    return min(choices)[1]


def _font_of_height(capital: int) -> Font:
    """Load the bundled font with capitals ``capital`` pixels high."""
    probe = ImageFont.load_default(1000)
    if not isinstance(probe, ImageFont.FreeTypeFont):
        raise InputError(
            "Expected a Pillow with its scalable font, got one built without FreeType; "
            "install Pillow from a wheel: pip install --force-reinstall pillow."
        )
    top, bottom = probe.getbbox("H")[1], probe.getbbox("H")[3]
    font = ImageFont.load_default(1000 * capital / (bottom - top))
    if not isinstance(font, ImageFont.FreeTypeFont):  # pragma: no cover - as above
        raise InputError("Expected Pillow's scalable font; install Pillow from a wheel.")
    return font


def _check_characters(text: str, font: Font) -> None:
    # A character that the font lacks is drawn as the same box as this one, which no font has.
    absent = bytes(font.getmask("\uffff"))
    for character in sorted(set(text) - set(" \n")):
        if bytes(font.getmask(character)) == absent:
            raise InputError(
                f"Expected characters of Pillow's bundled font, got {character!r}; "
                "use Latin letters and digits, or the names 'spade', 'heart', 'diamond', 'club'."
            )


def _draw_line(line: str, font: Font, capital: int) -> Array:
    stroke = max(1, round(BOLDNESS * capital))
    width = int(font.getlength(line)) + 2 * capital
    canvas = Image.new("L", (width, 3 * capital))
    ImageDraw.Draw(canvas).text(
        (capital, 2 * capital), line, fill=255, font=font, stroke_width=stroke, anchor="ls"
    )
    # Rows stay uncropped: all lines share one baseline grid.
    ink = np.asarray(canvas, dtype=np.float64) / 255
    columns = np.flatnonzero(ink.max(axis=0) > 0)
    return ink[:, columns[0] : columns[-1] + 1]


def _crop(ink: Array) -> Array:
    rows = np.flatnonzero(ink.max(axis=1) > 0)
    columns = np.flatnonzero(ink.max(axis=0) > 0)
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _padded_to_blocks(ink: Array) -> Array:
    missing = [-length % OVERSIZE for length in ink.shape]
    return np.pad(ink, [(gap // 2, gap - gap // 2) for gap in missing])
