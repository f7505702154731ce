"""The paper's reference method: total (generalised) variation with iteratively reweighted shearlets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.settings import require_number, require_whole
from shaketable.sparse.admm import Problem
from shaketable.sparse.filter_banks import Beside
from shaketable.sparse.method import SparseMethod
from shaketable.sparse.penalties import Penalty, Runs
from shaketable.sparse.scaled_data import ScaledData
from shaketable.sparse.shearlets import MRI_LEVELS, checked_levels, shearlet_bank
from shaketable.sparse.solution import Solution
from shaketable.sparse.total_generalized_variation import slope_penalty
from shaketable.sparse.total_variation import PeriodicDifferences
from shaketable.sparse.unrolled import solve

_INNER_GAP = 1e-2


@dataclass(frozen=True, kw_only=True)
class ReweightedShearlets(SparseMethod):
    """``min_x 1/2 ‖A x - y‖² + λ (TGV(x) + share Σ_j ‖W_j SH_j x‖₁)``, reweighted, for any map.

    The first problem has ``W = 1``; after each solution ``x`` the weights of band ``j`` become
    ``0.1 / (0.02² + (|SH_j x| / max |SH_j x|)²)^½``, between 0.1 for its largest coefficients and 5
    for those near zero, and the next convex problem is solved. The sum of the problems is not
    convex: the certificate is the duality gap of the last one, at its weights.

    This is the penalised form. The Bregman form of the paper runs to exact data fit and must be
    stopped by hand where data are noisy; this one has no such iteration number.

    Parameters
    ----------
    strength
        ``λ`` relative to the root mean square of ``A* y``.
    variation
        ``"tgv"`` (with balance 2) or ``"tv"``.
    share
        Of the shearlets beside the variation.
    levels
        Shear levels per scale, coarsest first.
    n_reweightings
        How often the weights are renewed; 0 leaves them at 1.
    values, gap, max_iterations, rule
        As in `TotalVariation`.

    References
    ----------
    Ma and März: "A multilevel based reweighting algorithm with joint regularizers for sparse
    recovery", arXiv:1604.06941 (2016). Candès, Wakin, Boyd: "Enhancing sparsity by reweighted l1
    minimization", J. Fourier Anal. Appl. 14 (2008).

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps import FourierMap
    >>> image = torch.zeros(1, 32, 32, dtype=torch.complex64)
    >>> image[:, 8:20, 10:25] = 1
    >>> A = FourierMap(torch.ones(32, 32))
    >>> solution = ReweightedShearlets(strength=1e-3).solve(A(image), A)
    >>> bool(solution.converged), bool((solution.image - image).abs().max() < 0.05)
    (True, True)
    """

    strength: float = 2e-3
    variation: Literal["tgv", "tv"] = "tgv"
    share: float = 1.0
    levels: tuple[int, ...] = MRI_LEVELS
    n_reweightings: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "levels", checked_levels(self.levels))
        if self.variation not in ("tgv", "tv"):
            raise InputError(
                f"Expected variation to be 'tgv' or 'tv', got {self.variation!r}; 'tgv' is usual."
            )
        require_whole("n_reweightings", self.n_reweightings, at_least=0)
        require_number("share", self.share, at_least=1e-6, at_most=1e6)

    def describe(self) -> dict[str, object]:
        """Return what the record of a run says about this method."""
        return {
            **super().describe(),
            "certificate": "relative duality gap of the last reweighted problem, at its weights",
            "n_reweightings": self.n_reweightings,
        }

    @property
    def _name(self) -> str:
        return "reweighted-shearlets"

    @property
    def _penalty_name(self) -> str:
        return (
            f"{self.variation} + {self.share:g} times reweighted l1 of shearlets, "
            f"shear levels {list(self.levels)}"
        )

    @property
    def _rho_over_strength(self) -> float:
        return 8.0

    def penalty(self, shape: tuple[int, int], dtype: torch.dtype, device: torch.device) -> Penalty:
        """``K``: the variation, and beside it the shearlets."""
        joined = self.values == "complex"
        bank = shearlet_bank(shape, self.levels, dtype, device, join_parts=joined)
        if self.variation == "tgv":
            first: Penalty = slope_penalty(shape, self.values, 2.0, dtype, device)
            return Beside.create(first, bank, (2, 3))
        group = (1, 2) if joined else (1,)
        first = PeriodicDifferences.create(shape, group, dtype, device)
        return Beside.create(first, bank, (2,))

    def _solve(
        self, scaled: ScaledData, strength: Tensor | None, n_iterations: int | None
    ) -> Solution:
        """As for every method; ``n_iterations`` are those of each reweighted problem."""
        splitting = self._splitting(scaled)
        penalty = splitting.penalty
        assert isinstance(penalty, Beside)
        used = self.strength if strength is None else strength
        level = self._level(penalty, scaled.scale.new_ones(len(scaled.scale), 1, 1, 1, 1), used)
        for remaining in range(self.n_reweightings, -1, -1):
            gap = self.gap if remaining == 0 else max(self.gap, _INNER_GAP)
            stopping = self._stopping(gap, n_iterations)
            outcome = solve(splitting, Problem(target=scaled.target, level=level), stopping)
            if remaining:
                level = self._level(penalty, _weights(penalty, outcome.planes), used)
        return self._solution(outcome, scaled, used)

    def _level(self, penalty: Beside, weights: Tensor, strength: Tensor | float) -> Tensor:
        """``(B, C, 1 or R, 1 or H, 1 or W)``: λ for the variation, λ share W for the shearlets."""
        bands = weights.expand(-1, len(penalty.bank.filters), -1, -1, -1)
        variation = torch.ones_like(bands[:, :1]).expand(-1, penalty.n_channels, -1, -1, -1)
        return strength * torch.cat([variation, self.share * bands], dim=1)


def _weights(penalty: Beside, planes: Tensor) -> Tensor:
    """Weights of the next problem, differentiable in the image; largest where nothing is."""
    squares, group = penalty.bank.analyse(planes).square(), penalty.bank.group
    assert isinstance(group, Runs)
    if group.axes:
        squares = squares.sum(group.axes, keepdim=True)
    largest = squares.amax(dim=(2, 3, 4), keepdim=True)
    relative = squares / torch.where(largest > 0, largest, 1)
    return 0.1 / (0.02**2 + relative).sqrt()
