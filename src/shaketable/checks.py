"""The checks that must pass before anything is searched."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.chain import Chain
from shaketable.errors import PreflightError, ShaketableError
from shaketable.modules import layers_in_training_mode, statistics_kept
from shaketable.problem import Problem
from shaketable.real_vectors import real_parts


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check of a problem.

    Parameters
    ----------
    name
        What was checked.
    value, limit
        What was measured and what it was compared with; NaN where the check could not be made.
    passed
        None when the check was not run.
    sentence
        What the value means, and what to do when it failed.
    """

    name: str
    value: float
    limit: float
    passed: bool | None
    sentence: str


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """All checks of a problem, passed, failed and not run."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """No check failed."""
        return all(check.passed is not False for check in self.checks)

    def raise_if_failed(self) -> None:
        """Raise a `PreflightError` naming the first check that failed."""
        failed = [check for check in self.checks if check.passed is False]
        if failed:
            more = f" ({len(failed) - 1} more failed)" if len(failed) > 1 else ""
            sentence = failed[0].sentence.removesuffix(".")
            raise PreflightError(f"Check '{failed[0].name}' failed: {sentence}{more}.")


_SMALL = 1e-2  # size, relative to the image, of the perturbations that the checks use


def preflight(problem: Problem, images: Tensor, *, seed: int = 0) -> CheckReport:
    """Check that a problem can be tested at all.

    Shapes, dtype, finite output, evaluation mode, determinism, independence of the batch, response
    near the image, quality better than no reconstruction, and the gradient through the whole chain
    ``r -> f(A(x + r))`` against central finite differences.

    Parameters
    ----------
    problem
        What is tested.
    images
        ``(B, *image_shape)``; the first two are used.
    seed
        Seeds the random directions.

    Returns
    -------
    CheckReport
        Every check with its value and limit; ``raise_if_failed()`` turns failures into an error.

    Raises
    ------
    ShapeError, InputError
        If the images do not fit the problem.

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps import FourierMap
    >>> A = FourierMap(torch.ones(8, 8))
    >>> problem = Problem(forward=A, reconstruct=lambda y, A: A.adjoint(y))
    >>> preflight(problem, torch.rand(2, 8, 8)).passed
    True
    """
    images = problem.prepare(images[:2])
    with statistics_kept(problem.reconstruct):
        return CheckReport(checks=tuple(_sequence(problem, images, seed)))


def _sequence(problem: Problem, images: Tensor, seed: int) -> Iterator[Check]:
    """Run the checks in order; those that need a sane output are skipped without one."""
    yield _evaluation_mode(problem)
    try:
        with torch.no_grad():
            chain = Chain.of(problem, images[:1], "image")
            output = chain.evaluate()
    except ShaketableError:
        raise
    except Exception as error:
        yield _raised("shape", error, "the data of the first image")
        return
    shape = _shape(chain, output)
    yield shape
    if not shape.passed:
        return
    yield _dtype(problem, output)
    finite = _finite(output)
    yield finite
    direction = _direction(chain.images, seed)
    rest: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("deterministic", lambda: _deterministic(chain, output)),
        ("batch independence", lambda: _batch_independence(problem, images, output)),
        ("response near the image", lambda: _response(chain, output, direction)),
        ("better than the zero image", lambda: _useful(chain, output)),
        ("gradient", lambda: _gradient(chain, output, direction)),
    )
    for name, measure in rest:
        if not finite.passed:
            yield _not_run(name, "the output is not finite")
        elif name == "gradient" and not problem.differentiable:
            yield _not_run(name, "the reconstructor is declared a black box")
        else:
            yield _measured(name, measure)


def _direction(image: Tensor, seed: int) -> Tensor:
    """A random perturbation of small size."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(image.shape, generator=generator, dtype=image.dtype).to(image.device)
    return noise * (_SMALL * _norm(image) / _norm(noise))


def _measured(name: str, measure: Callable[[], Check]) -> Check:
    """The check; a failed one where the reconstructor raises what it did not raise before."""
    try:
        return measure()
    except ShaketableError:
        raise
    except Exception as error:
        asked = "a batch of two images" if name == "batch independence" else "perturbed data"
        return _raised(name, error, asked)


def _raised(name: str, error: Exception, asked: str) -> Check:
    return Check(
        name=name,
        value=math.nan,
        limit=math.nan,
        passed=False,
        sentence=f"Expected a reconstruction of {asked}, got {type(error).__name__} "
        f"({str(error).splitlines()[0] if str(error) else 'no message'}); call f(y, A) on it yourself "
        "to see why.",
    )


def _not_run(name: str, reason: str) -> Check:
    return Check(
        name=name, value=math.nan, limit=math.nan, passed=None, sentence=f"Not run: {reason}."
    )


def _shape(chain: Chain, output: object) -> Check:
    if not isinstance(output, Tensor):
        return Check(
            name="shape",
            value=math.nan,
            limit=0.0,
            passed=False,
            sentence=f"Expected f(y, A) to return a tensor, got "
            f"{type(output).__name__}; convert the result.",
        )
    expected, got = tuple(chain.images.shape), tuple(output.shape)
    differing = float(sum(a != b for a, b in zip(expected, got, strict=False)))
    differing += abs(len(expected) - len(got))
    sentence = (
        f"The reconstruction has the image's shape {expected}."
        if differing == 0
        else f"Expected a reconstruction of shape {expected}, got {got}; "
        "return (B, *image_shape), complex as one complex tensor."
    )
    return Check(name="shape", value=differing, limit=0.0, passed=differing == 0, sentence=sentence)


def _dtype(problem: Problem, output: Tensor) -> Check:
    wanted = "real floating-point" if problem.real else "floating-point or complex"
    fits = output.is_floating_point() or (output.is_complex() and not problem.real)
    sentence = (
        f"The reconstruction is {output.dtype}."
        if fits
        else f"Expected a {wanted} reconstruction, got {output.dtype}; convert it, or set real=False."
    )
    return Check(name="dtype", value=float(not fits), limit=0.0, passed=fits, sentence=sentence)


def _finite(output: Tensor) -> Check:
    share = float((~torch.isfinite(real_parts(output))).double().mean())
    sentence = (
        "Every value of the reconstruction is finite."
        if share == 0
        else f"Expected a finite reconstruction, got NaN or infinity in {share:.1%} of the values; "
        "find the layer that makes them before testing stability."
    )
    return Check(name="finite output", value=share, limit=0.0, passed=share == 0, sentence=sentence)


def _evaluation_mode(problem: Problem) -> Check:
    training = layers_in_training_mode(problem.reconstruct)
    sentence = (
        "No layer that behaves differently in training is in training mode."
        if not training
        else f"Expected evaluation mode, got {len(training)} layers in training mode "
        f"({training[0]} first); call .eval() on the network."
    )
    return Check(
        name="evaluation mode",
        value=float(len(training)),
        limit=0.0,
        passed=not training,
        sentence=sentence,
    )


def _deterministic(chain: Chain, output: Tensor) -> Check:
    limit = 1e-5
    with torch.no_grad():
        again = Chain.of(chain.problem, chain.images, "image")  # a map may add noise, too
        value = _relative(again.evaluate() - output, output)
    return Check(
        name="deterministic",
        value=value,
        limit=limit,
        passed=value <= limit,
        sentence="Two calls on the same data give the same image."
        if value <= limit
        else f"Expected the same image from two calls on the same data, got a relative difference "
        f"of {value:.2g} (limit {limit:.0e}); switch dropout and sampling off or fix their seed.",
    )


def _batch_independence(problem: Problem, images: Tensor, output: Tensor) -> Check:
    limit = 1e-3
    neighbour = images[1:2] if len(images) > 1 else 0.5 * images[:1].flip(-1)
    both = torch.cat([images[:1], neighbour])
    with torch.no_grad():
        together = Chain.of(problem, both, "image").evaluate()
    if together.shape != both.shape:
        value = math.inf
    else:
        value = _relative(together[:1] - output, output)
    return Check(
        name="batch independence",
        value=value,
        limit=limit,
        passed=value <= limit,
        sentence="An image's reconstruction does not depend on its neighbours in the batch."
        if value <= limit
        else f"Expected an image's reconstruction not to depend on its neighbours in the batch, got "
        f"a relative difference of {value:.2g} (limit {limit:.0e}); batch normalisation in training "
        "mode does this: call .eval().",
    )


def _response(chain: Chain, output: Tensor, direction: Tensor) -> Check:
    limit = 1e-6
    with torch.no_grad():
        value = _norm(chain.evaluate(direction) - output) / _norm(direction)
    passed = math.isfinite(value) and value >= limit
    return Check(
        name="response near the image",
        value=value,
        limit=limit,
        passed=passed,
        sentence=f"A random perturbation of {_SMALL:.0%} changes the reconstruction; amplification "
        f"{value:.3g}."
        if passed
        else f"Expected the reconstruction to respond to a random perturbation of {_SMALL:.0%}, got "
        f"an amplification of {value:.2g} (at least {limit:.0e} needed); a constant reconstructor "
        "is perfectly stable and useless.",
    )


def _useful(chain: Chain, output: Tensor) -> Check:
    value = _relative(output - chain.images, chain.images)
    return Check(
        name="better than the zero image",
        value=value,
        limit=1.0,
        passed=value < 1.0,
        sentence=f"The clean reconstruction has a relative error of {value:.3g}."
        if value < 1.0
        else f"Expected a relative error below 1, the error of an empty image, got {value:.3g}; check "
        "scaling, weights and the sampling the network was trained for.",
    )


def _gradient(chain: Chain, output: Tensor, direction: Tensor) -> Check:
    """Directional derivative of ⟨w, f(A(x + r))⟩ at r = d along d: autograd against differences.

    w is the response to d, so that the derivative is not small by accident. The smallest gap over
    several step sizes counts: large steps meet kinks, small ones rounding.
    """
    name, limit = "gradient", 5e-2
    with torch.no_grad():
        weights = chain.evaluate(direction) - output
    if _norm(weights) == 0:
        return _not_run(name, "the reconstruction does not respond to a perturbation")
    weights = weights / _norm(weights)
    point = direction.clone().requires_grad_()
    try:
        (gradient,) = torch.autograd.grad(_real_dot(weights, chain.evaluate(point)), point)
    except (RuntimeError, TypeError) as error:  # TypeError: NumPy was given a tensor with gradient
        return Check(
            name=name,
            value=math.nan,
            limit=limit,
            passed=False,
            sentence="Expected f(A(x + r)) to be differentiable, got an error from autograd "
            f"({str(error).splitlines()[0]}); remove detach() and NumPy calls, or set "
            "differentiable=False.",
        )
    analytic = float(_real_dot(gradient, direction))
    if not math.isfinite(analytic):
        return Check(
            name=name,
            value=math.nan,
            limit=limit,
            passed=False,
            sentence="Expected a finite gradient of f(A(x + r)), got NaN or infinity although the "
            "reconstruction is finite; look for a root, a logarithm or a division at zero.",
        )
    gaps = []
    for step in (3e-1, 1e-1, 3e-2, 1e-2):
        with torch.no_grad():
            ahead = _real_dot(weights, chain.evaluate((1 + step) * direction))
            behind = _real_dot(weights, chain.evaluate((1 - step) * direction))
        numeric = float(ahead - behind) / (2 * step)
        gaps.append(abs(analytic - numeric) / max(abs(analytic), abs(numeric), 1e-300))
    value = min(gaps)
    return Check(
        name=name,
        value=value,
        limit=limit,
        passed=value <= limit,
        sentence="The gradient through forward map and reconstructor agrees with finite differences."
        if value <= limit
        else f"Expected the gradient of f(A(x + r)) to agree with finite differences to {limit:.0%}, "
        f"got a gap of {value:.0%}; some part of the chain is cut off (detach, no_grad, a data "
        "consistency layer outside autograd).",
    )


def _real_dot(a: Tensor, b: Tensor) -> Tensor:
    """Re⟨a, b⟩ over everything, in double precision."""
    wide = torch.complex128 if a.is_complex() or b.is_complex() else torch.float64
    return (a.to(wide).conj() * b.to(wide)).sum().real


def _norm(x: Tensor) -> float:
    return float(torch.linalg.vector_norm(x.detach().to(torch.complex128)))


def _relative(difference: Tensor, reference: Tensor) -> float:
    return _norm(difference) / max(_norm(reference), 1e-300)
