"""What the worst-case probe records."""

from __future__ import annotations

from dataclasses import dataclass

from shaketable.records import Record


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a network's perturbation did to a reference method.

    Parameters
    ----------
    network
        Whose perturbation it is.
    error
        ``‖g(A(x + r)) - g(A x)‖₂``.
    amplification
        ``error / ‖r‖₂``.
    """

    network: str
    error: float | None
    amplification: float | None


@dataclass(frozen=True, kw_only=True)
class WorstCaseRecord(Record):
    """One worst case. Norms are Euclidean, in the unit of the image (or of the data).

    Parameters
    ----------
    domain
        Where the perturbation was added: ``"image"`` or ``"data"``.
    radius
        Relative to ``‖x‖₂`` (or ``‖y‖₂``); ``perturbation_norm`` is what the perturbation measures.
    error, amplification, relative_error
        ``‖f(A(x + r)) - f(A x)‖₂``, the same over ``‖r‖₂`` and over ``‖f(A x)‖₂``.
    random_amplification
        Mean over random perturbations of the same size.
    local_gain
        Largest amplification of infinitesimal perturbations, from below.
    clean_psnr, perturbed_psnr
        dB, without and with the perturbation.
    status, search, n_gradients, n_queries, seed
        How it was searched, how that ended, and at what cost.
    replay_sha256
        Hash of the stored perturbation.
    given
        A reference method under the perturbations of the networks, one entry each.
    given_network_error, given_network_amplification
        The worst of these.
    solver_gap
        The gap that the method's own certificate states at the perturbed data.
    """

    domain: str = "image"
    radius: float | None = None
    perturbation_norm: float | None = None
    error: float | None = None
    amplification: float | None = None
    relative_error: float | None = None
    random_amplification: float | None = None
    local_gain: float | None = None
    clean_psnr: float | None = None
    perturbed_psnr: float | None = None
    status: str = ""
    search: str = "gradients"
    n_gradients: int = 0
    n_queries: int | None = None
    seed: int = 0
    replay_sha256: str = ""
    given: tuple[Given, ...] = ()
    given_network_error: float | None = None
    given_network_amplification: float | None = None
    solver_gap: float | None = None
