"""Total variation: images that are piecewise constant."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.sparse.method import SparseMethod
from shaketable.sparse.penalties import Penalty, Values


@dataclass(frozen=True, kw_only=True, eq=False)
class PeriodicDifferences:
    """``K``: forward differences along both axes, periodic; a `Penalty`.

    ``(K x)_0 = x[i+1, j] - x[i, j]`` and ``(K x)_1 = x[i, j+1] - x[i, j]``, indices modulo the
    shape. ``K* K`` is diagonal in Fourier space with ``4 sin²(π k/H) + 4 sin²(π l/W)``.

    Parameters
    ----------
    group
        Axes of ``(B, 2, R, H, W)`` differences that share one magnitude.
    symbols
        ``(H,)`` and ``(W,)`` float64: of the two differences, squared.
    dtype
        Of the images.
    """

    group: tuple[int, ...]
    symbols: tuple[Tensor, Tensor]
    dtype: torch.dtype

    @classmethod
    def create(
        cls,
        shape: tuple[int, int],
        group: tuple[int, ...],
        dtype: torch.dtype,
        device: torch.device,
    ) -> PeriodicDifferences:
        """For images of one shape; the symbols are exactly 0 at DC."""
        vertical, horizontal = (
            4 * torch.sin(torch.pi * torch.arange(length, dtype=torch.float64) / length).square()
            for length in shape
        )
        return cls(group=group, symbols=(vertical.to(device), horizontal.to(device)), dtype=dtype)

    @property
    def eigenvalues(self) -> Tensor:
        """``(H, W)``: needed at the start and in proofs, and so not kept."""
        vertical, horizontal = self.symbols
        return (vertical[:, None] + horizontal[None, :]).to(self.dtype)

    def analyse(self, planes: Tensor) -> Tensor:
        """``(B, R, H, W) -> (B, 2, R, H, W)``."""
        batch, n_planes, height, width = planes.shape
        result = planes.new_empty(batch, 2, n_planes, height, width)
        torch.sub(planes[:, :, 1:], planes[:, :, :-1], out=result[:, 0, :, :-1])
        torch.sub(planes[:, :, :1], planes[:, :, -1:], out=result[:, 0, :, -1:])
        torch.sub(planes[..., 1:], planes[..., :-1], out=result[:, 1, ..., :-1])
        torch.sub(planes[..., :1], planes[..., -1:], out=result[:, 1, ..., -1:])
        return result

    def adjoint(self, coefficients: Tensor) -> Tensor:
        """``(B, 2, R, H, W) -> (B, R, H, W)``."""
        vertical, horizontal = coefficients[:, 0], coefficients[:, 1]
        result = torch.add(vertical, horizontal).neg_()
        result[:, :, 1:] += vertical[:, :, :-1]
        result[:, :, :1] += vertical[:, :, -1:]
        result[..., 1:] += horizontal[..., :-1]
        result[..., :1] += horizontal[..., -1:]
        return result


@dataclass(frozen=True, kw_only=True)
class TotalVariation(SparseMethod):
    """Total variation: ``min_x 1/2 ‖A x - y‖² + λ Σ_pixels ‖∇x‖₂``, for any map.

    ``∇`` are forward differences with periodic boundary. Solved by the alternating direction method
    with ``z = ∇x`` (see `shaketable.sparse.admm`), stopped
    by a relative duality gap (`shaketable.sparse.certificate`).

    Parameters
    ----------
    strength
        ``λ`` relative to the root mean square of the zero-filled image ``A* y``. The default was
        calibrated on other brain images without noise at a third and a quarter of the lines, where
        it is within 0.1 dB of the best; noisy data want more, and more samples, coils or views
        without noise want less (see `shaketable.sparse.calibrate`).
    values
        ``"complex"``: one magnitude per pixel over both differences and both parts;
        ``"ri"``: real and imaginary part penalised apart; ``"real"``: real images.
    isotropic
        Whether the two differences of a pixel share a magnitude; otherwise ``‖∇x‖₁``.
    gap
        The relative duality gap to reach.
    max_iterations
        After that many the image is returned with `Solution.converged` False.
    rule
        In words, how the strength was chosen; for the record. Empty: the default, or the user.

    References
    ----------
    Rudin, Osher, Fatemi: "Nonlinear total variation based noise removal algorithms", Physica D 60
    (1992).

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps.fourier import FourierMap
    >>> image = torch.zeros(1, 32, 32, dtype=torch.complex64)
    >>> image[:, 8:20, 10:25] = 1
    >>> rows = torch.zeros(32, 32)
    >>> rows[[0, 1, 2, 3, 5, 8, 11, 16, 19, 23, 26, 29, 30, 31]] = 1
    >>> A = FourierMap(rows)
    >>> solution = TotalVariation(strength=1e-3).solve(A(image), A)
    >>> bool(solution.converged)
    True
    >>> bool((solution.image - image).abs().max() < 0.01)
    True
    """

    strength: float = 5e-3
    isotropic: bool = True

    @property
    def _name(self) -> str:
        return "total-variation"

    @property
    def _penalty_name(self) -> str:
        kind = "isotropic" if self.isotropic else "anisotropic"
        return f"{kind} total variation, periodic forward differences"

    @property
    def _rho_over_strength(self) -> float:
        return 12.0

    def penalty(self, shape: tuple[int, int], dtype: torch.dtype, device: torch.device) -> Penalty:
        """``K``: differences along both axes."""
        return PeriodicDifferences.create(
            shape, group_axes(self.values, self.isotropic), dtype, device
        )


def group_axes(values: Values, isotropic: bool) -> tuple[int, ...]:
    """Axes of ``(B, C, R, H, W)`` that share a magnitude: channels and parts, as asked for."""
    channels = (1,) if isotropic else ()
    parts = (2,) if values == "complex" else ()
    return channels + parts
