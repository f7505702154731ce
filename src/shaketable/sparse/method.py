"""What total variation and wavelet l1 share: scaling, solving, describing."""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from shaketable.errors import InputError, ShapeError
from shaketable.maps.fourier import FourierMap
from shaketable.protocols import ForwardMap
from shaketable.sparse.admm import Splitting
from shaketable.sparse.penalties import Penalty, Values
from shaketable.sparse.quadratic import DiagonalMinimiser, FourierData, fourier_data
from shaketable.sparse.solution import NotConvergedWarning, Solution
from shaketable.sparse.unrolled import Outcome, Stopping, solve

DEFAULT_RULE = (
    "default: calibrated on 12 other images (brain MR slices, T2 and FLAIR, patients 1 and 3 of "
    "Lesjak et al. 2016, 128 x 128, a third and a quarter of the lines, no noise)"
)
_VALUES = ("complex", "ri", "real")


@dataclass(frozen=True, kw_only=True)
class SparseMethod(ABC):
    """A reconstructor ``g(y, A) = argmin_x 1/2 ‖A x - y‖² + λ R(x)`` with a certificate.

    ``λ = strength * s(y)`` with ``s(y)`` the root mean square of the zero-filled image ``A* y``, so
    scaling the data scales the image. The data are divided by ``s(y)`` before they are solved and
    multiplied back after.
    """

    strength: float
    values: Values = "complex"
    gap: float = 1e-3
    max_iterations: int = 2000
    rule: str = ""

    def __post_init__(self) -> None:
        for name in ("strength", "gap"):
            number = getattr(self, name)
            if not (math.isfinite(number) and number > 0):
                raise InputError(
                    f"Expected a positive {name}, got {number}; "
                    "both are relative numbers, for example 1e-3."
                )
        if self.max_iterations < 1:
            raise InputError(
                f"Expected at least one iteration, got max_iterations={self.max_iterations}; "
                "leave it out for the default."
            )
        if self.values not in _VALUES:
            raise InputError(
                f"Expected values to be one of {', '.join(_VALUES)}, got {self.values!r}; "
                "complex is for complex images."
            )

    def __call__(self, data: Tensor, forward: ForwardMap, /) -> Tensor:
        """``(B, H, W)`` data and the forward map -> ``(B, H, W)`` image, differentiable in the data.

        Warns
        -----
        NotConvergedWarning
            If the certificate of an image did not reach the gap.
        """
        solution = self.solve(data, forward)
        if not bool(solution.converged.all()):
            warnings.warn(
                f"Expected a relative duality gap of {self.gap:g} from {self._name}, got "
                f"{float(solution.gap.max()):.2g} after {self.max_iterations} iterations; "
                "raise max_iterations or gap.",
                NotConvergedWarning,
                stacklevel=2,
            )
        return solution.image

    def solve(self, data: Tensor, forward: ForwardMap) -> Solution:
        """Return the image with its certificate.

        Parameters
        ----------
        data
            ``(B, H, W)`` complex k-space, DC at ``[0, 0]``; unsampled positions are ignored.
        forward
            A `FourierMap`.

        Raises
        ------
        InputError
            If the data are not finite or not of a floating-point type, or the map is another one.
        ShapeError
            If the data do not fit the map.
        """
        data, fourier = _checked(data, forward)
        term = fourier_data(data, fourier, self.values)
        scale = _scale(term)
        splitting = self._splitting(term)
        outcome = solve(
            splitting,
            term.target / scale[:, None, None],
            Stopping(gap=self.gap, max_iterations=self.max_iterations),
        )
        return self._solution(outcome, scale, term)

    def describe(self) -> dict[str, object]:
        """Return what the record of a run says about this method."""
        return {
            "name": self._name,
            "problem": "min_x 1/2 |A x - y|^2 + lambda R(x)",
            "penalty": self._penalty_name,
            "values": self.values,
            "strength": self.strength,
            "lambda": f"{self.strength:g} times the root mean square of A* y",
            "rule": self.rule or self._unstated_rule,
            "gap": self.gap,
            "certificate": "relative duality gap",
            "max_iterations": self.max_iterations,
            "derivative": "exact, through every iteration evaluated",
        }

    @property
    def _unstated_rule(self) -> str:
        default = {field.name: field.default for field in fields(self)}["strength"]
        return DEFAULT_RULE if self.strength == default else "set by the user"

    @property
    @abstractmethod
    def _name(self) -> str:
        """The name in records."""

    @property
    @abstractmethod
    def _penalty_name(self) -> str:
        """The penalty in words."""

    @property
    @abstractmethod
    def _rho_over_strength(self) -> float:
        """``ρ / λ`` of the splitting; it decides the speed only."""

    @abstractmethod
    def _penalty(self, shape: tuple[int, int], dtype: torch.dtype, device: torch.device) -> Penalty:
        """Build ``K`` for images of a shape."""

    def _splitting(self, term: FourierData) -> Splitting:
        height, width = term.weight.shape
        penalty = self._penalty((height, width), term.weight.dtype, term.weight.device)
        minimiser = DiagonalMinimiser.create(
            term.weight, penalty.eigenvalues, self._rho_over_strength * self.strength, self.values
        )
        return Splitting(penalty=penalty, minimiser=minimiser, strength=self.strength)

    def _solution(self, outcome: Outcome, scale: Tensor, term: FourierData) -> Solution:
        image = outcome.image * scale[:, None, None]
        factor = scale.detach().to(torch.float64)
        return Solution(
            image=image.real if self.values == "real" else image,
            gap=outcome.gap,
            objective=outcome.primal * factor.square() + term.unexplained,
            strength=self.strength * factor,
            n_iterations=outcome.n_iterations,
            converged=outcome.gap <= self.gap,
        )


def _checked(data: Tensor, forward: ForwardMap) -> tuple[Tensor, FourierMap]:
    if not isinstance(forward, FourierMap):
        raise InputError(
            f"Expected a FourierMap, got {type(forward).__name__}; "
            "the sparse methods are solved in k-space."
        )
    if data.ndim != 3 or tuple(data.shape[1:]) != forward.data_shape:
        raise ShapeError(
            f"Expected data of shape (B, {forward.data_shape[0]}, {forward.data_shape[1]}), "
            f"got {tuple(data.shape)}; data are batch first, on the full grid.",
            expected=(-1, *forward.data_shape),
            got=tuple(data.shape),
        )
    if data.dtype not in (torch.float32, torch.float64, torch.complex64, torch.complex128):
        raise InputError(
            f"Expected complex64 or complex128 data, got {data.dtype}; convert them first."
        )
    if not bool(torch.isfinite(data.detach()).all()):
        raise InputError(
            "Expected finite data, got infinite or undefined values; "
            "look at what made them before reconstructing."
        )
    return (data if data.is_complex() else data + 0j), forward


def _scale(term: FourierData) -> Tensor:
    """``(B,)``: root mean square of the zero-filled image; 1 for data of zeros."""
    energy = term.target.real.square() + term.target.imag.square()
    # Rows first, as in `sum_per_image`: the same bits in every batch.
    total = (energy * term.weight).to(torch.float64).sum(-1).sum(-1) / term.weight.numel()
    positive = total > 0
    root = torch.where(positive, total, 1).sqrt()
    return root.to(term.weight.dtype)
