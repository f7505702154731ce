"""The Fourier map against the transform's definition and another library."""

import numpy as np
import pytest
import scipy.fft
import torch

from shaketable.errors import InputError, ShapeError
from shaketable.maps import FourierMap
from tests.helpers.oracles import dft_matrix, map_matrix, relative_difference


@pytest.mark.parametrize("shape", [(4, 6), (5, 3), (1, 8)])
def test_is_the_masked_dft_matrix(shape: tuple[int, int]) -> None:
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(1)) < 0.6
    mask[0, 0] = True
    full = torch.kron(dft_matrix(shape[0]), dft_matrix(shape[1]))
    expected = full * mask.flatten()[:, None]
    assert relative_difference(map_matrix(FourierMap(mask)), expected) < 1e-14


@pytest.mark.parametrize(
    ("dtype", "limit"),
    [
        (torch.float32, 1e-6),
        (torch.complex64, 1e-6),
        (torch.float64, 1e-14),
        (torch.complex128, 1e-14),
    ],
)
def test_agrees_with_scipy(dtype: torch.dtype, limit: float) -> None:
    random = torch.Generator().manual_seed(2)
    image = torch.randn((3, 32, 27), dtype=dtype, generator=random)
    mask = torch.rand((32, 27), generator=random) < 0.4
    expected = scipy.fft.fft2(image.numpy(), norm="ortho") * mask.numpy()
    data = FourierMap(mask)(image)
    assert relative_difference(data, torch.from_numpy(expected)) < limit
    back = scipy.fft.ifft2(expected, norm="ortho")
    assert relative_difference(FourierMap(mask).adjoint(data), torch.from_numpy(back)) < limit


def test_dc_is_the_first_position_and_the_transform_unitary() -> None:
    data = FourierMap(torch.ones(4, 4))(torch.ones(1, 4, 4, dtype=torch.float64))
    expected = torch.zeros(1, 4, 4, dtype=torch.complex128)
    expected[0, 0, 0] = 4
    assert torch.equal(data, expected)


def test_data_are_exactly_zero_where_nothing_is_sampled() -> None:
    mask = torch.rand(16, 16, generator=torch.Generator().manual_seed(3)) < 0.3
    A = FourierMap(mask)
    data = A(torch.randn(2, 16, 16, generator=torch.Generator().manual_seed(4)))
    assert bool((data[:, ~mask] == 0).all())
    assert bool((data[:, mask] != 0).all())
    assert torch.equal(A.sampled, mask)


def test_the_zero_filled_image_keeps_its_data() -> None:
    mask = torch.rand(9, 12, generator=torch.Generator().manual_seed(5)) < 0.5
    A = FourierMap(mask)
    data = A(torch.randn(1, 9, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(6)))
    assert relative_difference(A(A.adjoint(data)), data) < 1e-14


def test_describe_and_rate() -> None:
    mask = torch.zeros(4, 8)
    mask[0] = 1
    assert FourierMap(mask).describe() == {"type": "fourier", "shape": [4, 8], "rate": 0.25}


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (torch.ones(2, 4, 4), r"mask of shape \(H, W\), got \(2, 4, 4\)"),
        (torch.full((4, 4), 0.5), "zeros and ones"),
        (torch.full((4, 4), float("nan")), "zeros and ones"),
        (torch.zeros(4, 4), "at least one position"),
        ("mask.npy", "mask of zeros and ones"),
    ],
)
def test_refuses_masks_that_are_none(mask: torch.Tensor, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        FourierMap(mask)


def test_takes_numpy_masks() -> None:
    assert FourierMap(np.eye(4, dtype=bool)).rate == 0.25


def test_refuses_images_without_batch_or_of_another_size() -> None:
    A = FourierMap(torch.ones(4, 6))
    with pytest.raises(ShapeError, match=r"\(B, 4, 6\), got \(4, 6\); add a batch dimension") as no:
        A(torch.zeros(4, 6))
    assert no.value.expected == (-1, 4, 6)
    assert no.value.got == (4, 6)
    with pytest.raises(ShapeError, match="Expected data of shape"):
        A.adjoint(torch.zeros(1, 6, 4))


def test_refuses_whole_numbers() -> None:
    with pytest.raises(InputError, match=r"got torch\.int64; convert it"):
        FourierMap(torch.ones(4, 4))(torch.zeros(1, 4, 4, dtype=torch.int64))
