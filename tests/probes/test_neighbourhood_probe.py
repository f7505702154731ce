"""The neighbourhood probe: shares computed by hand, and the verdict from records made by hand."""

import math

import numpy as np
import pytest
import torch

from shaketable import Budget, Neighbourhood, Problem, Search
from shaketable.errors import InputError
from shaketable.probes import Subject, Verdict
from shaketable.probes.neighbourhood import NeighbourhoodRecord
from shaketable.statistics import ratio_interval, share_interval
from tests.helpers import networks
from tests.helpers.measuring import measure_all
from tests.helpers.records import NETWORK, STABLE, measured, rows, strength

QUICK = Search(budget=Budget(n_gradients=12))
STRONG = strength("search strength (neighbourhood)")


def measure(reconstruct, probe: Neighbourhood, *, real=False, seed=11):
    case = Subject(
        problems=(
            Problem(forward=networks.fourier(), reconstruct=reconstruct, real=real, name="net"),
        ),
        images=networks.images(1, real=real),
        image_ids=("one",),
        baselines={} if real else {"zero-filled": networks.zero_filled},
    )
    return case, measure_all(probe, case, seed=seed)


def shares_by_hand(case: Subject, outcome, probe: Neighbourhood, seed: int) -> list[float]:
    """For a linear f, what is left of the artefact a is ``1 + Re⟨a, f(A v)⟩ / ⟨a, a⟩``."""
    A, f = case.problem.forward, case.problem.reconstruct
    clean = torch.from_numpy(outcome.arrays["methods/net/clean"])
    artefact = torch.from_numpy(outcome.arrays["methods/net/perturbed"]) - clean
    norm = probe.radius * float(torch.linalg.vector_norm(case.images[0]))
    generator = torch.Generator().manual_seed(seed)
    shares = []
    for _ in range(probe.n_draws):
        e = torch.randn((1, 32, 32), generator=generator, dtype=torch.complex64)
        v = A.adjoint(e * A.sampled)
        v = v * (probe.noise_ratio * norm / float(v.norm()))
        moved = f(A(v), A)[0]
        dot = float((artefact.conj() * moved).real.sum())
        shares.append(1 + dot / float(artefact.abs().square().sum()))
    return shares


@pytest.mark.parametrize("noise_ratio", [0.25, 8.0])
def test_a_linear_reconstructor_keeps_the_share_that_is_computed_by_hand(noise_ratio):
    network = networks.Unstable(networks.fourier(), networks.images(1), gain=4.0)
    probe = Neighbourhood(radius=0.05, search=QUICK, noise_ratio=noise_ratio, n_draws=30)
    case, outcome = measure(network, probe)
    shares = shares_by_hand(case, outcome, probe, 11)
    probe_at = sorted(shares)[10] if noise_ratio > 1 else 0.5
    between = Neighbourhood(
        radius=0.05, search=QUICK, noise_ratio=noise_ratio, n_draws=30,
        keeps=min(1.0, max(0.01, probe_at + 1e-3)),
    )  # fmt: skip
    _, outcome = measure(network, between)
    record = outcome.records[0]
    expected = sum(share >= between.keeps for share in shares)
    assert record.n_persisting == expected
    if noise_ratio < 1:
        assert expected == 30
    interval = share_interval(expected, 30)
    assert record.interval == (interval.low, interval.high)


def test_one_noisy_picture_has_noise_of_the_stated_size():
    probe = Neighbourhood(radius=0.05, search=QUICK, noise_ratio=0.25, n_draws=3)
    case, outcome = measure(networks.zero_filled, probe)
    difference = (
        outcome.arrays["methods/net/noisy"] - outcome.arrays["methods/net/perturbed"]
    )  # = A*A v = v, as v lies in the range of A*
    size = 0.25 * 0.05 * float(torch.linalg.vector_norm(case.images[0]))
    assert np.linalg.norm(difference) == pytest.approx(size, rel=1e-3)
    assert outcome.records[0].noise_ratio == 0.25
    assert outcome.records[0].n_draws == 3


def test_several_sizes_of_noise_share_their_draws_and_the_first_decides():
    ratios = (2.0, 0.25, 8.0)
    one, several = (
        Neighbourhood(radius=0.05, search=QUICK, noise_ratio=ratio, n_draws=5, n_draws_stable=2)
        for ratio in (ratios[1], ratios)
    )
    _, alone = measure(networks.zero_filled, one)
    _, together = measure(networks.zero_filled, several)
    assert [r.noise_ratio for r in together.records if r.role == "network"] == list(ratios)
    assert {r.n_draws for r in together.records if r.role == "baseline"} == {2}
    mine = next(r for r in together.records if r.noise_ratio == 0.25)
    assert mine == alone.records[0]
    same = together.arrays["methods/net/noisy at 0.25"], alone.arrays["methods/net/noisy"]
    np.testing.assert_array_equal(*same)
    assert several.describe()["noise_ratio"] == list(ratios)
    assert one.describe()["noise_ratio"] == 0.25
    verdict = several.verdict(together.measured())
    assert verdict.statement.startswith("After noise of 200 % of its size")


def test_every_size_of_noise_may_have_its_own_number_of_draws():
    few, many = (
        Neighbourhood(radius=0.05, search=QUICK, noise_ratio=(2.0, 8.0), n_draws=n_draws)
        for n_draws in ((6, 2), 6)
    )
    _, each = measure(networks.zero_filled, few)
    _, alike = measure(networks.zero_filled, many)
    assert [r.n_draws for r in each.records if r.role == "network"] == [6, 2]
    assert each.records[0] == alike.records[0]
    assert each.records[1].n_persisting <= alike.records[1].n_persisting
    assert (few.describe()["n_draws"], many.describe()["n_draws"]) == ([6, 2], 6)


def test_every_draw_is_a_step_forward():
    heard: list[tuple[str, float]] = []
    probe = Neighbourhood(radius=0.05, search=QUICK, noise_ratio=(0.25, 1.0), n_draws=(4, 3))
    case, _ = measure(networks.zero_filled, probe)
    measure_all(probe, case, seed=11, on_progress=lambda *said: heard.append(said))
    for method in ("net", "zero-filled"):
        shares = [share for message, share in heard if message.endswith(f" {method}")]
        assert shares == sorted(shares)
        assert len(set(shares)) >= 7
        assert shares[-1] == pytest.approx(1)


def test_every_method_is_shaken_around_its_own_worst_case():
    network = networks.Unstable(networks.fourier(), networks.images(1), gain=4.0)
    probe = Neighbourhood(radius=0.05, search=Search(budget=Budget(n_gradients=30)), n_draws=2)
    _, outcome = measure(network, probe)
    net, stable = outcome.records
    assert (net.role, stable.role) == ("network", "baseline")
    assert net.error == pytest.approx(5 * stable.error, rel=0.05)
    assert set(outcome.arrays) == {"image"} | {
        f"methods/{method}/{name}"
        for method in ("net", "zero-filled")
        for name in ("clean", "perturbation", "perturbed", "noisy")
    }


def test_noise_removes_the_artefact_of_a_network_that_answers_one_direction_only():
    pattern = networks.Unstable(networks.fourier(), networks.images(1), gain=1.0).pattern
    before = networks.zero_filled(networks.fourier()(networks.images(1)), networks.fourier())

    def brittle(y, A):
        change = A.adjoint(y) - before
        share = (pattern.conj() * change).sum((-2, -1), keepdim=True)
        beside = (change - share * pattern).abs().square().sum((-2, -1), keepdim=True)
        return before + change + 20 * share * torch.exp(-beside / 0.4**2) * pattern

    search = Search(budget=Budget(n_gradients=60))
    probe = Neighbourhood(radius=0.05, search=search, noise_ratio=2.0, n_draws=20)
    _, outcome = measure(brittle, probe)
    net, stable = outcome.records
    assert net.error > 5 * stable.error
    assert net.n_persisting == 0
    assert stable.n_persisting > 0


def test_a_real_problem_gets_real_noise():
    probe = Neighbourhood(radius=0.05, search=QUICK, n_draws=2)
    _, outcome = measure(networks.real_zero_filled, probe, real=True)
    assert outcome.arrays["methods/net/noisy"].dtype == np.float32
    assert outcome.records[0].n_persisting == 2


def test_no_response_keeps_nothing():
    probe = Neighbourhood(radius=0.05, search=QUICK, n_draws=2)
    _, outcome = measure(networks.constant, probe)
    record = outcome.records[0]
    assert (record.status, record.n_persisting, record.error) == ("no response", 0, 0.0)
    assert probe.verdict(outcome.measured(STRONG)).verdict == "inconclusive"


def test_ctrl_c_inside_a_search_is_raised_again():
    def interrupted(message: str, share: float) -> None:
        raise KeyboardInterrupt

    case, _ = measure(networks.zero_filled, Neighbourhood(search=QUICK, n_draws=1))
    probe = Neighbourhood(search=QUICK)
    with pytest.raises(KeyboardInterrupt):
        measure_all(probe, case, on_progress=interrupted)


def hand_made(method: str, errors, kept, statuses=None):
    return rows(
        "neighbourhood", method, {"n_draws": 20}, error=errors, n_persisting=kept,
        status=statuses or ["found"] * len(errors),
    )  # fmt: skip


def judge(*records, checks=STRONG, **settings) -> Verdict:
    rows_ = [row for part in records for row in part]
    return Neighbourhood().verdict(
        measured(NeighbourhoodRecord, rows_, evidence=checks, **settings)
    )


SMALL = hand_made(STABLE, [1.0, 1.1, 1.0], [20, 20, 20])
ALL, NONE = [20, 19, 20], [0, 1, 0]


def test_a_large_artefact_that_stays_is_unstable():
    verdict = judge(hand_made(NETWORK, [5.0, 6.0, 5.5], ALL), SMALL)
    share = share_interval(59, 60)
    ratio = ratio_interval([5.0, 6.0, 5.5], [1.0, 1.1, 1.0])
    assert verdict.verdict == "unstable"
    assert (verdict.estimate, verdict.interval) == (share.estimate, (share.low, share.high))
    assert verdict.n_images == 3
    assert verdict.statement == (
        "After noise of 25 % of its size, 98.3 % of 60 draws keep the artefact (95 % interval "
        f"{100 * share.low:.3g} % to {100 * share.high:.3g} %); the artefact of net is 5.3 times as "
        f"large as that of tv (95 % interval {ratio.low:.2g} to {ratio.high:.2g}, 3 images)."
    )


def test_a_large_artefact_that_noise_removes_is_stable():
    assert judge(hand_made(NETWORK, [5.0, 6.0, 5.5], NONE), SMALL).verdict == "stable"


def test_an_artefact_no_larger_than_the_stable_methods_is_stable():
    assert judge(hand_made(NETWORK, [0.5, 0.6, 0.5], ALL), SMALL).verdict == "stable"


def test_half_of_the_draws_or_equal_sizes_decide_nothing():
    half = hand_made(NETWORK, [5.0, 6.0, 5.5], [10, 11, 9])
    assert judge(half, SMALL).verdict == "inconclusive"
    equal = hand_made(NETWORK, [0.8, 1.3, 1.0], ALL)
    assert judge(equal, SMALL).verdict == "inconclusive"


@pytest.mark.parametrize("checks", [(), strength("search strength (neighbourhood)", passed=False)])
def test_a_search_that_proved_nothing_never_gives_stable(checks):
    for network in (
        hand_made(NETWORK, [5.0, 6.0, 5.5], NONE), hand_made(NETWORK, [0.5, 0.6, 0.5], ALL)
    ):  # fmt: skip
        verdict = judge(network, SMALL, checks=checks)
        assert verdict.verdict == "inconclusive"
        assert "planted instabilities" in verdict.statement
    large = hand_made(NETWORK, [5.0, 6.0, 5.5], ALL)
    assert judge(large, SMALL, checks=checks).verdict == "unstable"


@pytest.mark.parametrize("status", ["stuck", "no response", "not finite", "budget spent"])
def test_one_search_that_ended_badly_keeps_it_from_stable(status):
    network = hand_made(NETWORK, [0.5, 0.6, 0.5], ALL, ["found", "found", status])
    verdict = judge(network, SMALL)
    assert (verdict.verdict, verdict.n_images) == ("inconclusive", 2)
    assert "support no statement" in verdict.statement
    every = hand_made(NETWORK, [0.5, 0.6, 0.5], ALL, [status] * 3)
    assert judge(every, SMALL).estimate is None


def test_without_a_stable_method_or_with_a_stuck_one_nothing_is_decided():
    network = hand_made(NETWORK, [5.0, 6.0, 5.5], ALL)
    stuck = hand_made(STABLE, [0.0, 0.0, 0.0], [0, 0, 0], ["stuck"] * 3)
    for records, baselines in (((network,), ()), ((network, stuck), (STABLE,))):
        verdict = judge(*records, baselines=baselines)
        assert verdict.verdict == "inconclusive"
        assert "no reference method's artefact" in verdict.statement


def test_one_image_decides_nothing():
    verdict = judge(hand_made(NETWORK, [9.0], [20]), hand_made(STABLE, [1.0], [20]))
    assert verdict.verdict == "inconclusive"
    assert "1 image, too few for an interval" in verdict.statement
    assert judge([]).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"noise_ratio": 0.0}, "noise_ratio .* above 0, got 0.0"),
        ({"noise_ratio": ()}, "one for each"),
        ({"n_draws": 0}, "n_draws .* at least 1, got 0"),
        ({"n_draws": 2.5}, "n_draws .* whole number"),
        ({"n_draws_stable": 0}, "n_draws_stable"),
        ({"keeps": 1.5}, "keeps .* at most 1, got 1.5"),
        ({"n_draws": (3, 4)}, "one for each"),
        ({"noise_ratio": (0.25, 1.0), "n_draws": (3, 0)}, "n_draws .* at least 1, got 0"),
        ({"radius": -1.0}, "radius .* above 0"),
        ({"radius": math.nan}, "radius .* finite"),
    ],
)
def test_wrong_settings_are_refused(settings, said):
    with pytest.raises(InputError, match=said):
        Neighbourhood(**settings)
