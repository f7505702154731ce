"""Updates: what a step does to a point, and which settings are refused."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shaketable import FourierMap, MomentumAscent, Problem, SphereAscent
from shaketable.errors import InputError
from shaketable.search.ball import Ball, generators, norms


def ball(images: torch.Tensor, radius: float = 0.1, domain: str = "image") -> Ball:
    problem = Problem(
        forward=FourierMap(torch.eye(images.shape[-1])), reconstruct=lambda y, A: A.adjoint(y)
    )
    sizes = torch.full((len(images),), radius, dtype=torch.float64)
    return Ball.relative(problem, problem.prepare(images), domain, sizes)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.floats(1e-6, 1e6))
def test_sphere_ascent_stays_on_the_sphere_and_ignores_the_scale_of_the_gradient(seed, scale):
    inside = ball(torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(seed)) + 0.1)
    update = SphereAscent()
    state = update.start(inside, generators(seed, 2, "test"), None)
    gradient = torch.randn(2, 8, 8, dtype=torch.complex64)
    moved = update.advance(inside, state, gradient, 3).point
    scaled = update.advance(inside, state, gradient * scale, 3).point
    torch.testing.assert_close(norms(moved), inside.size, rtol=1e-5, atol=0)
    torch.testing.assert_close(moved, scaled, rtol=1e-4, atol=1e-5)


def test_sphere_ascent_is_equivariant_under_a_global_phase():
    inside = ball(torch.ones(1, 8, 8))
    update = SphereAscent()
    state = update.start(inside, generators(0, 1, "test"), None)
    gradient = torch.randn(1, 8, 8, dtype=torch.complex64)
    phase = torch.exp(torch.tensor(0.7j))
    turned_state = type(state)(
        point=phase * state.point, velocity=state.velocity, generators=state.generators
    )
    turned = update.advance(inside, turned_state, phase * gradient, 0).point
    torch.testing.assert_close(
        turned, phase * update.advance(inside, state, gradient, 0).point, rtol=1e-4, atol=1e-5
    )


def test_sphere_ascent_replaces_a_point_without_gradient():
    inside = ball(torch.ones(1, 8, 8))
    update = SphereAscent()
    state = update.start(inside, generators(0, 1, "test"), None)
    moved = update.advance(inside, state, torch.zeros(1, 8, 8, dtype=torch.complex64), 0).point
    assert float(norms(moved - state.point)) > 0.5 * float(inside.size)


def test_momentum_ascent_does_what_the_paper_states():
    inside = ball(torch.ones(1, 8, 8), radius=10.0)
    update = MomentumAscent(rate=0.1, penalty=0.5, momentum=0.9)
    first = update.start(
        inside, generators(0, 1, "test"), torch.ones(1, 8, 8, dtype=torch.complex64)
    )
    gradient = torch.full((1, 8, 8), 2.0 + 0j)
    once = update.advance(inside, first, gradient, 0)
    # slope 2 - 2 * 0.5 * 1 = 1, velocity 0.1, point 1.1
    torch.testing.assert_close(once.point, torch.full((1, 8, 8), 1.1 + 0j))
    twice = update.advance(inside, once, gradient, 1)
    # slope 2 - 1.1 = 0.9, velocity 0.9 * 0.1 + 0.09 = 0.18
    torch.testing.assert_close(twice.point, torch.full((1, 8, 8), 1.28 + 0j))


def test_momentum_ascent_is_projected_onto_the_ball():
    inside = ball(torch.ones(1, 8, 8), radius=0.01)
    update = MomentumAscent(rate=1e3)
    state = update.start(inside, generators(0, 1, "test"), None)
    moved = update.advance(inside, state, torch.ones(1, 8, 8, dtype=torch.complex64), 0).point
    torch.testing.assert_close(norms(moved), inside.size, rtol=1e-5, atol=0)


def test_published_start_is_uniform_on_the_stated_interval():
    inside = ball(torch.ones(1, 64, 64), radius=10.0)
    update = MomentumAscent.published("deep-mri")
    point = torch.view_as_real(update.start(inside, generators(0, 1, "test"), None).point)
    assert float(point.min()) >= 0
    assert 0.0099 < float(point.max()) <= 0.01
    assert abs(float(point.mean()) - 0.005) < 2e-4


@pytest.mark.parametrize(
    ("network", "penalty", "rate"),
    [("automap", 0.1, 1e-3), ("deep-mri", 1e-3, 1e-2), ("mri-vn", 1.0, 5e-3), ("med-50", 20, 5e-3)],
)
def test_published_settings(network, penalty, rate):
    update = MomentumAscent.published(network)
    assert (update.penalty, update.rate, update.momentum) == (penalty, rate, 0.9)


@pytest.mark.parametrize(
    "make",
    [
        lambda: SphereAscent(n_gradients=0),
        lambda: SphereAscent(n_starts=0),
        lambda: SphereAscent(step=0.0),
        lambda: SphereAscent(momentum=1.0),
        lambda: SphereAscent(max_seconds=0.0),
        lambda: MomentumAscent(rate=0.0),
        lambda: MomentumAscent(penalty=-1.0),
        lambda: MomentumAscent.published("unet"),
    ],
)
def test_impossible_settings_are_refused(make):
    with pytest.raises(InputError, match="Expected"):
        make()
