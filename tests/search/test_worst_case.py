"""The search against problems whose worst case is known, and its statuses."""

import math
import time
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shaketable import (
    Budget,
    FourierMap,
    MatrixMap,
    MomentumAscent,
    Problem,
    Search,
    SphereAscent,
    worst_case,
    worst_case_path,
)
from shaketable.errors import InputError, ShapeError
from shaketable.search import Span, Status, random_perturbation, respond
from tests.helpers import networks

N = 24


def spectrum_matrix(values: torch.Tensor, *, seed: int, dtype: torch.dtype) -> torch.Tensor:
    """A square matrix with the given singular values and random singular vectors."""
    generator = torch.Generator().manual_seed(seed)
    n = len(values)
    left, _ = torch.linalg.qr(torch.randn(n, n, generator=generator, dtype=dtype))
    right, _ = torch.linalg.qr(torch.randn(n, n, generator=generator, dtype=dtype))
    return left @ torch.diag(values.to(dtype)) @ right.conj().T


def linear_problem(values: torch.Tensor, *, seed: int, dtype: torch.dtype) -> Problem:
    """f(y) = B y on fully sampled data, so that the data-domain worst case is σ1(B)."""
    matrix = spectrum_matrix(values, seed=seed, dtype=dtype)
    return Problem(
        forward=MatrixMap(torch.eye(len(values), dtype=dtype)),
        reconstruct=lambda y, A: y @ matrix.T,
        real=not dtype.is_complex,
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64, torch.complex128])
@pytest.mark.parametrize("spectrum", ["harmonic", "geometric", "spike"])
def test_linear_reconstructor_in_the_data_domain_reaches_its_largest_singular_value(
    dtype, spectrum
):
    index = torch.arange(1, N + 1, dtype=torch.float64)
    values = {
        "harmonic": 5 / index,
        "geometric": 5 * 0.8 ** (index - 1),
        "spike": torch.where(index == 1, 5.0, 1.0).double(),
    }[spectrum]
    problem = linear_problem(values, seed=3, dtype=dtype)
    images = torch.rand(2, N, generator=torch.Generator().manual_seed(0)).to(dtype)
    finding = worst_case(problem, images, radius=0.05, domain="data", seed=1)
    assert finding.status == (Status.FOUND, Status.FOUND)
    assert float(finding.amplification.min()) >= 0.999 * 5
    assert float(finding.amplification.max()) <= 5 * (1 + 1e-4)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_finding_is_consistent_with_itself(seed):
    generator = torch.Generator().manual_seed(seed)
    mask = torch.rand(12, 12, generator=generator) > 0.5
    mask[0, 0] = True

    def curved(y, A):
        x = A.adjoint(y)
        return x * (1 + x.abs())

    problem = Problem(forward=FourierMap(mask), reconstruct=curved)
    images = torch.rand(2, 12, 12, generator=generator)
    radius = torch.tensor([0.01, 0.1])
    for domain in ("image", "data"):
        finding = worst_case(
            problem,
            images,
            radius=radius,
            domain=domain,
            search=Search(budget=Budget(n_gradients=10)),
            seed=seed,
        )
        clean = problem.reconstruct(problem.forward(images), problem.forward)
        output = respond(problem, images, finding.perturbation, domain=domain)
        torch.testing.assert_close(
            (output - clean).flatten(1).norm(dim=1).double(), finding.error, rtol=1e-4, atol=1e-7
        )
        torch.testing.assert_close(output, finding.reconstruction, rtol=1e-5, atol=1e-6)
        reference = images if domain == "image" else problem.forward(images)
        allowed = radius.double() * reference.flatten(1).norm(dim=1).double()
        torch.testing.assert_close(finding.perturbation_norm, allowed, rtol=1e-5, atol=0)
        if domain == "data":
            assert not bool(finding.perturbation[:, ~mask].any())


def test_an_image_is_searched_the_same_alone_and_among_others():
    problem = Problem(forward=FourierMap(torch.eye(12)), reconstruct=lambda y, A: A.adjoint(y) ** 2)
    images = torch.rand(3, 12, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    together = worst_case(problem, images, radius=(0.1, 0.2, 0.3), seed=5)
    alone = worst_case(problem, images[:1], radius=0.1, seed=5)
    torch.testing.assert_close(together.perturbation[:1], alone.perturbation)


def test_the_same_seed_gives_the_same_finding_and_another_one_another():
    problem = Problem(forward=FourierMap(torch.eye(12)), reconstruct=lambda y, A: A.adjoint(y) ** 2)
    image = torch.rand(1, 12, 12)
    short = Search(budget=Budget(n_gradients=3))
    first = worst_case(problem, image, search=short, seed=0)
    again = worst_case(problem, image, search=short, seed=0)
    other = worst_case(problem, image, search=short, seed=1)
    assert bool((first.perturbation == again.perturbation).all())
    assert not bool((first.perturbation == other.perturbation).all())


def test_the_best_iterate_is_kept_and_the_trace_shows_every_gradient():
    def trap(y, A):
        """Large steps overshoot: a narrow ridge in the direction of one pixel."""
        x = A.adjoint(y).real
        return x + 5 * torch.exp(-((x - 1.05) ** 2) / 1e-4)

    problem = Problem(forward=FourierMap(torch.ones(6, 6)), reconstruct=trap, real=True)
    finding = worst_case(
        problem,
        torch.ones(1, 6, 6),
        radius=0.05,
        search=Search(budget=Budget(n_gradients=20), local_start=False),
    )
    assert finding.trace.shape == (1, 20)
    inside = finding.trace[~finding.trace.isnan()]
    assert 8 <= len(inside) < 20  # the search begins outside the ball
    assert float(finding.error) >= float(inside.max()) * (1 - 1e-6)
    assert int(finding.n_gradients) == 20


@pytest.mark.parametrize("domain", ["image", "data"])
def test_an_update_that_leaves_the_ball_wins_nothing(domain):
    class Runaway(SphereAscent):
        def advance(self, ball, state, seen):
            return replace(state, point=100 * torch.ones_like(state.point))

    mask = torch.zeros(8, 8)
    mask[:4] = 1
    problem = Problem(forward=FourierMap(mask), reconstruct=lambda y, A: A.adjoint(y))
    image = torch.rand(1, 8, 8)
    runaway = Search(update=Runaway(), budget=Budget(n_gradients=3))
    finding = worst_case(problem, image, radius=0.1, domain=domain, search=runaway)
    size = float((image if domain == "image" else problem.forward(image)).norm())
    assert float(finding.perturbation_norm) <= 0.1 * size * (1 + 1e-5)
    assert float(finding.amplification) <= 1 + 1e-5


def test_more_starts_never_find_less():
    def bumpy(y, A):
        x = A.adjoint(y).real
        return torch.sin(40 * x) + x

    problem = Problem(forward=FourierMap(torch.ones(6, 6)), reconstruct=bumpy, real=True)
    image = torch.rand(1, 6, 6)
    errors = [
        float(
            worst_case(
                problem, image, radius=0.1, search=Search(budget=Budget(n_gradients=5, n_starts=n))
            ).error
        )
        for n in (1, 2, 4)
    ]
    assert errors == sorted(errors)


def test_a_search_started_at_zero_says_stuck():
    problem = Problem(forward=FourierMap(torch.eye(8)), reconstruct=lambda y, A: 100 * A.adjoint(y))
    finding = worst_case(
        problem,
        torch.ones(1, 8, 8),
        search=Search(
            update=MomentumAscent(start_size=0.0), budget=Budget(n_gradients=5), local_start=False
        ),
    )
    assert finding.status == (Status.STUCK,)
    assert float(finding.amplification) == 0


def test_a_network_without_gradient_says_stuck_even_though_it_responds():
    def staircase(y, A):
        return torch.round(50 * A.adjoint(y).real) / 50

    problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=staircase, real=True)
    finding = worst_case(problem, torch.rand(1, 8, 8), search=Search(budget=Budget(n_gradients=5)))
    assert finding.status == (Status.STUCK,)
    assert float(finding.error) > 0


@pytest.mark.parametrize("constant", [lambda y, A: torch.ones_like(y), lambda y, A: 0 * y])
def test_a_constant_network_says_no_response(constant):
    problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=constant)
    finding = worst_case(problem, torch.rand(1, 8, 8), search=Search(budget=Budget(n_gradients=5)))
    assert finding.status == (Status.NO_RESPONSE,)


def test_a_nan_network_says_not_finite_and_its_neighbour_is_searched_on():
    def fragile(y, A):
        x = A.adjoint(y)
        return x / (x.abs().amax((-2, -1), keepdim=True) < 2)

    problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=fragile)
    images = torch.stack([3 * torch.ones(8, 8), torch.rand(8, 8)])
    finding = worst_case(problem, images, search=Search(budget=Budget(n_gradients=5)))
    assert finding.status == (Status.NOT_FINITE, Status.FOUND)
    assert float(finding.error[1]) > 0


def test_a_perturbation_that_breaks_the_network_is_kept():
    def breaks(y, A):
        x = A.adjoint(y).real
        return torch.where(x.amax((-2, -1), keepdim=True) > 1.001, torch.nan * x, x)

    problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=breaks, real=True)
    image = torch.ones(1, 8, 8)
    finding = worst_case(problem, image, radius=0.1, search=Search(budget=Budget(n_gradients=5)))
    assert finding.status == (Status.NOT_FINITE,)
    assert bool(respond(problem, image, finding.perturbation, domain="image").isnan().any())


def test_running_out_of_time_says_budget_spent():
    def slow(y, A):
        time.sleep(0.02)
        return A.adjoint(y) ** 2

    problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=slow)
    finding = worst_case(
        problem,
        torch.rand(1, 8, 8),
        search=Search(budget=Budget(n_gradients=1000, max_seconds=0.5)),
    )
    assert finding.status == (Status.BUDGET_SPENT,)
    assert 0 < int(finding.n_gradients) < 1000
    assert float(finding.error) > 0


def test_an_interrupted_search_returns_what_it_has():
    def stop(step):
        if step.iteration == 4:
            raise KeyboardInterrupt

    problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=lambda y, A: A.adjoint(y))
    search = Search(local_start=False)
    finding = worst_case(problem, torch.rand(1, 8, 8), search=search, on_step=stop)
    assert finding.status == (Status.INTERRUPTED,)
    assert int(finding.n_gradients) == 4
    assert float(finding.error) > 0


def test_every_status_has_a_sentence():
    assert all(status.sentence.endswith(".") for status in Status)


def test_random_perturbations_have_the_size_asked_for_and_stay_on_the_samples():
    mask = torch.zeros(8, 8)
    mask[:3] = 1
    problem = Problem(forward=FourierMap(mask), reconstruct=lambda y, A: A.adjoint(y))
    image = torch.rand(1, 8, 8)
    e = random_perturbation(problem, image, radius=0.1, domain="data", seed=0)
    assert not bool(e[:, 3:].any())
    assert math.isclose(float(e.norm()), 0.1 * float(problem.forward(image).norm()), rel_tol=1e-5)


@pytest.mark.parametrize(
    ("keywords", "error"),
    [
        ({"radius": 0.0}, InputError),
        ({"radius": -1.0}, InputError),
        ({"radius": float("nan")}, InputError),
        ({"radius": (0.1, 0.2)}, InputError),
        ({"domain": "fourier"}, InputError),
    ],
)
def test_wrong_arguments_are_refused(keywords, error):
    problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=lambda y, A: A.adjoint(y))
    with pytest.raises(error, match="Expected"):
        worst_case(problem, torch.rand(1, 8, 8), **keywords)


def test_wrong_shapes_black_boxes_and_unsorted_radii_are_refused():
    A = FourierMap(torch.ones(8, 8))
    problem = Problem(forward=A, reconstruct=lambda y, A: A.adjoint(y))
    with pytest.raises(ShapeError):
        worst_case(problem, torch.rand(8, 8))
    with pytest.raises(InputError, match="increasing"):
        worst_case_path(problem, torch.rand(1, 8, 8), radii=(0.2, 0.1))
    black_box = Problem(forward=A, reconstruct=lambda y, A: A.adjoint(y), differentiable=False)
    with pytest.raises(InputError, match="differentia"):
        worst_case(black_box, torch.rand(1, 8, 8))


@pytest.mark.parametrize("domain", ["image", "data"])
def test_a_network_may_scale_its_data_in_place(domain: str) -> None:
    def problem(scale) -> Problem:
        A = FourierMap(torch.ones(8, 8))
        return Problem(forward=A, reconstruct=lambda y, A: 4 * A.adjoint(scale(y, 4)))

    images = torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(0))
    beside = worst_case(problem(torch.Tensor.div), images, radius=0.05, domain=domain)
    within = worst_case(problem(torch.Tensor.div_), images, radius=0.05, domain=domain)
    assert torch.equal(within.amplification, beside.amplification)
    assert torch.equal(within.clean, beside.clean)


@pytest.mark.parametrize(
    "broken", [lambda x: x[:, None], lambda x: x[:, ::2], lambda x: x[:1], lambda _: None]
)
def test_an_output_of_another_shape_is_refused(broken) -> None:
    problem = Problem(
        forward=FourierMap(torch.ones(8, 8)), reconstruct=lambda y, A: broken(A.adjoint(y))
    )
    with pytest.raises(ShapeError, match="from the reconstructor"):
        worst_case(problem, torch.rand(2, 8, 8), radius=0.05)


@pytest.mark.parametrize(
    "basis",
    [torch.ones(2, 8, 8), torch.eye(64)[:3].view(3, 8, 8) * 2, torch.full((1, 8, 8), math.nan)],
)
def test_a_span_that_would_leave_the_ball_is_refused(basis: torch.Tensor) -> None:
    with pytest.raises(InputError, match="orthonormal"):
        Span(basis=basis)
    assert Span(basis=torch.eye(64)[:3].view(3, 8, 8)).shape == (3,)


def test_a_finding_says_in_short_what_was_found() -> None:
    problem, images = networks.problem(), networks.images()
    search = Search(budget=Budget(n_gradients=3), local_start=False)
    finding = worst_case(problem, images, radius=0.02, search=search)
    gain = float(finding.amplification[0])
    assert f"0.02 of the image, amplification {gain:.3g}, {finding.status[0]}" in repr(finding)
    assert len(repr(finding)) < 100 * len(images)
    assert finding._repr_html_().count("<tr>") == len(images) + 1
