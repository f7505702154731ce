"""Wavelet l1: images with few large wavelet coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.settings import require_whole
from shaketable.sparse.filter_banks import FilterBank
from shaketable.sparse.method import SparseMethod
from shaketable.sparse.penalties import Penalty
from shaketable.sparse.scaled_data import DataWeights
from shaketable.sparse.undecimated import undecimated_filters
from shaketable.sparse.wavelets import WaveletTransform, filters, wavelet_transform


@dataclass(frozen=True, kw_only=True, eq=False)
class WaveletPenalty:
    """``K``: an orthogonal wavelet transform; a `Penalty` with ``K* K`` the identity.

    Parameters
    ----------
    group
        Axes of ``(B, 1, R, H, W)`` coefficients that share one magnitude.
    eigenvalues
        ``(1, 1)``, a one: the same at every frequency.
    transform
        Applied to each plane.
    """

    group: tuple[int, ...]
    eigenvalues: Tensor
    transform: WaveletTransform

    def analyse(self, planes: Tensor) -> Tensor:
        """``(B, R, H, W) -> (B, 1, R, H, W)``."""
        return self.transform.analyse(planes)[:, None]

    def adjoint(self, coefficients: Tensor) -> Tensor:
        """``(B, 1, R, H, W) -> (B, R, H, W)``."""
        return self.transform.synthesise(coefficients[:, 0])


@dataclass(frozen=True, kw_only=True)
class WaveletL1(SparseMethod):
    """Wavelet l1: ``min_x 1/2 ‖A x - y‖² + λ ‖W x‖₁``, for any map.

    ``W`` is an orthogonal periodised wavelet transform (PyWavelets' mode ``periodization``); all
    its coefficients are penalised, the coarsest low-pass band included. The translation-invariant
    form takes the mean of ``‖W x‖₁`` over all shifts of the image: an undecimated transform with
    the weight ``4^-j`` at level ``j``. Solved by the alternating direction method with ``z = W x``
    (see `shaketable.sparse.admm`), stopped by a relative duality gap
    (`shaketable.sparse.certificate`).

    Parameters
    ----------
    strength
        ``λ`` relative to the root mean square of the zero-filled image ``A* y``. The default was
        calibrated on other brain images without noise, where it is within 0.1 dB of the best;
        noisy data want more (see `shaketable.sparse.calibrate`).
    values
        ``"complex"``: the magnitude of complex coefficients; ``"ri"``: real and imaginary part
        penalised apart; ``"real"``: real images.
    wavelet
        An orthogonal wavelet of PyWavelets, by its name there.
    levels
        How often the image is halved; height and width must be multiples of ``2**levels``, except
        in the translation-invariant form, which takes any shape.
    translation_invariant
        Whether to average over shifts; blocks disappear, an iteration costs about four times more.
    gap
        The relative duality gap to reach.
    max_iterations
        After that many the image is returned with `Solution.converged` False.
    rule
        In words, how the strength was chosen; for the record. Empty: the default, or the user.

    References
    ----------
    Lustig, Donoho, Pauly: "Sparse MRI: the application of compressed sensing for rapid MR imaging",
    Magn. Reson. Med. 58 (2007). Coifman and Donoho: "Translation-invariant de-noising", in Wavelets
    and Statistics (1995).

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps.fourier import FourierMap
    >>> image = torch.zeros(1, 32, 32, dtype=torch.complex64)
    >>> image[:, 8:20, 10:25] = 1
    >>> A = FourierMap(torch.ones(32, 32))
    >>> solution = WaveletL1(strength=1e-3, wavelet="db1", levels=2).solve(A(image), A)
    >>> bool(solution.converged), bool((solution.image - image).abs().max() < 0.01)
    (True, True)
    """

    strength: float = 2e-2
    wavelet: str = "db4"
    levels: int = 4
    translation_invariant: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        filters(self.wavelet)
        require_whole("levels", self.levels, at_least=1, at_most=16)

    @property
    def _name(self) -> str:
        return "wavelet-l1"

    @property
    def _penalty_name(self) -> str:
        mean = ", mean over all shifts" if self.translation_invariant else ""
        return f"l1 of {self.wavelet} wavelets, {self.levels} levels, periodised{mean}"

    @property
    def _rho_over_strength(self) -> float:
        return 3.0

    @property
    def _data_weights(self) -> DataWeights:
        return DataWeights(coils=0.06, others=0.25)

    def channel_weights(self, like: Tensor) -> Tensor:
        """The mean over all shifts weighs level ``j`` with ``2^-j``."""
        if not self.translation_invariant:
            return super().channel_weights(like)
        bands = [2.0**-level for level in range(1, self.levels + 1) for _ in range(3)]
        return like.new_tensor([*bands, 2.0**-self.levels])[:, None, None, None]

    def penalty(self, shape: tuple[int, int], dtype: torch.dtype, device: torch.device) -> Penalty:
        """``K``: the wavelet transform, or the undecimated one."""
        joined = self.values == "complex"
        if self.translation_invariant:
            found = undecimated_filters(shape, self.wavelet, self.levels)
            filters_of = found.to(device, torch.promote_types(dtype, torch.complex64))
            return FilterBank.create(filters_of, join_parts=joined)
        return WaveletPenalty(
            group=(2,) if joined else (),
            eigenvalues=torch.ones((1, 1), dtype=dtype, device=device),
            transform=wavelet_transform(shape, self.wavelet, self.levels, dtype, device),
        )
