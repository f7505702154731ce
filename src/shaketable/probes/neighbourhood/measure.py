"""Shake a worst case: add random noise of a stated size and count what keeps the artefact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import torch
from torch import Tensor

from shaketable.probes.neighbourhood.record import NeighbourhoodRecord
from shaketable.probes.probe import Array, Case, Method, Outcome, array, number
from shaketable.search import Finding, Search, Status, Step, respond, worst_case
from shaketable.statistics import share_interval

_SEARCHING = 0.3  # share of the progress that the search is


def measure(
    case: Case, *, radius: float, search: Search, planned: Sequence[tuple[float, int]],
    keeps: float,
) -> Outcome:  # fmt: skip
    """Search a worst case, then count for every size of noise the draws that keep its artefact.

    Parameters
    ----------
    case
        The method and the image.
    radius, search, keeps
        As `shaketable.Neighbourhood` has them.
    planned
        ``(noise ratio, number of draws)``.
    """
    finding = _searched(case, radius, search)
    records: list[NeighbourhoodRecord] = []
    noisy: list[Array] = []
    done, total = 0, sum(n_draws for _, n_draws in planned)
    for noise_ratio, n_draws in planned:
        kept = 0
        for draw, output in enumerate(islice(_outputs(case, finding, noise_ratio), n_draws)):
            kept += _keeps(finding, output, keeps)
            noisy += [array(output[0])] if draw == 0 else []
            done += 1
            share = _SEARCHING + (1 - _SEARCHING) * done / total
            case.on_progress(f"shaking {case.method.name}", share)
        records.append(_record(finding, radius, noise_ratio, kept, n_draws))
    base = f"methods/{case.method.name}"
    arrays = {
        "image": array(case.image[0]),
        f"{base}/clean": array(finding.clean[0]),
        f"{base}/perturbation": array(finding.perturbation[0]),
        f"{base}/perturbed": array(finding.reconstruction[0]),
        f"{base}/noisy": noisy[0],
    }
    for (noise_ratio, _), picture in zip(planned[1:], noisy[1:], strict=True):
        arrays[f"{base}/noisy at {noise_ratio:g}"] = picture
    return Outcome(records=tuple(records), arrays=arrays)


def _searched(case: Case, radius: float, search: Search) -> Finding:
    """The worst case: the first third of the work."""

    def on_step(step: Step) -> None:
        share = _SEARCHING * step.iteration / step.n_iterations
        case.on_progress(f"searching {case.method.name}", share)

    finding = worst_case(
        case.method.problem, case.image, radius=radius, search=search, seed=case.seed,
        on_step=on_step,
    )  # fmt: skip
    if finding.status[0] is Status.INTERRUPTED:
        raise KeyboardInterrupt
    return finding


def _record(
    finding: Finding, radius: float, noise_ratio: float, kept: int, n_draws: int
) -> NeighbourhoodRecord:
    interval = share_interval(kept, n_draws)
    return NeighbourhoodRecord(
        radius=radius,
        noise_ratio=noise_ratio,
        n_draws=n_draws,
        n_persisting=kept,
        interval=(interval.low, interval.high),
        error=number(finding.error[0]),
        status=str(finding.status[0]),
        n_gradients=int(finding.n_gradients[0]),
        seed=finding.seed,
    )


def _outputs(case: Case, finding: Finding, noise_ratio: float) -> Iterator[Tensor]:
    """Reconstructions of ``x + r + v``, one draw of ``v`` after the other, without end."""
    perturbation = finding.perturbation
    size = noise_ratio * float(torch.linalg.vector_norm(perturbation))
    generator = torch.Generator().manual_seed(case.seed)
    while True:
        noise = _noise(case.method, case.image, generator, size)
        yield respond(case.method.problem, case.image, perturbation + noise, domain="image")


def _keeps(finding: Finding, output: Tensor, share: float) -> bool:
    """Whether enough of the artefact is left; of no artefact there is not."""
    artefact = finding.reconstruction - finding.clean
    energy = float((artefact.conj() * artefact).real.sum())
    left = float((artefact.conj() * (output - finding.clean)).real.sum())
    return energy > 0 and left / max(energy, 1e-300) >= share


def _noise(method: Method, image: Tensor, generator: torch.Generator, size: float) -> Tensor:
    """Gaussian data noise taken to the image by the adjoint and scaled to a norm."""
    A = method.problem.forward
    with torch.no_grad():
        like = A(image)
        e = torch.randn(like.shape, generator=generator, dtype=like.dtype).to(like.device)
        v = A.adjoint(e if A.sampled is None else e * A.sampled.to(e.device))
    v = v.real if method.problem.real and v.is_complex() else v
    return v * (size / float(torch.linalg.vector_norm(v)))
