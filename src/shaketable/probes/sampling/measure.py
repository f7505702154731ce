"""Reconstruct one image at every sampling rate."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from shaketable.metrics import psnr, ssim
from shaketable.probes.probe import Case, Outcome, array, number, percent
from shaketable.probes.sampling.record import SamplingRecord
from shaketable.protocols import ForwardMap


def measure(case: Case, *, maps: Mapping[float, ForwardMap], trained_rate: float) -> Outcome:
    """Reconstruct and compare with the image.

    Parameters
    ----------
    case
        The method and the image.
    maps, trained_rate
        As `shaketable.Sampling` has them.
    """
    method, image, rates = case.method, case.image, sorted(maps)
    records, outputs = [], []
    for index, rate in enumerate(rates):
        case.on_progress(f"{method.name} at {percent(rate)} sampling", index / len(rates))
        output = method.reconstruct(image, maps[rate])
        outputs.append(output[0])
        records.append(
            SamplingRecord(
                rate=rate, trained_rate=trained_rate, psnr=number(psnr(output, image)[0]),
                ssim=number(ssim(output, image)[0]),
            )
        )  # fmt: skip
    arrays = {
        "image": array(image[0]),
        "rates": array(torch.tensor(rates)),
        f"methods/{method.name}/reconstruction": array(torch.stack(outputs)),
    }
    return Outcome(records=tuple(records), arrays=arrays)
