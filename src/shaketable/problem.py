"""The problem a network is tested on: forward map, reconstructor, kind of images."""

from __future__ import annotations

import html
from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.errors import InputError, ShapeError
from shaketable.protocols import ForwardMap, Reconstructor
from shaketable.real_vectors import real_parts


@dataclass(frozen=True, kw_only=True, repr=False)
class Problem:
    """A forward map and the reconstructor that is tested on it.

    Parameters
    ----------
    forward
        The linear sampling operator ``A``.
    reconstruct
        ``f(y, A)``: data ``(B, *data_shape)`` and the map -> image ``(B, *image_shape)``.
    real
        Images, and so image-domain perturbations, are real-valued.
    differentiable
        ``f`` can be differentiated by torch; False for black boxes.
    name
        What records and reports call the reconstructor.
    units
        Unit of the image values, for example ``"HU"``; empty when arbitrary.

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps import FourierMap
    >>> A = FourierMap(torch.ones(8, 8))
    >>> problem = Problem(forward=A, reconstruct=lambda y, A: A.adjoint(y), name="zero-filled")
    >>> problem.name
    'zero-filled'
    """

    forward: ForwardMap
    reconstruct: Reconstructor
    real: bool = False
    differentiable: bool = True
    name: str = "network"
    units: str = ""

    def __repr__(self) -> str:
        kind = "real" if self.real else "complex"
        forward, shape = type(self.forward).__name__, tuple(self.forward.image_shape)
        blind = "" if self.differentiable else ", no gradients"
        return f"Problem({self.name!r} on {forward}, {kind} images {shape}{blind})"

    def _repr_html_(self) -> str:
        """For notebooks: the same line, in which a name is no markup."""
        return f"<code>{html.escape(repr(self))}</code>"

    def prepare(self, images: Tensor) -> Tensor:
        """Check a batch of images against the problem and give it the problem's kind of dtype.

        Parameters
        ----------
        images
            ``(B, *image_shape)``, real or complex.

        Returns
        -------
        Tensor
            The same images, complex unless the problem is real.

        Raises
        ------
        ShapeError
            If the shape is not ``(B, *image_shape)``.
        InputError
            If there is no image, values are not finite, an image is zero, or a real problem gets
            complex images.
        """
        if not isinstance(images, Tensor):
            raise InputError(
                f"Expected images as one torch tensor, got {type(images).__name__}; use "
                "torch.as_tensor(images)."
            )
        expected = tuple(self.forward.image_shape)
        if tuple(images.shape[1:]) != expected or images.ndim != len(expected) + 1:
            raise ShapeError(
                f"Expected images of shape (B, {', '.join(map(str, expected))}), got "
                f"{tuple(images.shape)}; add a batch dimension or resize the images.",
                expected=(-1, *expected),
                got=tuple(images.shape),
            )
        if len(images) == 0:
            raise InputError("Expected at least one image, got none; add one.")
        if not (images.is_floating_point() or images.is_complex()):
            images = images.to(torch.float32)
        if not bool(torch.isfinite(real_parts(images)).all()):
            raise InputError("Expected finite images, got NaN or infinity; remove those values.")
        if bool((images.flatten(1).abs().amax(1) == 0).any()):
            raise InputError(
                "Expected images with content, got one that is all zero; leave it out."
            )
        if self.real and images.is_complex():
            raise InputError(
                "Expected real images for a real problem, got complex ones; "
                "pass real=False or the real part."
            )
        if not self.real and not images.is_complex():
            images = images.to(
                torch.complex128 if images.dtype == torch.float64 else torch.complex64
            )
        return images
