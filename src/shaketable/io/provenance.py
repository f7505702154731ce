"""What a run says of where its images come from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from shaketable.io.images import LoadedImage


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where one image comes from, as records show it.

    Attributes
    ----------
    file
        Its path relative to the plan's folder where it lies inside, with ``/``; else its name
        alone, because the folders of a path can name a person. None without a file.
    file_sha256
        Of the bytes of the file; None without a file.
    slice
        Number of the slice in the file, from 0; None where the file is one image.
    axis
        The axis along which the file was cut; None where the file is one image.
    subject
        Whose image it is, never a name that was not given as a label; None where nobody said.
    source
        How the image was made, or which package bundles it; None for the user's own files.
    """

    file: str | None = None
    file_sha256: str | None = None
    slice: int | None = None
    axis: int | None = None
    subject: str | None = None
    source: str | None = None

    def describe(self) -> dict[str, str | int | None]:
        """Plain data for ``results.json``, every field of it.

        Examples
        --------
        >>> Provenance(file="a.npy", slice=3, axis=0).describe()["slice"]
        3
        """
        return asdict(self)


def provenance_of(image: LoadedImage, folder: Path) -> Provenance:
    """What a run says of an image whose plan lies in a folder."""
    return Provenance(
        file=None if image.file is None else shown_path(image.file, folder),
        file_sha256=image.file_sha256,
        slice=None if image.slice is None else image.slice.index,
        axis=None if image.slice is None else image.slice.axis,
        subject=image.subject,
        source=image.source if image.file is None else None,
    )


def shown_path(file: Path, folder: Path) -> str:
    """A path relative to a folder where it lies inside, else the name of the file alone.

    Links are followed first: what they lead to is where the file lies.

    Examples
    --------
    >>> shown_path(Path("/study/data/a.npy"), Path("/study"))
    'data/a.npy'
    >>> shown_path(Path("/archive/jane-doe/a.npy"), Path("/study"))
    'a.npy'
    """
    real, inside = file.resolve(), folder.resolve()
    return real.relative_to(inside).as_posix() if real.is_relative_to(inside) else file.name
