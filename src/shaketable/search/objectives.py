"""What a search maximises: how much, and which, damage a reconstruction shows.

Every objective is differentiable in the reconstruction and gives one number per image. All but the
paper's penalised form are in the unit of an image's l2 norm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from shaketable.errors import InputError, ShapeError
from shaketable.search.vectors import expands

Against = Literal["clean", "truth"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """What a perturbed reconstruction is compared with.

    Parameters
    ----------
    clean
        ``(B, *image_shape)``: the reconstructions without a perturbation.
    truth
        ``(B, *image_shape)``: the images.
    index
        ``(B,)`` int64: numbers of the images in the batch that the user passed.
    """

    clean: Tensor
    truth: Tensor
    index: Tensor

    def rows(self, index: Tensor) -> Reference:
        """The reference of some images, in the order of ``index``."""
        return Reference(clean=self.clean[index], truth=self.truth[index], index=self.index[index])

    def of(self, against: Against) -> Tensor:
        """The clean reconstructions or the truth."""
        return self.clean if against == "clean" else self.truth

    def pick(self, given: Tensor) -> Tensor:
        """A tensor for all images as it is, one for each image in the order of these rows."""
        if given.ndim < self.clean.ndim:
            return given.to(self.clean.device)
        return given.to(self.clean.device)[self.index.to(self.clean.device)]


class Objective(Protocol):
    """What a search maximises. New ones need this call; nothing is inherited."""

    def __call__(self, output: Tensor, perturbation: Tensor, reference: Reference) -> Tensor:
        """The value per image.

        Parameters
        ----------
        output
            ``(B, *image_shape)`` the perturbed reconstruction.
        perturbation
            ``(B, ...)`` in the domain of the search.
        reference
            What to compare with.

        Returns
        -------
        Tensor
            ``(B,)`` real, larger is worse for the network.
        """
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class ErrorNorm:
    """``‖m · (f(A(x + r)) - p)‖₂`` with ``p = f(A x)`` (Antun et al. 2020) or ``p = x``.

    Parameters
    ----------
    against
        ``"clean"``: the change of the reconstruction; ``"truth"``: its error against the image, as
        Genzel, Macdonald and März search (IEEE TPAMI 45, 2023) and the paper does for AUTOMAP.
    region
        ``m``: boolean ``image_shape``, or ``(B, *image_shape)`` for one each; None for everywhere.

    Examples
    --------
    >>> ErrorNorm(against="truth").against
    'truth'
    """

    against: Against = "clean"
    region: Tensor | None = None

    def __post_init__(self) -> None:
        _check_against(self.against)

    def __call__(self, output: Tensor, perturbation: Tensor, reference: Reference) -> Tensor:  # noqa: ARG002
        """The norm of the error in the region."""
        difference = output - reference.of(self.against)
        if self.region is not None:
            difference = difference * _shaped(reference.pick(self.region), output, "region")
        return _norm(difference)


@dataclass(frozen=True, kw_only=True, eq=False)
class LargestPatchError:
    """The largest l2 norm of the error over all square patches: artefacts in one place.

    ``max_P ‖(f(A(x + r)) - p)_P‖₂`` over patches P of ``size x size`` pixels, for images of two
    dimensions.

    Parameters
    ----------
    size
        Side of a patch in pixels.
    against
        As in `ErrorNorm`.

    References
    ----------
    Alaifari, Alberti, Gauksson: "Localized adversarial artifacts for compressed sensing MRI", SIAM
    J. Imaging Sci. 16 (2023).

    Examples
    --------
    >>> LargestPatchError(size=8).size
    8
    """

    size: int = 16
    against: Against = "clean"

    def __post_init__(self) -> None:
        _check_against(self.against)
        if self.size < 1:
            raise InputError(f"Expected patches of at least one pixel, got size={self.size}.")

    def __call__(self, output: Tensor, perturbation: Tensor, reference: Reference) -> Tensor:  # noqa: ARG002
        """The norm of the error in the worst patch."""
        if output.ndim != 3 or self.size > min(output.shape[1:]):
            raise ShapeError(
                f"Expected images of two dimensions with sides of at least {self.size} pixels, got "
                f"{tuple(output.shape[1:])}; use smaller patches.",
                expected=(self.size, self.size), got=tuple(output.shape[1:]),
            )  # fmt: skip
        difference = output - reference.of(self.against)
        squared = (difference.conj() * difference).real
        mean = torch.nn.functional.avg_pool2d(squared[:, None], self.size, stride=1)
        return _root(mean.flatten(1).amax(1) * self.size**2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Towards:
    """Make a given structure appear, or a present one vanish, and change nothing else.

    ``‖s‖₂ - ‖m · (f(A(x + r)) - f(A x) - s)‖₂``: ``‖s‖₂`` where the reconstruction has gained
    exactly the structure s, 0 where it has not changed, less where it changed otherwise.

    Parameters
    ----------
    structure
        ``s``: ``image_shape``, or ``(B, *image_shape)``, in the unit of the images. To let a
        structure vanish, pass its negative.
    region
        ``m``: where changes count; None for everywhere.

    Examples
    --------
    >>> import torch
    >>> Towards(structure=torch.ones(4, 4)).region is None
    True
    """

    structure: Tensor
    region: Tensor | None = None

    def __call__(self, output: Tensor, perturbation: Tensor, reference: Reference) -> Tensor:  # noqa: ARG002
        """How close the change is to the structure."""
        structure = _shaped(reference.pick(self.structure), output, "structure")
        structure = structure.expand_as(output)
        distance = output - reference.clean - structure
        if self.region is not None:
            region = _shaped(reference.pick(self.region), output, "region")
            structure, distance = structure * region, distance * region
        return _norm(structure) - _norm(distance)


@dataclass(frozen=True, kw_only=True)
class PenalisedError:
    """The paper's penalty form: ``‖f(A(x + r)) - p‖₂² - penalty · ‖r‖₂²`` (Antun et al. 2020, Eq. 3).

    Parameters
    ----------
    penalty
        ``λ``.
    against
        ``p``: ``"clean"`` for f(A x), ``"truth"`` for x.

    Examples
    --------
    >>> PenalisedError(penalty=1e-3).penalty
    0.001
    """

    penalty: float
    against: Against = "clean"

    def __post_init__(self) -> None:
        _check_against(self.against)
        if not self.penalty >= 0:
            raise InputError(f"Expected a penalty of at least 0, got {self.penalty}.")

    def __call__(self, output: Tensor, perturbation: Tensor, reference: Reference) -> Tensor:
        """The squared error less the penalised squared size."""
        error = _energy(output - reference.of(self.against))
        return error - self.penalty * _energy(perturbation)


def _check_against(against: str) -> None:
    if against not in ("clean", "truth"):
        raise InputError(f"Expected against 'clean' or 'truth', got {against!r}; choose one.")


def _energy(x: Tensor) -> Tensor:
    return (x.conj() * x).real.flatten(1).sum(1)


def _norm(x: Tensor) -> Tensor:
    return _root(_energy(x))


def _root(squared: Tensor) -> Tensor:
    """The square root, with derivative 0 at 0, where a search without a slope has to be noticed."""
    positive = squared > 0
    return torch.where(positive, torch.where(positive, squared, 1).sqrt(), squared)


def _shaped(given: Tensor, output: Tensor, name: str) -> Tensor:
    if not expands(given, tuple(output.shape)):
        expected = tuple(output.shape[1:])
        raise ShapeError(
            f"Expected a {name} of the image's shape {expected}, got {tuple(given.shape)}; give one "
            "for all images or one for each.",
            expected=expected, got=tuple(given.shape),
        )  # fmt: skip
    return given
