"""What of a detail survives reconstruction.

``s`` is the detail in the image domain and ``d = f(A(x + s)) - f(A x)`` what the reconstruction
shows of it. Everything is complex-safe: ``⟨a, b⟩ = Σ conj(a) b``. A single image ``(H, W)`` gives a
zero-dimensional tensor, a batch ``(B, H, W)`` gives ``(B,)``; results are float64.
"""

from __future__ import annotations

import torch
from torch import Tensor

from shaketable.errors import InputError, ShapeError

# Pixels around a detail that count as part of it: blur of that much is no leakage.
DEFAULT_MARGIN = 2


def contrast_recovery(difference: Tensor, detail: Tensor) -> Tensor:
    """Share of the detail's contrast that is recovered: ``Re⟨s, d⟩ / ⟨s, s⟩``.

    One for a perfect reconstruction, zero where nothing of the detail is left, negative where it
    appears inverted; no more than a least-squares fit of ``d ≈ c s`` over all real c.

    Parameters
    ----------
    difference
        ``(B, H, W)`` or ``(H, W)``: ``d``, in the image's unit.
    detail
        ``(B, H, W)``, or ``(H, W)`` for all of the batch: ``s``, in the image's unit.

    Raises
    ------
    ShapeError
        If the two do not belong together.
    InputError
        If a detail is zero everywhere.

    Examples
    --------
    >>> detail = torch.zeros(8, 8)
    >>> detail[2:4, 2:4] = 1
    >>> contrast_recovery(0.5 * detail, detail)
    tensor(0.5000, dtype=torch.float64)
    """
    d, s = _pair(difference, detail)
    return _real_inner(s, d) / _energy(s)


def template_correlation(
    difference: Tensor, detail: Tensor, *, margin: int = DEFAULT_MARGIN
) -> Tensor:
    """How much the change looks like the detail, whatever its strength.

    ``|⟨s', d'⟩| / (‖s'‖ ‖d'‖)`` over a window, where ``s' = s - mean(s)`` and ``d' = d - mean(d)``;
    the window is the smallest upright box around the detail, grown by a quarter of its longer side
    and by the margin, cut at the image's edge. The means are removed because otherwise a plain
    brightening of the window, in which nobody reads a letter, would correlate strongly. The modulus
    is taken: an inverted detail is as legible (the contrast recovery holds the sign). Zero where
    the change is constant over the window, no change included.

    Parameters
    ----------
    difference, detail
        As in :func:`contrast_recovery`.
    margin
        In pixels, at least 0.

    Raises
    ------
    ShapeError, InputError
        As in :func:`contrast_recovery`; InputError too where the detail is constant over its
        window, which leaves no shape to look for.

    Examples
    --------
    >>> detail = torch.zeros(8, 8)
    >>> detail[2:4, 2:4] = 1
    >>> float(template_correlation(0.1 * detail + 3, detail).round(decimals=6))
    1.0
    """
    d, s = _pair(difference, detail)
    window = _windows(s != 0, _checked_margin(margin))
    d, s = _less_mean(d, window), _less_mean(s, window)
    if bool((_energy(s) == 0).any()):
        raise InputError(
            "Expected a detail with a shape, got one that is constant over its window; "
            "use one that is smaller than the image."
        )
    inner = (s.conj() * d).sum((-2, -1)).abs()
    norms = (_energy(s) * _energy(d)).sqrt()
    return torch.where(norms > 0, inner / torch.where(norms > 0, norms, 1.0), 0.0).clamp(max=1.0)


def leakage(difference: Tensor, detail: Tensor, *, margin: int = DEFAULT_MARGIN) -> Tensor:
    """Change outside the detail: ``‖d outside the support‖ / ‖s‖``.

    The support is where the detail is not zero, dilated by the margin in every direction. Zero for
    a perfect reconstruction; one where the change elsewhere is as large as the detail.

    Parameters
    ----------
    difference, detail
        As in :func:`contrast_recovery`.
    margin
        In pixels, at least 0.

    Raises
    ------
    ShapeError, InputError
        As in :func:`contrast_recovery`.

    Examples
    --------
    >>> detail = torch.zeros(8, 8)
    >>> detail[4, 4] = 2
    >>> elsewhere = torch.zeros(8, 8)
    >>> elsewhere[0, 0] = 1
    >>> leakage(detail + elsewhere, detail)
    tensor(0.5000, dtype=torch.float64)
    """
    d, s = _pair(difference, detail)
    reach = 2 * _checked_margin(margin) + 1
    support = (s != 0).to(torch.float64).reshape(-1, 1, *s.shape[-2:])
    dilated = torch.nn.functional.max_pool2d(support, reach, stride=1, padding=reach // 2)
    outside = dilated.reshape(s.shape) == 0
    return (_energy(d * outside) / _energy(s)).sqrt()


def _pair(difference: Tensor, detail: Tensor) -> tuple[Tensor, Tensor]:
    """Both in double precision and of one shape."""
    same = difference.shape[-2:] == detail.shape[-2:] and (
        detail.ndim == 2 or detail.shape == difference.shape
    )
    if difference.ndim not in (2, 3) or detail.ndim not in (2, 3) or not same:
        raise ShapeError(
            f"Expected a detail of shape {tuple(difference.shape)} or "
            f"{tuple(difference.shape[-2:])}, as the difference has, got {tuple(detail.shape)}; "
            "pass (B, H, W) or (H, W).",
            expected=tuple(difference.shape),
            got=tuple(detail.shape),
        )
    if not bool(torch.isfinite(detail.abs()).all()):
        raise InputError("Expected a finite detail, got NaN or infinity in it; make it again.")
    s = _double(detail).expand(difference.shape)
    if bool((_energy(s) == 0).any()):
        raise InputError(
            "Expected a detail that is not zero everywhere, got zeros; "
            "there is nothing to be recovered."
        )
    return _double(difference), s


def _double(tensor: Tensor) -> Tensor:
    return tensor.to(torch.complex128 if tensor.is_complex() else torch.float64)


def _energy(tensor: Tensor) -> Tensor:
    return tensor.abs().square().sum((-2, -1))


def _real_inner(a: Tensor, b: Tensor) -> Tensor:
    product: Tensor = (a.conj() * b).sum((-2, -1))
    return product.real if product.is_complex() else product


def _checked_margin(margin: int) -> int:
    if margin < 0:
        raise InputError(f"Expected a margin of at least 0 pixels, got {margin}; the default is 2.")
    return margin


def _windows(support: Tensor, margin: int) -> Tensor:
    """Boolean windows around the supports, ``(..., H, W)``."""
    masks = []
    for one in support.reshape(-1, *support.shape[-2:]):
        mask = torch.zeros_like(one)
        rows, columns = torch.where(one)
        top, bottom = int(rows.min()), int(rows.max()) + 1
        left, right = int(columns.min()), int(columns.max()) + 1
        grown = margin + max(bottom - top, right - left) // 4
        mask[max(0, top - grown) : bottom + grown, max(0, left - grown) : right + grown] = True
        masks.append(mask)
    return torch.stack(masks).reshape(support.shape)


def _less_mean(values: Tensor, window: Tensor) -> Tensor:
    """Values inside the window less their mean there; zero outside."""
    n_pixels = window.sum((-2, -1), keepdim=True)
    mean = (values * window).sum((-2, -1), keepdim=True) / n_pixels
    return (values - mean) * window
