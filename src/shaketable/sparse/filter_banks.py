"""Undecimated filter banks by FFT as penalties, alone or beside total variation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.sparse.penalties import Group, Penalty, Runs, to_complex, to_planes


@dataclass(frozen=True, kw_only=True, eq=False)
class FilterBank:
    """``K x = (F* f_j F x)_j`` with filters that are real in image space; a `Penalty`.

    Parameters
    ----------
    filters
        ``(J, H, W)``: multipliers, DC at ``[0, 0]``, with ``f(-k) = conj(f(k))``.
    group
        Which coefficients share a magnitude.
    eigenvalues
        ``(H, W)``: ``Σ_j |f_j|²``.
    """

    filters: Tensor
    group: Group
    eigenvalues: Tensor

    @classmethod
    def create(cls, filters: Tensor, *, join_parts: bool) -> FilterBank:
        """Every coefficient on its own, or with its imaginary part."""
        axes = (2,) if join_parts else ()
        group = Runs(sizes=(1,) * len(filters), axes=axes)
        return cls(filters=filters, group=group, eigenvalues=filters.abs().square().sum(0))

    def analyse(self, planes: Tensor) -> Tensor:
        """``(B, R, H, W) -> (B, J, R, H, W)``."""
        spectrum = torch.fft.fft2(to_complex(planes))
        bands: Tensor = torch.fft.ifft2(spectrum[:, None] * self.filters)
        if planes.shape[1] == 1:
            one: Tensor = bands.real[:, :, None].contiguous()
            return one
        return torch.stack([bands.real, bands.imag], dim=2)

    def adjoint(self, coefficients: Tensor) -> Tensor:
        """``(B, J, R, H, W) -> (B, R, H, W)``."""
        n_planes = coefficients.shape[2]
        spectrum = torch.fft.fft2(to_complex(coefficients.flatten(0, 1)))
        spectrum = spectrum.reshape(-1, *self.filters.shape) * self.filters.conj()
        image = torch.fft.ifft2(spectrum.sum(1))
        return to_planes(image, "real" if n_planes == 1 else "ri")


@dataclass(frozen=True, kw_only=True, eq=False)
class Beside:
    """Two penalties of one unknown: channels of ``first``, then those of ``bank``; a `Penalty`.

    Parameters
    ----------
    first
        A penalty of the image and perhaps further fields.
    bank
        A filter bank of the image.
    n_channels
        Channels of ``first``.
    group, eigenvalues
        Of both together.
    """

    first: Penalty
    bank: FilterBank
    n_channels: int
    group: Group
    eigenvalues: Tensor

    @classmethod
    def create(cls, first: Penalty, bank: FilterBank, sizes: tuple[int, ...]) -> Beside:
        """``sizes``: how many channels each group of ``first`` takes."""
        assert isinstance(bank.group, Runs)
        group = Runs(sizes=(*sizes, *bank.group.sizes), axes=bank.group.axes)
        eigenvalues = first.eigenvalues.clone()
        if eigenvalues.ndim == 2:
            eigenvalues += bank.eigenvalues
        else:
            eigenvalues[..., 0, 0] += bank.eigenvalues
        return cls(
            first=first, bank=bank, n_channels=sum(sizes), group=group, eigenvalues=eigenvalues
        )

    def analyse(self, planes: Tensor) -> Tensor:
        """``(B, P R, H, W) -> (B, C, R, H, W)``."""
        n_fields = 1 if self.eigenvalues.ndim == 2 else self.eigenvalues.shape[-1]
        image = planes[:, : planes.shape[1] // n_fields]
        return torch.cat([self.first.analyse(planes), self.bank.analyse(image)], dim=1)

    def adjoint(self, coefficients: Tensor) -> Tensor:
        """``(B, C, R, H, W) -> (B, P R, H, W)``."""
        result = self.first.adjoint(coefficients[:, : self.n_channels])
        image = self.bank.adjoint(coefficients[:, self.n_channels :])
        return torch.cat([result[:, : image.shape[1]] + image, result[:, image.shape[1] :]], dim=1)
