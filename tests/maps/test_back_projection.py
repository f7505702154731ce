"""Filtered back-projection against exact data, another library, and its own transpose."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from shaketable.errors import InputError, ShapeError
from shaketable.maps import FourierMap, RadonMap, filtered_back_projection
from tests.helpers.ellipses import PHANTOM, line_integrals, pixel_means
from tests.helpers.oracles import dense_matrix, relative_difference


def _evenly(n_views: int) -> np.ndarray:
    return np.arange(n_views) * np.pi / n_views


def _exact_data(forward: RadonMap) -> torch.Tensor:
    data = line_integrals(
        PHANTOM, forward.angles.numpy(), forward.data_shape[1], forward.image_shape[0]
    )
    return torch.from_numpy(data)[None]


def test_agrees_with_scikit_image() -> None:
    from skimage.transform import iradon

    random = np.random.default_rng(0)
    A = RadonMap(_evenly(18), (45, 45), n_detectors=65)
    data = random.normal(size=A.data_shape)
    reference = iradon(data.T, theta=np.degrees(A.angles.numpy()), output_size=45, circle=False)
    got = filtered_back_projection(torch.from_numpy(data)[None], A)[0]
    assert relative_difference(got, torch.from_numpy(reference)) < 1e-10


def test_reconstructs_an_image_in_its_own_units_from_exact_line_integrals() -> None:
    A = RadonMap(_evenly(400), (128, 128))
    image = torch.from_numpy(pixel_means(PHANTOM, 128))
    got = filtered_back_projection(_exact_data(A), A)[0]
    assert relative_difference(got, image) < 0.04  # jumps cannot be sharper than a pixel
    flat = torch.zeros(128, 128, dtype=torch.bool)
    flat[80:88, 82:90] = True
    assert float(image[flat].std()) == 0
    assert float((got[flat] / image[flat]).mean()) == pytest.approx(1, abs=1e-3)
    # Smooth images have no jumps: their error is that of the quadrature alone.
    smooth = _bump(128)
    back = filtered_back_projection(A(smooth), A)
    assert relative_difference(back, smooth) < 0.004


def _bump(n_pixels: int) -> torch.Tensor:
    place = torch.linspace(-1, 1, n_pixels, dtype=torch.float64)
    square = (place[:, None] / 0.5 - 0.2) ** 2 + (place[None, :] / 0.4 + 0.1) ** 2
    return torch.exp(-4 * square)[None]


def test_is_linear_interpolation_of_few_views_too() -> None:
    fifty = RadonMap(_evenly(50), (128, 128))
    many = RadonMap(_evenly(400), (128, 128))
    image = torch.from_numpy(pixel_means(PHANTOM, 128))
    few_error = relative_difference(filtered_back_projection(_exact_data(fifty), fifty)[0], image)
    many_error = relative_difference(filtered_back_projection(_exact_data(many), many)[0], image)
    assert many_error < few_error < 0.1


def test_uneven_views_count_what_they_stand_for() -> None:
    even = RadonMap(_evenly(180), (96, 96))
    # One half of the views is twice as dense, and some are given turned by half a turn.
    uneven = np.concatenate([_evenly(180)[:90], _evenly(180)[90::2]])
    uneven[::3] += np.pi
    order = np.random.default_rng(1).permutation(len(uneven))
    some = RadonMap(uneven[order], (96, 96))
    smooth = _bump(96)
    whole = filtered_back_projection(even(smooth), even)
    assert relative_difference(filtered_back_projection(some(smooth), some), whole) < 0.01


def test_the_gradient_is_the_transpose_to_any_order() -> None:
    A = RadonMap([0.1, 0.9, 2.2], (6, 7), n_detectors=9)

    def reconstruct(data: torch.Tensor) -> torch.Tensor:
        return filtered_back_projection(data, A)

    matrix = dense_matrix(reconstruct, A.data_shape, torch.float64)
    data = torch.randn(2, *A.data_shape, dtype=torch.float64, generator=torch.manual_seed(0))
    along = torch.randn(2, 6, 7, dtype=torch.float64, generator=torch.manual_seed(1))
    data.requires_grad_()
    (gradient,) = torch.autograd.grad(reconstruct(data), data, along)
    assert relative_difference(gradient.flatten(1), along.flatten(1) @ matrix) < 1e-13
    _, tangent = torch.func.jvp(reconstruct, (data.detach(),), (data.detach(),))
    assert relative_difference(tangent, reconstruct(data.detach())) < 1e-13
    assert torch.autograd.gradcheck(reconstruct, (data,))
    assert torch.autograd.gradgradcheck(lambda y: reconstruct(y) ** 2, (data,))


def test_batches_precision_and_complex_data() -> None:
    A = RadonMap(_evenly(9), (16, 12))
    data = torch.randn(3, *A.data_shape, dtype=torch.complex128, generator=torch.manual_seed(2))
    whole = filtered_back_projection(data, A)
    assert whole.shape == (3, 16, 12)
    alone = torch.cat([filtered_back_projection(single[None], A) for single in data])
    assert relative_difference(whole, alone) < 1e-14
    parts = torch.complex(
        filtered_back_projection(data.real, A), filtered_back_projection(data.imag, A)
    )
    assert relative_difference(whole, parts) < 1e-14
    single = filtered_back_projection(data.real.to(torch.float32), A)
    assert single.dtype == torch.float32
    assert relative_difference(single, whole.real) < 1e-6


def test_refuses_other_maps_and_other_data() -> None:
    with pytest.raises(InputError, match=r"Expected a RadonMap .* got FourierMap"):
        filtered_back_projection(torch.zeros(1, 4, 4), FourierMap(torch.ones(4, 4)))
    with pytest.raises(ShapeError, match="Expected data of shape"):
        filtered_back_projection(torch.zeros(1, 4, 4), RadonMap([0.0], (4, 4)))
