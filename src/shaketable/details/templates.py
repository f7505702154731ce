"""Details by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from shaketable.details.lesion import lesion
from shaketable.details.lettering import lettering, line_breaks
from shaketable.details.suits import Array, club, diamond, graded_heart, heart, spade, suits
from shaketable.errors import InputError
from shaketable.settings import require_whole

CAN_U_SEE_IT = "CAN U SEE IT"
TEXT_PREFIX = "text:"
SMALLEST_SIZE = 5

_SHAPES: dict[str, Callable[[int], Array]] = {
    "spade": spade,
    "heart": heart,
    "diamond": diamond,
    "club": club,
    "graded-heart": graded_heart,
    "suits": suits,
}

DETAIL_NAMES: tuple[str, ...] = (
    "spade",
    "heart",
    "diamond",
    "club",
    "can-u-see-it",
    "graded-heart",
    "lesion",
    "suits",
)


def text_of(name: str) -> str | None:
    """Return the words that a detail writes; None for a detail that is not a text.

    Examples
    --------
    >>> text_of("text:HELLO"), text_of("can-u-see-it"), text_of("spade")
    ('HELLO', 'CAN U SEE IT', None)
    """
    if name == "can-u-see-it":
        return CAN_U_SEE_IT
    return name.removeprefix(TEXT_PREFIX) if name.startswith(TEXT_PREFIX) else None


def template(name: str, size: int, *, seed: int = 0) -> Array:
    """Draw a detail by its name.

    Parameters
    ----------
    name
        One of ``DETAIL_NAMES``, or ``"text:"`` followed by any words.
    size
        In pixels: the side of the box for symbols, of one of the four for ``"suits"``, the height
        of a capital for texts.
    seed
        Chooses the outline of ``"lesion"``; no other detail is random.

    Returns
    -------
    ``(h, w)`` in [0, 1], with maximum 1.

    Raises
    ------
    InputError
        If the name is unknown, the size below five pixels, or the font lacks a character.

    Examples
    --------
    >>> template("club", 20).shape
    (20, 20)
    """
    require_whole("the size of a detail in pixels", size, at_least=SMALLEST_SIZE)
    text = text_of(name)
    if text is not None:
        return lettering(text, size)
    if name == "lesion":
        return lesion(size, seed=seed)
    if name not in _SHAPES:
        raise InputError(_unknown_name(name))
    return _SHAPES[name](size)


def require_names(names: Sequence[str]) -> None:
    """Raise an `InputError` for no names at all, and for the first that cannot be drawn."""
    if isinstance(names, str) or len(names) == 0:
        raise InputError(
            f"Expected a list of details, got {names!r}; ('heart',) is one with a single detail."
        )
    for name in names:
        template(str(name), SMALLEST_SIZE)


def narrower(name: str, size: int, n_lines: int) -> Array | None:
    """Draw a wide detail in several lines; None for one that cannot be.

    Examples
    --------
    >>> template("suits", 10).shape, narrower("suits", 10, 2).shape, narrower("heart", 10, 2)
    ((10, 46), (22, 22), None)
    """
    if name == "suits":
        return suits(size, n_rows=2) if n_lines == 2 else None
    text = text_of(name)
    broken = None if text is None else line_breaks(text, n_lines)
    return None if broken is None else lettering(broken, size)


def _unknown_name(name: str) -> str:
    close = get_close_matches(name, DETAIL_NAMES, n=1)
    hint = f"did you mean '{close[0]}'?" if close else "or write 'text:' and any words."
    return f"Expected a detail of {', '.join(DETAIL_NAMES)}, got '{name}'; {hint}"
