"""Grey PNG files of 8 or 16 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from shaketable.errors import InputError
from shaketable.io.reader import ReadSettings
from shaketable.io.stack import Array, Stack, one_file

# Pillow's names of grey images: black and white, 8 bits, and its ways of holding 16 bits.
GREY_MODES = ("1", "L", "I", "I;16", "I;16B")


def read_png(path: Path, settings: ReadSettings) -> Stack:
    """Read a grey PNG file; the values are 0 ... 255 or 0 ... 65535, as stored.

    Raises
    ------
    InputError
        If the file is damaged, or has colours, a palette or transparency, or a key or an axis is
        given.
    """
    settings.refuse_key(path)
    settings.refuse_axis(path)
    return one_file(path, settings.stem, None, lambda _: _pixels(path))


def _pixels(path: Path) -> Array:
    try:
        with Image.open(path, formats=["PNG"]) as image:
            if image.mode not in GREY_MODES:
                raise InputError(
                    f"Expected a grey PNG in '{path}', got a colour or transparent one (mode "
                    f"{image.mode}); convert it, with Pillow: image.convert('L')."
                )
            return np.asarray(image, dtype=np.float32)
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(
            f"Expected a PNG file in '{path}', got one that is damaged or of another kind; "
            "save it again as PNG."
        ) from error
