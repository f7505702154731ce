"""Reconstruct at stored sampling rates again."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from shaketable.probes.probe import percent
from shaketable.probes.replaying import Replay, StoredCase, distance
from shaketable.probes.sampling.record import SamplingRecord
from shaketable.protocols import ForwardMap


def replay(
    stored: StoredCase[SamplingRecord], *, maps: Mapping[float, ForwardMap]
) -> tuple[Replay, ...]:
    """``‖f(A_rate x) - x‖₂`` for every stored rate."""
    image, rates = stored.image, stored.array("rates")
    outputs, shown = stored.own("reconstruction"), stored.array("image")
    result = []
    for record in stored.records:
        rate = math.nan if record.rate is None else record.rate
        before = distance(outputs[int(np.argmin(abs(rates - rate)))], shown)
        forward = maps[min(maps, key=lambda each: abs(each - rate))]
        difference = stored.method.reconstruct(image, forward) - image
        result.append(stored.replayed(difference, before, what=f"{percent(rate)} sampling"))
    return tuple(result)
