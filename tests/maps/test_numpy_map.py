"""What is special about maps of NumPy functions; their properties are in test_map_properties."""

import numpy as np
import pytest
import torch

from shaketable.errors import MapError, ShapeError
from shaketable.maps import NumpyMap


def _sums(**changes: object) -> NumpyMap:
    parts = {
        "forward": lambda x: x.sum(axis=1),
        "adjoint": lambda y: np.repeat(y[:, None], 3, axis=1),
        "image_shape": (2, 3),
        "data_shape": (2,),
    }
    return NumpyMap(**{**parts, **changes})


def test_functions_get_single_images_of_the_callers_precision() -> None:
    seen = []
    A = _sums(forward=lambda x: seen.append((x.shape, x.dtype)) or x.sum(axis=1))
    A(torch.zeros(2, 2, 3))
    assert seen == [((2, 3), np.float32)] * 2


def test_vectorized_functions_get_the_batch() -> None:
    seen = []
    A = _sums(forward=lambda x: seen.append(x.shape) or x.sum(axis=2), vectorized=True)
    assert A(torch.ones(4, 2, 3)).tolist() == [[3.0, 3.0]] * 4
    assert seen == [(4, 2, 3)]


def test_real_images_to_complex_data_have_real_gradients() -> None:
    A = NumpyMap(
        forward=lambda x: x * 1j, adjoint=lambda y: y * -1j, image_shape=(2,), data_shape=(2,)
    )
    x = torch.tensor([[1.0, 2.0]], dtype=torch.float64, requires_grad=True)
    loss = A(x).abs().square().sum()
    (gradient,) = torch.autograd.grad(loss, x, create_graph=True)
    assert gradient.tolist() == [[2.0, 4.0]]
    (curvature,) = torch.autograd.grad(gradient.sum(), x)
    assert curvature.tolist() == [[2.0, 2.0]]


def test_conjugated_views_arrive_conjugated() -> None:
    A = NumpyMap(forward=lambda x: x, adjoint=lambda y: y, image_shape=(1,), data_shape=(1,))
    x = torch.tensor([[1 + 2j]]).conj()
    assert x.is_conj()
    assert A(x).item() == 1 - 2j


def test_a_result_of_another_shape_is_named() -> None:
    A = _sums(forward=lambda x: x.sum(axis=0))
    with pytest.raises(ShapeError, match=r"forward to return shape \(2,\), got \(3,\)"):
        A(torch.zeros(1, 2, 3))
    A = _sums(adjoint=lambda y: y)
    with pytest.raises(ShapeError, match=r"adjoint to return shape \(2, 3\), got \(2,\)"):
        A.adjoint(torch.zeros(1, 2))


def test_a_result_that_is_no_number_is_named() -> None:
    A = _sums(forward=lambda x: np.array(["a", "b"]))
    with pytest.raises(MapError, match="forward to return numbers"):
        A(torch.zeros(1, 2, 3))


def test_describe() -> None:
    assert _sums().describe() == {"type": "numpy", "image_shape": [2, 3], "data_shape": [2]}
