"""From data with DC in the middle to data with DC first, and back."""

import pytest
import scipy.fft
import torch

from shaketable.maps import FourierMap, from_centred, to_centred
from tests.helpers.oracles import relative_difference

every_shape = pytest.mark.parametrize("shape", [(8, 6), (7, 6), (8, 5), (9, 7), (1, 4)])


def _normal(*shape: int, dtype: torch.dtype = torch.complex128) -> torch.Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(0))


def _centred(image: torch.Tensor) -> torch.Tensor:
    """The centred transform from its definition, by SciPy."""
    axes = (-2, -1)
    origin_first = scipy.fft.ifftshift(image.numpy(), axes=axes)
    data = scipy.fft.fft2(origin_first, norm="ortho")
    return torch.from_numpy(scipy.fft.fftshift(data, axes=axes))


@every_shape
def test_the_map_makes_the_same_of_the_same_image(shape: tuple[int, int]) -> None:
    image = _normal(3, *shape)
    data = FourierMap(torch.ones(shape))(image)
    assert relative_difference(from_centred(_centred(image)), data) < 1e-14
    assert relative_difference(to_centred(data), _centred(image)) < 1e-14


@every_shape
def test_one_undoes_the_other_and_keeps_zeros(shape: tuple[int, int]) -> None:
    kspace = _normal(2, *shape) * (_normal(*shape, dtype=torch.float64) > 0)
    assert relative_difference(to_centred(from_centred(kspace)), kspace) < 1e-14
    zeros = torch.fft.ifftshift(kspace, dim=(-2, -1)) == 0
    assert torch.equal(from_centred(kspace) == 0, zeros)


def test_precision_is_kept() -> None:
    kspace = _normal(4, 4, dtype=torch.complex64)
    assert from_centred(kspace).dtype == to_centred(kspace).dtype == torch.complex64
