"""Updates: what a step does to a point, and which settings are refused."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shaketable import Budget, FourierMap, MomentumAscent, Problem, Search, SphereAscent
from shaketable.chain import Chain
from shaketable.errors import InputError
from shaketable.search import (
    AdaptiveProjectedGradient,
    Ball,
    BoundBall,
    Origin,
    ProjectedAdam,
    ProjectedGradient,
    Seen,
)
from shaketable.search.vectors import generators, norms


def ball(images: torch.Tensor, radius: float = 0.1, norm: str = "l2") -> BoundBall:
    problem = Problem(
        forward=FourierMap(torch.eye(images.shape[-1])), reconstruct=lambda y, A: A.adjoint(y)
    )
    sizes = torch.full((len(images),), radius, dtype=torch.float64)
    chain = Chain.of(problem, problem.prepare(images), "image")
    return Ball(norm=norm).bind(chain, sizes)


def seen(gradient: torch.Tensor, iteration: int = 0, value: float = 1.0) -> Seen:
    values = torch.full((len(gradient),), value, dtype=torch.float64)
    return Seen(value=values, gradient=gradient, iteration=iteration, n_iterations=10)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.floats(1e-6, 1e6))
def test_sphere_ascent_stays_on_the_sphere_and_ignores_the_scale_of_the_gradient(seed, scale):
    inside = ball(torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(seed)) + 0.1)
    update = SphereAscent(overshoot=1.0)
    state = update.start(inside, None, generators(seed, 2, "test"), 10)
    generator = torch.Generator().manual_seed(seed)
    gradient = torch.randn(2, 8, 8, dtype=torch.complex64, generator=generator)
    # Out of the ball, as damage grows: a step may leave the sphere where it falls outwards.
    outward = (state.point.conj() * gradient).real.sum((1, 2)) >= 0
    gradient = torch.where(outward[:, None, None], gradient, -gradient)
    moved = update.advance(inside, state, seen(gradient, 3)).point
    scaled = update.advance(inside, state, seen(gradient * scale, 3)).point
    torch.testing.assert_close(norms(moved), inside.size, rtol=1e-5, atol=0)
    torch.testing.assert_close(moved, scaled, rtol=1e-4, atol=1e-5)


def test_sphere_ascent_is_equivariant_under_a_global_phase():
    inside = ball(torch.ones(1, 8, 8))
    update = SphereAscent()
    state = update.start(inside, None, generators(0, 1, "test"), 10)
    gradient = torch.randn(1, 8, 8, dtype=torch.complex64)
    phase = torch.exp(torch.tensor(0.7j))
    turned_state = replace(state, point=phase * state.point)
    turned = update.advance(inside, turned_state, seen(phase * gradient)).point
    torch.testing.assert_close(
        turned, phase * update.advance(inside, state, seen(gradient)).point, rtol=1e-4, atol=1e-5
    )


def test_sphere_ascent_replaces_a_point_without_gradient():
    inside = ball(torch.ones(1, 8, 8))
    update = SphereAscent()
    state = update.start(inside, None, generators(0, 1, "test"), 10)
    flat = seen(torch.zeros(1, 8, 8, dtype=torch.complex64))
    moved = update.advance(inside, state, flat).point
    assert float(norms(moved - state.point)) > 0.5 * float(inside.size)


def test_momentum_ascent_does_what_the_paper_states():
    inside = ball(torch.ones(1, 8, 8), radius=10.0)
    update = MomentumAscent(rate=0.1, momentum=0.9)
    origin = Origin(point=torch.ones(1, 8, 8, dtype=torch.complex64), warm_start=True)
    first = update.start(inside, origin, generators(0, 1, "test"), 10)
    once = update.advance(inside, first, seen(torch.full((1, 8, 8), 1.0 + 0j)))
    torch.testing.assert_close(once.point, torch.full((1, 8, 8), 1.1 + 0j))
    twice = update.advance(inside, once, seen(torch.full((1, 8, 8), 0.9 + 0j)))
    # velocity 0.9 * 0.1 + 0.09 = 0.18
    torch.testing.assert_close(twice.point, torch.full((1, 8, 8), 1.28 + 0j))


def sphere_sizes(inside, update, n):
    """Norms of the points of an ascent with random gradients, in radii, and its last state."""
    state = update.start(inside, None, generators(0, 2, "test"), n)
    sizes = [float((inside.norms(state.point) / inside.size)[0])]
    for iteration in range(n):
        gradient = torch.randn(2, 8, 8, dtype=torch.complex64)
        noticed = replace(seen(gradient, iteration), n_iterations=n)
        state = update.advance(inside, state, noticed)
        sizes.append(float((inside.norms(state.point) / inside.size)[0]))
    return sizes, state


def test_sphere_ascent_begins_outside_and_comes_in():
    inside = ball(torch.ones(2, 8, 8))
    update = SphereAscent(overshoot=1.5)
    sizes, state = sphere_sizes(inside, update, 10)
    assert sizes[0] == pytest.approx(1.5)
    assert all(b < a for a, b in pairwise(sizes[:7]))
    assert sizes[6:] == pytest.approx([1.0] * 5)
    warm = Origin(point=state.point, warm_start=True)
    again = update.start(inside, warm, generators(0, 2, "test"), 10)
    torch.testing.assert_close(inside.norms(again.point), inside.size, rtol=1e-5, atol=0)


def test_a_long_sphere_ascent_goes_out_and_comes_in():
    sizes, _ = sphere_sizes(ball(torch.ones(2, 8, 8)), SphereAscent(overshoot=1.5), 100)
    assert sizes[0] == pytest.approx(1.0)
    assert sizes[25] == pytest.approx(1.5)
    assert all(b > a for a, b in pairwise(sizes[:26]))
    assert all(b < a for a, b in pairwise(sizes[25:61]))
    assert sizes[60:] == pytest.approx([1.0] * 41)


UPDATES = [
    SphereAscent(overshoot=1.0),
    MomentumAscent(rate=1e3),
    ProjectedGradient(),
    ProjectedAdam(rate=3.0),
    AdaptiveProjectedGradient(),
]


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("update", UPDATES, ids=lambda update: type(update).__name__)
def test_updates_stay_in_the_ball(update, norm):
    inside = ball(torch.ones(2, 8, 8), radius=0.01, norm=norm)
    state = update.start(inside, None, generators(0, 2, "test"), 10)
    generator = torch.Generator().manual_seed(0)
    for iteration in range(10):
        gradient = torch.randn(2, 8, 8, dtype=torch.complex64, generator=generator)
        state = update.advance(inside, state, seen(gradient, iteration, float(iteration % 3)))
        assert bool((inside.norms(state.point) <= inside.size * (1 + 1e-5)).all())


@pytest.mark.parametrize("update", UPDATES, ids=lambda update: type(update).__name__)
def test_updates_begin_at_the_origin_where_there_is_one(update):
    inside = ball(torch.ones(2, 8, 8), radius=1.0)
    origin = inside.random(generators(5, 2, "origin"))
    origin[1] = 0
    state = update.start(
        inside, Origin(point=origin, warm_start=False), generators(0, 2, "test"), 10
    )
    torch.testing.assert_close(state.point[0], origin[0])
    assert float(norms(state.point)[1]) > 0


def test_projected_gradient_steps_a_share_of_the_radius():
    inside = ball(torch.ones(1, 8, 8), radius=1.0)
    update = ProjectedGradient(step=0.25)
    state = update.start(inside, None, generators(0, 1, "test"), 10)
    half = replace(state, point=0.5 * state.point)
    moved = update.advance(inside, half, seen(-state.point)).point
    torch.testing.assert_close(moved, 0.25 * state.point, rtol=1e-5, atol=1e-6)


def test_projected_adam_agrees_with_torch():
    inside = ball(torch.ones(1, 8, 8), radius=1e3)
    update = ProjectedAdam(rate=0.01)
    state = update.start(inside, None, generators(0, 1, "test"), 10)
    start = torch.view_as_real(state.point).clone().requires_grad_()
    peer = torch.optim.Adam([start], lr=0.01 * float(inside.typical_entry()), maximize=True, eps=0)
    generator = torch.Generator().manual_seed(3)
    for iteration in range(4):
        gradient = torch.randn(1, 8, 8, dtype=torch.complex64, generator=generator)
        state = update.advance(inside, state, seen(gradient, iteration))
        start.grad = torch.view_as_real(gradient).clone()
        peer.step()
    torch.testing.assert_close(torch.view_as_real(state.point), start.detach())


def test_auto_pgd_halves_its_step_at_a_checkpoint_and_returns_to_the_best_point():
    inside = ball(torch.ones(1, 8, 8), radius=1.0)
    update = AdaptiveProjectedGradient()
    state = update.start(inside, None, generators(0, 1, "test"), 10)
    best = state.point
    gradient = torch.randn(1, 8, 8, dtype=torch.complex64)
    for iteration, value in enumerate((3.0, 2.0, 1.0)):  # never better than at the start
        state = update.advance(inside, state, seen(gradient, iteration, value))
        assert float(state.step) == 2.0
    state = update.advance(inside, state, seen(gradient, 3, 0.5))  # ceil(0.22 * 10) = 3
    assert float(state.step) == 1.0
    torch.testing.assert_close(state.before, best)


def test_published_start_is_uniform_on_the_stated_interval():
    inside = ball(torch.ones(1, 64, 64), radius=10.0)
    update = Search.published("deep-mri").update
    point = torch.view_as_real(update.start(inside, None, generators(0, 1, "test"), 10).point)
    assert float(point.min()) >= 0
    assert 0.0099 < float(point.max()) <= 0.01
    assert abs(float(point.mean()) - 0.005) < 2e-4


@pytest.mark.parametrize(
    ("network", "penalty", "rate", "against"),
    [
        ("automap", 0.1, 1e-3, "truth"),
        ("deep-mri", 1e-3, 1e-2, "clean"),
        ("mri-vn", 1.0, 5e-3, "clean"),
        ("med-50", 20, 5e-3, "clean"),
    ],
)
def test_published_settings(network, penalty, rate, against):
    search = Search.published(network)
    assert (search.objective.penalty, search.objective.against) == (penalty, against)
    assert (search.update.rate, search.update.momentum) == (rate, 0.9)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Budget(n_gradients=0),
        lambda: Budget(n_starts=0),
        lambda: Budget(max_seconds=0.0),
        lambda: Budget(max_rows=0),
        lambda: Budget(plateau=1.0),
        lambda: SphereAscent(step=0.0),
        lambda: SphereAscent(overshoot=0.9),
        lambda: SphereAscent(momentum=(0.0, 1.0)),
        lambda: MomentumAscent(rate=0.0),
        lambda: MomentumAscent(start_size=-1.0),
        lambda: ProjectedGradient(step=0.0),
        lambda: ProjectedAdam(rate=0.0),
        lambda: AdaptiveProjectedGradient(share=0.0),
        lambda: Search.published("unet"),
    ],
)
def test_impossible_settings_are_refused(make):
    with pytest.raises(InputError, match="Expected"):
        make()
