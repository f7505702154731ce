"""Every map against every property that a map must have."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.fft
import torch

from shaketable.errors import ShapeError
from shaketable.maps import (
    FourierMap,
    MatrixMap,
    MultiCoilFourierMap,
    NumpyMap,
    RadonMap,
    birdcage_coils,
)
from shaketable.protocols import ForwardMap
from tests.helpers import properties
from tests.helpers.properties import ALL_DTYPES


def _normal(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def _mask(*shape: int) -> torch.Tensor:
    return _normal(*shape) > 0.3


def _numpy_fourier(vectorized: bool) -> NumpyMap:
    mask = _mask(6, 5).numpy()
    return NumpyMap(
        forward=lambda x: scipy.fft.fft2(x, norm="ortho") * mask,
        adjoint=lambda y: scipy.fft.ifft2(y * mask, norm="ortho"),
        image_shape=(6, 5),
        data_shape=(6, 5),
        vectorized=vectorized,
    )


def _numpy_in_double() -> NumpyMap:
    """Computes in double precision whatever comes in, and changes its argument."""
    weights = np.linspace(1, 2, 20).reshape(4, 5)

    def forward(x: np.ndarray) -> np.ndarray:
        x *= 2
        return (x * weights).sum(axis=0)

    def adjoint(y: np.ndarray) -> np.ndarray:
        y *= 2
        return y[None, :] * weights

    return NumpyMap(forward=forward, adjoint=adjoint, image_shape=(4, 5), data_shape=(5,))


MAPS: dict[str, Callable[[], ForwardMap]] = {
    "fourier even": lambda: FourierMap(_mask(8, 6)),
    "fourier odd": lambda: FourierMap(_mask(7, 5)),
    "matrix real": lambda: MatrixMap(_normal(7, 12), image_shape=(3, 4)),
    "matrix complex": lambda: MatrixMap(
        _normal(6, 12, dtype=torch.complex128), image_shape=(4, 3), data_shape=(2, 3)
    ),
    "matrix sparse coordinates": lambda: MatrixMap(
        (_normal(7, 12) * _mask(7, 12)).to_sparse(), image_shape=(3, 4)
    ),
    "matrix sparse complex": lambda: MatrixMap(
        (_normal(7, 12, dtype=torch.complex128) * _mask(7, 12)).to_sparse(), image_shape=(3, 4)
    ),
    "multi-coil even": lambda: MultiCoilFourierMap(_mask(8, 6), birdcage_coils(3, (8, 6))),
    "multi-coil odd": lambda: MultiCoilFourierMap(
        _mask(7, 5), _normal(2, 7, 5, dtype=torch.complex128)
    ),
    "radon square": lambda: RadonMap(torch.arange(5) * torch.pi / 5, (8, 8)),
    "radon uneven": lambda: RadonMap([0.3, -2.0, 1.1], (7, 10), n_detectors=9),
    "numpy singly": lambda: _numpy_fourier(vectorized=False),
    "numpy vectorized": lambda: _numpy_fourier(vectorized=True),
    "numpy in double": _numpy_in_double,
}

every_map = pytest.mark.parametrize("name", MAPS)
every_dtype = pytest.mark.parametrize("dtype", ALL_DTYPES, ids=str)
double_dtype = pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)


@every_map
def test_satisfies_the_protocol(name: str) -> None:
    assert isinstance(MAPS[name](), ForwardMap)


@every_map
@every_dtype
def test_shapes_and_dtype(name: str, dtype: torch.dtype) -> None:
    properties.assert_shapes_and_dtype(MAPS[name](), dtype)


@every_map
@every_dtype
def test_adjoint(name: str, dtype: torch.dtype) -> None:
    properties.assert_adjoint(MAPS[name](), dtype)


@every_map
@every_dtype
def test_linear(name: str, dtype: torch.dtype) -> None:
    properties.assert_linear(MAPS[name](), dtype)


@every_map
@every_dtype
def test_batch_independent(name: str, dtype: torch.dtype) -> None:
    properties.assert_batch_independent(MAPS[name](), dtype)


@every_map
@every_dtype
def test_gradient_is_adjoint(name: str, dtype: torch.dtype) -> None:
    properties.assert_gradient_is_adjoint(MAPS[name](), dtype)


@every_map
@every_dtype
def test_forward_mode(name: str, dtype: torch.dtype) -> None:
    properties.assert_forward_mode(MAPS[name](), dtype)


@every_map
@double_dtype
def test_second_derivative(name: str, dtype: torch.dtype) -> None:
    properties.assert_second_derivative(MAPS[name](), dtype)


@every_map
def test_an_empty_batch_is_refused(name: str) -> None:
    forward = MAPS[name]()
    with pytest.raises(ShapeError, match="B, the batch, is at least 1"):
        forward(torch.zeros(0, *forward.image_shape))


@every_map
def test_the_argument_is_left_alone(name: str) -> None:
    forward = MAPS[name]()
    image = properties.random_image(forward, torch.float64)
    before = image.clone()
    forward(image)
    assert torch.equal(image, before)
