"""Choose the strength by the noise level: the discrepancy principle.

For a penalty ``R`` the solutions of

    min_x R(x)  subject to  ‖A x - y‖₂ <= σ        and        min_x 1/2 ‖A x - y‖² + λ R(x)

are the same for the ``λ`` at which the second leaves the residual ``σ``; the residual grows with
``λ``. So the constrained problem is solved by a search for that ``λ``. Its certificate follows from
the other's: every feasible ``x'`` has ``λ R(x') >= P (1 - gap) - σ²/2`` with ``P`` the penalised
objective. The derivative follows ``λ`` along the curve on which the residual is ``σ`` (implicit
function theorem), through two exact unrolled derivatives.

References
----------
van den Berg and Friedlander: "Probing the Pareto frontier for basis pursuit solutions", SIAM J.
Sci. Comput. 31 (2008). Morozov: "On the solution of functional equations by the method of
regularization", Soviet Math. Dokl. 7 (1966).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor
from torch.autograd import forward_ad

from shaketable.errors import InputError
from shaketable.protocols import ForwardMap
from shaketable.settings import require_number
from shaketable.sparse.method import LARGEST_STRENGTH, SparseMethod, checked_data
from shaketable.sparse.reweighted_shearlets import ReweightedShearlets
from shaketable.sparse.solution import NotConvergedWarning, Solution

_N_TRIED = 40
_N_SECANTS = 12
_ROUGH = 0.02

_NEARLY_FLAT = 4.0
"""Times the longer side: a strength that leaves hardly more than what the penalty does not see."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Search:
    """The strength that was found, and with what.

    Parameters
    ----------
    method
        The method whose splitting is used.
    strength
        ``λ`` in its relative unit.
    n_iterations, n_in_all
        Those of one solution, and those of all.
    active
        Whether the residual reaches the noise level; else the largest strength leaves less.
    """

    method: SparseMethod
    strength: float
    n_iterations: int
    n_in_all: int
    active: bool = True


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
        if forward.sampled is not None:
            data = data * forward.sampled.to(data.device)
        # A power of two changes no digit, and keeps squares of very large or small data in range.
        peak = data.detach().abs().amax().to(torch.float64)
        unit = float(torch.exp2(torch.where(peak > 0, peak, 1).log2().floor()))
        solution = self._in_range(data / unit, forward)
        return replace(
            solution,
            image=solution.image * unit,
            objective=solution.objective * unit,
            strength=solution.strength * unit,
        )

    def _in_range(self, data: Tensor, forward: ForwardMap) -> Solution:
        with torch.no_grad():
            search = self._search(data.detach(), forward)
        strong = torch.tensor(search.strength, dtype=data.real.dtype, device=data.device)
        if search.active and _is_followed(data):
            strong = self._following(search, data, forward, strong)
        solution = self._fixed(search, data, forward, strong)
        if not search.active:
            flat = _unseen_part(solution.image, search.method)
            if bool(_relative_residual(flat.detach(), data.detach(), forward) <= self.noise):
                return _flat(solution, flat, search)
        return self._certified(solution, data.detach(), forward, search)

    def _at(self, strength: float) -> SparseMethod:
        # The penalised problem is solved finer, so that the gap is left for the residual.
        return replace(self.method, strength=strength, gap=min(self.method.gap, self.gap / 5))

    def _fixed(
        self, search: _Search, data: Tensor, forward: ForwardMap, strength: Tensor
    ) -> Solution:
        """Solve at a strength with the splitting and the number of iterations of the search."""
        scaled = search.method._scaled(data, forward)
        return search.method._solve(scaled, strength, search.n_iterations)

    def _search(self, data: Tensor, forward: ForwardMap) -> _Search:
        """Find the strength whose residual is the noise level, in two stages.

        First roughly, with certificates. They decide the splitting, whose strength is rounded, and
        the number of iterations; with both fixed the residual is smooth, and the second stage
        follows it to the last digits. So the strength found has the derivative of `_following`.
        """
        rough, total, active = self._rough_search(data, forward)
        rounded = self._at(2.0 ** (round(4 * math.log2(rough)) / 4))
        strength = torch.tensor(rough, dtype=data.real.dtype, device=data.device)
        first = rounded._solve(rounded._scaled(data, forward), strength)
        n_iterations = min(math.ceil(1.1 * int(first.n_iterations)), self.method.max_iterations)
        search = _Search(
            method=rounded, strength=rough, n_iterations=n_iterations,
            n_in_all=total + n_iterations, active=active,
        )  # fmt: skip
        if not active:
            return search
        # Images on the way need no proof.
        unproven = replace(search, method=replace(rounded, gap=1e9))
        digits = 1e-11 if data.real.dtype == torch.float64 else 1e-5

        def distance(logarithm: float) -> float:
            here = torch.full_like(strength, math.exp(logarithm))
            residual = _relative_residual(
                self._fixed(unproven, data, forward, here).image, data, forward
            )
            return math.log(max(float(residual), 1e-300) / self.noise)

        found, n_tried = _root(distance, math.log(rough), digits)
        return replace(
            search, strength=math.exp(found), n_in_all=search.n_in_all + n_tried * n_iterations
        )

    def _rough_search(self, data: Tensor, forward: ForwardMap) -> tuple[float, int, bool]:
        """A strength whose residual is within `_ROUGH` of the noise level, and the iterations.

        And whether there is one: images that the penalty does not see may fit well enough.
        """
        low, high, strength, total = 0.0, math.inf, self.method.strength, 0
        before, exponent = None, 1.0
        largest = min(_NEARLY_FLAT * max(forward.image_shape), LARGEST_STRENGTH)
        for _ in range(_N_TRIED):
            solution = self._at(strength).solve(data, forward)
            total += int(solution.n_iterations)
            residual = float(_relative_residual(solution.image, data, forward))
            flat = _unseen_part(solution.image, self.method)
            # Clearly, because the flat image of other iterations is another one.
            if float(_relative_residual(flat, data, forward)) <= (1 - 1e-3) * self.noise:
                return strength, total, False
            if abs(residual / self.noise - 1) <= _ROUGH or residual == 0:
                break
            if residual < self.noise:
                if strength == largest:
                    return strength, total, False
                low = strength
            else:
                high = strength
            # The residual is nearly a power of the strength; its exponent from the last two.
            here = (math.log(strength), math.log(max(residual, 1e-12)))
            if before is not None and here[0] != before[0]:
                exponent = (here[1] - before[1]) / (here[0] - before[0])
            before = here
            step = (math.log(self.noise) - here[1]) / min(max(exponent, 0.1), 2.0)
            strength = min(strength * math.exp(min(max(step, -2.3), 2.3)), largest)
            if low and math.isfinite(high) and not low < strength < high:
                strength = math.sqrt(low * high)
        return strength, total, True

    def _following(
        self, search: _Search, data: Tensor, forward: ForwardMap, strength: Tensor
    ) -> Tensor:
        """The strength with the derivative that keeps the residual at the noise level."""
        leaf = _leaf(strength)
        if data.requires_grad and leaf is not None:
            excess = _relative_residual(
                self._fixed(search, data, forward, leaf).image, data, forward
            )
            (slope,) = torch.autograd.grad(excess.sum(), leaf, retain_graph=True)
        else:
            slope = self._slope(search, data.detach(), forward, strength)
            image = self._fixed(search, data, forward, strength).image
            excess = _relative_residual(image, data, forward)
        moved = (excess - excess.detach()).sum() / torch.where(slope == 0, 1, slope)
        return strength - moved

    def _slope(
        self, search: _Search, data: Tensor, forward: ForwardMap, strength: Tensor
    ) -> Tensor:
        """Derivative of the residual in the strength, where the data keep no graph of their own."""

        def residual(here: Tensor) -> Tensor:
            image = self._fixed(search, data, forward, here).image
            return _relative_residual(image, data, forward).sum()

        leaf = _leaf(strength)
        if leaf is None:
            along = torch.func.jvp(residual, (strength,), (torch.ones_like(strength),))
            tangent: Tensor = along[1]
            return tangent
        with torch.enable_grad():
            return torch.autograd.grad(residual(leaf), leaf)[0]

    def _certified(
        self, solution: Solution, data: Tensor, forward: ForwardMap, search: _Search
    ) -> Solution:
        residual = _relative_residual(solution.image.detach(), data, forward).to(torch.float64)
        norm = data.abs().to(torch.float64).square().sum().sqrt()
        left = (residual * norm).square() / 2
        allowed = (self.noise * norm).square() / 2
        slack = (allowed - left).clamp(min=0)
        size = (solution.objective - left).clamp(min=torch.finfo(torch.float64).tiny)
        gap = (solution.objective * solution.gap + slack) / size
        # Rounding apart: the search ends on either side of the noise level.
        feasible = residual <= self.noise * (1 + 1e-4)
        empty = norm == 0
        gap = torch.where(empty, 0.0, torch.where(feasible, gap, torch.inf))
        return replace(
            solution,
            gap=gap,
            objective=(solution.objective - left).clamp(min=0) / solution.strength,
            n_iterations=torch.full_like(solution.n_iterations, search.n_in_all),
            converged=gap <= self.gap,
        )


def _flat(solution: Solution, image: Tensor, search: _Search) -> Solution:
    """An image that the penalty does not see and that fits: no ``R`` is smaller than its 0."""
    return replace(
        solution,
        image=image,
        gap=torch.zeros_like(solution.gap),
        objective=torch.zeros_like(solution.objective),
        n_iterations=torch.full_like(solution.n_iterations, search.n_in_all),
        converged=torch.ones_like(solution.converged),
    )


def _unseen_part(image: Tensor, method: SparseMethod) -> Tensor:
    """The part of an image of which ``K`` is zero: constants, or what no penalised band holds."""
    height, width = image.shape[-2:]
    eigenvalues = method._penalty((height, width), image.real.dtype, image.device).eigenvalues
    own = eigenvalues if eigenvalues.ndim == 2 else eigenvalues[..., 0, 0]
    part: Tensor = torch.fft.ifft2(torch.fft.fft2(image) * (own.abs() < 1e-12))
    return part if image.is_complex() else part.real


def _is_followed(data: Tensor) -> bool:
    """Derivatives in the data are asked for, in reverse or in forward mode."""
    reverse = torch.is_grad_enabled() and data.requires_grad
    dual = forward_ad.unpack_dual(data)  # type: ignore[no-untyped-call]
    return reverse or dual.tangent is not None


def _leaf(strength: Tensor) -> Tensor | None:
    """To differentiate in; None inside `torch.func`, where nothing may require a gradient."""
    try:
        return strength.clone().requires_grad_()
    except RuntimeError:
        return None


def _root(distance: Callable[[float], float], start: float, digits: float) -> tuple[float, int]:
    """Where an increasing function of slope about 1 is zero, and how often it was asked: secants."""
    here, value = start, distance(start)
    best, smallest, slope = here, abs(value), 1.0
    for number in range(1, _N_SECANTS):
        if smallest <= digits:
            return best, number
        before, there = here, value
        here = before - min(max(value / slope, -1.0), 1.0)
        value = distance(here)
        if here != before and value != there:
            slope = min(max((value - there) / (here - before), 0.05), 5.0)
        if abs(value) < smallest:
            best, smallest = here, abs(value)
    return best, _N_SECANTS


def _relative_residual(image: Tensor, data: Tensor, forward: ForwardMap) -> Tensor:
    """``(1,)``: ``‖A x - y‖ / ‖y‖`` over sampled positions; 0 for data of zeros."""
    if forward.sampled is not None:
        data = data * forward.sampled.to(data.device)
    norm = torch.linalg.vector_norm(data.flatten(1), dim=1)
    residual: Tensor = torch.linalg.vector_norm((forward(image) - data).flatten(1), dim=1)
    relative: Tensor = residual / torch.where(norm > 0, norm, 1)
    return relative
