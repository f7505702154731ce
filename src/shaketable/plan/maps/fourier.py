"""Single-coil Fourier sampling: a pattern, or a mask from a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.maps import FourierMap, SamplingSequence
from shaketable.plan.arrays import read_array
from shaketable.plan.maps.built import BuiltMap, require_one
from shaketable.plan.maps.patterns import Pattern
from shaketable.settings import about


@dataclass(frozen=True, kw_only=True)
class FourierSettings:
    """Settings of `shaketable.FourierMap`.

    Parameters
    ----------
    sampling
        A pattern.
    mask, key
        A file with a mask ``(H, W)`` of zeros and ones, and which of its arrays it is.
    centred
        The mask has DC in the middle, not at ``[0, 0]``.
    """

    sampling: Pattern | None = None
    mask: Path | None = None
    key: str | None = None
    centred: bool = False

    def __post_init__(self) -> None:
        require_one("a Fourier map", ("sampling", self.sampling), ("mask", self.mask))
        if self.mask is None and (self.key is not None or self.centred):
            raise InputError(
                "Expected key and centred only beside mask, got one of them; patterns need neither.",
                field="",
            )

    def build(self, shape: tuple[int, int]) -> BuiltMap:
        """The map for images ``(H, W)``."""
        mask, sequence = self.sampled(shape)
        rate = None if self.sampling is None else self.sampling.rate
        return BuiltMap(forward=FourierMap(mask), sequence=sequence, rate=rate)

    def sampled(self, shape: tuple[int, int]) -> tuple[Tensor, SamplingSequence | None]:
        """The mask, and the pattern it is of."""
        if self.sampling is not None:
            with about("sampling"):
                sequence = self.sampling.sequence(shape)
                return sequence.mask(self.sampling.rate), sequence
        with about("mask"):
            # An empty or weighted mask is a mistake of this field, whatever the map.
            return FourierMap(self._from_file(shape)).mask, None

    def _from_file(self, shape: tuple[int, int]) -> Tensor:
        array = read_array(Path(str(self.mask)), self.key, "a mask")
        if array.shape != shape:
            raise InputError(
                f"Expected a mask of the images' shape {shape}, got {array.shape}; "
                "make the mask for these images, or resize them with images.shape."
            )
        if self.centred:
            array = np.fft.ifftshift(array)
        return torch.from_numpy(np.ascontiguousarray(array))
