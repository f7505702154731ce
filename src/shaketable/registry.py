"""What can be named in a plan or shown in a report: ours, and what installed packages announce.

A package announces a probe, a section of the report, a reference method, a forward map or a reader
of files as an entry point, and needs no change here.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from shaketable.errors import InputError

Group = Literal[
    "shaketable.probes",
    "shaketable.sections",
    "shaketable.methods",
    "shaketable.maps",
    "shaketable.readers",
]

# The same table stands in pyproject.toml; a checkout that is not installed reads this one.
OURS: Mapping[Group, Mapping[str, str]] = {
    "shaketable.probes": {
        "worst_case": "shaketable.probes.worst_case:WorstCase",
        "structural": "shaketable.probes.structural:Structural",
        "sampling": "shaketable.probes.sampling:Sampling",
        "neighbourhood": "shaketable.probes.neighbourhood:Neighbourhood",
    },
    "shaketable.sections": {
        "worst_case": "shaketable.probes.worst_case.section:section",
        "structural": "shaketable.probes.structural.section:section",
        "sampling": "shaketable.probes.sampling.section:section",
        "neighbourhood": "shaketable.probes.neighbourhood.section:section",
    },
    "shaketable.methods": {
        "total-variation": "shaketable.sparse:TotalVariation",
        "wavelet-l1": "shaketable.sparse:WaveletL1",
        "total-generalized-variation": "shaketable.sparse:TotalGeneralizedVariation",
        "shearlets": "shaketable.sparse:Shearlets",
        "reweighted-shearlets": "shaketable.sparse:ReweightedShearlets",
        "basis-pursuit-denoising": "shaketable.sparse:BasisPursuitDenoising",
        "at-noise-level": "shaketable.sparse:AtNoiseLevel",
        "object": "shaketable.plan.methods:ObjectMethod",
    },
    "shaketable.maps": {
        "zoo": "shaketable.plan.maps.by_name:ZooMap",
        "fourier": "shaketable.plan.maps.fourier:FourierSettings",
        "multi-coil-fourier": "shaketable.plan.maps.multi_coil:MultiCoilSettings",
        "radon": "shaketable.plan.maps.radon:RadonSettings",
        "matrix": "shaketable.plan.maps.matrix:MatrixSettings",
        "object": "shaketable.plan.maps.by_name:ObjectMap",
    },
    "shaketable.readers": {  # by the ending of a file
        "npy": "shaketable.io.arrays:read_npy",
        "npz": "shaketable.io.arrays:read_npz",
        "nii": "shaketable.io.nifti:read_nifti",
        "nii.gz": "shaketable.io.nifti:read_nifti",
        "dcm": "shaketable.io.dicom:read_dicom",
        "dicom": "shaketable.io.dicom:read_dicom",
        "ima": "shaketable.io.dicom:read_dicom",
        "png": "shaketable.io.png:read_png",
    },
}


def registered(group: Group) -> Mapping[str, EntryPoint]:
    """Everything of one kind by its name, not imported yet: ours first, then by name.

    A name of ours cannot be taken over; of two packages with the same name the first one counts, in
    the order of what they point to.

    Examples
    --------
    >>> registered("shaketable.probes")["worst_case"].value
    'shaketable.probes.worst_case:WorstCase'
    """
    found = {
        name: EntryPoint(name=name, value=value, group=group) for name, value in OURS[group].items()
    }
    for entry in sorted(entry_points(group=group), key=lambda one: (one.name, one.value)):
        found.setdefault(entry.name, entry)
    return found


def find(group: Group, name: str) -> Any:
    """Import one thing by its name.

    Raises
    ------
    InputError
        If nothing is registered under the name, or what is registered does not load.

    Examples
    --------
    >>> find("shaketable.maps", "fourrier")
    Traceback (most recent call last):
    shaketable.errors.InputError: Expected one of zoo, fourier, multi-coil-fourier, radon, matrix, \
object in shaketable.maps, got 'fourrier'; correct the name or install the package that brings it.
    """
    known = registered(group)
    if name not in known:
        raise InputError(
            f"Expected one of {', '.join(known) or 'no names'} in {group}, got {name!r}; "
            "correct the name or install the package that brings it."
        )
    try:
        return known[name].load()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise InputError(
            f"Expected {known[name].value} to load as {name!r} of {group}, got {reason}; "
            "repair or remove the package that brings it."
        ) from error
