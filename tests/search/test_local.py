"""The direction a search starts from, against exact singular values."""

import pytest
import torch

from shaketable import Budget, FourierMap, Problem, Search, local_spectrum, worst_case
from shaketable.maps.sampling import cartesian_variable_density
from shaketable.search.landscape import Landscape
from shaketable.search.local import COST, find_local
from shaketable.search.radii import relative_radii
from shaketable.search.worst_case import make_chain
from shaketable.zoo import load
from shaketable.zoo.images.bundled import axial_slice
from shaketable.zoo.images.training import square_image
from tests.helpers.data import shared_data

SHORT = Search(budget=Budget(n_gradients=20))


def local(problem, images, *, domain="image", search=SHORT, seed=0):
    chain = make_chain(problem, images, domain)
    return find_local(Landscape.of(chain, relative_radii(chain, 0.5), search), search, seed)


def curved(y, A):
    x = A.adjoint(y)
    return 2 * x + torch.sin(3 * x.real) * torch.roll(x, 1, -1)


@pytest.mark.parametrize("domain", ["image", "data"])
def test_gain_is_at_most_and_nearly_the_largest_singular_value(domain):
    mask = torch.rand(10, 10, generator=torch.Generator().manual_seed(0)) < 0.4
    problem = Problem(forward=FourierMap(mask), reconstruct=curved)
    images = torch.rand(2, 10, 10, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = local(problem, images, domain=domain)
    exact = local_spectrum(problem, images, domain=domain, k=1, n_steps=60).singular_values[:, 0]
    assert bool((found.gain <= exact * (1 + 1e-3)).all())
    # a flat spectrum is the worst case for a few products; trained networks are kinder
    assert bool((found.gain >= 0.95 * exact).all())
    assert found.cost == COST


def test_gain_does_not_depend_on_neighbours():
    problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=curved)
    images = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    together, alone = local(problem, images), local(problem, images[:1])
    torch.testing.assert_close(together.gain[:1], alone.gain)
    torch.testing.assert_close(together.direction[:1], alone.direction)


def test_constant_and_broken_networks_have_no_direction():
    A = FourierMap(torch.ones(8, 8))
    image = torch.rand(1, 8, 8)
    constant = local(Problem(forward=A, reconstruct=lambda y, A: torch.ones_like(y)), image)
    assert float(constant.gain) == 0
    root = local(Problem(forward=A, reconstruct=lambda y, A: (0 * A.adjoint(y).real) ** 0.5), image)
    assert not bool(torch.isfinite(root.direction).logical_not().any())


@pytest.mark.parametrize(
    "search", [Search(budget=Budget(n_gradients=11)), Search(local_start=False)]
)
def test_small_budgets_and_searches_that_do_not_want_it_go_without(search):
    problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=curved)
    found = local(problem, torch.rand(1, 8, 8), search=search)
    assert found.direction is None
    assert found.cost == 0
    assert bool(found.gain.isnan().all())


@pytest.mark.data
def test_on_the_published_deep_mri_six_products_leave_a_few_percent():
    network = load("deep-mri", weights=shared_data("deep-mri/d5_c5.npz"))
    stored = square_image(axial_slice(95).T[:, ::-1], 64)
    image = torch.from_numpy(stored).to(torch.complex64)[None]
    pattern = cartesian_variable_density((64, 64), seed=19, acceleration=3.0, n_center=6)
    problem = Problem(forward=FourierMap(pattern.mask(1 / 3)), reconstruct=network.reconstruct)
    exact = float(local_spectrum(problem, image, k=1, n_steps=25, n_probes=2).singular_values)
    quick = sorted(float(local(problem, image, seed=seed).gain) for seed in range(3))
    assert quick[1] >= 0.97 * exact
    assert quick[2] <= 1.01 * exact
    finding = worst_case(problem, image, radius=1e-5, search=Search(budget=Budget(n_gradients=12)))
    assert float(finding.amplification) >= 0.99 * exact
