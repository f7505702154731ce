"""The worst-case probe on reconstructors whose worst case is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from shaketable import BlackBox, Budget, MomentumAscent, Problem, Search
from shaketable.io import array_sha256
from shaketable.probes import Subject, WorstCase
from shaketable.probes.worst_case import WorstCaseRecord
from shaketable.search import random_perturbation, respond
from tests.helpers import networks
from tests.helpers.measuring import Together, measure_all

QUICK = Search(budget=Budget(n_gradients=12))
RADII = (0.01, 0.03)


def subject(reconstruct, baselines=None, *, real=False, dtype=None, n=1) -> Subject:
    problem = Problem(forward=networks.fourier(), reconstruct=reconstruct, real=real, name="net")
    images = networks.images(n, real=real)
    return Subject(
        problems=(problem,),
        images=images if dtype is None else images.to(dtype),
        image_ids=tuple(f"i{index}" for index in range(n)),
        baselines={"zero-filled": networks.zero_filled} if baselines is None else baselines,
    )


def measure(case: Subject, probe: WorstCase, seed: int = 7) -> Together:
    return measure_all(probe, case, seed=seed)


def of(outcome: Together, method: str) -> list[WorstCaseRecord]:
    return outcome.of(method)


@pytest.mark.parametrize("domain", ["image", "data"])
def test_scaled_zero_filling_is_amplified_by_its_factor(domain):
    case = subject(networks.scaled(3.0))
    outcome = measure(case, WorstCase(radii=RADII, domain=domain, search=QUICK))
    for record in of(outcome, "net"):
        assert record.amplification == pytest.approx(3.0, rel=2e-3)
        assert record.status == "found"
        assert record.n_gradients <= 12  # less where the search has settled
    for record in of(outcome, "zero-filled"):
        assert record.amplification == pytest.approx(1.0, rel=2e-3)


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_a_known_spectrum_is_met_in_double_precision(dtype):
    values = torch.cat([torch.tensor([4.0]), torch.ones(143)])
    problem = networks.known_spectrum(values, shape=(12, 12), dtype=dtype)
    images = networks.images(1, size=12, real=not dtype.is_complex).to(dtype)
    case = Subject(problems=(problem,), images=images, image_ids=("one",))
    for domain in ("image", "data"):
        probe = WorstCase(radii=RADII, domain=domain, search=Search(budget=Budget(n_gradients=60)))
        assert measure(case, probe).records[-1].amplification == pytest.approx(4.0, rel=1e-3)


def test_a_hidden_pattern_is_found_and_the_stable_method_hardly_answers_to_it():
    case = subject(networks.Unstable(networks.fourier(), networks.images(1), gain=9.0))
    outcome = measure(case, WorstCase(radii=RADII, search=Search(budget=Budget(n_gradients=40))))
    mine, its = of(outcome, "net")[-1], of(outcome, "zero-filled")[-1]
    assert mine.amplification == pytest.approx(10.0, rel=1e-2)
    assert mine.random_amplification < 2
    assert mine.local_gain == pytest.approx(10.0, rel=1e-2)
    assert its.local_gain == pytest.approx(1.0, abs=0.01)
    assert its.given_network_amplification == pytest.approx(1.0, abs=0.02)
    assert its.amplification == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("domain", ["image", "data"])
def test_the_numbers_of_a_record_belong_together(domain):
    case = subject(networks.data_consistent)
    outcome = measure(case, WorstCase(radii=RADII, domain=domain, search=QUICK))
    image, arrays = case.images[:1], outcome.arrays
    size = torch.linalg.vector_norm(image if domain == "image" else case.problem.forward(image))
    assert [record.radius for record in of(outcome, "net")] == list(RADII)
    for index, record in enumerate(of(outcome, "net")):
        perturbation = arrays["methods/net/perturbation"][index]
        clean = arrays["methods/net/clean"]
        moved = arrays["methods/net/perturbed"][index] - clean
        assert record.domain == domain
        assert record.perturbation_norm == pytest.approx(np.linalg.norm(perturbation), rel=1e-5)
        assert record.perturbation_norm == pytest.approx(RADII[index] * float(size), rel=1e-4)
        assert record.error == pytest.approx(np.linalg.norm(moved), rel=1e-4)
        assert record.amplification == pytest.approx(
            record.error / record.perturbation_norm, rel=1e-6
        )
        assert record.relative_error == pytest.approx(
            record.error / np.linalg.norm(clean), rel=1e-5
        )
        assert record.replay_sha256 == array_sha256(perturbation)
        peak, reference = np.abs(image[0].numpy()).max(), image[0].numpy()
        for key, shown in (("clean_psnr", clean), ("perturbed_psnr", clean + moved)):
            mean_square = np.mean(np.abs(shown - reference) ** 2)
            assert getattr(record, key) == pytest.approx(
                10 * np.log10(peak**2 / mean_square), abs=1e-3
            )


def test_data_perturbations_are_zero_where_nothing_was_sampled():
    case = subject(networks.zero_filled)
    outcome = measure(case, WorstCase(radii=RADII, domain="data", search=QUICK))
    stored = outcome.arrays["methods/net/perturbation"]
    assert np.all(stored[:, ~case.problem.forward.sampled.numpy()] == 0)
    assert np.abs(stored).max() > 0
    pictures = case.problem.forward.adjoint(torch.from_numpy(stored)).numpy()
    np.testing.assert_allclose(
        outcome.arrays["methods/net/perturbation_image"], pictures, atol=1e-6
    )


@pytest.mark.parametrize("domain", ["image", "data"])
def test_the_stable_method_is_given_the_networks_own_perturbation(domain):
    case = subject(networks.Unstable(networks.fourier(), networks.images(1), gain=4.0))
    outcome = measure(case, WorstCase(radii=RADII, domain=domain, search=QUICK))
    mine = torch.from_numpy(outcome.arrays["methods/net/perturbation"])
    its = outcome.arrays["methods/zero-filled/perturbation"]
    stable = case.methods[1].problem
    assert np.linalg.norm(its - mine.numpy()) > 0.1 * np.linalg.norm(its)
    for index, record in enumerate(of(outcome, "zero-filled")):
        output = respond(stable, case.images, mine[index][None], domain=domain)[0].numpy()
        stored = outcome.arrays["methods/zero-filled/given_network"][index]
        np.testing.assert_allclose(stored, output, atol=1e-6)
        clean = outcome.arrays["methods/zero-filled/clean"]
        error = np.linalg.norm(output - clean)
        assert record.given_network_error == pytest.approx(error, rel=1e-4)
        assert record.given_network_amplification == pytest.approx(
            error / np.linalg.norm(mine[index]), rel=1e-4
        )
    assert of(outcome, "net")[0].given_network_error is None
    assert of(outcome, "net")[0].given == ()
    assert "methods/net/given_network" not in outcome.arrays


def test_every_network_gives_its_perturbation_and_the_worst_is_named_beside_the_references_own():
    A, clean = networks.fourier(), networks.images(1)
    first, second = (
        Problem(forward=A, reconstruct=networks.Unstable(A, clean, gain=4.0, seed=seed), name=name)
        for seed, name in ((0, "a"), (1, "b"))
    )
    case = Subject(
        problems=(first, second), images=clean, image_ids=("i0",),
        baselines={"like b": second.reconstruct, "zero-filled": networks.zero_filled},
    )  # fmt: skip
    outcome = measure(case, WorstCase(radii=RADII, search=Search(budget=Budget(n_gradients=40))))
    for record, theirs in zip(of(outcome, "like b"), of(outcome, "b"), strict=True):
        assert [one.network for one in record.given] == ["a", "b"]
        a, b = record.given
        assert b.amplification == pytest.approx(theirs.amplification, rel=1e-4)
        assert a.amplification < 2  # another hidden pattern
        assert record.given_network_amplification == b.amplification
        assert record.given_network_error == b.error == max(a.error, b.error)
    for record in of(outcome, "zero-filled"):
        errors = [one.error for one in record.given]
        assert record.given_network_error == max(errors)


def test_the_random_control_is_the_mean_over_draws_of_the_same_size_for_every_method():
    case = subject(networks.scaled(2.0))
    outcome = measure(case, WorstCase(radii=RADII, search=QUICK, n_random=3))
    A = case.problem.forward
    ratios = []
    for draw in range(3):
        r = random_perturbation(
            case.problem, case.images, radius=0.01, domain="image", seed=7 + draw
        )
        assert float(r.norm() / case.images.norm()) == pytest.approx(0.01, rel=1e-5)
        ratios.append(float(A(r).norm() / r.norm()))
    for record in of(outcome, "zero-filled"):
        assert record.random_amplification == pytest.approx(np.mean(ratios), rel=1e-4)
    for record in of(outcome, "net"):
        assert record.random_amplification == pytest.approx(2 * np.mean(ratios), rel=1e-4)


def test_a_real_problem_has_real_perturbations():
    case = subject(
        networks.real_zero_filled, {"half": lambda y, A: 0.5 * A.adjoint(y).real}, real=True
    )
    outcome = measure(case, WorstCase(radii=RADII, search=QUICK))
    assert outcome.arrays["methods/net/perturbation"].dtype == np.float32
    net, half = of(outcome, "net")[-1], of(outcome, "half")[-1]
    assert half.amplification == pytest.approx(0.5 * net.amplification, rel=1e-2)


def test_arrays_are_as_the_report_reads_them():
    case = subject(networks.scaled(2.0))
    outcome = measure(case, WorstCase(radii=RADII, domain="data", search=QUICK))
    assert {name: values.shape for name, values in outcome.arrays.items()} == {
        "image": (32, 32),
        "radii": (2,),
        **{
            f"methods/{method}/{name}": (32, 32) if name == "clean" else (2, 32, 32)
            for method in ("net", "zero-filled")
            for name in ("clean", "perturbation", "perturbation_image", "perturbed", "random")
        },
        "methods/zero-filled/given_network": (2, 32, 32),
    }
    assert {values.dtype for values in outcome.arrays.values()} <= {
        np.dtype(np.float32), np.dtype(np.complex64)
    }  # fmt: skip


def test_a_certificate_of_the_stable_method_stands_in_its_record():
    class Certified:
        def __call__(self, y, A):
            return A.adjoint(y)

        def solve(self, y, A):
            return type("Solution", (), {"gap": torch.tensor([3e-4])})()

    outcome = measure(subject(networks.zero_filled, {"certified": Certified()}), WorstCase(
        radii=RADII, search=QUICK))  # fmt: skip
    assert of(outcome, "certified")[0].solver_gap == pytest.approx(3e-4)
    outcome = measure(subject(networks.zero_filled), WorstCase(radii=RADII, search=QUICK))
    assert of(outcome, "zero-filled")[0].solver_gap is None


@pytest.mark.parametrize(
    ("reconstruct", "status"),
    [(networks.constant, "no response"), (networks.nan_gradient, "not finite")],
)
def test_networks_that_cannot_be_searched_have_a_status_and_no_verdict(reconstruct, status):
    case = subject(reconstruct)
    probe = WorstCase(radii=RADII, search=QUICK)
    outcome = measure(case, probe)
    assert {record.status for record in of(outcome, "net")} == {status}
    assert probe.verdict(outcome.measured()).verdict == "inconclusive"


def test_a_zero_start_is_stuck_and_gives_no_verdict():
    probe = WorstCase(
        radii=RADII,
        search=Search(
            update=MomentumAscent(start_size=0.0), budget=Budget(n_gradients=5), local_start=False
        ),
    )
    case = subject(networks.scaled(5.0), n=1)
    outcome = measure(case, probe)
    assert {record.status for record in outcome.records} == {"stuck"}
    assert of(outcome, "zero-filled")[0].given_network_amplification is None
    assert probe.verdict(outcome.measured()).verdict == "inconclusive"


def test_a_network_that_a_perturbation_breaks_is_unstable_with_its_counterexample():
    norm = float(torch.linalg.vector_norm(networks.images(1)))
    case = subject(networks.breaks_above(0.999 * norm))
    probe = WorstCase(radii=(0.3,), search=Search(budget=Budget(n_gradients=30)))
    outcome = measure(case, probe)
    [record] = of(outcome, "net")
    assert (record.status, record.error, record.amplification) == (
        "not finite", None, None
    )  # fmt: skip
    assert np.linalg.norm(outcome.arrays["methods/net/perturbation"]) > 0
    assert probe.verdict(outcome.measured()).verdict == "unstable"


def test_ctrl_c_inside_a_search_is_raised_again():
    def interrupted(message: str, share: float) -> None:
        raise KeyboardInterrupt

    case, probe = subject(networks.zero_filled), WorstCase(radii=RADII, search=QUICK)
    with pytest.raises(KeyboardInterrupt):
        measure_all(probe, case, seed=7, on_progress=interrupted)


def test_black_boxes_are_refused_in_a_sentence():
    case = subject(networks.zero_filled)
    case = replace(case, problems=(replace(case.problem, differentiable=False),))
    with pytest.raises(ValueError, match="black box"):
        measure(case, WorstCase(radii=RADII))


@pytest.mark.parametrize("domain", ["image", "data"])
def test_black_boxes_are_searched_without_gradients(domain):
    case = subject(networks.scaled(3.0))
    case = replace(case, problems=(replace(case.problem, differentiable=False),))
    probe = WorstCase(radii=RADII, domain=domain, search=BlackBox(n_queries=20))
    heard = []
    outcome = measure_all(probe, case, seed=7, on_progress=lambda *said: heard.append(said))
    for method in ("net", "zero-filled"):
        shares = [share for message, share in heard if message.endswith(f" {method}")]
        assert shares == sorted(shares)
        assert shares[-1] == pytest.approx(1.0)
    for method, factor in (("net", 3.0), ("zero-filled", 1.0)):
        for record in of(outcome, method):
            assert record.amplification == pytest.approx(factor, rel=2e-3)
            assert (record.search, record.n_queries, record.n_gradients) == (
                "no gradients", 20, 0
            )  # fmt: skip
    checks = probe.evidence(case.problem, case.images, 0)
    assert checks == ()
    verdict = probe.verdict(outcome.measured(checks))
    assert "lower bound, no gradients" in verdict.statement
    assert probe.describe()["search"]["settings"]["n_queries"] == 20
