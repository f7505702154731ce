"""Properties of forward maps, each as one function to call from a test.

Shapes are compared before any sum is taken: flattening would hide a wrong one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from shaketable.protocols import ForwardMap
from tests.helpers.oracles import directional_derivative, inner, relative_difference

ALL_DTYPES = (torch.float32, torch.float64, torch.complex64, torch.complex128)


def tolerance(dtype: torch.dtype) -> float:
    """Relative dot-test tolerance: 1e-6 in single, 1e-12 in double precision."""
    return 1e-6 if dtype.to_real() == torch.float32 else 1e-12


def random_image(forward: ForwardMap, dtype: torch.dtype, batch: int = 1, seed: int = 0) -> Tensor:
    """``(B, *image_shape)`` of normal numbers."""
    return _random((batch, *forward.image_shape), dtype, seed)


def random_data(forward: ForwardMap, dtype: torch.dtype, batch: int = 1, seed: int = 1) -> Tensor:
    """``(B, *data_shape)`` of normal numbers, of the dtype that images of this dtype lead to."""
    data_dtype = forward(random_image(forward, dtype)).dtype
    return _random((batch, *forward.data_shape), data_dtype, seed)


def assert_shapes_and_dtype(forward: ForwardMap, dtype: torch.dtype) -> None:
    """Batches of the stated shapes come back, in the precision that went in."""
    data = forward(random_image(forward, dtype, batch=3))
    assert tuple(data.shape) == (3, *forward.data_shape)
    assert data.dtype.to_real() == dtype.to_real()
    image = forward.adjoint(data)
    assert tuple(image.shape) == (3, *forward.image_shape)
    assert image.dtype.to_real() == dtype.to_real()
    if dtype.is_complex:
        assert data.is_complex()
        assert image.is_complex()


def assert_adjoint(forward: ForwardMap, dtype: torch.dtype, n_pairs: int = 3) -> None:
    """``⟨A x, y⟩ = ⟨x, A* y⟩``; the real parts where images are real."""
    for seed in range(n_pairs):
        image = random_image(forward, dtype, seed=2 * seed)
        data = random_data(forward, dtype, seed=2 * seed + 1)
        mapped, back = forward(image), forward.adjoint(data)
        assert mapped.shape == data.shape
        assert back.shape == image.shape
        gap = inner(mapped, data) - inner(image, back)
        size = float(mapped.norm()) * float(data.norm())
        assert abs(gap if dtype.is_complex else gap.real) <= tolerance(dtype) * size


def assert_linear(forward: ForwardMap, dtype: torch.dtype) -> None:
    """Superposition, with complex factors where images are complex."""
    a, b = (0.3 - 1.1j, 0.7 + 0.2j) if dtype.is_complex else (0.3, -1.1)
    image, other = random_image(forward, dtype, seed=3), random_image(forward, dtype, seed=4)
    expected = a * forward(image) + b * forward(other)
    assert relative_difference(forward(a * image + b * other), expected) <= 10 * tolerance(dtype)


def assert_batch_independent(forward: ForwardMap, dtype: torch.dtype) -> None:
    """Every image of a batch is mapped as if it were alone."""
    images = random_image(forward, dtype, batch=3, seed=5)
    alone = torch.cat([forward(image[None]) for image in images])
    assert relative_difference(forward(images), alone) <= 10 * tolerance(dtype)


def assert_gradient_is_adjoint(forward: ForwardMap, dtype: torch.dtype) -> None:
    """The vector-Jacobian product of A is ``A* y``; its real part where images are real."""
    image = random_image(forward, dtype, batch=2).requires_grad_()
    data = random_data(forward, dtype, batch=2)
    (gradient,) = torch.autograd.grad(forward(image), image, data)
    assert gradient.dtype == dtype
    expected = forward.adjoint(data)
    if not dtype.is_complex and expected.is_complex():
        expected = expected.real
    assert relative_difference(gradient, expected) <= 10 * tolerance(dtype)


def assert_forward_mode(forward: ForwardMap, dtype: torch.dtype) -> None:
    """The Jacobian-vector product of A along v is ``A v``."""
    image, along = random_image(forward, dtype, seed=6), random_image(forward, dtype, seed=7)
    _, tangent = torch.func.jvp(forward, (image,), (along,))
    assert relative_difference(tangent, forward(along)) <= 10 * tolerance(dtype)


def assert_second_derivative(forward: ForwardMap, dtype: torch.dtype) -> None:
    """The gradient of ``Σ|A x|⁴`` has the derivative that finite differences show."""
    assert dtype.to_real() == torch.float64, "finite differences need double precision"

    def gradient(image: Tensor) -> Tensor:
        image = image.detach().requires_grad_()
        return torch.autograd.grad(forward(image).abs().square().square().sum(), image)[0]

    image = random_image(forward, dtype, seed=8)
    along = random_image(forward, dtype, seed=9)
    at = image.clone().requires_grad_()
    (first,) = torch.autograd.grad(forward(at).abs().square().square().sum(), at, create_graph=True)
    # The Hessian is symmetric as a real-linear map, so the product from either side is the same.
    (second,) = torch.autograd.grad(first, at, along)
    expected = directional_derivative(gradient, image, along)
    assert relative_difference(second, expected) <= 1e-6


def _random(shape: tuple[int, ...], dtype: torch.dtype, seed: int) -> Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))
