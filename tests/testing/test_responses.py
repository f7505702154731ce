"""The maxima of the responses, by dense optimisation that knows nothing of their formulas."""

import numpy as np
import pytest
import torch
from scipy.optimize import differential_evolution

from shaketable.testing import Beyond, DeadZone, Gains, Rectified, Saturated
from shaketable.testing.plants import _FIVE_MAXIMA, _TWO_MAXIMA

RESPONSES = {
    "gains": Gains(gains=(3.0, 10.0, 7.0)),
    "saturated": Saturated(),
    "saturated elsewhere": Saturated(steep=20.0, limit=0.3, gain=6.0),
    "beyond": Beyond(),
    "dead zone": DeadZone(),
    "two maxima": Rectified(weights=_TWO_MAXIMA),
    "five maxima": Rectified(weights=_FIVE_MAXIMA),
    "rectified": Rectified(weights=((1.0, 2.0), (-3.0, 0.5), (0.5, -1.0))),
}


def size(response, t: np.ndarray) -> float:
    """‖response(t)‖, the change of the data being as large as t."""
    t = torch.from_numpy(np.atleast_2d(t))
    return float(torch.linalg.vector_norm(response(t, torch.linalg.vector_norm(t, dim=1))))


def optimised(response, background: float) -> float:
    """The maximum over the ball, one more coordinate standing for all that is not planted."""
    k = response.n_directions

    def loss(z: np.ndarray) -> float:
        z = z / max(1.0, np.linalg.norm(z))
        return -np.hypot(size(response, z[:k]), background * z[k])

    box = [(-1.0, 1.0)] * (k + 1)
    result = differential_evolution(loss, box, seed=0, tol=1e-10, maxiter=300, popsize=20)
    return -float(result.fun)


@pytest.mark.parametrize("quiet", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("case", RESPONSES)
def test_the_largest_value_is_the_maximum_beside_a_quieter_background(case, quiet):
    response = RESPONSES[case]
    assert optimised(response, quiet * response.largest) == pytest.approx(
        response.largest, rel=1e-3
    )


@pytest.mark.parametrize("case", RESPONSES)
def test_it_is_attained_at_a_point_of_the_sphere(case):
    response = RESPONSES[case]
    worst = response.worst()
    assert worst.shape == (response.n_directions,)
    assert float(torch.linalg.vector_norm(worst)) == pytest.approx(1, abs=1e-12)
    assert size(response, worst.numpy()) == pytest.approx(response.largest, rel=1e-12)


@pytest.mark.parametrize("case", RESPONSES)
def test_a_response_has_as_many_amplitudes_as_it_says(case):
    response = RESPONSES[case]
    assert response(torch.zeros(5, response.n_directions), torch.zeros(5)).shape == (
        5, response.n_pictures,
    )  # fmt: skip


def ascended(weights, n: int = 400) -> torch.Tensor:
    """Where plain ascent ends from random starts, as shares of the maximum."""
    W = torch.tensor(weights, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    t = torch.randn(n, W.shape[1], generator=generator, dtype=torch.float64)
    for _ in range(2000):
        t = (t @ W.T).clamp_min(0) @ W
        t = t / torch.linalg.vector_norm(t, dim=1, keepdim=True)
    reached = torch.linalg.vector_norm((t @ W.T).clamp_min(0), dim=1)
    return reached / Rectified(weights=weights).largest


def test_the_two_maxima_are_three_percent_apart():
    shares = ascended(_TWO_MAXIMA)
    assert float(shares.min()) == pytest.approx(0.968, abs=1e-3)
    assert float(shares.max()) == pytest.approx(1, abs=1e-9)


def test_half_of_the_starts_end_at_poor_maxima_where_there_are_five():
    shares = ascended(_FIVE_MAXIMA)
    poor = shares < 0.9
    assert 0.45 < float(poor.double().mean()) < 0.65
    assert 0.78 < float(shares[poor].min()) <= float(shares[poor].max()) < 0.82
    assert float(shares[~poor].min()) == pytest.approx(1, abs=1e-6)
