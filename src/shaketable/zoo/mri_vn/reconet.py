"""MRI-VN's weights in the format of BART's ``reconet``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shaketable.errors import WeightsError

_KIND = "weights of a variational network as 'bart reconet --network varnet' writes them"
_PUBLISHED = [(10,), (24, 1, 11, 11, 1, 10), (24, 31, 10)]


def read_reconet(path: Path) -> dict[str, Tensor]:
    """Read BART's weights into a state dictionary of :class:`shaketable.zoo.mri_vn.network.MRIVN`.

    ``NAME.cfl`` holds complex64 numbers, the first index fastest; ``NAME.hdr`` beside it says of
    which blocks: ``λ [T]``, filters ``[F, 1, K, K, 1, T]`` (real and imaginary part), activations
    ``[F, N, T]``, for ``T`` stages of ``F`` filters of ``K`` by ``K`` pixels and ``N`` Gaussians. BART's
    first image axis is the first axis ``H`` here. A header with nothing but the total length, as
    the published format has it, is read as 10 stages of 24 filters of 11x11 and 31 Gaussians.

    Parameters
    ----------
    path
        The ``.cfl`` or the ``.hdr`` file.

    Raises
    ------
    WeightsError
        If one of the two files is missing, the blocks are others, or numbers are left over, missing
        or complex where they must be real.

    References
    ----------
    Uecker et al.: BART, the Berkeley Advanced Reconstruction Toolbox, ``reconet``.
    """
    shapes, total = _read_header(path.with_suffix(".hdr"))
    values = _read_numbers(path.with_suffix(".cfl"), total)
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = np.split(values, ends[:-1])
    blocks = [part.reshape(shape, order="F") for part, shape in zip(parts, shapes, strict=True)]
    data_weights, kernels, activations = blocks
    for name, block in (("data weights", data_weights), ("activations", activations)):
        if bool(np.any(block.imag != 0)):
            raise WeightsError(
                f"Expected {_KIND} in '{path}', with real {name}, got complex ones; "
                "it is another network's file."
            )
    state = {"data_weights": _tensor(data_weights.real)}
    for stage in range(len(data_weights)):
        kernel = kernels[:, 0, :, :, 0, stage]
        name = f"regularisers.{stage}"
        state[f"{name}.kernels"] = _tensor(np.stack([kernel.real, kernel.imag], axis=1))
        state[f"{name}.weights"] = _tensor(activations[:, :, stage].real)
    return state


def _read_header(path: Path) -> tuple[list[tuple[int, ...]], int]:
    """The shapes of the three blocks, and how many numbers they hold."""
    try:
        sections = _sections(path.read_text(encoding="utf-8"))
        total = int(np.prod(sections["Dimensions"][0]))
        shapes = sections.get("MultiDimensions", _PUBLISHED)
    except (OSError, ValueError, LookupError) as error:
        raise WeightsError(
            f"Expected the header of {_KIND} in '{path}', got none that can be read; "
            "keep NAME.hdr and NAME.cfl side by side."
        ) from error
    if not _are_a_network(shapes) or total != sum(int(np.prod(shape)) for shape in shapes):
        found = " | ".join(str(list(shape)) for shape in shapes)
        raise WeightsError(
            f"Expected {_KIND} in '{path}', λ[T] | filters[F, 1, K, K, 1, T] | activations[F, N, T], "
            f"got {found} and {total} numbers; it is another network's file."
        )
    return shapes, total


def _sections(text: str) -> dict[str, list[tuple[int, ...]]]:
    """The rows of whole numbers below each title; what is no number (commands, files) is left."""
    sections: dict[str, list[tuple[int, ...]]] = {}
    title = ""
    for line in text.splitlines():
        if line.startswith("#"):
            title = line.strip("# ")
        elif title in ("Dimensions", "MultiDimensions") and line.strip():
            row = tuple(int(word) for word in line.split())
            sections.setdefault(title, []).append(row)
    return sections


def _are_a_network(shapes: list[tuple[int, ...]]) -> bool:
    if [len(shape) for shape in shapes] != [1, 6, 3]:
        return False
    (n_stages,), kernels, (n_filters, _, _) = shapes
    size = kernels[2]
    wanted = (n_filters, 1, size, size, 1, n_stages)
    return kernels == wanted and shapes[2][2] == n_stages and size % 2 == 1


def _read_numbers(path: Path, total: int) -> npt.NDArray[np.complex64]:
    try:
        values = np.fromfile(path, dtype="<c8")
    except OSError as error:
        raise WeightsError(
            f"Expected {_KIND} in '{path}', got no such file; keep NAME.hdr and NAME.cfl side by side."
        ) from error
    if values.size != total:
        raise WeightsError(
            f"Expected {total} complex numbers in '{path}', as its header says, got {values.size}; "
            "the file is damaged or belongs to another header."
        )
    return np.asarray(values, dtype=np.complex64)


def _tensor(array: npt.NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
