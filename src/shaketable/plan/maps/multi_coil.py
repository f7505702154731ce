"""Multi-coil Fourier sampling: a pattern or a mask from a file, and coil maps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.maps import MultiCoilFourierMap, birdcage_coils, espirit_coils, from_centred
from shaketable.plan.arrays import read_array
from shaketable.plan.choices import Choice
from shaketable.plan.derive import declare
from shaketable.plan.maps.built import BuiltMap
from shaketable.plan.maps.fourier import FourierSettings
from shaketable.settings import about, require_number, require_whole


class Coils(Protocol):
    """Where coil maps come from."""

    def build(self, shape: tuple[int, int]) -> Tensor:
        """``(C, H, W)`` for images ``(H, W)``."""
        ...


@dataclass(frozen=True, kw_only=True)
class MultiCoilSettings(FourierSettings):
    """Settings of `shaketable.MultiCoilFourierMap`: as for one coil, and the coil maps."""

    coils: Coils

    def build(self, shape: tuple[int, int]) -> BuiltMap:
        """The map for images ``(H, W)``."""
        mask, sequence = self.sampled(shape)
        rate = None if self.sampling is None else self.sampling.rate
        with about("coils"):
            forward = MultiCoilFourierMap(mask, self.coils.build(shape))
        return BuiltMap(forward=forward, sequence=sequence, rate=rate)


@dataclass(frozen=True, kw_only=True)
class BirdcageCoils:
    """Simulated coil maps."""

    n_coils: int
    radius: float = 1.5

    def __post_init__(self) -> None:
        require_whole("n_coils", self.n_coils, at_least=1, at_most=4096)

    def build(self, shape: tuple[int, int]) -> Tensor:
        """As `shaketable.maps.birdcage_coils`."""
        return birdcage_coils(self.n_coils, shape, radius=self.radius)


@dataclass(frozen=True, kw_only=True)
class CoilFile:
    """Coil maps ``(C, H, W)`` from a file."""

    file: Path
    key: str | None = None

    def build(self, shape: tuple[int, int]) -> Tensor:
        """Read them."""
        return _array(self.file, self.key, "coil maps", shape)


@dataclass(frozen=True, kw_only=True)
class EspiritCoils:
    """Coil maps estimated from the data ``(C, H, W)`` in a file."""

    file: Path
    key: str | None = None
    centred: bool = False
    calibration: int | None = None
    kernel_width: int = 6
    threshold: float = 0.02
    crop: float = 0.95
    library: Literal["sigpy", "bart"] | None = None

    def __post_init__(self) -> None:
        if self.calibration is not None:
            require_whole("calibration", self.calibration, at_least=1)
        require_whole("kernel_width", self.kernel_width, at_least=2)
        require_number("threshold", self.threshold, above=0, below=1)
        require_number("crop", self.crop, at_least=0, below=1)

    def build(self, shape: tuple[int, int]) -> Tensor:
        """As `shaketable.maps.espirit_coils`."""
        kspace = _array(self.file, self.key, "data of several coils", shape)
        return espirit_coils(
            from_centred(kspace) if self.centred else kspace,
            calibration=self.calibration, kernel_width=self.kernel_width,
            threshold=self.threshold, crop=self.crop, library=self.library,
        )  # fmt: skip


def _array(file: Path, key: str | None, what: str, shape: tuple[int, int]) -> Tensor:
    array = read_array(file, key, what)
    if array.ndim != 3 or array.shape[1:] != shape:
        raise InputError(
            f"Expected {what} of shape (C, {shape[0]}, {shape[1]}), as the images, got "
            f"{array.shape}; make them for these images, or resize the images with images.shape."
        )
    return torch.from_numpy(array)


COILS = Choice.of("type", {"birdcage": BirdcageCoils, "file": CoilFile, "espirit": EspiritCoils})
declare(Coils, COILS.read, COILS.tag)
