"""The map from a perturbation to a reconstruction: the only place that computes ``f(A(x + r))``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from shaketable.errors import InputError, ShapeError
from shaketable.problem import Problem
from shaketable.protocols import ForwardMap

Domain = Literal["image", "data"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Chain:
    """``r -> f(A(x + r))`` (image domain) or ``e -> f(A x + e)`` (data domain), batch first.

    Parameters
    ----------
    problem
        Forward map and reconstructor.
    images
        ``(B, *image_shape)``, as `Problem.prepare` returns them.
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

    def evaluate(self, perturbation: Tensor | None = None) -> Tensor:
        """Whatever the reconstructor returns; `reconstruct` checks it.

        Parameters
        ----------
        perturbation
            ``(B, ...)`` of the shape of `unperturbed`; None for the clean reconstruction.
        """
        A, f = self.problem.forward, self.problem.reconstruct
        if perturbation is None:
            # A copy, because networks may scale what they are given in place.
            return f(self.data.clone(), A)
        if self.domain == "image":
            return f(A(self.images + perturbation), A)
        return f(self.data + perturbation, A)

    def reconstruct(self, perturbation: Tensor | None = None) -> Tensor:
        """``(B, *image_shape)``; the clean reconstruction without a perturbation.

        Raises
        ------
        ShapeError
            If the reconstructor returns another shape than the images have: a score could broadcast
            over it and mean nothing.
        """
        output = self.evaluate(perturbation)
        got, expected = tuple(getattr(output, "shape", ())), tuple(self.images.shape)
        if not isinstance(output, Tensor) or got != expected:
            raise ShapeError(
                f"Expected a tensor of shape {expected} from the reconstructor, got "
                f"{type(output).__name__} of shape {got}; return one image for each row of data.",
                expected=expected, got=got,
            )  # fmt: skip
        return output

    def allowed(self, perturbation: Tensor) -> Tensor:
        """A given perturbation, zero where nothing was sampled.

        Raises
        ------
        ShapeError, InputError
            If it has another shape than `unperturbed`, or is complex where that is real.
        """
        expected, got = tuple(self.unperturbed.shape), tuple(perturbation.shape)
        if got != expected:
            raise ShapeError(
                f"Expected a perturbation of shape {expected} in the {self.domain} domain, got "
                f"{got}; give one per image.",
                expected=expected, got=got,
            )  # fmt: skip
        if perturbation.is_complex() and not self.unperturbed.is_complex():
            raise InputError(
                "Expected a real perturbation of what is real, got a complex one; take its real "
                "part."
            )
        if self.sampled is None:
            return perturbation
        return perturbation * self.sampled.to(perturbation.device)

    def rows(self, index: Tensor) -> Chain:
        """The chain of some images, in the order of ``index``; an image may occur repeatedly."""
        return replace(self, images=self.images[index], data=self.data[index])


@dataclass(frozen=True, kw_only=True, eq=False)
class Executed:
    """What a reconstructor makes of images with and without a perturbation.

    Parameters
    ----------
    clean
        ``(B, *image_shape)``: ``f(A x)``.
    perturbed
        ``(B, *image_shape)``: ``f(A(x + r))`` or ``f(A x + e)``; ``clean`` where nothing was added.
    """

    clean: Tensor
    perturbed: Tensor


def execute(
    problem: Problem, images: Tensor, perturbation: Tensor | None = None, *,
    domain: Domain = "image", forward: ForwardMap | None = None,
) -> Executed:  # fmt: skip
    """Reconstruct images with and without what is added to them, without gradients.

    Parameters
    ----------
    problem
        Forward map and reconstructor.
    images
        ``(B, *image_shape)``.
    perturbation
        ``(B, *image_shape)`` (image domain: a found perturbation, an inserted detail) or
        ``(B, *data_shape)`` (data domain, used at sampled positions only). None adds nothing, and the
        reconstructor is called once.
    domain
        Where it is added.
    forward
        Another forward map than the problem's, such as one of another sampling rate; the
        reconstructor is given it too.

    Raises
    ------
    ShapeError, InputError
        If images, perturbation and what is returned do not fit together.

    Examples
    --------
    >>> import torch
    >>> from shaketable import FourierMap
    >>> problem = Problem(forward=FourierMap(torch.ones(4, 4)), reconstruct=lambda y, A: A.adjoint(y))
    >>> image = torch.ones(1, 4, 4)
    >>> executed = execute(problem, image, 0.5 * image)
    >>> bool(torch.allclose(executed.perturbed, 1.5 * executed.clean))
    True
    """
    if forward is not None:
        problem = replace(problem, forward=forward)
    chain = Chain.of(problem, problem.prepare(images), domain)
    added = None if perturbation is None else chain.allowed(perturbation)
    with torch.no_grad():
        clean = chain.reconstruct()
        perturbed = clean if added is None else chain.reconstruct(added)
    return Executed(clean=clean, perturbed=perturbed)
