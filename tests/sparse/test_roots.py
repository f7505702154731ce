"""Roots and their derivatives, beside closed forms."""

from __future__ import annotations

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import forward_ad

from shaketable.sparse.roots import differentiable_root, find_root


@settings(max_examples=50, deadline=None)
@given(root=st.floats(-3, 3), bend=st.floats(-0.5, 0.5))
def test_a_root_is_found_in_few_values(root: float, bend: float) -> None:
    def function(x: float) -> float:
        return (x - root) + bend * math.sin(x - root)

    found, n_values = find_root(function, 0.0, 1e-9)
    assert abs(found - root) < 1e-8
    assert n_values <= 12


def test_where_there_is_no_root_the_best_value_is_returned() -> None:
    values: dict[float, float] = {}

    def function(x: float) -> float:
        values[x] = 1 + math.exp(-x)  # falls towards 1
        return values[x]

    found, n_values = find_root(function, 0.0, 1e-9)
    assert n_values == 12
    assert values[found] == min(values.values())


POINT = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
ALONG = torch.tensor([0.3, -1.0, 0.7], dtype=torch.float64)


def distance(x: Tensor, p: Tensor) -> Tensor:
    return x**3 - p.square().sum()


def root_of(p: Tensor) -> Tensor:
    """``‖p‖^(2/3)``, without a derivative of its own."""
    root = p.detach().square().sum() ** (1 / 3)
    return differentiable_root(distance, root, p)


GRADIENT = 2 * POINT / (3 * POINT.square().sum() ** (2 / 3))


def test_the_derivative_of_a_root_is_that_of_the_closed_form() -> None:
    leaf = POINT.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(root_of(leaf), leaf)
    torch.testing.assert_close(gradient, GRADIENT)
    _, pull = torch.func.vjp(root_of, POINT)
    assert torch.equal(pull(torch.ones((), dtype=torch.float64))[0], gradient)


def test_forward_mode_agrees() -> None:
    expected = torch.dot(GRADIENT, ALONG)
    _, tangent = torch.func.jvp(root_of, (POINT,), (ALONG,))
    torch.testing.assert_close(tangent, expected)
    with torch.no_grad(), forward_ad.dual_level():
        dual = forward_ad.make_dual(POINT, ALONG)
        pushed = forward_ad.unpack_dual(root_of(dual)).tangent
    assert torch.equal(pushed, tangent)


def test_the_value_is_the_root_itself_and_nothing_is_computed_where_nobody_asks() -> None:
    root = torch.tensor(2.0)

    def never(x: Tensor, p: Tensor) -> Tensor:
        raise AssertionError

    assert differentiable_root(never, root, POINT) is root
    assert differentiable_root(lambda x, p: x - p, root, root.clone().requires_grad_()) == root


def test_a_function_that_does_not_depend_on_the_root_gives_no_infinite_derivative() -> None:
    leaf = torch.tensor(2.0, requires_grad=True)
    found = differentiable_root(lambda x, p: 0 * x + p, torch.tensor(1.0), leaf)
    (gradient,) = torch.autograd.grad(found, leaf)
    assert bool(torch.isfinite(gradient))
