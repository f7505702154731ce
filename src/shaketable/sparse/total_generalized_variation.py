"""Second-order total generalised variation: images that are piecewise affine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from shaketable.settings import require_number
from shaketable.sparse.method import SparseMethod
from shaketable.sparse.penalties import Group, Penalty, Runs, Values


@dataclass(frozen=True, kw_only=True, eq=False)
class SlopePenalty:
    """``K (x, w) = (∇x - w, β E w)`` with the slope field ``w``; a `Penalty` of three fields.

    ``E w`` is the symmetrised derivative: ``∂₀w₀``, ``∂₁w₁`` and ``(∂₁w₀ + ∂₀w₁)/√2``, in backward
    differences, so that its magnitude is the Frobenius norm of the symmetric matrix.

    Parameters
    ----------
    group
        ``(2, 3)`` channels, and the parts where they are joined.
    eigenvalues
        ``(H, W, 3, 3)`` complex.
    balance
        ``β``.
    """

    group: Group
    eigenvalues: Tensor
    balance: float

    def analyse(self, planes: Tensor) -> Tensor:
        """``(B, 3 R, H, W) -> (B, 5, R, H, W)``."""
        x, first, second = planes.chunk(3, dim=1)
        scale = self.balance / math.sqrt(2)
        return torch.stack(
            [
                _forward(x, -2) - first,
                _forward(x, -1) - second,
                self.balance * _backward(first, -2),
                self.balance * _backward(second, -1),
                scale * (_backward(first, -1) + _backward(second, -2)),
            ],
            dim=1,
        )

    def adjoint(self, coefficients: Tensor) -> Tensor:
        """``(B, 5, R, H, W) -> (B, 3 R, H, W)``."""
        a, b, c, d, e = coefficients.unbind(1)
        scale = self.balance / math.sqrt(2)
        x = -_backward(a, -2) - _backward(b, -1)
        first = -a - self.balance * _forward(c, -2) - scale * _forward(e, -1)
        second = -b - self.balance * _forward(d, -1) - scale * _forward(e, -2)
        return torch.cat([x, first, second], dim=1)


def _forward(planes: Tensor, axis: int) -> Tensor:
    return torch.roll(planes, -1, axis) - planes


def _backward(planes: Tensor, axis: int) -> Tensor:
    return planes - torch.roll(planes, 1, axis)


def slope_penalty(
    shape: tuple[int, int], values: Values, balance: float, dtype: torch.dtype, device: torch.device
) -> SlopePenalty:
    """Build the penalty for images of one shape."""
    symbol = _symbol(shape, balance).to(device, torch.promote_types(dtype, torch.complex64))
    axes = (2,) if values == "complex" else ()
    return SlopePenalty(group=Runs(sizes=(2, 3), axes=axes), eigenvalues=symbol, balance=balance)


@lru_cache(maxsize=8)
def _symbol(shape: tuple[int, int], balance: float) -> Tensor:
    """``(H, W, 3, 3)`` complex128: the product of the multipliers of ``K`` with themselves."""
    turns = [
        torch.exp(2j * torch.pi * torch.arange(n, dtype=torch.float64) / n).to(torch.complex128)
        for n in shape
    ]
    ahead = (turns[0][:, None].expand(shape) - 1, turns[1][None, :].expand(shape) - 1)
    back = tuple(-part.conj() for part in ahead)
    one, zero = torch.ones_like(ahead[0]), torch.zeros_like(ahead[0])
    half = balance / math.sqrt(2)
    rows = [
        [ahead[0], -one, zero],
        [ahead[1], zero, -one],
        [zero, balance * back[0], zero],
        [zero, zero, balance * back[1]],
        [zero, half * back[1], half * back[0]],
    ]
    matrix = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
    return matrix.mH @ matrix


@dataclass(frozen=True, kw_only=True)
class TotalGeneralizedVariation(SparseMethod):
    """Second-order TGV: ``min_{x,w} 1/2 ‖A x - y‖² + λ (Σ ‖∇x - w‖₂ + β Σ ‖E w‖_F)``, for any map.

    Unlike total variation it does not turn slopes into stairs: affine stretches cost nothing but
    their ends. Differences are periodic; ``E`` is the symmetrised derivative. Solved like total
    variation, with the 3 x 3 system for ``(x, w)`` inverted at each frequency.

    Parameters
    ----------
    strength
        ``λ`` relative to the root mean square of ``A* y``.
    balance
        ``β``; 2 is the usual choice.
    values, gap, max_iterations, rule
        As in `TotalVariation`.

    Raises
    ------
    InputError
        If the balance is not positive.

    References
    ----------
    Bredies, Kunisch, Pock: "Total generalized variation", SIAM J. Imaging Sci. 3 (2010). Knoll,
    Bredies, Pock, Stollberger: "Second order total generalized variation (TGV) for MRI", Magn.
    Reson. Med. 65 (2011).

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps import FourierMap
    >>> image = torch.zeros(1, 32, 32, dtype=torch.complex64)
    >>> image[:, 8:20, 10:25] = torch.linspace(1, 2, 15)
    >>> A = FourierMap(torch.ones(32, 32))
    >>> solution = TotalGeneralizedVariation(strength=1e-3).solve(A(image), A)
    >>> bool(solution.converged), bool((solution.image - image).abs().max() < 0.01)
    (True, True)
    """

    strength: float = 5e-3
    balance: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("balance", self.balance, at_least=1e-6, at_most=1e6)

    @property
    def _name(self) -> str:
        return "total-generalized-variation"

    @property
    def _penalty_name(self) -> str:
        return f"second-order total generalised variation, balance {self.balance:g}, periodic"

    @property
    def _rho_over_strength(self) -> float:
        return 10.0

    def penalty(self, shape: tuple[int, int], dtype: torch.dtype, device: torch.device) -> Penalty:
        """``K`` of the image and its slope field."""
        return slope_penalty(shape, self.values, self.balance, dtype, device)
