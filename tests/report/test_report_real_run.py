"""A run made by the package itself has everything that the report looks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import shaketable
from shaketable.maps import FourierMap
from shaketable.maps.sampling import cartesian_variable_density
from shaketable.probes import Neighbourhood, Sampling, Structural, WorstCase
from shaketable.protocols import ForwardMap
from shaketable.search import Budget, Search
from tests.helpers.report_page import read_page
from tests.helpers.synthetic_run import SyntheticRun, load, phantom


def _network(y: Tensor, forward: ForwardMap) -> Tensor:
    zero_filled = forward.adjoint(y)
    return zero_filled + 0.3 * torch.tanh(8 * zero_filled.abs()) * zero_filled


def _zero_filled(y: Tensor, forward: ForwardMap) -> Tensor:
    return forward.adjoint(y)


def test_the_report_of_a_real_run_leaves_nothing_out(tmp_path: Path) -> None:
    sequence = cartesian_variable_density((48, 48), seed=0, n_center=6)
    images = np.stack([phantom(SyntheticRun(), index) for index in range(2)])
    search = Search(budget=Budget(n_gradients=8))
    plan = shaketable.Plan(
        probes=(
            WorstCase(radii=(0.01, 0.03), search=search),
            WorstCase(radii=(0.02,), domain="data", search=search),
            Structural(details=("heart", "can-u-see-it")),
            Sampling.fourier(sequence, rates=(0.2, 0.34, 0.6), trained_rate=0.34),
            Neighbourhood(n_draws=3, search=search),
        ),
        baselines={"zero-filled": _zero_filled},
    )
    problem = shaketable.Problem(
        forward=FourierMap(sequence.mask(0.34)), reconstruct=_network, name="toy"
    )
    done = shaketable.run(
        problem, torch.from_numpy(images).to(torch.complex64), plan, out=tmp_path / "run"
    )
    page = read_page(done.report())
    results = load(tmp_path / "run")
    shown = {float(value) for value in page.values}
    for key in ("amplification", "contrast_recovery", "leakage", "n_persisting"):
        assert {float(r[key]) for r in results["records"] if key in r} <= shown
    for verdict in results["verdicts"]:
        assert " ".join(verdict["statement"].split()) in page.text
    assert len(page.pictures) > 100
    for absence in ("Not run", "no picture stored", "could not be read", "No result"):
        assert absence not in page.text
    assert page.headings[0] == "toy"
    assert not page.unbalanced
