"""Choose the strength by the noise level: the discrepancy principle.

For a penalty ``R`` the solutions of

    min_x R(x)  subject to  ‖A x - y‖₂ <= σ        and        min_x 1/2 ‖A x - y‖² + λ R(x)

are the same for the ``λ`` at which the second leaves the residual ``σ``; the residual grows with
``λ``. So the constrained problem is solved by a search for that ``λ``. Its certificate follows from
the other's: every feasible ``x'`` has ``λ R(x') >= P (1 - gap) - σ²/2`` with ``P`` the penalised
objective. The derivative follows ``λ`` along the curve on which the residual is ``σ``.

References
----------
van den Berg and Friedlander: "Probing the Pareto frontier for basis pursuit solutions", SIAM J.
Sci. Comput. 31 (2008). Morozov: "On the solution of functional equations by the method of
regularization", Soviet Math. Dokl. 7 (1966).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.protocols import ForwardMap
from shaketable.settings import require_number
from shaketable.sparse.method import SparseMethod, checked_data
from shaketable.sparse.per_image import power_of_two
from shaketable.sparse.reweighted_shearlets import ReweightedShearlets
from shaketable.sparse.roots import differentiable_root
from shaketable.sparse.solution import NotConvergedWarning, Solution
from shaketable.sparse.strength_search import find_strength, relative_residual


@dataclass(frozen=True, kw_only=True)
class AtNoiseLevel:
    """A convex method in constrained form: ``min_x R(x)`` subject to ``‖A x - y‖ <= noise ‖y‖``.

    A reconstructor like the method itself. The result's ``objective`` is ``R(x)``, its ``gap`` that
    of the constrained problem, its ``strength`` the ``λ`` found.

    Parameters
    ----------
    method
        Gives ``R``, the kind of values and the solver; its strength is where the search starts.
    noise
        ``σ / ‖y‖₂``, over sampled positions; between 0 and 1.
    gap
        The relative gap of the constrained problem to reach.

    Raises
    ------
    InputError
        If the noise is not between 0 and 1, the gap not positive or the method not convex.

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps import FourierMap
    >>> from shaketable.sparse import TotalVariation
    >>> image = torch.zeros(1, 32, 32, dtype=torch.complex64)
    >>> image[:, 8:20, 10:25] = 1
    >>> A = FourierMap(torch.ones(32, 32))
    >>> found = AtNoiseLevel(method=TotalVariation(), noise=0.05).solve(A(image), A)
    >>> residual = (A(found.image) - A(image)).norm() / image.norm()
    >>> bool(found.converged), bool((residual - 0.05).abs() < 1e-3)
    (True, True)
    """

    method: SparseMethod
    noise: float
    gap: float = 5e-3

    def __post_init__(self) -> None:
        require_number("noise", self.noise, above=0, below=1)
        require_number("gap", self.gap, above=0)
        if not isinstance(self.method, SparseMethod) or isinstance(
            self.method, ReweightedShearlets
        ):
            raise InputError(
                f"Expected a convex sparse method, got {type(self.method).__name__}; "
                "TotalVariation() is one, and reweighted shearlets are calibrated instead."
            )

    def __call__(self, data: Tensor, forward: ForwardMap, /) -> Tensor:
        """Data and forward map -> image, differentiable in the data in both modes.

        Warns
        -----
        NotConvergedWarning
            If the certificate of an image did not reach the gap.
        """
        solution = self.solve(data, forward)
        if not bool(solution.converged.all()):
            warnings.warn(
                f"Expected a relative gap of {self.gap:g} at the noise level {self.noise:g}, got "
                f"{float(solution.gap.max()):.2g}; raise the noise level, max_iterations or gap.",
                NotConvergedWarning,
                stacklevel=2,
            )
        return solution.image

    def solve(self, data: Tensor, forward: ForwardMap) -> Solution:
        """Return the images with their certificates; each image is searched on its own.

        Raises
        ------
        InputError, ShapeError
            As for `SparseMethod.solve`.
        """
        data = checked_data(data, forward)
        found = [self._one(data[k : k + 1], forward) for k in range(len(data))]
        return Solution(
            **{f.name: torch.cat([getattr(one, f.name) for one in found]) for f in fields(Solution)}
        )

    def describe(self) -> dict[str, object]:
        """Return what the record of a run says about this method."""
        return {
            **self.method.describe(),
            "problem": "min_x R(x) subject to |A x - y| <= noise |y|",
            "noise": self.noise,
            "strength": "by the discrepancy principle, per image",
            "lambda": "where the residual is the noise level",
            "rule": f"discrepancy principle at the stated noise level of {self.noise:g} of |y|",
            "gap": self.gap,
            "certificate": "relative duality gap of the constrained problem",
            "derivative": "implicit in lambda, exact through every iteration evaluated",
        }

    def _one(self, data: Tensor, forward: ForwardMap) -> Solution:
        """One image, in a unit in which no square of its data leaves the range of their precision."""
        if forward.sampled is not None:
            data = data * forward.sampled.to(data.device)
        unit = float(power_of_two(data))
        solution = self._in_range(data / unit, forward)
        return replace(
            solution,
            image=solution.image * unit,
            objective=solution.objective * unit,
            strength=solution.strength * unit,
        )

    def _in_range(self, data: Tensor, forward: ForwardMap) -> Solution:
        """Search the strength, give it its derivative, solve and certify."""
        # The penalised problem is solved finer, so that the gap is left for the residual.
        finer = replace(self.method, gap=min(self.method.gap, self.gap / 5))
        with torch.no_grad():
            found = find_strength(finer, data.detach(), forward, self.noise)

        def residual(strength: Tensor, data: Tensor) -> Tensor:
            return relative_residual(found.solve(strength, data, forward).image, data, forward)

        strength = torch.tensor(found.strength, dtype=data.real.dtype, device=data.device)
        if found.reached:
            strength = differentiable_root(residual, strength, data)
        solution = found.solve(strength, data, forward)
        solution = replace(
            solution, n_iterations=torch.full_like(solution.n_iterations, found.n_in_all)
        )
        if not found.reached:
            flat = found.method.null_space_part(solution.image)
            if bool(relative_residual(flat.detach(), data.detach(), forward) <= self.noise):
                # No R is smaller than its 0: that the image fits is the proof.
                zero = torch.zeros_like(solution.gap)
                return replace(solution, image=flat, gap=zero, objective=zero, converged=zero == 0)
        return self._certified(solution, data.detach(), forward)

    def _certified(self, solution: Solution, data: Tensor, forward: ForwardMap) -> Solution:
        """With the certificate of the constrained problem, from that of the penalised one."""
        residual = relative_residual(solution.image.detach(), data, forward).to(torch.float64)
        norm = data.abs().to(torch.float64).square().sum().sqrt()
        left = (residual * norm).square() / 2
        allowed = (self.noise * norm).square() / 2
        slack = (allowed - left).clamp(min=0)
        size = (solution.objective - left).clamp(min=torch.finfo(torch.float64).tiny)
        gap = (solution.objective * solution.gap + slack) / size
        # Rounding apart: the search ends on either side of the noise level.
        feasible = residual <= self.noise * (1 + 1e-4)
        gap = torch.where(norm == 0, 0.0, torch.where(feasible, gap, torch.inf))
        return replace(
            solution,
            gap=gap,
            objective=(solution.objective - left).clamp(min=0) / solution.strength,
            converged=gap <= self.gap,
        )
