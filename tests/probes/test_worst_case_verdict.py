"""The verdict on worst cases, from records made by hand."""

import math

import pytest

from shaketable.errors import InputError
from shaketable.probes import Verdict, WorstCase
from shaketable.probes.worst_case import WorstCaseRecord
from shaketable.statistics import mean_interval, ratio_interval
from tests.helpers.records import NETWORK, STABLE, measured, strength, worst

STRONG = strength("search strength (image domain)")


def judge(*records, checks=STRONG, limit=None, baselines=(STABLE,)) -> Verdict:
    rows = [row for part in records for row in part]
    return WorstCase(radii=(0.01, 0.04), limit=limit).verdict(
        measured(WorstCaseRecord, rows, evidence=checks, baselines=baselines)
    )


def test_much_larger_damage_is_unstable():
    verdict = judge(worst(NETWORK, [5.0, 6.0, 5.5]), worst(STABLE, [1.0, 1.1, 1.0]))
    expected = ratio_interval([5.0, 6.0, 5.5], [1.0, 1.1, 1.0])
    assert verdict.verdict == "unstable"
    assert verdict.estimate == expected.estimate
    assert verdict.interval == (expected.low, expected.high)
    assert (verdict.n_images, verdict.domain, verdict.probe) == (3, "image", "worst_case")
    assert verdict.statement == (
        "The worst perturbation found of 4 % in the image domain is amplified 5.5 times by net and "
        "1 times by tv at its own worst case: 5.3 times as much (95 % interval 4.7 to 6.1, "
        "3 images)."
    )


def test_smaller_damage_with_a_proven_search_is_stable():
    verdict = judge(worst(NETWORK, [0.5, 0.6, 0.55]), worst(STABLE, [1.0, 1.1, 1.0]))
    assert verdict.verdict == "stable"
    assert "0.53 times as much" in verdict.statement


def test_an_interval_around_one_is_inconclusive():
    verdict = judge(worst(NETWORK, [0.8, 1.4, 1.0]), worst(STABLE, [1.0, 1.0, 1.0]))
    assert verdict.verdict == "inconclusive"
    assert verdict.interval[0] < 1 < verdict.interval[1]


@pytest.mark.parametrize("checks", [(), strength("search strength (image domain)", passed=False)])
def test_without_a_proven_search_nothing_is_stable(checks):
    small = worst(NETWORK, [0.5, 0.6, 0.55]), worst(STABLE, [1.0, 1.1, 1.0])
    verdict = judge(*small, checks=checks)
    assert verdict.verdict == "inconclusive"
    assert "planted instabilities" in verdict.statement
    large = worst(NETWORK, [5.0, 6.0, 5.5]), worst(STABLE, [1.0, 1.1, 1.0])
    assert judge(*large, checks=checks).verdict == "unstable"


def test_a_search_without_gradients_is_a_lower_bound_and_never_gives_stable():
    def blind(records):
        return [record | {"search": "no gradients"} for record in records]

    small = blind(worst(NETWORK, [0.5, 0.6, 0.55])), blind(worst(STABLE, [1.0, 1.1, 1.0]))
    verdict = judge(*small)
    assert verdict.verdict == "inconclusive"
    assert verdict.statement.endswith("part of what there is (lower bound, no gradients).")
    assert judge(*small, limit=100.0).verdict == "inconclusive"
    large = blind(worst(NETWORK, [5.0, 6.0, 5.5])), blind(worst(STABLE, [1.0, 1.1, 1.0]))
    verdict = judge(*large)
    assert verdict.verdict == "unstable"
    assert verdict.statement.endswith("(lower bound, no gradients).")


@pytest.mark.parametrize("status", ["stuck", "no response", "interrupted"])
def test_a_search_that_ended_badly_never_gives_stable(status):
    network = worst(NETWORK, [0.5, 0.6, 0.0], statuses=["found", "found", status])
    verdict = judge(network, worst(STABLE, [1.0, 1.1, 1.0]))
    assert verdict.verdict == "inconclusive"
    assert f"{status}: 1" in verdict.statement
    assert verdict.n_images == 2


@pytest.mark.parametrize("status", ["stuck", "no response"])
def test_nothing_but_bad_ends_says_nothing(status):
    network = worst(NETWORK, [0.0, 0.0, 0.0], statuses=[status] * 3)
    verdict = judge(network, worst(STABLE, [1.0, 1.1, 1.0]))
    assert (verdict.verdict, verdict.estimate, verdict.interval) == ("inconclusive", None, None)
    assert verdict.statement.startswith("Nothing can be said: ")
    assert f"net {status}: 3; tv found: 3" in verdict.statement


def test_a_spent_budget_of_the_network_never_gives_stable_but_can_give_unstable():
    spent = {"statuses": ["budget spent"] * 3, "n_gradients": 40}
    stable = worst(STABLE, [1.0, 1.1, 1.0])
    verdict = judge(worst(NETWORK, [0.5, 0.6, 0.55], **spent), stable)
    assert verdict.verdict == "inconclusive"
    assert "the budget ended before the search did" in verdict.statement
    assert judge(worst(NETWORK, [5.0, 6.0, 5.5], **spent), stable).verdict == "unstable"


def test_a_stable_method_searched_less_proves_no_instability():
    network = worst(NETWORK, [5.0, 6.0, 5.5])
    spent = ["budget spent"] * 3
    less = worst(STABLE, [1.0, 1.1, 1.0], statuses=spent, n_gradients=3)
    verdict = judge(network, less)
    assert verdict.verdict == "inconclusive"
    assert "tv was searched with fewer gradients" in verdict.statement
    as_much = worst(STABLE, [1.0, 1.1, 1.0], statuses=spent, n_gradients=100)
    assert judge(network, as_much).verdict == "unstable"


def test_the_stable_methods_worst_includes_the_networks_perturbation():
    network = worst(NETWORK, [5.0, 6.0, 5.5])
    verdict = judge(network, worst(STABLE, [1.0, 1.1, 1.0], given=[10.0, 12.0, 11.0]))
    assert verdict.estimate == pytest.approx(0.5)
    assert verdict.verdict == "stable"
    weaker = judge(network, worst(STABLE, [1.0, 1.1, 1.0], given=[0.1, 0.1, None]))
    assert weaker.estimate == judge(network, worst(STABLE, [1.0, 1.1, 1.0])).estimate


def test_only_the_largest_radius_is_compared_with_the_stable_method():
    network = worst(NETWORK, [0.1, 0.1, 0.1], radius=0.01) + worst(NETWORK, [5.0, 6.0, 5.5])
    stable = worst(STABLE, [9.0, 9.0, 9.0], radius=0.01) + worst(STABLE, [1.0, 1.1, 1.0])
    assert judge(network, stable).estimate == pytest.approx(5.3, abs=0.05)


def test_another_domain_is_not_looked_at():
    data = [row | {"domain": "data"} for row in worst(NETWORK, [9.0, 9.0, 9.0])]
    verdict = judge(data, worst(NETWORK, [0.5, 0.6, 0.55]), worst(STABLE, [1.0, 1.1, 1.0]))
    assert verdict.verdict == "stable"


def test_a_perturbation_that_breaks_the_output_is_unstable_at_any_radius():
    broken = ["found", "not finite", "found"]
    small = worst(NETWORK, [0.1, None, 0.1], radius=0.01, statuses=broken)
    verdict = judge(small, worst(NETWORK, [0.5, 0.6, 0.5]), worst(STABLE, [1.0, 1.1, 1.0]))
    assert (verdict.verdict, verdict.n_images, verdict.estimate) == ("unstable", 3, 1.0)
    assert verdict.statement == (
        "A perturbation of at most 1 % in the image domain turns the reconstruction of 1 of 3 images "
        "into NaN or infinity."
    )


def test_a_nan_gradient_is_no_broken_output_and_never_stable():
    network = worst(NETWORK, [0.5, 0.6, 0.5], statuses=["found", "found", "not finite"])
    verdict = judge(network, worst(STABLE, [1.0, 1.1, 1.0]))
    assert verdict.verdict == "inconclusive"
    assert "NaN" not in verdict.statement
    assert "not finite: 1" in verdict.statement


def test_a_broken_stable_method_is_left_out():
    stable = worst(STABLE, [1.0, None, 1.0], statuses=["found", "not finite", "found"])
    verdict = judge(worst(NETWORK, [5.0, 6.0, 5.5]), stable)
    assert (verdict.verdict, verdict.n_images) == ("unstable", 2)
    verdict = judge(worst(NETWORK, [0.5, 0.6, 0.5]), stable)
    assert verdict.verdict == "inconclusive"


def test_one_image_has_no_interval_and_no_verdict():
    for error in (0.1, 100.0):
        verdict = judge(worst(NETWORK, [error]), worst(STABLE, [1.0]))
        assert verdict.verdict == "inconclusive"
        assert "(1 image, too few for an interval)" in verdict.statement
        assert "inf" not in verdict.statement


def test_without_a_stable_method_nothing_can_be_said():
    verdict = judge(worst(NETWORK, [5.0, 6.0, 5.5]), baselines=())
    assert verdict.verdict == "inconclusive"
    assert verdict.statement == (
        "Nothing can be said: there is no reference method to compare with."
    )


def test_only_the_first_stable_method_is_compared_with():
    records = (
        worst(NETWORK, [5.0, 6.0, 5.5]), worst(STABLE, [1.0, 1.1, 1.0]),
        worst("wavelet", [50.0, 60.0, 50.0]),
    )  # fmt: skip
    assert judge(*records, baselines=(STABLE, "wavelet")).verdict == "unstable"
    assert judge(*records, baselines=("wavelet", STABLE)).verdict == "stable"


def test_no_records_say_nothing():
    assert judge().verdict == "inconclusive"
    assert judge(worst(STABLE, [1.0, 1.0, 1.0])).verdict == "inconclusive"
    assert judge(limit=3.0).statement == "Nothing can be said: no image was measured."


def test_a_limit_is_compared_with_the_largest_amplification_over_the_radii():
    small = worst(NETWORK, [7.0, 8.0, 7.5], radius=0.01)
    large = worst(NETWORK, [2.0, 2.1, 2.0], radius=0.04)
    expected = mean_interval([7.0, 8.0, 7.5])
    verdict = judge(small, large, limit=5.0)
    assert verdict.verdict == "unstable"
    assert (verdict.estimate, verdict.interval) == (
        expected.estimate, (expected.low, expected.high)
    )  # fmt: skip
    assert "of at most 4 %" in verdict.statement
    assert "the limit is 5" in verdict.statement


@pytest.mark.parametrize(
    ("limit", "word"), [(1.0, "unstable"), (2.0, "inconclusive"), (9, "stable")]
)
def test_a_limit_gives_all_three_words_and_needs_no_stable_method(limit, word):
    network = worst(NETWORK, [1.8, 2.0, 2.3])
    assert judge(network, limit=limit, baselines=()).verdict == word


@pytest.mark.parametrize("status", ["stuck", "no response", "not finite", "budget spent"])
def test_a_limit_is_not_met_by_a_search_that_ended_badly(status):
    network = worst(NETWORK, [1.8, 2.0, 1.9], statuses=["found", "found", status])
    assert judge(network, limit=9.0).verdict == "inconclusive"
    assert judge(network, limit=0.5).verdict == "unstable"
    every = worst(NETWORK, [0.0, 0.0, 0.0], statuses=["stuck"] * 3)
    assert judge(every, limit=9.0).statement == (
        "Nothing can be said: no search ended in a state that supports a statement (stuck: 3)."
    )


def test_a_limit_needs_a_proven_search_to_be_met():
    assert judge(worst(NETWORK, [1.8, 2.0, 2.3]), limit=9.0, checks=()).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"n_random": 0}, "n_random .* at least 1"),
        ({"radii": ()}, "radii"),
        ({"radii": (0.02, 0.01)}, "increasing"),
        ({"radii": (0.0, 0.01)}, "radius .* above 0"),
        ({"radii": (0.01, math.inf)}, "radius .* finite"),
        ({"radii": (0.01, 1e300)}, "radius .* at most 10"),
        ({"radii": 0.02}, "list of radii"),
        ({"search": "hard"}, "Search or a BlackBox"),
        ({"domain": "k-space"}, "'k-space'"),
        ({"limit": 0.0}, "limit .* above 0"),
    ],
)
def test_wrong_settings_are_refused_when_they_are_made(settings, said):
    with pytest.raises(InputError, match=said):
        WorstCase(**settings)
