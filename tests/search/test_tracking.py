"""Traces of climbs: start by start, image by image."""

import torch

from shaketable import Budget, FourierMap, Problem, Search, worst_case
from shaketable.search.tracking import Trace


def trace(rows: list[list[float]], counted: list[list[bool]]) -> Trace:
    return Trace(values=torch.tensor(rows).double(), counted=torch.tensor(counted))


def test_a_compact_trace_has_what_counted_from_the_left():
    nan = torch.nan
    whole = trace(
        [[1, 2, 9, nan], [3, 9, 9, 4]], [[True, True, False, False], [True, False, False, True]]
    )
    assert whole.compact().tolist() == [[1, 2], [3, 4]]
    outside = trace([[nan, 2.0]], [[True, True]]).compact()  # outside the ball is no end
    assert outside.isnan().tolist() == [[True, False]]


def test_starts_follow_each_other_in_the_rows_of_their_images():
    first = trace([[1, 2], [3, 4]], [[True, True], [True, True]])
    late = trace([[5, 6]], [[True, True]]).placed(torch.tensor([0]), torch.tensor([1]), 2)
    result = first.followed_by(late).compact()
    assert result[1].tolist() == [3, 4, 5, 6]
    assert result[0, :2].tolist() == [1, 2]
    assert bool(result[0, 2:].isnan().all())


def test_the_trace_of_a_search_with_starts_has_every_gradient_of_every_start():
    problem = Problem(
        forward=FourierMap(torch.ones(8, 8)), reconstruct=lambda y, A: A.adjoint(y) ** 2
    )
    images = torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(0))
    budget = Budget(n_gradients=7, n_starts=3, plateau=0)
    search = Search(budget=budget, local_start=False)
    finding = worst_case(problem, images, radius=0.1, search=search)
    assert finding.trace.shape == (2, 21)
    assert finding.n_gradients.tolist() == [21, 21]
    one_start = Search(budget=Budget(n_gradients=7, plateau=0), local_start=False)
    alone = worst_case(problem, images, radius=0.1, search=one_start)
    torch.testing.assert_close(finding.trace[:, :7], alone.trace, equal_nan=True)
