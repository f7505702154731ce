"""The sampling probe: closed forms, and the verdict from records made by hand."""

import numpy as np
import pytest
import torch

from shaketable import FourierMap, Problem, Sampling
from shaketable.errors import InputError
from shaketable.maps import RadonMap, birdcage_coils, filtered_back_projection
from shaketable.maps.sampling import equispaced_views
from shaketable.metrics import psnr
from shaketable.probes import Subject, Verdict
from shaketable.probes.probe import sampled_sha256
from shaketable.probes.sampling import SamplingRecord
from shaketable.statistics import mean_interval
from tests.helpers import networks
from tests.helpers.measuring import Together, measure_all, silent
from tests.helpers.records import NETWORK, STABLE, measured, rows

RATES = (0.25, 0.5, 0.75, 1.0)
PROBE = Sampling.fourier(networks.sequence(), rates=RATES, trained_rate=0.5)


def before_the_end(message: str, share: float) -> None:
    silent(message, share)
    assert share < 1


def measure(reconstruct, *, real=False, dtype=None) -> Together:
    images = networks.images(1, real=real)
    case = Subject(
        problems=(
            Problem(forward=networks.fourier(), reconstruct=reconstruct, real=real, name="net"),
        ),
        images=images if dtype is None else images.to(dtype),
        image_ids=("one",),
        baselines={} if real else {"scaled": networks.scaled(0.9)},
    )
    return measure_all(PROBE, case, on_progress=before_the_end)


def test_zero_filling_gains_by_exactly_the_energy_that_is_sampled():
    records = [r for r in measure(networks.zero_filled).records if r.method == "net"]
    image = networks.images(1)
    spectrum = torch.fft.fft2(image, norm="ortho")
    assert [record.rate for record in records] == list(RATES)
    for record in records[:-1]:
        missed = (spectrum * ~PROBE.maps[record.rate].sampled).abs().square().sum()
        peak = float(image.abs().max())
        expected = 10 * np.log10(peak**2 * image.numel() / float(missed))
        assert record.psnr == pytest.approx(expected, abs=1e-3)
        assert record.trained_rate == 0.5
    values = [record.psnr for record in records]
    assert values == sorted(values)
    assert values[0] < values[1] < values[2] < values[3]
    assert records[-1].ssim == pytest.approx(1.0, abs=1e-4)


def test_every_method_is_measured_at_every_rate_with_its_pictures():
    outcome = measure(networks.zero_filled)
    assert [(r.method, r.rate) for r in outcome.records] == [
        (method, rate) for method in ("net", "scaled") for rate in RATES
    ]
    for method in ("net", "scaled"):
        assert outcome.arrays[f"methods/{method}/reconstruction"].shape == (4, 32, 32)
    np.testing.assert_allclose(outcome.arrays["rates"], RATES, rtol=1e-6)
    full = outcome.arrays["methods/scaled/reconstruction"][-1]
    np.testing.assert_allclose(full, 0.9 * outcome.arrays["image"], atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_real_problems_and_double_precision_work(dtype):
    records = measure(networks.real_zero_filled, real=True, dtype=dtype).records
    assert records[0].psnr < records[-1].psnr


def test_the_trained_rate_is_added_and_must_be_there():
    probe = Sampling.fourier(networks.sequence(), rates=(0.25, 1.0), trained_rate=0.5)
    assert sorted(probe.maps) == [0.25, 0.5, 1.0]
    with pytest.raises(InputError, match=r"0\.25, 1 and trained rate 0\.5"):
        Sampling(maps={r: probe.maps[r] for r in (0.25, 1.0)}, trained_rate=0.5)
    with pytest.raises(InputError, match="at least two"):
        Sampling(maps={0.5: probe.maps[0.5]}, trained_rate=0.5)


def test_maps_of_different_images_are_refused():
    maps = {0.5: networks.fourier(), 1.0: FourierMap(torch.ones(16, 16))}
    with pytest.raises(InputError, match=r"\(16, 16\) and \(32, 32\)"):
        Sampling(maps=maps, trained_rate=0.5)


def test_another_pattern_at_the_same_rates_is_another_setting():
    one, same, other = (
        Sampling.fourier(networks.sequence(seed=seed), rates=RATES, trained_rate=0.5).describe()
        for seed in (0, 0, 1)
    )
    assert one == same
    assert one != other


def hand_made(method: str, by_rate: dict[float, list[float | None]], ssim: float | None = 0.9):
    return [
        record
        for rate, values in by_rate.items()
        for record in rows(
            "sampling", method, {"rate": rate, "trained_rate": 0.5}, psnr=values,
            ssim=[None if value is None else ssim for value in values],
        )
    ]  # fmt: skip


def judge(*records, **settings) -> Verdict:
    rows_ = [row for part in records for row in part]
    return PROBE.verdict(measured(SamplingRecord, rows_, **settings))


RISING = hand_made(STABLE, {0.5: [25, 26, 25], 0.75: [30, 31, 30.5], 1.0: [40, 41, 40]})
GAINING = {0.25: [20, 21, 20], 0.5: [30, 31, 30], 0.75: [34, 35, 34.5], 1.0: [40, 41, 40]}


def test_a_fall_above_the_trained_rate_is_unstable():
    falling = GAINING | {1.0: [26.0, 26.5, 26.2]}
    verdict = judge(hand_made(NETWORK, falling), RISING)
    expected = mean_interval([-4.0, -4.5, -3.8], confidence=0.975)
    assert verdict.verdict == "unstable"
    assert verdict.estimate == pytest.approx(expected.estimate)
    assert verdict.interval == pytest.approx((expected.low, expected.high))
    assert verdict.statement == (
        "From 50 % sampling, which net was trained for, to 100 % its PSNR changes by -4.10 dB "
        f"(97.5 % interval {expected.low:+.2f} dB to {expected.high:+.2f} dB, 3 images); "
        "tv: +15.00 dB."
    )


def test_a_gain_at_every_higher_rate_is_stable():
    verdict = judge(hand_made(NETWORK, GAINING), RISING)
    assert verdict.verdict == "stable"
    assert verdict.estimate == pytest.approx(4.1666, abs=1e-3)


def test_rates_below_the_trained_one_do_not_matter():
    worse_below = GAINING | {0.25: [45.0, 45.0, 45.0]}
    assert judge(hand_made(NETWORK, worse_below), RISING).verdict == "stable"


def test_a_fall_that_the_stable_method_shares_is_no_instability():
    falling = GAINING | {1.0: [26.0, 26.5, 26.2]}
    together = hand_made(STABLE, {0.5: [25, 26, 25], 0.75: [30, 31, 30], 1.0: [20, 21, 20.1]})
    assert judge(hand_made(NETWORK, falling), together).verdict == "inconclusive"


def test_an_uncertain_change_is_inconclusive():
    uncertain = GAINING | {1.0: [32.0, 29.0, 31.0]}
    assert judge(hand_made(NETWORK, uncertain), RISING).verdict == "inconclusive"


def test_a_reconstruction_that_is_not_finite_never_gives_stable():
    for lost in ([None, 41, 40], [None, None, None]):
        verdict = judge(hand_made(NETWORK, GAINING | {1.0: lost}), RISING)
        assert verdict.verdict == "inconclusive"
        assert f"{lost.count(None)} of its reconstructions are not finite" in verdict.statement


def test_a_perfect_reconstruction_is_no_lost_one():
    perfect = rows(
        "sampling", NETWORK, {"rate": 1.0, "trained_rate": 0.5}, psnr=[None] * 3, ssim=[1.0] * 3
    )
    rest = {rate: values for rate, values in GAINING.items() if rate != 1.0}
    assert judge(hand_made(NETWORK, rest), perfect, RISING).verdict == "stable"


def test_nothing_above_the_trained_rate_decides_nothing():
    verdict = judge(hand_made(NETWORK, {0.25: [20, 21, 20], 0.5: [30, 31, 30]}))
    assert (verdict.verdict, verdict.estimate) == ("inconclusive", None)
    assert verdict.statement.startswith("Nothing can be said: ")
    assert judge([]).verdict == "inconclusive"


def test_one_image_decides_nothing():
    verdict = judge(hand_made(NETWORK, {0.5: [30.0], 1.0: [10.0]}))
    assert verdict.verdict == "inconclusive"
    assert "(1 image, too few for an interval)" in verdict.statement


def test_a_network_is_given_the_map_of_each_number_of_views():
    sequence = equispaced_views(40, even=(5, 10))
    probe = Sampling.radon(sequence, image_shape=(24, 24), rates=(0.125, 1.0), trained_rate=0.25)
    assert {rate: forward.data_shape for rate, forward in probe.maps.items()} == {
        0.125: (5, 35), 0.25: (10, 35), 1.0: (40, 35),
    }  # fmt: skip
    images = networks.images(1, real=True)[:, 4:28, 4:28]
    case = Subject(
        problems=(
            Problem(
                forward=probe.maps[0.25], reconstruct=filtered_back_projection, real=True,
                name="net",
            ),
        ),
        images=images, image_ids=("one",), baselines={},
    )  # fmt: skip
    records = measure_all(probe, case).records
    for record in records:
        forward = RadonMap(sequence.angles(record.rate), (24, 24))
        expected = psnr(filtered_back_projection(forward(images), forward), images)
        assert record.psnr == pytest.approx(float(expected[0]))
    values = [record.psnr for record in records]
    assert values[0] < values[1] < values[2]
    hashes = probe.describe()["sampled_sha256"]
    assert len(set(hashes)) == 3
    assert hashes[1] == sampled_sha256(RadonMap(sequence.angles(0.25), (24, 24)))


def test_multi_coil_maps_share_their_coils_and_differ_in_their_masks():
    coils = birdcage_coils(4, (32, 32))
    sequence = networks.sequence()
    probe = Sampling.multi_coil(sequence, coils=coils, rates=(0.25, 1.0), trained_rate=0.5)
    assert sorted(probe.maps) == [0.25, 0.5, 1.0]
    for rate, forward in probe.maps.items():
        assert torch.equal(forward.mask, sequence.mask(rate))
        assert torch.equal(forward.coils, coils)
    assert len(set(probe.describe()["sampled_sha256"])) == 3
