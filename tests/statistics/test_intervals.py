"""Intervals against closed forms, an independent library and their own coverage."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from shaketable.errors import InputError
from shaketable.statistics import mean_interval, ratio_interval, share_interval

levels = st.floats(0.5, 0.999)
numbers = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12)
positive = st.floats(1e-300, 1e300)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), levels)
def test_a_share_has_the_beta_quantiles_of_clopper_and_pearson(counts, confidence):
    k, n = counts
    tail = (1 - confidence) / 2
    interval = share_interval(k, n, confidence=confidence)
    low = 0.0 if k == 0 else stats.beta.ppf(tail, k, n - k + 1)
    high = 1.0 if k == n else stats.beta.ppf(1 - tail, k + 1, n - k)
    assert interval.low == pytest.approx(low, abs=1e-9)
    assert interval.high == pytest.approx(high, abs=1e-9)
    assert interval.low <= interval.estimate == k / n <= interval.high
    assert (interval.n, interval.confidence) == (n, confidence)


@pytest.mark.parametrize("n", [1, 5, 20, 100])
def test_all_or_none_have_the_closed_form(n):
    assert share_interval(n, n).low == pytest.approx(0.025 ** (1 / n), rel=1e-12)
    assert share_interval(0, n).high == pytest.approx(1 - 0.025 ** (1 / n), rel=1e-12)
    assert (share_interval(n, n).high, share_interval(0, n).low) == (1.0, 0.0)


@given(st.integers(0, 50))
def test_successes_and_failures_mirror_each_other(k):
    one, other = share_interval(k, 50), share_interval(50 - k, 50)
    assert one.low == pytest.approx(1 - other.high, abs=1e-12)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("n", [7, 40])
def test_a_share_is_covered_at_least_as_often_as_promised(share, n):
    covering = [
        k for k in range(n + 1) if share_interval(k, n).low <= share <= share_interval(k, n).high
    ]
    coverage = sum(stats.binom.pmf(k, n, share) for k in covering)
    assert 0.95 <= coverage < 1


def test_a_share_is_covered_in_simulated_draws():
    rng = np.random.default_rng(0)
    bounds = [share_interval(k, 20) for k in range(21)]
    draws = rng.binomial(20, 0.7, size=4000)
    covered = np.mean([bounds[k].low <= 0.7 <= bounds[k].high for k in draws])
    assert 0.95 <= covered <= 0.99


@given(numbers, levels)
def test_a_mean_has_scipys_t_interval(values, confidence):
    interval = mean_interval(values, confidence=confidence)
    assert interval.estimate == pytest.approx(np.mean(values), abs=1e-6)
    error = stats.sem(values)
    if error > 1e-6:
        low, high = stats.t.interval(confidence, len(values) - 1, np.mean(values), error)
        assert interval.low == pytest.approx(low, rel=1e-6, abs=1e-6)
        assert interval.high == pytest.approx(high, rel=1e-6, abs=1e-6)
    assert interval.low <= interval.estimate <= interval.high


@given(numbers, st.floats(-1e3, 1e3), st.floats(0.01, 100))
def test_a_mean_interval_moves_and_scales_with_its_values(values, shift, scale):
    plain = mean_interval(values)
    moved = mean_interval([scale * value + shift for value in values])
    size = scale * (1 + max(map(abs, values))) + abs(shift)
    assert moved.low == pytest.approx(scale * plain.low + shift, abs=1e-6 * size)
    assert moved.high == pytest.approx(scale * plain.high + shift, abs=1e-6 * size)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_a_mean_is_covered_as_often_as_promised(n):
    rng = np.random.default_rng(n)
    intervals = [mean_interval(row.tolist()) for row in rng.normal(3.0, 2.0, (2000, n))]
    covered = np.mean([one.low <= 3.0 <= one.high for one in intervals])
    assert covered == pytest.approx(0.95, abs=4 * math.sqrt(0.05 * 0.95 / 2000))


@given(st.floats(-1e6, 1e6))
def test_one_value_bounds_nothing(value):
    interval = mean_interval([value])
    assert (interval.low, interval.estimate, interval.high) == (-math.inf, value, math.inf)


def test_equal_values_have_an_interval_of_no_width():
    interval = mean_interval([2.5, 2.5, 2.5])
    assert interval.low == interval.high == 2.5


@given(st.lists(st.tuples(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3)), min_size=2, max_size=9))
def test_a_ratio_is_the_exponential_of_the_mean_log_ratio(pairs):
    above, below = zip(*pairs, strict=True)
    ratio = ratio_interval(above, below)
    logs = mean_interval([math.log(a / b) for a, b in pairs])
    assert ratio.estimate == pytest.approx(stats.gmean(np.divide(above, below)), rel=1e-9)
    if logs.high < 600:
        assert ratio.low == pytest.approx(math.exp(logs.low), rel=1e-6)
        assert ratio.high == pytest.approx(math.exp(logs.high), rel=1e-6)


@given(st.lists(st.tuples(positive, positive), min_size=1, max_size=6))
def test_a_ratio_turned_over_has_its_interval_turned_over(pairs):
    above, below = zip(*pairs, strict=True)
    one, other = ratio_interval(above, below), ratio_interval(below, above)
    assert 0 <= one.low <= one.estimate <= one.high
    for mine, its in ((one.low, other.high), (one.high, other.low), (one.estimate, other.estimate)):
        if 0 < mine < math.inf and 0 < its < math.inf:
            assert math.log(mine) == pytest.approx(-math.log(its), abs=1e-6)


def test_a_ratio_of_one_pair_bounds_nothing():
    interval = ratio_interval([4.0], [2.0])
    assert (interval.low, interval.estimate, interval.high) == (0.0, 2.0, math.inf)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: mean_interval([]), "at least one value"),
        (lambda: mean_interval([1.0, math.nan]), "finite"),
        (lambda: mean_interval([1.0, math.inf]), "finite"),
        (lambda: mean_interval([1.0, 2.0], confidence=1.0), "confidence"),
        (lambda: mean_interval([1.0, 2.0], confidence=95), "confidence"),
        (lambda: ratio_interval([1.0], [1.0, 2.0]), "1 numerators and 2 denominators"),
        (lambda: ratio_interval([], []), "at least one value"),
        (lambda: ratio_interval([0.0, 1.0], [1.0, 1.0]), "leave zeros out"),
        (lambda: ratio_interval([1.0, 1.0], [1.0, -1.0]), "positive"),
        (lambda: ratio_interval([1.0, math.nan], [1.0, 1.0]), "finite"),
        (lambda: ratio_interval([1.0, 2.0], [1.0, 1.0], confidence=0.0), "confidence"),
        (lambda: share_interval(3, 2), "3 of 2"),
        (lambda: share_interval(-1, 2), "-1 of 2"),
        (lambda: share_interval(0, 0), "at least one trial"),
        (lambda: share_interval(1, 2, confidence=math.nan), "confidence"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, said):
    with pytest.raises(InputError, match=said):
        call()
