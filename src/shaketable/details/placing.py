"""Insert details into an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from shaketable.details.objects import MARGIN, Mask, as_image, choose_position, object_mask
from shaketable.details.templates import SMALLEST_SIZE, narrower, require_names, template, text_of
from shaketable.errors import InputError, ShapeError
from shaketable.geometry import embed
from shaketable.settings import require_number

# Standard deviation, in pixels, of the Gaussian that smooths the image before its phase is taken.
PHASE_SMOOTHING = 2.0
# Default sizes, as shares of the shorter side of the image: words are many letters wide.
SYMBOL_SHARE = 0.12
SUITS_SHARE = 0.09
TEXT_SHARE = 0.06
MOST_LINES = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Detail:
    """What is added to an image.

    Attributes
    ----------
    name
        ``"spade"``, ``"text:HELLO"``, ...
    array
        ``(H, W)``, in the image's dtype, unit and device: ``x + array`` holds the detail. Its
        modulus is between 0 and ``contrast * max|x|``; where it is zero the detail is not.
    contrast
        The detail's peak, as a fraction of the image's peak ``max|x|``.
    size
        In pixels: the side of a symbol's box (of one for ``"suits"``), the height of a text's
        capitals.
    position
        (row, column) of the centre of its box.
    """

    name: str
    array: Tensor
    contrast: float
    size: int
    position: tuple[int, int]

    @property
    def support(self) -> Tensor:
        """``(H, W)`` booleans: where the detail is not zero."""
        return self.array != 0


def make_details(
    image: Tensor | NDArray[Any],
    names: Sequence[str],
    *,
    contrast: float = 0.3,
    size: int | None = None,
    seed: int = 0,
    apart: bool = False,
) -> tuple[Detail, ...]:
    """Draw details and find each a place inside the object of an image.

    The object is the largest bright region with its holes filled. A detail lies inside it with two
    pixels to spare, at a position drawn from the best tenth of all that are possible: where the
    image is smooth and not so bright that the detail would not show. The contrast does not move
    it. What is too wide for the object is broken: text between words into two or three lines, the
    four suits into two rows. How the array follows from the template is said at :func:`place`.

    Parameters
    ----------
    image
        ``(H, W)``, real or complex, any unit.
    names
        Of ``DETAIL_NAMES``, or ``"text:"`` and any words.
    contrast
        The details' peak as a fraction of ``max|x|``, above 0 and at most 1.
    size
        In pixels, see :class:`Detail`; None: 12 % of the image's shorter side for symbols, 9 % for
        each of the ``"suits"`` and 6 % for texts.
    seed
        Same image, name, size and seed: same place, whatever other names are asked for. (With
        ``apart``, the names before it matter.)
    apart
        True: no two details touch, so that they can be inserted together by :func:`composite`.

    Raises
    ------
    InputError
        If the image is not one finite floating-point image, a name is unknown, the contrast is out
        of range, or a detail does not fit into the object.

    Examples
    --------
    >>> image = torch.ones(64, 64)
    >>> [detail] = make_details(image, ["heart"], contrast=0.2, size=11)
    >>> float(detail.array.max().round(decimals=6))
    0.2...
    """
    names = names if isinstance(names, str) else tuple(names)
    require_names(names)
    pixels = as_image(_to_numpy(image))
    allowed = object_mask(pixels)
    details = []
    for name in names:
        # One generator per (seed, name): the other names change nothing.
        generator = np.random.default_rng([seed, *name.encode()])
        pixel_size = _default_size(name, pixels) if size is None else size
        drawn, position = _fit(name, pixel_size, pixels, allowed, generator)
        detail = place(image, drawn, position, name=name, contrast=contrast, size=pixel_size)
        details.append(detail)
        if apart:
            taken = detail.support.cpu().numpy()
            # The erosion in choose_position adds its margin to the hole that is cut here.
            allowed = allowed & ~ndimage.binary_dilation(taken, iterations=MARGIN)
    return tuple(details)


def place(
    image: Tensor | NDArray[Any],
    template: NDArray[np.float64],
    position: tuple[int, int],
    *,
    name: str,
    contrast: float,
    size: int | None = None,
) -> Detail:
    """Turn a template into what is added to an image at a given position.

    With the template ``t`` in [0, 1] and the peak ``m = max|x|`` the array is ``contrast · m · t``
    for a real image. For a complex image it is ``contrast · m · t · u`` with the unit phase
    ``u = (G x) / |G x|`` of the image smoothed by a Gaussian ``G`` of two pixels: the magnitude
    rises by the contrast and the phase stays the image's.

    Parameters
    ----------
    image
        ``(H, W)``, real or complex, any unit.
    template
        ``(h, w)`` in [0, 1].
    position
        Pixel (row, column) of the centre of the template.
    name
        What the records call it.
    contrast
        Fraction of ``max|x|``, above 0 and at most 1.
    size
        What the records say; None: the template's height.

    Raises
    ------
    InputError
        If the template does not lie inside the image, or image or contrast are not as stated.

    Examples
    --------
    >>> from shaketable.details.suits import spade
    >>> detail = place(1j * torch.ones(32, 32), spade(9), (10, 20), name="spade", contrast=0.5)
    >>> detail.array[10, 20]
    tensor(0.+0.5000j)
    """
    require_number("the contrast, a share of the image's peak,", contrast, above=0, at_most=1)
    pixels = as_image(_to_numpy(image))
    grid = embed(template, (pixels.shape[0], pixels.shape[1]), centre=position)
    array = contrast * float(np.abs(pixels).max()) * grid * _unit_phase(pixels)
    reference = torch.as_tensor(image)
    return Detail(
        name=name,
        array=torch.from_numpy(array).to(dtype=reference.dtype, device=reference.device),
        contrast=contrast,
        size=template.shape[0] if size is None else size,
        position=position,
    )


def composite(details: Sequence[Detail]) -> Detail:
    """Join details that do not overlap into one that inserts all of them.

    Raises
    ------
    InputError
        If there are none, or two overlap.
    ShapeError
        If they belong to images of different shape.

    Examples
    --------
    >>> pair = make_details(torch.ones(64, 64), ["spade", "club"], size=9, apart=True)
    >>> composite(pair).name
    'spade+club'
    """
    if not details:
        raise InputError("Expected at least one detail, got none; make some with make_details.")
    first = details[0]
    for detail in details[1:]:
        if detail.array.shape != first.array.shape:
            raise ShapeError(
                f"Expected details of shape {tuple(first.array.shape)}, got "
                f"{tuple(detail.array.shape)}; join only details of one image.",
                expected=tuple(first.array.shape),
                got=tuple(detail.array.shape),
            )
    n_covering = torch.stack([detail.support for detail in details]).sum(0)
    if bool((n_covering > 1).any()):
        raise InputError(
            "Expected details that do not overlap, got two that do; make them with apart=True."
        )
    rows, columns = zip(*(detail.position for detail in details), strict=True)
    return Detail(
        name="+".join(detail.name for detail in details),
        array=torch.stack([detail.array for detail in details]).sum(0),
        contrast=max(detail.contrast for detail in details),
        size=max(detail.size for detail in details),
        position=(round(float(np.mean(rows))), round(float(np.mean(columns)))),
    )


def _default_size(name: str, image: NDArray[Any]) -> int:
    share = SUITS_SHARE if name == "suits" else SYMBOL_SHARE
    share = share if text_of(name) is None else TEXT_SHARE
    shorter_side: int = min(image.shape)
    return max(SMALLEST_SIZE, round(share * shorter_side))


def _fit(
    name: str, size: int, image: NDArray[Any], allowed: Mask, generator: np.random.Generator
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """Draw a detail, broken over several lines where it must be, and find it a place."""
    drawn = template(name, size, seed=int(generator.integers(2**31)))
    position = choose_position(image, drawn, allowed, generator)
    for n_lines in range(2, MOST_LINES + 1):
        broken = narrower(name, size, n_lines) if position is None else None
        if broken is not None:
            drawn = broken
            position = choose_position(image, drawn, allowed, generator)
    if position is None:
        rows, columns = np.flatnonzero(allowed.any(1)), np.flatnonzero(allowed.any(0))
        raise InputError(
            f"Expected room for the detail '{name}' inside the object, got {drawn.shape[0]} x "
            f"{drawn.shape[1]} pixels for an object (less what is taken) that spans "
            f"{np.ptp(rows) + 1 if rows.size else 0} x "
            f"{np.ptp(columns) + 1 if columns.size else 0} of the {image.shape[0]} x "
            f"{image.shape[1]} image; use a smaller size or fewer details."
        )
    return drawn, position


def _unit_phase(image: NDArray[Any]) -> NDArray[Any] | float:
    if not np.iscomplexobj(image):
        return 1.0
    smooth = ndimage.gaussian_filter(image.real.astype(np.float64), PHASE_SMOOTHING) + (
        1j * ndimage.gaussian_filter(image.imag.astype(np.float64), PHASE_SMOOTHING)
    )
    modulus = np.abs(smooth)
    # Where the smoothed image vanishes it has no phase, and any is as good: take zero.
    result: NDArray[Any] = np.where(modulus > 0, smooth / np.where(modulus > 0, modulus, 1), 1)
    return result


def _to_numpy(image: Tensor | NDArray[Any]) -> NDArray[Any]:
    if isinstance(image, Tensor):
        return image.detach().resolve_conj().cpu().numpy()
    return np.asarray(image)
