"""Small reconstructors, each with one known property, and small problems to put them in."""

from __future__ import annotations

import math
import time

import torch
from torch import Tensor, nn

from shaketable import FourierMap, MatrixMap, Problem
from shaketable.maps.sampling import SamplingSequence, cartesian_variable_density
from shaketable.protocols import ForwardMap, Reconstructor

SIZE = 32


def images(n: int = 2, *, size: int = SIZE, real: bool = False) -> Tensor:
    """``(n, size, size)`` discs with a bright band and a smooth phase, large enough for details."""
    line = torch.linspace(-1, 1, size)
    down, across = torch.meshgrid(line, line, indexing="ij")
    disc = ((down / 0.9) ** 2 + (across / 0.8) ** 2 < 1).float()
    stack = [
        disc * (0.5 + 0.1 * torch.cos((3 + index) * across) + 0.2 * (down.abs() < 0.1))
        for index in range(n)
    ]
    magnitude = torch.stack(stack)
    return magnitude if real else magnitude * torch.exp(0.5j * (down + 2 * across))


def sequence(size: int = SIZE, *, seed: int = 0) -> SamplingSequence:
    """Nested rows of k-space with four centre lines."""
    return cartesian_variable_density((size, size), seed=seed, n_center=4)


def fourier(rate: float = 0.5, *, size: int = SIZE) -> FourierMap:
    """A Cartesian Fourier map."""
    return FourierMap(sequence(size).mask(rate))


def zero_filled(y: Tensor, A: ForwardMap) -> Tensor:
    """``A* y``: of the unitary Fourier map the largest amplification is exactly one."""
    return A.adjoint(y)


def real_zero_filled(y: Tensor, A: ForwardMap) -> Tensor:
    """The real part of ``A* y``."""
    return A.adjoint(y).real


def scaled(factor: float) -> Reconstructor:
    """``factor · A* y``."""

    def reconstruct(y: Tensor, A: ForwardMap) -> Tensor:
        return factor * A.adjoint(y)

    return reconstruct


def constant(y: Tensor, A: ForwardMap) -> Tensor:
    """The same image whatever the data are."""
    return torch.full((len(y), *A.image_shape), 0.3, dtype=y.dtype)


def not_a_number(y: Tensor, A: ForwardMap) -> Tensor:
    """NaN in one pixel."""
    image = A.adjoint(y).clone()
    image[:, 3, 3] = math.nan
    return image


def nan_gradient(y: Tensor, A: ForwardMap) -> Tensor:
    """``A* y`` and its value is finite, but its gradient is NaN: the root of zero."""
    image = A.adjoint(y)
    zero = (image - image).abs().square().sum((-2, -1), keepdim=True)
    return image + zero.sqrt()


def breaks_above(threshold: float) -> Reconstructor:
    """``A* y``, infinite for images whose norm is above a threshold."""

    def reconstruct(y: Tensor, A: ForwardMap) -> Tensor:
        image = A.adjoint(y)
        norm = torch.linalg.vector_norm(image.detach(), dim=(1, 2), keepdim=True)
        return image * torch.where(norm > threshold, math.inf, 1.0)

    return reconstruct


def bright_breaks(clean: Tensor) -> Reconstructor:
    """Grows with the norm of its input, and is infinite for one 1.5 % above that of ``clean``."""
    reference = float(torch.linalg.vector_norm(clean))

    def reconstruct(y: Tensor, A: ForwardMap) -> Tensor:
        image = A.adjoint(y)
        growth = torch.linalg.vector_norm(image, dim=(1, 2), keepdim=True) / reference
        return image * growth**4 * torch.where(growth.detach() > 1.015, math.inf, 1.0)

    return reconstruct


def noisy(y: Tensor, A: ForwardMap) -> Tensor:
    """``A* y`` with fresh noise at every call."""
    image = A.adjoint(y)
    return image + 0.01 * torch.randn(image.shape, dtype=image.dtype)


def transposed(y: Tensor, A: ForwardMap) -> Tensor:
    """An image with its first two axes exchanged, so of the wrong shape."""
    return A.adjoint(y).unsqueeze(1)


def integers(y: Tensor, A: ForwardMap) -> Tensor:
    """An image of grey levels."""
    return (255 * A.adjoint(y).abs()).to(torch.int64)


def half_detached(y: Tensor, A: ForwardMap) -> Tensor:
    """A smoothing network, then hard data consistency that autograd does not see."""
    zero_filled_image = A.adjoint(y)
    guess = 0.5 * (zero_filled_image + zero_filled_image.roll(1, -1))
    correction = A.adjoint(y - A(guess))
    return guess + correction.detach()


def data_consistent(y: Tensor, A: ForwardMap) -> Tensor:
    """The same chain with its data-consistency layer inside autograd."""
    zero_filled_image = A.adjoint(y)
    guess = 0.5 * (zero_filled_image + zero_filled_image.roll(1, -1))
    return guess + A.adjoint(y - A(guess))


def through_numpy(y: Tensor, A: ForwardMap) -> Tensor:
    """``A* y`` through NumPy: right values, no gradient."""
    return torch.from_numpy(A.adjoint(y).numpy().copy())


def batch_mean(y: Tensor, A: ForwardMap) -> Tensor:
    """``A* y`` less a share of the batch's mean: images depend on their neighbours."""
    image = A.adjoint(y)
    return image - 0.2 * image.mean(0, keepdim=True)


def one_at_a_time(y: Tensor, A: ForwardMap) -> Tensor:
    """``A* y``, refusing batches."""
    if len(y) != 1:
        raise ValueError("one image at a time, please")
    return A.adjoint(y)


class Layered(nn.Module):
    """``A* y`` plus a small convolution of its two channels, with layers of one's choice."""

    def __init__(self, *layers: nn.Module, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        convolution = nn.Conv2d(2, 2, 3, padding=1)
        with torch.no_grad():
            convolution.weight.copy_(0.1 * torch.randn(2, 2, 3, 3, generator=generator))
            convolution.bias.zero_()
        self.layers = nn.Sequential(convolution, *layers)

    def forward(self, y: Tensor, A: ForwardMap) -> Tensor:
        image = A.adjoint(y)
        channels = torch.view_as_real(image).movedim(-1, 1)
        residual = self.layers(channels).movedim(1, -1).contiguous()
        return image + torch.view_as_complex(residual)


class Unstable:
    """``A* y + gain · ⟨p, A* y⟩ p``: amplification ``1 + gain`` along a hidden pattern p.

    The pattern is one that the map samples, so that ``‖A p‖ = ‖p‖ = 1``; clean images hardly see
    it because their own share of it is taken out.
    """

    def __init__(self, A: ForwardMap, clean: Tensor, *, gain: float, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        pattern = torch.randn(tuple(A.image_shape), generator=generator, dtype=clean.dtype)
        pattern = A.adjoint(A(pattern[None]))[0]
        self.pattern = pattern / torch.linalg.vector_norm(pattern)
        self.gain = gain

    def __call__(self, y: Tensor, A: ForwardMap) -> Tensor:
        image = A.adjoint(y)
        share = (self.pattern.conj() * image).sum((-2, -1), keepdim=True)
        return image + self.gain * share * self.pattern


class Slow:
    """Another reconstructor that takes its time, so that a kill finds it at work."""

    def __init__(self, reconstruct: Reconstructor, *, seconds: float) -> None:
        self.reconstruct, self.seconds = reconstruct, seconds

    def __call__(self, y: Tensor, A: ForwardMap) -> Tensor:
        time.sleep(self.seconds)
        return self.reconstruct(y, A)


def known_spectrum(
    singular_values: Tensor, *, shape: tuple[int, int], dtype: torch.dtype, seed: int = 0
) -> Problem:
    """Fully sampled data, and a linear reconstructor with the given singular values."""
    generator = torch.Generator().manual_seed(seed)
    n = len(singular_values)
    left, _ = torch.linalg.qr(torch.randn(n, n, generator=generator, dtype=dtype))
    right, _ = torch.linalg.qr(torch.randn(n, n, generator=generator, dtype=dtype))
    matrix = left @ torch.diag(singular_values.to(dtype)) @ right.conj().T

    def reconstruct(y: Tensor, A: ForwardMap) -> Tensor:
        return (y @ matrix.T).reshape(-1, *shape)

    identity = MatrixMap(torch.eye(n, dtype=dtype), image_shape=shape)
    return Problem(forward=identity, reconstruct=reconstruct, real=not dtype.is_complex)


def problem(reconstruct: Reconstructor = zero_filled, *, rate: float = 0.5) -> Problem:
    """A complex Fourier problem of 32 x 32 pixels."""
    return Problem(forward=fourier(rate), reconstruct=reconstruct)
