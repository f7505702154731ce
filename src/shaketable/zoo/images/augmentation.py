"""Random training images out of few: geometry, contrast, shading, phase, all from one generator."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def augment(image: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Draw a complex training image from a magnitude image of twice its size.

    Flips, rotation, zoom, shift and a smooth elastic deformation; resampling to half the size by
    averaging, or by cutting the spectrum as a scanner does; a random contrast curve and smooth
    shading; a smooth phase on half of the samples.

    Parameters
    ----------
    image
        ``(2 size, 2 size)`` real magnitudes, peak 1.
    size
        Height and width of what is returned, in pixels.
    generator
        Source of all randomness (on the CPU).

    Returns
    -------
    Tensor
        ``(size, size)`` complex64, largest modulus 1.

    Examples
    --------
    >>> import torch
    >>> picture = augment(torch.ones(16, 16), 8, torch.Generator().manual_seed(0))
    >>> picture.shape, picture.dtype
    (torch.Size([8, 8]), torch.complex64)
    """
    picture = _deform(image[None, None], generator)
    picture = _halve(picture, generator)[0, 0]
    picture = _contrast(picture, generator)
    if _uniform(generator) < 0.5:
        picture = picture * torch.exp(_smooth_field(size, 3, generator) * 0.3)
    picture = picture / picture.max().clamp_min(1e-6)
    phase = torch.zeros_like(picture)
    if _uniform(generator) < 0.5:
        n_knots = 2 + int(4 * _uniform(generator))
        phase = _smooth_field(size, n_knots, generator) * (2.0 * _uniform(generator))
        phase = phase + 6.2832 * _uniform(generator)
    return torch.polar(picture, phase)


def augment_attenuation(image: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a training image of computed tomography from an image of twice its size.

    Flips, rotation, zoom, shift and a smooth elastic deformation; resampling to half the size; on half of
    the samples a curve ``peak (x / peak)^γ`` with γ from 0.7 to 1.4, which changes the contrast of
    tissues and keeps air at 0.

    Parameters
    ----------
    image
        ``(2 H, 2 W)`` real, not negative.
    generator
        Source of all randomness (on the CPU).

    Returns
    -------
    Tensor
        ``(H, W)`` float32, not negative.

    Examples
    --------
    >>> import torch
    >>> augment_attenuation(torch.ones(16, 16), torch.Generator().manual_seed(0)).shape
    torch.Size([8, 8])
    """
    picture = _halve(_deform(image[None, None], generator), generator)[0, 0].clamp_min(0)
    if _uniform(generator) < 0.5:
        peak = picture.max().clamp_min(1e-6)
        picture = peak * (picture / peak) ** _uniform(generator, 0.7, 1.4)
    return picture


def _uniform(generator: torch.Generator, low: float = 0.0, high: float = 1.0) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def _smooth_field(size: int, n_knots: int, generator: torch.Generator) -> Tensor:
    """``(size, size)``: Gaussian knots, interpolated by cubic polynomials."""
    knots = torch.randn(1, 1, n_knots + 2, n_knots + 2, generator=generator)
    field = functional.interpolate(knots, (size, size), mode="bicubic", align_corners=True)
    return field[0, 0]


def _deform(image: Tensor, generator: torch.Generator) -> Tensor:
    """Flip, rotate, zoom, shift and bend ``(1, 1, N, N)``."""
    if _uniform(generator) < 0.5:
        image = image.flip(-1)
    if _uniform(generator) < 0.5:
        image = image.flip(-2)
    if _uniform(generator) < 0.25:
        image = image.transpose(-1, -2)
    angle = _uniform(generator, -0.35, 0.35)
    zoom = _uniform(generator, 0.85, 1.2)
    stretch = _uniform(generator, 0.92, 1.08)
    cosine, sine = (torch.tensor(angle).cos() / zoom, torch.tensor(angle).sin() / zoom)
    affine = torch.tensor(
        [
            [float(cosine) * stretch, float(-sine), _uniform(generator, -0.12, 0.12)],
            [float(sine) * stretch, float(cosine), _uniform(generator, -0.12, 0.12)],
        ]
    )
    grid = functional.affine_grid(affine[None], list(image.shape), align_corners=False)
    if _uniform(generator) < 0.5:
        n_knots = 2 + int(5 * _uniform(generator))
        size = image.shape[-1]
        bend = [_smooth_field(size, n_knots, generator) * (0.06 / n_knots) for _ in range(2)]
        grid = grid + torch.stack(bend, dim=-1)
    deformed: Tensor = functional.grid_sample(image, grid, align_corners=False)
    return deformed


def _halve(image: Tensor, generator: torch.Generator) -> Tensor:
    """Half the size of ``(1, 1, 2N, 2N)``, without aliasing, softened on a third of the samples."""
    size = image.shape[-1] // 2
    halved: Tensor
    if _uniform(generator) < 0.5:
        spectrum = torch.fft.fftshift(torch.fft.fft2(image), dim=(-2, -1))
        start = size // 2
        middle = spectrum[..., start : start + size, start : start + size]
        halved = torch.fft.ifft2(torch.fft.ifftshift(middle, dim=(-2, -1))).abs() / 4
    else:
        halved = functional.avg_pool2d(image, 2)
    if _uniform(generator) < 0.33:
        weight = _uniform(generator, 0.05, 0.3)
        kernel = torch.tensor([weight, 1.0, weight]) / (1 + 2 * weight)
        halved = functional.conv2d(halved, (kernel[:, None] * kernel)[None, None], padding=1)
    return halved


def _contrast(image: Tensor, generator: torch.Generator) -> Tensor:
    """Replace the intensities of ``(N, N)`` through a random curve that keeps 0 at 0."""
    image = image.clamp_min(0) / image.max().clamp_min(1e-6)
    kind = _uniform(generator)
    if kind < 0.25:
        return image
    if kind < 0.85:
        return image ** _uniform(generator, 0.6, 1.7)
    # A piecewise linear curve may swap grey and white matter, as another sequence would.
    n_knots = 5
    knots = torch.rand(n_knots + 1, generator=generator)
    knots[0] = 0.0
    position = image * n_knots
    left = position.floor().clamp(max=n_knots - 1)
    index = left.long()
    return knots[index] + (position - left) * (knots[index + 1] - knots[index])
