"""The data term of Fourier sampling, diagonal in k-space, and its regularised minimiser."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.maps.fourier import FourierMap
from shaketable.sparse.penalties import Penalty, Values, sum_per_image, to_complex, to_planes


@dataclass(frozen=True, kw_only=True, eq=False)
class FourierData:
    """``1/2 ‖A x - y‖² = 1/2 Σ_k weight_k |(F x)_k - target_k|² + unexplained``.

    For complex images the weight is the mask and the target the data. A real image ties frequency
    ``k`` to ``-k``: the weight is then the mean of the mask at both, the target what real images
    can explain of the data, and ``unexplained`` the energy of the rest.

    Parameters
    ----------
    target
        ``(B, H, W)`` complex, DC at ``[0, 0]``; differentiable in the data.
    weight
        ``(H, W)`` real: 0, 1/2 or 1.
    unexplained
        ``(B,)`` float64.
    """

    target: Tensor
    weight: Tensor
    unexplained: Tensor


def fourier_data(data: Tensor, forward: FourierMap, values: Values) -> FourierData:
    """Write the data term of ``(B, H, W)`` data as a weighted distance in k-space."""
    mask = forward.sampled.to(device=data.device, dtype=data.real.dtype)
    sampled = data * mask
    if values != "real":
        none = torch.zeros(data.shape[0], dtype=torch.float64, device=data.device)
        return FourierData(target=sampled, weight=mask, unexplained=none)
    mirrored = torch.roll(mask.flip(0, 1), (1, 1), (0, 1))
    weight = (mask + mirrored) / 2
    explained = torch.fft.fft2(forward.adjoint(sampled).real, norm="ortho")
    inverse = torch.where(weight > 0, 1 / weight.clamp(min=0.5), 0)
    target = explained * inverse
    rest = (sampled - mask * target).detach()
    unexplained = sum_per_image(rest.abs().square()) / 2
    return FourierData(target=target, weight=weight, unexplained=unexplained)


@dataclass(frozen=True, kw_only=True, eq=False)
class DiagonalMinimiser:
    """``x(d) = argmin_x 1/2 Σ weight |F x - target|² + ρ/2 (‖K x‖² - 2 ⟨x, d⟩)`` for Fourier data.

    In k-space ``(weight + ρ eigenvalues) F x = weight target + ρ F d``. Where neither the data nor
    the penalty determine a frequency (an unsampled mean), it is set to 0.

    Parameters
    ----------
    weight, eigenvalues
        ``(H, W)`` real, of the data term and of ``K* K``.
    inverse
        ``(H, W)``: ``1 / (weight + ρ eigenvalues)``.
    rho
        The penalty parameter ``ρ`` of the splitting.
    values
        What kind of images is sought.
    """

    weight: Tensor
    eigenvalues: Tensor
    inverse: Tensor
    rho: float
    values: Values

    @classmethod
    def create(
        cls, weight: Tensor, eigenvalues: Tensor, rho: float, values: Values
    ) -> DiagonalMinimiser:
        """Compute the inverse of the diagonal once."""
        return cls(
            weight=weight,
            eigenvalues=eigenvalues,
            inverse=_reciprocal(weight + rho * eigenvalues),
            rho=rho,
            values=values,
        )

    def minimise(self, field: Tensor, target: Tensor) -> Tensor:
        """``x`` as planes from ``d`` ``(B, R, H, W)`` and the target; linear in the two jointly."""
        spectrum = self._spectrum(field).mul_(self.rho).add_(self.weight * target)
        return self._planes(spectrum.mul_(self.inverse))

    def minimise_adjoint(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Adjoint of `minimise`: a cotangent of ``x`` -> those of ``d`` and of the target."""
        spectrum = self._spectrum(planes).mul_(self.inverse)
        return self._planes(spectrum * self.rho), spectrum * self.weight

    def residual(self, field: Tensor, target: Tensor) -> Tensor:
        """``F x - target`` where sampled, without the cancellation of that difference."""
        spectrum = self._spectrum(field).sub_(self.eigenvalues * target)
        return spectrum * (self.rho * self.inverse)

    def make_feasible(self, dual: Tensor, penalty: Penalty) -> tuple[Tensor, Tensor]:
        """Nearest ``p`` with ``K* p`` in the range of ``A*``, and the residual ``h`` it belongs to.

        ``K* p = -F* (weight h)``: what ``F K* p`` holds at unsampled frequencies is taken away
        along ``K``.
        """
        spectrum = self._spectrum(penalty.adjoint(dual))
        outside = spectrum * torch.where(self.weight > 0, 0, _reciprocal(self.eigenvalues))
        feasible = dual - penalty.analyse(self._planes(outside))
        return feasible, spectrum * _reciprocal(self.weight).neg()

    def _spectrum(self, planes: Tensor) -> Tensor:
        spectrum: Tensor = torch.fft.fft2(to_complex(planes), norm="ortho")
        return spectrum

    def _planes(self, spectrum: Tensor) -> Tensor:
        return to_planes(torch.fft.ifft2(spectrum, norm="ortho"), self.values)


def _reciprocal(diagonal: Tensor) -> Tensor:
    smallest = torch.finfo(diagonal.dtype).tiny
    result: Tensor = torch.where(diagonal > smallest, 1 / diagonal.clamp(min=smallest), 0)
    return result
