"""Objectives and balls on linear reconstructors, whose worst case is known in closed form."""

import pytest
import torch
from torch import Tensor

from shaketable import Budget, FourierMap, MatrixMap, Problem, Search, worst_case
from shaketable.errors import InputError, ShapeError
from shaketable.search import (
    AdaptiveProjectedGradient,
    Ball,
    ErrorNorm,
    LargestPatchError,
    LowFrequencies,
    ProjectedAdam,
    ProjectedGradient,
    Span,
    Towards,
    random_perturbation,
)

N = 16


def matrix(seed: int = 0, dtype: torch.dtype = torch.float64, n: int = N) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, n, generator=generator, dtype=dtype)


def linear(values: Tensor) -> Problem:
    """f(y) = B y with y = x."""
    dtype = values.dtype
    return Problem(
        forward=MatrixMap(torch.eye(len(values), dtype=dtype)),
        reconstruct=lambda y, A: y @ values.T,
        real=not dtype.is_complex,
    )


def pictures(values: Tensor, side: int = 4) -> Problem:
    """f(y) = B y on square images."""

    def reconstruct(y: Tensor, A: FourierMap) -> Tensor:
        x = A.adjoint(y)
        return (x.flatten(1) @ values.to(x.dtype).T).view_as(x)

    return Problem(forward=FourierMap(torch.ones(side, side)), reconstruct=reconstruct)


def images(shape: tuple[int, ...], dtype: torch.dtype = torch.float64, n: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    return 1 + torch.rand((n, *shape), generator=generator, dtype=torch.float64).to(dtype)


def search(**settings: object) -> Search:
    return Search(budget=Budget(n_gradients=120, n_starts=4), **settings)


def test_l_infinity_meets_the_sum_of_a_rank_one_map_and_signs_decide():
    """‖u ⟨w, r⟩‖ over |r_i| <= s is s ‖u‖ Σ|w_i|, at r = s sign(w)."""
    u, w = matrix(1)[:1], matrix(2)[:1]
    problem = linear(u.T @ w)
    x = images((N,))
    finding = worst_case(problem, x, radius=0.1, search=search(ball=Ball(norm="linf")), seed=1)
    size = 0.1 * x.abs().amax(1)
    torch.testing.assert_close(finding.error, size * u.norm() * w.abs().sum(), rtol=1e-6, atol=0)
    assert bool((finding.perturbation.abs() <= size[:, None] * (1 + 1e-6)).all())


def test_l_infinity_meets_brute_force_over_all_corners():
    """A convex function over a cube is largest at a corner: all 2^10 of them."""
    values = matrix(3, n=10)
    x = images((10,), n=1)
    corners = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 10)
    best = (corners @ values.T).norm(dim=1).max() * 0.1 * x.abs().max()
    finding = worst_case(
        linear(values), x, radius=0.1,
        search=Search(ball=Ball(norm="linf"), budget=Budget(n_gradients=60, n_starts=16)),
    )  # fmt: skip
    assert float(finding.error) >= 0.999 * float(best)
    assert float(finding.error) <= float(best) * (1 + 1e-9)


def test_l_infinity_of_complex_images_turns_every_phase():
    u, w = matrix(1, torch.complex128)[:1], matrix(2, torch.complex128)[:1]
    problem = linear(u.T @ w)
    x = images((N,), torch.complex128)
    finding = worst_case(problem, x, radius=0.1, search=search(ball=Ball(norm="linf")))
    expected = 0.1 * x.abs().amax(1) * u.norm() * w.abs().sum()
    torch.testing.assert_close(finding.error, expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize(
    "update",
    [None, ProjectedGradient(step=1.0), AdaptiveProjectedGradient()],
    ids=lambda update: type(update).__name__,
)
def test_updates_that_fit_the_ball_meet_the_largest_singular_value(update):
    values = torch.diag(torch.linspace(1, 3, N, dtype=torch.float64)) + 0.1 * matrix()
    settings = {} if update is None else {"update": update, "local_start": False}
    finding = worst_case(linear(values), images((N,)), radius=0.1, search=search(**settings))
    expected = torch.linalg.svdvals(values)[0]
    assert bool((finding.amplification >= 0.9995 * expected).all())
    assert bool((finding.amplification <= expected * (1 + 1e-9)).all())


def test_element_wise_adam_misses_the_largest_singular_value_of_a_ball():
    """Why it is not the default: its fixed points are not those of the ball."""
    values = torch.diag(torch.linspace(1, 3, N, dtype=torch.float64)) + 0.1 * matrix()
    adam = search(update=ProjectedAdam(rate=0.03), local_start=False)
    finding = worst_case(linear(values), images((N,)), radius=0.1, search=adam)
    assert bool((finding.amplification < 0.9 * torch.linalg.svdvals(values)[0]).all())


def test_a_region_counts_only_the_rows_in_it():
    values = matrix()
    region = torch.zeros(4, 4, dtype=torch.bool)
    region[1:3, :2] = True
    problem = pictures(values)
    objective = ErrorNorm(region=region)
    finding = worst_case(problem, images((4, 4)), radius=0.1, search=search(objective=objective))
    expected = torch.linalg.svdvals(values[region.flatten()])[0]
    torch.testing.assert_close(
        finding.damage / finding.perturbation_norm, expected.expand(2), rtol=1e-4, atol=0
    )
    assert bool((finding.error > finding.damage).all())


def test_one_region_for_each_image_stays_with_its_image():
    values = matrix()
    regions = torch.zeros(2, 4, 4, dtype=torch.bool)
    regions[0, :1], regions[1, 2:] = True, True
    objective = ErrorNorm(region=regions)
    finding = worst_case(
        pictures(values), images((4, 4)), radius=0.1, search=search(objective=objective)
    )
    expected = torch.stack([torch.linalg.svdvals(values[r.flatten()])[0] for r in regions])
    torch.testing.assert_close(
        finding.damage / finding.perturbation_norm, expected, rtol=1e-4, atol=0
    )


def test_the_worst_patch_is_the_patch_with_the_largest_singular_value():
    values = matrix()
    grid = torch.arange(16).view(4, 4)
    patches = [grid[i : i + 2, j : j + 2].flatten() for i in range(3) for j in range(3)]
    expected = max(float(torch.linalg.svdvals(values[p])[0]) for p in patches)
    chosen = Search(
        objective=LargestPatchError(size=2), budget=Budget(n_gradients=100, n_starts=12)
    )
    finding = worst_case(pictures(values), images((4, 4)), radius=0.1, search=chosen)
    assert bool((finding.damage / finding.perturbation_norm >= 0.999 * expected).all())
    assert bool((finding.damage / finding.perturbation_norm <= expected * (1 + 1e-9)).all())


def test_against_the_truth_the_clean_error_adds_up():
    """f(y) = 2 y: ‖2 (x + r) - x‖ is largest at r along x: ‖x‖ + 2 ‖r‖."""
    problem = linear(2 * torch.eye(N, dtype=torch.float64))
    x = images((N,))
    finding = worst_case(
        problem, x, radius=0.1, search=search(objective=ErrorNorm(against="truth"))
    )
    torch.testing.assert_close(finding.damage, x.norm(dim=1) * 1.2, rtol=1e-6, atol=0)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_structure_appears_or_vanishes_as_least_squares_says(sign):
    """The ball reaches the structure exactly where B⁻¹ s fits into it; else to a known distance."""
    values = torch.eye(N, dtype=torch.float64) * 4
    structure = torch.zeros(4, 4, dtype=torch.float64)
    structure[1:3, 1:3] = sign
    x = images((4, 4))
    size = x.flatten(1).norm(dim=1)
    problem = pictures(values)
    objective = Towards(structure=structure)
    enough = worst_case(problem, x, radius=0.6 / size, search=search(objective=objective))
    torch.testing.assert_close(enough.damage, torch.full((2,), 2.0).double(), rtol=0.02, atol=0)
    # a ball of 0.25 reaches 4 · 0.25 = 1 of the structure's norm of 2
    short = worst_case(problem, x, radius=0.25 / size, search=search(objective=objective))
    torch.testing.assert_close(short.damage, torch.full((2,), 1.0).double(), rtol=1e-3, atol=0)
    change = (short.reconstruction - short.clean).real
    torch.testing.assert_close(change, (0.5 * structure).expand(2, 4, 4), rtol=0, atol=1e-2)


def test_whitened_coordinates_meet_the_generalised_singular_value():
    """max ‖B e‖ over ‖e / σ‖ <= s is s σ1(B diag σ)."""
    values, sigma = matrix(), torch.linspace(0.2, 3, N, dtype=torch.float64)
    x = images((N,))
    finding = worst_case(
        linear(values), x, radius=0.1, domain="data", search=search(ball=Ball(scale=sigma))
    )
    size = 0.1 * (x / sigma).norm(dim=1)
    expected = size * torch.linalg.svdvals(values * sigma)[0]
    torch.testing.assert_close(finding.error, expected, rtol=1e-4, atol=0)
    torch.testing.assert_close((finding.perturbation / sigma).norm(dim=1), size, rtol=1e-6, atol=0)


def test_a_mask_and_a_subspace_confine_the_perturbation():
    values = matrix()
    x = images((4, 4))
    support = torch.zeros(4, 4, dtype=torch.bool)
    support[0] = True
    columns = values[:, support.flatten()]
    finding = worst_case(pictures(values), x, radius=0.1, search=search(ball=Ball(support=support)))
    assert not bool(finding.perturbation[:, ~support].any())
    expected = torch.linalg.svdvals(columns)[0].expand(2)
    torch.testing.assert_close(finding.amplification, expected, rtol=1e-4, atol=0)

    smooth = LowFrequencies((4, 4), 2)
    basis = torch.stack(
        [smooth.embed(e.view(1, 2, 2))[0].flatten() for e in torch.eye(4, dtype=torch.float64)]
    )
    finding = worst_case(pictures(values), x, radius=0.1, search=search(ball=Ball(support=smooth)))
    expected = torch.linalg.svdvals(values @ basis.T)[0].expand(2)
    torch.testing.assert_close(finding.amplification, expected, rtol=1e-4, atol=0)

    span = Span.of_differences(images((4, 4), n=4))
    finding = worst_case(pictures(values), x, radius=0.1, search=search(ball=Ball(support=span)))
    inside = span.embed(span.coordinates(finding.perturbation))
    torch.testing.assert_close(inside, finding.perturbation)
    expected = torch.linalg.svdvals(values @ span.basis.flatten(1).T)[0].expand(2)
    torch.testing.assert_close(finding.amplification, expected, rtol=1e-4, atol=0)


def test_low_frequencies_are_those_of_scipy():
    from scipy.fft import idctn

    smooth = LowFrequencies((6, 9), 3)
    coordinates = torch.randn(1, 3, 3, dtype=torch.float64)
    padded = torch.zeros(6, 9, dtype=torch.float64)
    padded[:3, :3] = coordinates[0]
    expected = torch.from_numpy(idctn(padded.numpy(), norm="ortho"))
    torch.testing.assert_close(smooth.embed(coordinates)[0], expected)


def test_data_domain_balls_never_touch_what_was_not_sampled():
    mask = torch.zeros(8, 8)
    mask[::2] = 1
    problem = Problem(forward=FourierMap(mask), reconstruct=lambda y, A: A.adjoint(y))
    x = images((8, 8))
    for ball in (
        Ball(norm="linf"),
        Ball(scale=torch.linspace(1, 2, 8, dtype=torch.float64)),
        Ball(support=torch.ones(8, 8, dtype=torch.bool)),
    ):
        chosen = Search(ball=ball, budget=Budget(n_gradients=5))
        finding = worst_case(problem, x, radius=0.1, domain="data", search=chosen)
        assert not bool(finding.perturbation[:, mask == 0].any())
        assert float(finding.error.min()) > 0
        e = random_perturbation(problem, x, radius=0.1, domain="data", seed=0, ball=ball)
        assert not bool(e[:, mask == 0].any())


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Ball(norm="l1"), InputError),
        (lambda: Ball(scale=torch.zeros(3)), InputError),
        (lambda: Ball(scale=torch.tensor([1.0, torch.inf])), InputError),
        (lambda: Ball(scale=2.0), InputError),
        (lambda: Ball(support=torch.ones(3)), InputError),
        (lambda: Ball(support="middle"), InputError),
        (lambda: Budget(n_gradients=2.5), InputError),
        (lambda: Budget(max_seconds=float("nan")), InputError),
        (lambda: Span(torch.zeros(0, 4)), InputError),
        (lambda: Span.of(torch.full((2, 4), torch.nan)), InputError),
        (lambda: Span.of_differences(torch.ones(1, 4)), InputError),
        (lambda: Ball(norm="linf", support=LowFrequencies((4, 4), 2)), InputError),
        (lambda: LowFrequencies((4, 4), 5), InputError),
        (lambda: Span.of(torch.zeros(2, 4)), InputError),
        (lambda: ErrorNorm(against="noise"), InputError),
        (lambda: LargestPatchError(size=0), InputError),
        (lambda: run(ball=Ball(support=torch.ones(3, 3) > 0)), ShapeError),
        (lambda: run(ball=Ball(scale=torch.ones(5))), ShapeError),
        (lambda: run(ball=Ball(support=LowFrequencies((5, 5), 2))), ShapeError),
        (lambda: run(objective=ErrorNorm(region=torch.ones(3, 3))), ShapeError),
        (lambda: run(objective=Towards(structure=torch.ones(3, 3))), ShapeError),
        (lambda: run(objective=LargestPatchError(size=9)), ShapeError),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(make, error):
    with pytest.raises(error, match="Expected") as caught:
        make()
    assert "\n" not in str(caught.value)


def run(**settings: object) -> None:
    chosen = Search(budget=Budget(n_gradients=1), **settings)
    worst_case(pictures(matrix()), images((4, 4)), search=chosen)
