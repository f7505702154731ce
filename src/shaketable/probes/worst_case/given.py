"""A reference method under what was found for a network, so that both damages can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from shaketable.probes.probe import Case, Outcome, array, number
from shaketable.probes.worst_case.record import Given, WorstCaseRecord
from shaketable.search import Domain, respond


def measure_given(case: Case, theirs: Outcome, *, domain: Domain) -> Outcome:
    """Reconstruct under every perturbation of a network, and measure what changed.

    Parameters
    ----------
    case
        The reference method and the image.
    theirs
        What was measured of the network: its records, and its perturbations among the arrays.
    domain
        Where they are added.
    """
    name = theirs.records[0].method
    problem, image = case.method.problem, case.image
    clean = case.method.reconstruct(image)
    records, outputs = [], []
    stored = theirs.arrays[f"methods/{name}/perturbation"]
    for record, values in zip(theirs.records, stored, strict=True):
        perturbation = torch.from_numpy(values)[None].to(image.device)
        # what was stored in single precision is added in the precision of the run
        like = image.dtype.to_real()
        perturbation = perturbation.to(like.to_complex() if perturbation.is_complex() else like)
        output = respond(problem, image, perturbation, domain=domain)
        error = float(torch.linalg.vector_norm(output - clean))
        norm = record.perturbation_norm or 0.0
        amplification = number(error / norm) if norm > 0 else None
        records.append(Given(network=name, error=number(error), amplification=amplification))
        outputs.append(output[0])
    arrays = {f"methods/{case.method.name}/given_network": array(torch.stack(outputs))}
    return Outcome(records=tuple(records), arrays=arrays)


def with_given(
    records: Sequence[WorstCaseRecord], given: Mapping[str, Sequence[Given]]
) -> list[WorstCaseRecord]:
    """The records of a reference method, each with what it was given at its radius.

    Parameters
    ----------
    records
        In the order of the radii.
    given
        By network, in the order of the radii; networks that were not measured are absent.
    """
    result = []
    for index, record in enumerate(records):
        mine = tuple(entries[index] for entries in given.values() if index < len(entries))
        worst = max(mine, key=lambda one: one.error or 0.0, default=None)
        result.append(
            replace(
                record, given=mine,
                given_network_error=None if worst is None else worst.error,
                given_network_amplification=None if worst is None else worst.amplification,
            )
        )  # fmt: skip
    return result
