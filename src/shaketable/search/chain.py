"""What is shaken: the map from a perturbation to a reconstruction, for a batch of images."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.errors import InputError, ShapeError
from shaketable.problem import Problem
from shaketable.search.finding import Domain


@dataclass(frozen=True, kw_only=True, eq=False)
class Chain:
    """``r -> f(A(x + r))`` (image domain) or ``e -> f(A x + e)`` (data domain).

    Parameters
    ----------
    problem
        Forward map and reconstructor.
    images
        ``(B, *image_shape)``.
    data
        ``(B, *data_shape)``: ``A x``.
    domain
        Where the perturbation is added.
    """

    problem: Problem
    images: Tensor
    data: Tensor
    domain: Domain

    @classmethod
    def of(cls, problem: Problem, images: Tensor, domain: Domain) -> Chain:
        """The chain of prepared images.

        Raises
        ------
        InputError
            If the domain is neither ``"image"`` nor ``"data"``.
        """
        if domain not in ("image", "data"):
            raise InputError(
                f"Expected domain 'image' or 'data', got {domain!r}; choose one of them."
            )
        with torch.no_grad():
            data = problem.forward(images)
        return cls(problem=problem, images=images, data=data, domain=domain)

    @property
    def unperturbed(self) -> Tensor:
        """``(B, ...)`` what perturbations are added to: the images or the data."""
        return self.images if self.domain == "image" else self.data

    @property
    def sampled(self) -> Tensor | None:
        """Positions a perturbation may use: in the data domain those that were sampled."""
        return None if self.domain == "image" else self.problem.forward.sampled

    def reconstruct(self, perturbation: Tensor | None = None) -> Tensor:
        """``(B, *image_shape)``; the clean reconstruction without a perturbation.

        Raises
        ------
        ShapeError
            If the reconstructor returns another shape than the images have: a score could broadcast
            over it and mean nothing.
        """
        A, f = self.problem.forward, self.problem.reconstruct
        if perturbation is None:
            # A copy, because networks may scale what they are given in place.
            output = f(self.data.clone(), A)
        elif self.domain == "image":
            output = f(A(self.images + perturbation), A)
        else:
            output = f(self.data + perturbation, A)
        got, expected = tuple(getattr(output, "shape", ())), tuple(self.images.shape)
        if not isinstance(output, Tensor) or got != expected:
            raise ShapeError(
                f"Expected a tensor of shape {expected} from the reconstructor, got "
                f"{type(output).__name__} of shape {got}; return one image for each row of data.",
                expected=expected, got=got,
            )  # fmt: skip
        return output

    def rows(self, index: Tensor) -> Chain:
        """The chain of some images, in the order of ``index``; an image may occur repeatedly."""
        return Chain(
            problem=self.problem, images=self.images[index], data=self.data[index],
            domain=self.domain,
        )  # fmt: skip
