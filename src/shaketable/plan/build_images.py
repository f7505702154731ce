"""From the ``images`` of a plan to tensors with names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from shaketable.details import composite, make_details
from shaketable.errors import SubjectError
from shaketable.io import (
    ImageSource,
    LoadedImage,
    Provenance,
    ellipse_phantoms,
    load_source,
    provenance_of,
    stacked,
)
from shaketable.plan.locate import PlanFile
from shaketable.plan.schema import ImagesSpec

if TYPE_CHECKING:
    from shaketable.zoo import ZooNetwork


@dataclass(frozen=True, kw_only=True)
class Images:
    """Images of one shape.

    Parameters
    ----------
    values
        ``(N, H, W)``, float32 or complex64.
    ids
        One name per image.
    provenance
        Where each comes from.
    """

    values: Tensor
    ids: tuple[str, ...]
    provenance: tuple[Provenance, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """``(H, W)``."""
        return (self.values.shape[1], self.values.shape[2])


def build_images(plan: PlanFile, spec: ImagesSpec, network: ZooNetwork | None) -> Images:
    """Read the images of a plan and insert the details that it names into each.

    Raises
    ------
    PlanError
        If they cannot be read, differ in shape, are complex where the plan says real, or a detail
        does not fit into one.
    """
    images = _without_details(plan, spec, network)
    insert = spec.insert
    if insert is None:
        return images
    with plan.at("images", "insert"):
        inserted = [
            image + composite(
                make_details(
                    image, insert.details, contrast=insert.contrast, size=insert.size, apart=True
                )
            ).array
            for image in images.values
        ]  # fmt: skip
    return replace(images, values=torch.stack(inserted))


def _without_details(plan: PlanFile, spec: ImagesSpec, network: ZooNetwork | None) -> Images:
    if spec.phantoms is not None and spec.shape is not None:
        with plan.at("images"):
            loaded = ellipse_phantoms(
                spec.count or 1, (spec.shape[0], spec.shape[1]), seed=spec.seed or 0
            )
        return _images(plan, loaded, stacked(loaded))
    if spec.path is None:
        if network is None:
            raise plan.error(("images", "zoo"), "Expected a network of the zoo, got another one.")
        if spec.real and not network.real:
            raise plan.error(
                ("images", "real"),
                "Expected complex images from the zoo, got real: true; remove the field.",
            )
        if network.real and not spec.real:
            raise plan.error(
                ("images", "zoo"),
                f"Expected real: true beside the images of {network.name}, which are real, got "
                "none; add it.",
            )
        values, ids = network.images("test"), network.image_ids("test")
        return Images(
            values=values[: spec.count], ids=ids[: spec.count],
            provenance=network.image_provenance("test")[: spec.count],
        )  # fmt: skip
    with plan.at("images", "path"):
        loaded = _loaded(plan, _source(plan, spec, Path(spec.path)))[: spec.count]
        values = stacked(loaded)
    if spec.real and values.is_complex():
        raise plan.error(
            ("images", "real"),
            "Expected real images, got complex ones; leave real out or save their real part.",
        )
    return _images(plan, loaded, values)


def _images(plan: PlanFile, loaded: tuple[LoadedImage, ...], values: Tensor) -> Images:
    return Images(
        values=values, ids=tuple(image.id for image in loaded),
        provenance=tuple(provenance_of(image, plan.folder) for image in loaded),
    )  # fmt: skip


def _loaded(plan: PlanFile, source: ImageSource) -> tuple[LoadedImage, ...]:
    try:
        return load_source(source)
    except SubjectError as error:
        raise plan.error(("images", "subjects"), str(error)) from error


def _source(plan: PlanFile, spec: ImagesSpec, path: Path) -> ImageSource:
    shape = None if spec.shape is None else (spec.shape[0], spec.shape[1])
    with plan.at("images", "slices"):
        return ImageSource(
            path=path, slices=spec.slices, axis=spec.axis, key=spec.key,
            shape=shape, scale=spec.scale, subjects=spec.subjects,
        )  # fmt: skip
