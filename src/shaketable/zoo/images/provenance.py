"""Where the zoo's test images come from."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from shaketable.files import file_sha256
from shaketable.io import Provenance, ellipse_phantoms, load_images, provenance_of
from shaketable.zoo.images.bundled import TEST_SLICES, bundled_image_ids
from shaketable.zoo.images.ct import TEST_SEED, ellipse_test_ids, medical_test_ids, small_ct_file

# Inside nilearn's package.
_TEMPLATE = Path("datasets", "data", "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz")


def held_out_provenance(image_id: str) -> Provenance:
    """File and slice of an image that a network of the zoo is tested on, by its id.

    An id that is none of the zoo's has a provenance in which nothing is known.

    Examples
    --------
    >>> held_out_provenance("ellipses-1000-003").source
    'random ellipses, seed 1000, number 3'
    """
    if image_id in bundled_image_ids():
        return _template_slices()[image_id]
    if image_id in ellipse_test_ids():
        return _ellipses()[image_id]
    return _small_ct() if image_id in medical_test_ids() else Provenance()


@cache
def _template_slices() -> dict[str, Provenance]:
    spec = find_spec("nilearn")
    file = None if spec is None or spec.origin is None else Path(spec.origin).parent / _TEMPLATE
    return {
        image_id: Provenance(
            file=_TEMPLATE.name,
            # None where a version of nilearn keeps it in another place.
            file_sha256=file_sha256(file) if file is not None and file.is_file() else None,
            slice=plane,
            axis=2,
            # An average of many brains, but its slices resemble each other as those of one.
            subject="mni152",
            source="bundled with nilearn",
        )
        for image_id, plane in zip(bundled_image_ids(), TEST_SLICES, strict=True)
    }


@cache
def _ellipses() -> dict[str, Provenance]:
    # Neither id nor origin depends on the shape; this is the smallest.
    phantoms = ellipse_phantoms(len(ellipse_test_ids()), (8, 8), seed=TEST_SEED)
    return {phantom.id: provenance_of(phantom, Path()) for phantom in phantoms}


@cache
def _small_ct() -> Provenance:
    file = small_ct_file()
    [image] = load_images(file)
    return replace(provenance_of(image, file.parent), source="bundled with pydicom")
