"""Insert details into one image and measure what of them comes back."""

from __future__ import annotations

import numpy as np
import torch

from shaketable.details import contrast_recovery, leakage, make_details, template_correlation
from shaketable.probes.probe import Case, Outcome, array, number
from shaketable.probes.structural.record import StructuralRecord


def measure(case: Case, *, details: tuple[str, ...], contrast: float, size: int | None) -> Outcome:
    """Reconstruct the image without and with every detail.

    Parameters
    ----------
    case
        The method and the image; its seed places the details.
    details, contrast, size
        As `shaketable.Structural` has them.
    """
    method, image = case.method, case.image
    made = make_details(image[0], details, contrast=contrast, size=size, seed=case.seed)
    clean = method.reconstruct(image)
    records, outputs = [], []
    for index, detail in enumerate(made):
        case.on_progress(f"inserting {detail.name}, {method.name}", index / len(made))
        output = method.reconstruct(image + detail.array)
        difference = output - clean
        outputs.append(output[0])
        records.append(
            StructuralRecord(
                detail=detail.name,
                contrast=detail.contrast,
                size=detail.size,
                position=tuple(detail.position),
                contrast_recovery=number(contrast_recovery(difference, detail.array)),
                correlation=number(template_correlation(difference, detail.array)),
                leakage=number(leakage(difference, detail.array)),
            )
        )
    arrays = {
        "image": array(image[0]),
        "names": np.array([detail.name for detail in made]),
        "detail": array(torch.stack([detail.array for detail in made])),
        f"methods/{method.name}/clean": array(clean[0]),
        f"methods/{method.name}/with_detail": array(torch.stack(outputs)),
    }
    return Outcome(records=tuple(records), arrays=arrays)
