"""What a reference method returns beside the image."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


class NotConvergedWarning(UserWarning):
    """A reference method returned an image whose certificate is above the gap asked for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """The image of a sparse-regularisation method with the certificate of how exact it is.

    Parameters
    ----------
    image
        ``(B, H, W)``, in the unit of the data; complex, or real where the method says so.
    gap
        ``(B,)`` float64: (objective - dual value) / objective, a proven upper bound of how far the
        objective is above its minimum, relative to itself.
    objective
        ``(B,)`` float64: ``1/2 ‖A x - y‖² + λ R(x)`` at the image, over sampled positions.
    strength
        ``(B,)`` float64: the absolute ``λ`` that was used, in the unit of the data.
    n_iterations
        ``(B,)`` int64: iterations until the certificate was reached.
    converged
        ``(B,)`` bool: whether the gap is at most the one asked for.
    """

    image: Tensor
    gap: Tensor
    objective: Tensor
    strength: Tensor
    n_iterations: Tensor
    converged: Tensor
