"""The continuation schedule: which radii, in which order, for how many gradients."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shaketable.search import continuation_schedule

increasing = some.lists(some.floats(1e-4, 9.9), min_size=1, max_size=7, unique=True).map(
    lambda radii: tuple(sorted(radii))
)


@given(radii=increasing, n=some.integers(1, 500))
def test_the_stages_visit_every_radius_within_the_budget(radii, n):
    stages = continuation_schedule(radii, n)
    assert {stage.radius for stage in stages if stage.requested} == set(radii)
    assert all(stage.radius == radii[stage.index] for stage in stages if stage.requested)
    assert sum(stage.n_gradients for stage in stages) <= n * len(radii)
    assert sum(stage.n_gradients for stage in stages) > (n - 2) * len(radii)
    assert all(stage.n_gradients >= 1 for stage in stages)
    assert all(0 < stage.radius <= 10 for stage in stages)
    there = [stage.radius for stage in stages if not stage.descending]
    back = [stage.radius for stage in stages if stage.descending]
    assert all(a <= b for a, b in pairwise(there))
    assert all(a > b for a, b in pairwise(back))


def test_auxiliary_radii_lie_around_the_requested_ones_from_a_hundred_gradients_on():
    radii = (0.01, 0.02)
    assert [stage.radius for stage in continuation_schedule(radii, 99)] == [0.01, 0.02, 0.01]
    assert [stage.radius for stage in continuation_schedule(radii, 100)] == pytest.approx(
        [0.0025, 0.005, 0.01, 0.02, 0.028, 0.02, 0.01]
    )
    assert [stage.radius for stage in continuation_schedule((0.01,), 100)] == [0.01]


@given(radii=increasing, n=some.integers(1, 500))
def test_only_the_descent_from_beyond_the_largest_radius_is_no_warm_start(radii, n):
    stages = continuation_schedule(radii, n)
    for stage in stages:
        assert stage.warm_start or (not stage.requested and stage.radius >= radii[-1])
    first = next((k for k, stage in enumerate(stages) if stage.descending), len(stages))
    assert all(stage.descending and stage.requested for stage in stages[first:])
