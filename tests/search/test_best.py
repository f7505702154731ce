"""The best point of every row: what counts, what breaks a row, what two searches share."""

import pytest
import torch

from shaketable import FourierMap, Problem, Search
from shaketable.chain import Chain
from shaketable.search import Status
from shaketable.search.best import Best, Evaluated
from shaketable.search.landscape import Landscape

ROWS = 2
ALL = torch.ones(ROWS, dtype=torch.bool)


@pytest.fixture
def landscape() -> Landscape:
    problem = Problem(
        forward=FourierMap(torch.ones(4, 4)), reconstruct=lambda y, A: A.adjoint(y).real, real=True
    )
    chain = Chain.of(problem, torch.ones(ROWS, 4, 4), "image")
    return Landscape.of(chain, torch.full((ROWS,), 0.5, dtype=torch.float64), Search())


def at(landscape, size, value, *, gradient_norm=None, output=None) -> Evaluated:
    """A point of norm ``size`` (the ball's is 2) in every row, with a made-up value."""
    point = torch.zeros_like(landscape.ball.template)
    point[:, 0, 0] = size
    changed = landscape.reference.clean + size if output is None else output
    norm = None if gradient_norm is None else torch.full((ROWS,), gradient_norm).double()
    values = torch.full((ROWS,), value).double()
    return Evaluated(point=point, output=changed, value=values, gradient_norm=norm)


def test_only_better_points_inside_the_ball_of_running_rows_are_kept(landscape):
    begin = Best.unperturbed(landscape)
    running = torch.tensor([True, False])
    good = begin.after(landscape, at(landscape, 1.0, 3.0), running)
    assert good.value.tolist() == [3.0, 0.0]
    assert good.point[:, 0, 0].tolist() == [1.0, 0.0]
    assert good.after(landscape, at(landscape, 2.1, 9.0), ALL).value.tolist() == [3.0, 0.0]
    assert good.after(landscape, at(landscape, 1.5, 2.0), ALL).value.tolist() == [3.0, 2.0]
    assert begin.value.tolist() == [0.0, 0.0]  # a snapshot stays as it was


def test_what_breaks_the_network_is_kept_and_ends_the_row(landscape):
    nan = torch.full_like(landscape.reference.clean, torch.nan)
    outside = Best.unperturbed(landscape).after(landscape, at(landscape, 3.0, 1.0, output=nan), ALL)
    assert bool(outside.finite.all())
    broken = outside.after(landscape, at(landscape, 2.0, 1.0, output=nan), ALL)
    later = broken.after(landscape, at(landscape, 1.0, 9.0), ALL)
    assert later.point[:, 0, 0].tolist() == [2.0, 2.0]
    assert later.statuses(Status.FOUND) == (Status.NOT_FINITE,) * ROWS


def test_statuses_say_what_was_seen(landscape):
    begin, clean = Best.unperturbed(landscape), landscape.reference.clean
    flat = begin.after(landscape, at(landscape, 0.0, 0.0, gradient_norm=0.0, output=clean), ALL)
    assert flat.statuses(Status.FOUND) == (Status.STUCK,) * ROWS
    assert begin.statuses(Status.FOUND) == (Status.FOUND,) * ROWS  # no gradient says nothing
    constant = begin.after(landscape, at(landscape, 1.0, 0.0, output=clean), ALL)
    assert constant.statuses(Status.FOUND) == (Status.NO_RESPONSE,) * ROWS
    risen = flat.after(landscape, at(landscape, 1.0, 1.0, gradient_norm=2.0), ALL)
    assert risen.statuses(Status.BUDGET_SPENT) == (Status.BUDGET_SPENT,) * ROWS
    assert risen.n_gradients.tolist() == [2, 2]
    assert flat.statuses(Status.INTERRUPTED) == (Status.INTERRUPTED,) * ROWS


def test_of_two_searches_of_a_row_the_better_counts_and_gradients_add_up(landscape):
    begin = Best.unperturbed(landscape)
    first = begin.after(landscape, at(landscape, 1.0, 3.0, gradient_norm=1.0), ALL)
    other = begin.after(landscape, at(landscape, 2.0, 5.0, gradient_norm=1.0), ALL)
    second = torch.tensor([1])
    joined = first.joined(other.rows(torch.tensor([0])), second)
    assert joined.value.tolist() == [3.0, 5.0]
    assert joined.point[:, 0, 0].tolist() == [1.0, 2.0]
    assert joined.n_gradients.tolist() == [1, 2]
    again = joined.joined(first.rows(second), second)
    assert again.value.tolist() == [3.0, 5.0]


def test_a_start_that_broke_wins_over_one_that_did_not(landscape):
    nan = torch.full_like(landscape.reference.clean, torch.nan)
    begin, both = Best.unperturbed(landscape), torch.tensor([0, 1])
    whole = begin.after(landscape, at(landscape, 1.0, 3.0), ALL)
    broken = begin.after(landscape, at(landscape, 2.0, 1.0, output=nan), ALL)
    for joined in (whole.joined(broken, both), broken.joined(whole, both)):
        assert joined.point[:, 0, 0].tolist() == [2.0, 2.0]
        assert not bool(joined.finite.any())


def test_an_update_whose_points_are_wider_than_the_images_can_be_joined(landscape):
    begin, both = Best.unperturbed(landscape), torch.tensor([0, 1])
    seen = at(landscape, 1.0, 3.0)
    wide = Evaluated(point=seen.point.double(), output=seen.output.double(), value=seen.value)
    joined = begin.joined(begin.after(landscape, wide, ALL), both)
    assert joined.point.dtype == landscape.ball.template.dtype
    assert joined.value.tolist() == [3.0, 3.0]
