"""Probing groups and model of the black-box search, against a convolution whose reach is known."""

import pytest
import torch

from shaketable import FourierMap, Problem
from shaketable.chain import Chain
from shaketable.search import Ball, ErrorNorm
from shaketable.search.black_box.layout import Layout
from shaketable.search.black_box.model import ResponseModel
from shaketable.search.black_box.probing_groups import make_probing_groups
from shaketable.search.black_box.queries import Queries
from shaketable.search.black_box.reach import find_reach
from tests.helpers.networks import fourier, images, zero_filled

SIZE = 16


def blurred(y, A):
    """A convolution with a 3x5 kernel: it responds one row and two columns away."""
    generator = torch.Generator().manual_seed(1)
    kernel = torch.randn(1, 1, 3, 5, generator=generator, dtype=torch.float64)
    x = A.adjoint(y).real
    return torch.nn.functional.conv2d(x[:, None], kernel, padding=(1, 2))[:, 0]


def local_problem() -> tuple[Queries, Layout]:
    mask = torch.ones(SIZE, SIZE, dtype=torch.bool)
    problem = Problem(forward=FourierMap(mask), reconstruct=blurred, real=True)
    chain = Chain.of(problem, images(1, size=SIZE, real=True).double(), "image")
    return asked(chain)


def asked(chain: Chain) -> tuple[Queries, Layout]:
    ball = Ball().bind(chain, torch.tensor([0.1], dtype=torch.float64))
    queries = Queries(
        chain, ball, ErrorNorm(), torch.tensor([0]), n_queries=500, at_once=7, deadline=None,
        on_query=lambda n, best: None,
    )  # fmt: skip
    return queries, Layout.of(chain, ball)


def test_the_reach_of_a_convolution_is_that_of_its_kernel():
    queries, layout = local_problem()
    clean = queries.landscape.reference.clean
    generator = torch.Generator().manual_seed(0)
    zero = torch.zeros_like(layout.template)
    reach = find_reach(queries, layout, zero, clean, 0.1, 1 - 1e-9, generator)
    assert reach == (1, 2)
    assert queries.left == 500 - 1 - 4


def test_aliasing_has_no_reach_along_the_undersampled_axis():
    problem = Problem(forward=fourier(size=SIZE), reconstruct=zero_filled)
    queries, layout = asked(Chain.of(problem, images(1, size=SIZE), "image"))
    generator = torch.Generator().manual_seed(0)
    clean = queries.landscape.reference.clean
    zero = torch.zeros_like(layout.template)
    assert find_reach(queries, layout, zero, clean, 0.1, 0.9, generator) == (None, 0)


@pytest.mark.parametrize("reach", [(1, 2), (None, 2), (1, None), (None, None)])
def test_one_round_of_probes_makes_the_model_of_a_convolution_exact(reach):
    queries, layout = local_problem()
    clean = queries.landscape.reference.clean
    generator = torch.Generator().manual_seed(0)
    groups = make_probing_groups(layout, clean, reach, SIZE**2, generator)
    assert groups.inputs.flatten().sort().values.tolist() == list(range(SIZE**2))
    for colour in range(groups.n_colours):
        seen = groups.outputs[groups.colour == colour].flatten()
        seen = seen[seen < SIZE**2]
        assert len(seen.unique()) == len(seen)  # responses of one colour do not overlap
    point = torch.zeros_like(layout.template)
    model = ResponseModel(layout, groups, point, clean)
    for colour in range(groups.n_colours):
        for number in range(model.n_directions):
            direction = model.direction(colour, number)
            output, _ = queries.ask(direction)
            model.set_response(colour, number, output - clean)
    elsewhere = torch.randn(point.shape, generator=generator, dtype=point.dtype)
    output, _ = queries.ask(elsewhere)
    assert torch.allclose(model.predict(elsewhere), output, atol=1e-9)
    model.sort()  # rotates, changes nothing
    assert torch.allclose(model.predict(elsewhere), output, atol=1e-9)


@pytest.mark.parametrize("reach", [(1, 2), (None, None)])
def test_a_move_is_explained_by_the_model(reach):
    queries, layout = local_problem()
    clean = queries.landscape.reference.clean
    groups = make_probing_groups(layout, clean, reach, SIZE**2, torch.Generator().manual_seed(0))
    zero = torch.zeros_like(layout.template)
    model = ResponseModel(layout, groups, zero, clean)
    point = torch.randn(zero.shape, generator=torch.Generator().manual_seed(2), dtype=zero.dtype)
    output, _ = queries.ask(point)
    model.move(point, output)
    assert torch.allclose(model.predict(point), output)
    assert torch.allclose(model.predict(zero), clean, atol=1e-9)


def test_queries_count_themselves_and_the_trace_never_falls():
    queries, layout = local_problem()
    points = torch.randn(
        30, *layout.template.shape[1:], generator=torch.Generator().manual_seed(3)
    ).double()
    queries.ask(0.01 * points)
    assert (queries.n_asked, queries.left) == (31, 469)
    trace = queries.trace()
    assert len(trace) == 31
    assert bool((trace.diff() >= 0).all())
    assert float(trace[-1]) == float(queries.best.value) > 0
    assert int(queries.best.n_gradients) == 0
