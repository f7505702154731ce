"""What a search returns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

import torch
from torch import Tensor

from shaketable.chain import Domain
from shaketable.search.vectors import per_image

Method = Literal["gradients", "no gradients"]


class Status(StrEnum):
    """How a search ended for one image. Only ``found`` supports a statement about stability."""

    FOUND = "found"
    STUCK = "stuck"
    NOT_FINITE = "not finite"
    NO_RESPONSE = "no response"
    BUDGET_SPENT = "budget spent"
    INTERRUPTED = "interrupted"

    @property
    def sentence(self) -> str:
        """What the status means, for reports."""
        return _SENTENCES[self]


_SENTENCES = {
    Status.FOUND: "The search ran to its end; the damage is a lower bound on the worst case.",
    Status.STUCK: "The gradient was exactly zero and the search never moved; this says nothing "
    "about stability.",
    Status.NOT_FINITE: "The reconstruction or its gradient became NaN or infinite.",
    Status.NO_RESPONSE: "No perturbation that was tried changed the reconstruction at all.",
    Status.BUDGET_SPENT: "The budget ended before the search did; the damage is a lower bound that "
    "more gradients would raise.",
    Status.INTERRUPTED: "The search was interrupted; the damage is what had been found by then.",
}


@dataclass(frozen=True, kw_only=True, repr=False)
class Finding:
    """The worst perturbation that a search found, image by image.

    Parameters
    ----------
    perturbation
        ``(B, *image_shape)`` in the image domain, ``(B, *data_shape)`` in the data domain.
    domain
        Where the perturbation is added.
    radius
        ``(B,)`` largest allowed norm relative to the image's (the data's) norm.
    perturbation_norm
        ``(B,)`` norm of the perturbation, float64.
    error
        ``(B,)`` ``‖f(A(x + r)) - f(A x)‖₂`` or ``‖f(y + e) - f(y)‖₂``, float64. A lower bound on
        the worst case.
    damage
        ``(B,)`` value of the objective that was climbed, float64; the error unless another
        objective was chosen.
    status
        How the search ended, per image.
    n_gradients
        ``(B,)`` gradients spent per image, products with the Jacobian included at their cost.
    trace
        ``(B, n)`` damage at every point whose gradient was taken, start by start; NaN after an
        image's end.
    local_gain
        ``(B,)`` largest amplification of infinitesimal perturbations, ``σ₁`` of the Jacobian at
        r = 0, as found by six steps of Lanczos: a lower bound, usually within two percent and up to a
        tenth below where many directions are amplified alike; NaN where it was not computed. float64.
    reconstruction, clean
        ``(B, *image_shape)`` the reconstructions with and without the perturbation.
    seed
        What the random starts were derived from.
    method
        What kind of search found it: ``"gradients"``, or ``"no gradients"`` for a lower bound
        that a search of a black box found.
    n_queries
        ``(B,)`` reconstructions asked for per image by a search without gradients, int64; None
        where gradients were used.
    """

    perturbation: Tensor
    domain: Domain
    radius: Tensor
    perturbation_norm: Tensor
    error: Tensor
    damage: Tensor
    status: tuple[Status, ...]
    n_gradients: Tensor
    trace: Tensor
    local_gain: Tensor
    reconstruction: Tensor
    clean: Tensor
    seed: int
    method: Method = "gradients"
    n_queries: Tensor | None = None

    @property
    def amplification(self) -> Tensor:
        """``(B,)`` error / ‖perturbation‖₂; zero where the perturbation is zero."""
        norm = self.perturbation_norm
        return torch.where(norm > 0, self.error / norm.clamp_min(1e-300), torch.zeros_like(norm))

    def __repr__(self) -> str:
        """One line per image: size, amplification, how the search ended."""
        lines = (f"{size:.3g} of the {self.domain}, amplification {gain:.3g}, {status}"
                 for size, gain, status in self._rows())  # fmt: skip
        return f"Finding({'; '.join(lines)})"

    def _repr_html_(self) -> str:
        """A table for notebooks, one row per image."""
        head = "<tr><th>image</th><th>radius</th><th>amplification</th><th>status</th></tr>"
        rows = "".join(
            f"<tr><td>{index}</td><td>{size:.3g}</td><td>{gain:.3g}</td><td>{status}</td></tr>"
            for index, (size, gain, status) in enumerate(self._rows())
        )
        return f"<table>{head}{rows}</table>"

    def _rows(self) -> list[tuple[float, float, str]]:
        radii, gains = self.radius.tolist(), self.amplification.tolist()
        return list(zip(radii, gains, map(str, self.status), strict=True))

    @property
    def certificate(self) -> Tensor:
        """``(B,)`` amplification / ``local_gain``: near 1 or above where the search is strong.

        At a radius at which the reconstructor is still almost linear no perturbation is amplified
        more than ``local_gain`` times, so a value near 1 says that the search left nothing there. At
        larger radii it says how the reconstructor departs from its linearisation: a value below 1
        may mean that it saturates or that the search is weak, and proves neither.
        """
        return self.amplification / self.local_gain


def larger_damage(first: Finding, second: Finding) -> Finding:
    """Image by image the finding that did more damage; what both spent is added."""
    broke = torch.tensor([status is Status.NOT_FINITE for status in second.status])
    intact = torch.tensor([status is not Status.NOT_FINITE for status in first.status])
    take = intact & (broke | (second.damage > first.damage))

    def choose(a: Tensor, b: Tensor) -> Tensor:
        return torch.where(per_image(take.to(a.device), a), b, a)

    status = tuple(
        b if taken else a
        for a, b, taken in zip(first.status, second.status, take.tolist(), strict=True)
    )
    return replace(
        first, status=status,
        perturbation=choose(first.perturbation, second.perturbation),
        perturbation_norm=choose(first.perturbation_norm, second.perturbation_norm),
        error=choose(first.error, second.error),
        damage=choose(first.damage, second.damage),
        reconstruction=choose(first.reconstruction, second.reconstruction),
        n_gradients=first.n_gradients + second.n_gradients,
        trace=torch.cat([first.trace, second.trace], 1),
    )  # fmt: skip
