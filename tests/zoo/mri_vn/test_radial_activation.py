"""The table against the sum of Gaussians it stands for, and its derivatives."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import forward_ad

from shaketable.zoo.mri_vn.radial_activation import radial_activation
from tests.helpers.oracles import relative_difference


def plain_sum(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    n_centres = weights.shape[1]
    centres = torch.linspace(-1, 1, n_centres, dtype=weights.dtype)
    distance = values[..., None] - centres
    bells = torch.exp(-(distance**2) / (2 * (2 / n_centres) ** 2))
    return torch.einsum("bfhwj,fj->bfhw", bells, weights)


def drawn(n_channels: int, n_centres: int, spread: float) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(n_channels + n_centres)
    values = torch.randn(2, n_channels, 5, 4, dtype=torch.float64, generator=generator) * spread
    return values, torch.randn(n_channels, n_centres, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("spread", [0.05, 0.5, 3.0])
@pytest.mark.parametrize(("n_channels", "n_centres"), [(1, 2), (3, 31), (24, 31), (2, 64)])
def test_equals_the_sum(n_channels: int, n_centres: int, spread: float) -> None:
    values, weights = drawn(n_channels, n_centres, spread)
    got = radial_activation(values, weights)
    assert got.shape == values.shape
    assert float((got - plain_sum(values, weights)).abs().max()) < 2e-8 * float(weights.abs().max())


@given(st.floats(-1e6, 1e6), st.integers(2, 40))
def test_any_number_goes_in(value: float, n_centres: int) -> None:
    values = torch.full((1, 1, 1, 1), value, dtype=torch.float64)
    weights = torch.ones(1, n_centres, dtype=torch.float64)
    got = radial_activation(values, weights)
    assert float((got - plain_sum(values, weights)).abs()) < 3e-8


def test_not_a_number_stays_one() -> None:
    values = torch.full((1, 1, 1, 1), float("nan"))
    assert bool(radial_activation(values, torch.ones(1, 31)).isnan())


def test_single_precision_is_close_to_double() -> None:
    values, weights = drawn(3, 31, 0.5)
    exact = plain_sum(values, weights)
    assert relative_difference(radial_activation(values.float(), weights.float()), exact) < 1e-5


def test_gradients_are_those_of_the_sum() -> None:
    values, weights = (part.requires_grad_() for part in drawn(3, 31, 0.5))
    along = torch.randn(values.shape, dtype=torch.float64)
    got = torch.autograd.grad(radial_activation(values, weights), (values, weights), along)
    expected = torch.autograd.grad(plain_sum(values, weights), (values, weights), along)
    for ours, theirs in zip(got, expected, strict=True):
        assert relative_difference(ours, theirs) < 1e-6


def test_forward_mode_agrees_with_backward_mode() -> None:
    values, weights = drawn(2, 31, 0.5)
    tangent, left = torch.randn_like(values), torch.randn_like(values)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(values, tangent)
        pushed = forward_ad.unpack_dual(radial_activation(dual, weights)).tangent
    values.requires_grad_()
    (pulled,) = torch.autograd.grad(radial_activation(values, weights), values, left)
    assert float((pulled * tangent).sum()) == pytest.approx(float((left * pushed).sum()), rel=1e-9)
