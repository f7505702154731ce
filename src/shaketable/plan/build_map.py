"""From the ``map`` of a plan to a forward map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shaketable.plan.choices import Choice
from shaketable.plan.derive import Written
from shaketable.plan.locate import PlanFile
from shaketable.plan.maps import BuiltMap
from shaketable.plan.maps.by_name import ZooMap

if TYPE_CHECKING:
    from shaketable.zoo import ZooNetwork

MAPS = Choice.registered("type", "shaketable.maps")


def build_map(
    plan: PlanFile, written: Written, shape: tuple[int, int], network: ZooNetwork | None
) -> BuiltMap:
    """Make the forward map for images of a shape ``(H, W)``.

    Raises
    ------
    PlanError
        If a file or object is wrong, or the map is not for images of that shape.
    """
    if isinstance(written.value, ZooMap) and network is not None:
        built = BuiltMap(
            forward=network.forward, sequence=network.sampling, rate=network.trained_rate
        )
    else:
        with plan.at("map"):
            made = written.value.build(shape)
        built = made if isinstance(made, BuiltMap) else BuiltMap(forward=made)
    if tuple(built.forward.image_shape) != shape:
        raise plan.error(
            ("map",),
            f"Expected a map for images of shape {shape}, got one for "
            f"{tuple(built.forward.image_shape)}; resize the images with images.shape, or change "
            "the map.",
        )
    return built
