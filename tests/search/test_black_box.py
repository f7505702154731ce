"""The search without gradients: known spectra, programs without derivatives, counted queries."""

import math

import numpy as np
import pytest
import torch

from shaketable import FourierMap, MatrixMap, Problem
from shaketable.errors import InputError
from shaketable.search import (
    Ball,
    BlackBox,
    LargestPatchError,
    LowFrequencies,
    Search,
    Span,
    Status,
    respond,
    worst_case,
    worst_case_black_box,
    worst_case_black_box_path,
)
from tests.helpers.networks import fourier, images, noisy, scaled
from tests.search.test_worst_case import N, linear_problem


class Counting:
    """A reconstructor that counts how many images it was asked for, and forbids gradients."""

    def __init__(self, reconstruct):
        self._reconstruct, self.n = reconstruct, 0

    def __call__(self, y, A):
        assert not torch.is_grad_enabled()
        self.n += len(y)
        return self._reconstruct(y, A)


def convolution(gain=3.0):
    """``A* y`` plus a short-ranged, curved answer to it: local, as convolutional networks are."""
    generator = torch.Generator().manual_seed(5)
    kernel = torch.randn(1, 1, 3, 3, generator=generator) * gain / 3

    def reconstruct(y, A):
        x = A.adjoint(y)
        x = x.real if x.is_complex() else x
        edges = torch.nn.functional.conv2d(x[:, None], kernel, padding=1)[:, 0]
        return x + torch.tanh(edges)

    return reconstruct


def real_problem(reconstruct, *, size=16):
    mask = torch.ones(size, size, dtype=torch.bool)
    return Problem(forward=FourierMap(mask), reconstruct=reconstruct, real=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
@pytest.mark.parametrize("domain", ["image", "data"])
def test_a_linear_map_is_known_once_every_direction_was_asked(dtype, domain):
    values = 5 / torch.arange(1, N + 1, dtype=torch.float64)
    problem = linear_problem(values, seed=3, dtype=dtype)
    x = torch.rand(1, N, generator=torch.Generator().manual_seed(0)).to(dtype)
    real_dimension = N * (2 if dtype.is_complex else 1)
    settings = BlackBox(n_queries=4 * real_dimension, n_round=8)
    finding = worst_case_black_box(problem, x, radius=0.05, domain=domain, search=settings, seed=1)
    assert finding.status == (Status.FOUND,)
    assert finding.method == "no gradients"
    assert float(finding.amplification.min()) >= 0.99 * 5
    assert float(finding.amplification.max()) <= 5 * (1 + 1e-4)


def test_new_directions_show_at_least_their_share_of_a_plant():
    """k random directions of n hold sqrt(k / n) of a hidden direction in the root mean square."""
    values = torch.full((N,), 0.05, dtype=torch.float64)
    values[0] = 5.0
    problem = linear_problem(values, seed=4, dtype=torch.float64)
    # Which directions hide what differs from processor to processor: over few images so does the share.
    x = torch.rand(256, N, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    settings = BlackBox(n_queries=N, n_round=4)
    finding = worst_case_black_box(problem, x, radius=0.05, domain="data", search=settings)
    share = (finding.amplification / 5).square().mean().sqrt()
    # Half of the queries go to two rounds of four new directions, with the three lengths tried after
    # each and two for the clean image and the random direction that the search begins with.
    n_directions = 1 + 2 * settings.n_round
    assert 0.95 * math.sqrt(n_directions / N) <= float(share) <= 1


@pytest.mark.parametrize("n_queries", [2, 3, 17, 100])
def test_never_more_queries_than_allowed_and_every_one_is_counted(n_queries):
    counting = Counting(convolution())
    problem = real_problem(counting)
    settings = BlackBox(n_queries=n_queries, n_round=7, max_rows=3)
    finding = worst_case_black_box(problem, images(2, size=16, real=True), search=settings)
    assert counting.n == 2 * n_queries
    assert finding.n_queries.tolist() == [n_queries, n_queries]
    assert finding.n_gradients.tolist() == [0, 0]
    assert finding.trace.shape == (2, n_queries)
    assert bool((finding.trace.diff(dim=1) >= 0).all())
    assert torch.equal(finding.trace[:, -1], finding.damage)


def test_a_local_reconstructor_is_known_after_few_queries():
    """The image has 1024 pixels; a search with gradients says how large the worst case is."""
    problem = real_problem(convolution(), size=32)
    x = images(1, size=32, real=True)
    known = worst_case(problem, x, radius=0.02)
    found = worst_case_black_box(problem, x, radius=0.02, search=BlackBox(n_queries=200))
    assert float(found.damage / known.damage) >= 0.97


def test_the_finding_is_what_its_perturbation_does():
    problem = Problem(forward=fourier(), reconstruct=scaled(2.0), differentiable=False)
    x = images(2)
    finding = worst_case_black_box(problem, x, radius=0.03, search=BlackBox(n_queries=60))
    output = respond(problem, x, finding.perturbation, domain="image")
    error = torch.linalg.vector_norm((output - finding.clean).flatten(1), dim=1)
    assert torch.allclose(error.double(), finding.error, rtol=1e-5)
    size = 0.03 * torch.linalg.vector_norm(x.flatten(1), dim=1).double()
    assert torch.allclose(finding.perturbation_norm, size, rtol=1e-4)


def test_directions_that_no_data_show_are_not_asked():
    """Half of k-space is sampled: a perturbation there is amplified twice, elsewhere not at all."""
    problem = Problem(forward=fourier(), reconstruct=scaled(2.0))
    finding = worst_case_black_box(problem, images(1), radius=0.03, search=BlackBox(n_queries=12))
    assert float(finding.amplification) == pytest.approx(2.0, rel=1e-4)


def test_a_program_in_numpy():
    def program(y, A):
        x = np.fft.ifft2(y.numpy(), norm="ortho").real
        return torch.from_numpy(x + np.where(x > 0.3, 4 * (x - 0.3), 0.0)).float()

    mask = torch.ones(8, 8, dtype=torch.bool)
    problem = Problem(
        forward=FourierMap(mask), reconstruct=program, real=True, differentiable=False
    )
    x = torch.full((1, 8, 8), 0.1)
    x[0, 2:5, 3:6] = 0.8
    finding = worst_case_black_box(problem, x, radius=0.05, search=BlackBox(n_queries=300))
    assert finding.status == (Status.FOUND,)
    assert float(finding.amplification) >= 0.98 * 5  # inside the bright square
    assert float(finding.amplification) <= 5 * (1 + 1e-4)


def test_a_staircase_has_no_derivative_and_is_found_to_move():
    def rounded(y, A):
        return torch.round(A.adjoint(y).real * 20) / 20

    problem = real_problem(rounded, size=8)
    x = torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(2))
    assert worst_case(problem, x, radius=0.1).status == (Status.STUCK,)
    finding = worst_case_black_box(problem, x, radius=0.1, search=BlackBox(n_queries=400))
    assert finding.status == (Status.FOUND,)
    assert float(finding.amplification) >= 1


def test_what_is_found_for_an_image_depends_on_no_other():
    problem = real_problem(convolution())
    x = images(3, size=16, real=True)
    settings = BlackBox(n_queries=80)
    together = worst_case_black_box(problem, x, search=settings, seed=3)
    fewer = worst_case_black_box(problem, x[:1], search=settings, seed=3)
    assert torch.equal(together.perturbation[:1], fewer.perturbation)
    assert torch.equal(together.trace[:1], fewer.trace)


@pytest.mark.parametrize("kind", ["low frequencies", "span", "mask", "linf"])
def test_the_support_is_respected(kind):
    problem = real_problem(convolution())
    x = images(1, size=16, real=True)
    generator = torch.Generator().manual_seed(0)
    mask = torch.zeros(16, 16, dtype=torch.bool)
    mask[4:9, 3:12] = True
    supports = {
        "low frequencies": LowFrequencies((16, 16), 4),
        "span": Span.of_differences(torch.rand(5, 16, 16, generator=generator)),
        "mask": mask,
        "linf": None,
    }
    ball = Ball(support=supports[kind], norm="linf" if kind == "linf" else "l2")
    settings = BlackBox(ball=ball, n_queries=150)
    finding = worst_case_black_box(problem, x, radius=0.02, search=settings)
    r = finding.perturbation
    if kind == "mask":
        assert float(r[:, ~mask].abs().max()) == 0
    elif kind == "linf":
        assert float(r.abs().max()) <= 0.02 * float(x.abs().max()) * (1 + 1e-5)
    else:
        support = supports[kind]
        assert torch.allclose(support.embed(support.coordinates(r)), r, atol=1e-6)
    known = worst_case(problem, x, radius=0.02, search=Search(ball=ball))
    assert 0.95 <= float(finding.damage / known.damage) <= 1.05


def test_other_objectives_are_climbed_too():
    problem = real_problem(convolution())
    x = images(1, size=16, real=True)
    objective = LargestPatchError(size=4)
    known = worst_case(problem, x, radius=0.02, search=Search(objective=objective))
    found = worst_case_black_box(
        problem, x, radius=0.02, search=BlackBox(objective=objective, n_queries=300)
    )
    assert float(found.damage / known.damage) >= 0.9


def test_a_surrogate_that_is_the_network_gives_the_result_of_its_gradients():
    problem = real_problem(convolution())
    x = images(2, size=16, real=True)
    known = worst_case(problem, x, radius=0.02, seed=4)
    box = Problem(
        forward=problem.forward, reconstruct=Counting(convolution()), real=True,
        differentiable=False,
    )  # fmt: skip
    found = worst_case_black_box(
        box, x, radius=0.02, seed=4, surrogate=problem, search=BlackBox(n_queries=4)
    )
    assert bool((found.damage >= 0.9999 * known.damage).all())
    same = worst_case_black_box(
        box, x, radius=0.02, seed=4, surrogate=convolution(), search=BlackBox(n_queries=4)
    )
    assert torch.equal(found.damage, same.damage)
    with pytest.raises(InputError, match="differentiable=False"):
        worst_case_black_box(box, x, surrogate=box)


def test_statuses():
    x = images(1, size=16, real=True)
    settings = BlackBox(n_queries=30)

    def constant(y, A):
        return torch.ones(len(y), 16, 16)

    finding = worst_case_black_box(real_problem(constant), x, search=settings)
    assert finding.status == (Status.NO_RESPONSE,)

    clean = respond(real_problem(convolution()), x, torch.zeros_like(x), domain="image")

    def breaks(y, A):
        output = convolution()(y, A)
        moved = (output - clean).flatten(1).norm(dim=1)[:, None, None] > 1e-2
        return torch.where(moved, torch.nan, output)

    finding = worst_case_black_box(real_problem(breaks), x, search=settings)
    assert finding.status == (Status.NOT_FINITE,)
    assert float(finding.perturbation_norm) > 0
    late = BlackBox(n_queries=30, max_seconds=1e-9)
    finding = worst_case_black_box(real_problem(convolution()), x, search=late)
    assert finding.status == (Status.BUDGET_SPENT,)


def test_an_interrupt_keeps_what_was_found():
    problem = real_problem(convolution())
    steps = []

    def stop(step):
        steps.append(step)
        if step.iteration >= 40:
            raise KeyboardInterrupt

    x = images(2, size=16, real=True)
    settings = BlackBox(n_queries=100, max_rows=4)
    finding = worst_case_black_box(problem, x, search=settings, on_step=stop)
    assert finding.status == (Status.INTERRUPTED, Status.INTERRUPTED)
    assert float(finding.damage[0]) > 0
    assert finding.n_queries.tolist() == [steps[-1].iteration, 1]
    assert steps[-1].n_iterations == 200


def test_damage_does_not_fall_along_a_path():
    problem = real_problem(convolution())
    x = images(2, size=16, real=True)
    settings = BlackBox(n_queries=12)  # too few to find much: the smaller perturbation counts
    path = worst_case_black_box_path(problem, x, radii=(0.01, 0.0101, 0.05), search=settings)
    damage = torch.stack([finding.damage for finding in path])
    assert bool((damage.diff(dim=0) >= 0).all())
    assert all(finding.n_queries.tolist() == [12, 12] for finding in path)
    first = worst_case_black_box(problem, x, radius=0.01, search=settings)
    assert torch.equal(path[0].perturbation, first.perturbation)
    with pytest.raises(InputError, match="increasing"):
        worst_case_black_box_path(problem, x, radii=(0.02, 0.01))


def test_a_noisy_reconstructor_does_not_break_the_search():
    problem = Problem(forward=fourier(), reconstruct=noisy, differentiable=False)
    finding = worst_case_black_box(problem, images(1), search=BlackBox(n_queries=60))
    assert finding.status == (Status.FOUND,)


@pytest.mark.parametrize(
    "settings",
    [{"n_queries": 1}, {"step": 0.0}, {"share": 1.5}, {"n_round": 0}, {"max_seconds": 0}],
)
def test_impossible_settings(settings):
    with pytest.raises(InputError):
        BlackBox(**settings)


def test_settings_describe_themselves():
    assert BlackBox().describe() == BlackBox().describe()
    assert BlackBox() == BlackBox()
    assert BlackBox() != BlackBox(n_queries=10)
    assert hash(BlackBox()) == hash(BlackBox())


def test_multi_dimensional_data_that_are_no_images():
    """Data of a matrix have no places that images share: the search goes on without them."""
    matrix = torch.randn(20, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    inverse = torch.linalg.pinv(matrix)
    problem = Problem(forward=MatrixMap(matrix), reconstruct=lambda y, A: y @ inverse.T, real=True)
    x = torch.rand(1, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    largest = float(torch.linalg.svdvals(inverse)[0])
    finding = worst_case_black_box(problem, x, domain="data", search=BlackBox(n_queries=80))
    assert float(finding.amplification) == pytest.approx(largest, rel=1e-2)
