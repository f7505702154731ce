"""What the reference methods share: scaling, solving, describing."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from shaketable.errors import InputError, ShapeError
from shaketable.protocols import ForwardMap
from shaketable.settings import require_number, require_whole
from shaketable.sparse.admm import Problem, Splitting
from shaketable.sparse.iterations import Outcome, Stopping
from shaketable.sparse.penalties import Penalty, Values, to_image
from shaketable.sparse.scaled_data import DataWeights, ScaledData, scaled_data
from shaketable.sparse.solution import NotConvergedWarning, Solution
from shaketable.sparse.unrolled import solve

DEFAULT_RULE = (
    "default: within half a decibel of the best strength for single-coil Fourier data on 12 "
    "other images (brain MR slices, T2 and FLAIR, patients 1 and 3 of Lesjak et al. 2016, 128 x 128, "
    "a third and a quarter of the lines, no noise)"
)
NO_RULE = "default: not calibrated for these settings; use sparse.calibrate on images of your own"
# The default is one for either value of the last two, and the others are not of the penalty.
_COVERED = {"strength", "gap", "max_iterations", "rule", "values", "translation_invariant"}
_VALUES = ("complex", "ri", "real")

LARGEST_STRENGTH = 1e4
"""Above the largest side of an image nothing is left of what the penalty sees."""


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
        require_number("strength", self.strength, above=0, at_most=LARGEST_STRENGTH)
        require_number("gap", self.gap, above=0)
        require_whole("max_iterations", self.max_iterations, at_least=1, at_most=10**9)
        if not isinstance(self.values, str) or self.values not in _VALUES:
            raise InputError(
                f"Expected values to be one of {', '.join(_VALUES)}, got {self.values!r}; "
                "complex is for complex images."
            )

    def __call__(self, data: Tensor, forward: ForwardMap, /) -> Tensor:
        """Data and forward map -> ``(B, H, W)`` image, differentiable in the data.

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

    def solve(
        self,
        data: Tensor,
        forward: ForwardMap,
        *,
        strength: Tensor | None = None,
        n_iterations: int | None = None,
    ) -> Solution:
        """Return the image with its certificate.

        Parameters
        ----------
        data
            ``(B, *data_shape)``; unsampled positions are ignored.
        forward
            Any forward map of two-dimensional images. Data and maps without imaginary part are
            solved as real.
        strength
            ``()``: the strength in place of the method's, differentiable. The splitting keeps that
            of the method, so that a change of strength changes nothing else.
        n_iterations
            Exactly so many, whatever the gap; the image is then a smooth function of data and
            strength, as far as no coefficient crosses its threshold. Not given: until the gap.

        Raises
        ------
        InputError
            If the data are not finite or not of a floating-point type, or the images of the map
            are not two-dimensional.
        ShapeError
            If the data do not fit the map.
        """
        data = checked_data(data, forward)
        scaled = scaled_data(data, forward, self.values, self._data_weights)
        return self._solve(scaled, strength, n_iterations)

    def _solve(
        self, scaled: ScaledData, strength: Tensor | None, n_iterations: int | None
    ) -> Solution:
        level = scaled.scale.new_full((len(scaled.scale), 1, 1, 1, 1), float(self.strength))
        if strength is not None:
            level = strength.expand_as(level)
        used = level.detach().flatten().to(torch.float64)
        outcome = solve(
            self._splitting(scaled),
            Problem(target=scaled.target, level=level * self.channel_weights(scaled.scale)),
            self._stopping(self.gap, n_iterations),
        )
        return self._solution(outcome, scaled, used)

    def _splitting(self, scaled: ScaledData) -> Splitting:
        height, width = scaled.term.metric.shape
        penalty = self.penalty((height, width), scaled.scale.dtype, scaled.scale.device)
        return Splitting.create(penalty, scaled.term, self._rho_over_strength * self.strength)

    def _stopping(self, gap: float, n_iterations: int | None) -> Stopping:
        """At the gap, or after exactly so many iterations."""
        if n_iterations is None:
            return Stopping(gap=gap, max_iterations=self.max_iterations)
        return Stopping(gap=gap, max_iterations=n_iterations, min_iterations=n_iterations)

    @abstractmethod
    def penalty(self, shape: tuple[int, int], dtype: torch.dtype, device: torch.device) -> Penalty:
        """Build ``K`` for images of a shape."""

    def channel_weights(self, like: Tensor) -> Tensor:
        """``(C or 1, 1, 1, 1)``: of the channels of ``K``, in multiples of ``λ``."""
        return like.new_ones(1, 1, 1, 1)

    def null_space_part(self, image: Tensor) -> Tensor:
        """The part of ``(B, H, W)`` images that the penalty does not see: constants, or a band."""
        height, width = image.shape[-2:]
        eigenvalues = self.penalty((height, width), image.real.dtype, image.device).eigenvalues
        own = eigenvalues if eigenvalues.ndim == 2 else eigenvalues[..., 0, 0]
        part: Tensor = torch.fft.ifft2(torch.fft.fft2(image) * (own.abs() < 1e-12))
        return part if image.is_complex() else part.real

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
        """How the strength was chosen, where nobody says so."""
        defaults = {field.name: field.default for field in fields(self)}
        changed = {name for name, value in defaults.items() if getattr(self, name) != value}
        if "strength" in changed:
            return "set by the user"
        return NO_RULE if changed - _COVERED else DEFAULT_RULE

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

    @property
    def _data_weights(self) -> DataWeights:
        """``ρ_A`` of the splitting, for maps that are split off; it decides the speed only."""
        return DataWeights()

    def _solution(self, outcome: Outcome, scaled: ScaledData, strength: Tensor | float) -> Solution:
        image = to_image(outcome.planes) * (scaled.scale / scaled.squared_norm)[:, None, None]
        factor = scaled.scale.detach().to(torch.float64)
        unit = factor.square() / scaled.squared_norm
        objective = outcome.primal * unit + scaled.unexplained
        # The unit of the data may leave the range of their precision where the scaled one did not.
        finite = torch.isfinite(image.detach()).flatten(1).all(1) & torch.isfinite(objective)
        gap = torch.where(finite, outcome.gap, torch.inf)
        return Solution(
            image=image,
            gap=gap,
            objective=objective,
            strength=strength * factor,
            n_iterations=outcome.n_iterations,
            converged=gap <= self.gap,
        )


def checked_data(data: Tensor, forward: ForwardMap) -> Tensor:
    """Data that fit the map and can be solved.

    Raises
    ------
    InputError, ShapeError
        As for `SparseMethod.solve`.
    """
    if not isinstance(data, Tensor) or not isinstance(forward, ForwardMap):
        raise InputError(
            f"Expected data as a tensor and a forward map, got {type(data).__name__} and "
            f"{type(forward).__name__}; a reconstructor is called with (data, forward)."
        )
    if len(tuple(forward.image_shape)) != 2:
        raise InputError(
            f"Expected a forward map of images (H, W), got images of shape "
            f"{tuple(forward.image_shape)}; state image_shape where the map is made."
        )
    expected = tuple(forward.data_shape)
    if not expected:
        raise InputError(
            "Expected a forward map of data with at least one axis beside the batch, got one number "
            "per image; give it data of shape (B, 1)."
        )
    if data.ndim != 1 + len(expected) or tuple(data.shape[1:]) != expected:
        shape = ", ".join(str(length) for length in expected)
        raise ShapeError(
            f"Expected data of shape (B, {shape}), got {tuple(data.shape)}; "
            "data are batch first, in the shape the map gives them.",
            expected=(-1, *expected),
            got=tuple(data.shape),
        )
    if data.dtype not in (torch.float32, torch.float64, torch.complex64, torch.complex128):
        raise InputError(
            f"Expected complex64 or complex128 data (or float32 or float64), got {data.dtype}; "
            "convert them first."
        )
    if not len(data):
        raise ShapeError(
            "Expected at least one image, got a batch of 0; B, the batch, is at least 1.",
            expected=(-1, *expected), got=tuple(data.shape),
        )  # fmt: skip
    if not bool(torch.isfinite(data.detach()).all()):
        raise InputError(
            "Expected finite data, got infinite or undefined values; "
            "look at what made them before reconstructing."
        )
    return data
