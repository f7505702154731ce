"""How the variational network begins: the data weights of its stages."""

from __future__ import annotations

import pytest
import torch
from scipy.special import eval_chebyt

from shaketable.errors import InputError
from shaketable.zoo import MRIVNRecipe
from shaketable.zoo.mri_vn.training import chebyshev_steps, new_network


@pytest.mark.parametrize("n_steps", [1, 2, 5, 10, 16, 30])
@pytest.mark.parametrize("low", [0.003, 0.1, 0.9])
def test_no_eigenvalue_keeps_more_than_chebyshevs_share(n_steps: int, low: float) -> None:
    steps = chebyshev_steps(n_steps, low).double()
    eigenvalues = torch.linspace(low, 1, 2001, dtype=torch.float64)
    left = (1 - steps[:, None] * eigenvalues).prod(dim=0).abs().max()
    expected = 1 / eval_chebyt(n_steps, (1 + low) / (1 - low))
    assert float(left) == pytest.approx(expected, rel=1e-3, abs=0)


@pytest.mark.parametrize("n_steps", [10, 30])
def test_the_error_stays_bounded_on_the_way(n_steps: int) -> None:
    steps = chebyshev_steps(n_steps, 0.01).double()
    eigenvalues = torch.linspace(0, 1, 1001, dtype=torch.float64)

    def largest(order: torch.Tensor) -> float:
        return float((1 - order[:, None] * eigenvalues).cumprod(dim=0).abs().max())

    assert largest(steps) < largest(steps.sort(descending=True).values) / 1000


def test_the_network_begins_with_them() -> None:
    recipe = MRIVNRecipe(n_stages=3, lowest_eigenvalue=0.2)
    assert torch.equal(new_network(recipe).data_weights, chebyshev_steps(3, 0.2))


@pytest.mark.parametrize("lowest", [0.0, -1.0, 1.5, float("nan")])
def test_a_recipe_needs_an_eigenvalue_between_0_and_1(lowest: float) -> None:
    with pytest.raises(InputError, match="above 0 and at most 1"):
        MRIVNRecipe(lowest_eigenvalue=lowest)
