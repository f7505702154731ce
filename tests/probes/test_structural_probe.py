"""The structural probe: closed forms, and the verdict from records made by hand."""

import numpy as np
import pytest
import torch

from shaketable import FourierMap, Problem, Structural
from shaketable.errors import InputError
from shaketable.probes import Subject, Verdict
from shaketable.probes.structural import StructuralRecord
from shaketable.statistics import mean_interval
from tests.helpers import networks
from tests.helpers.measuring import Together, measure_all, silent
from tests.helpers.records import NETWORK, STABLE, measured, rows

FULL = FourierMap(torch.ones(32, 32))
DETAILS = ("heart", "lesion")


def before_the_end(message: str, share: float) -> None:
    silent(message, share)
    assert share < 1


def measure(reconstruct, *, real=False, dtype=None, forward=FULL, contrast=0.3) -> Together:
    problem = Problem(forward=forward, reconstruct=reconstruct, real=real, name="net")
    images = networks.images(1, real=real)
    case = Subject(
        problems=(problem,),
        images=images if dtype is None else images.to(dtype),
        image_ids=("one",),
        baselines={"half": networks.scaled(0.5)} if not real else {},
    )
    probe = Structural(details=DETAILS, contrast=contrast)
    return measure_all(probe, case, seed=5, on_progress=before_the_end)


def test_the_identity_recovers_everything_and_leaks_nothing():
    for record in measure(networks.zero_filled).records[:2]:
        assert record.contrast_recovery == pytest.approx(1.0, abs=1e-5)
        assert record.correlation == pytest.approx(1.0, abs=1e-5)
        assert record.leakage == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("factor", [0.25, 1.5, -1.0])
def test_a_scaled_adjoint_recovers_its_factor(factor):
    outcome = measure(networks.scaled(factor))
    for record in outcome.records:
        expected = factor if record.method == "net" else 0.5
        assert record.contrast_recovery == pytest.approx(expected, abs=1e-5)
        assert record.role == ("network" if record.method == "net" else "baseline")


def test_a_network_that_sees_the_image_but_no_detail_recovers_nothing():
    outcome = measure(lambda y, A: networks.images(1).expand(len(y), -1, -1))
    for record in outcome.records[:2]:
        assert record.contrast_recovery == pytest.approx(0.0, abs=1e-6)


def test_records_and_arrays_belong_together():
    outcome = measure(networks.zero_filled, forward=networks.fourier())
    arrays = outcome.arrays
    assert [str(name) for name in arrays["names"]] == list(DETAILS)
    assert [record.detail for record in outcome.records] == [*DETAILS, *DETAILS]
    peak = np.abs(arrays["image"]).max()
    for index, record in enumerate(outcome.records[:2]):
        detail = arrays["detail"][index]
        change = arrays["methods/net/with_detail"][index] - arrays["methods/net/clean"]
        recovery = np.vdot(detail, change).real / np.vdot(detail, detail).real
        assert record.contrast_recovery == pytest.approx(recovery, abs=1e-5)
        assert 0.9 * 0.3 * peak <= np.abs(detail).max() <= 0.3 * peak * (1 + 1e-5)
        assert record.contrast == 0.3
        row, column = record.position
        assert np.abs(detail[row - 3 : row + 4, column - 3 : column + 4]).max() > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_real_problems_have_real_details(dtype):
    outcome = measure(networks.real_zero_filled, real=True, dtype=dtype)
    assert outcome.arrays["detail"].dtype == np.float32
    assert outcome.records[0].contrast_recovery == pytest.approx(1.0, abs=1e-5)


def test_double_precision_complex_images_work():
    outcome = measure(networks.zero_filled, dtype=torch.complex128)
    assert outcome.records[0].contrast_recovery == pytest.approx(1.0, abs=1e-9)


def test_nothing_finite_is_null_in_the_record():
    def breaks_with_detail(y, A):
        image = A.adjoint(y)
        brighter = image.abs().sum() > networks.images(1).abs().sum() + 1e-3
        return image * float("nan") if brighter else image

    outcome = measure(breaks_with_detail)
    assert all(record.contrast_recovery is None for record in outcome.records[:2])


def hand_made(network: list[float | None], stable: list[float | None], detail: str = "heart"):
    return rows("structural", NETWORK, {"detail": detail}, contrast_recovery=network) + rows(
        "structural", STABLE, {"detail": detail}, contrast_recovery=stable
    )


def judge(records, **settings) -> Verdict:
    return Structural().verdict(measured(StructuralRecord, records, **settings))


def test_details_that_only_the_network_loses_are_unstable():
    verdict = judge(hand_made([0.2, 0.3, 0.25], [0.9, 0.95, 0.9]))
    expected = mean_interval([0.7, 0.65, 0.65])
    assert verdict.verdict == "unstable"
    assert verdict.estimate == pytest.approx(expected.estimate)
    assert verdict.interval == pytest.approx((expected.low, expected.high))
    assert verdict.n_images == 3
    assert verdict.statement == (
        "net recovers 25 % of the contrast of inserted details, tv 91.7 %; net is 0.667 farther from "
        "full contrast on average (difference: 95 % interval +0.595 to +0.738, 3 images)."
    )


def test_exaggerated_details_count_as_lost_ones():
    assert judge(hand_made([1.8, 1.7, 1.75], [1.1, 0.9, 1.0])).verdict == "unstable"


def test_details_kept_better_than_by_the_stable_method_are_stable():
    verdict = judge(hand_made([0.99, 1.0, 0.98], [0.9, 0.92, 0.88]))
    assert verdict.verdict == "stable"
    assert "closer to full contrast" in verdict.statement


def test_a_difference_around_zero_is_inconclusive():
    assert judge(hand_made([0.9, 0.8, 1.0], [0.85, 0.9, 0.95])).verdict == "inconclusive"


def test_the_details_of_an_image_are_one_unit():
    records = hand_made([0.2, 0.3], [0.9, 0.9]) + hand_made([0.9, 0.9], [0.9, 0.9], "club")
    verdict = judge(records)
    assert verdict.n_images == 2
    assert verdict.estimate == pytest.approx((0.7 / 2 + 0.6 / 2) / 2)


def test_a_detail_whose_reconstruction_is_not_finite_never_gives_stable():
    verdict = judge(hand_made([0.99, 1.0, None], [0.9, 0.92, 0.88]))
    assert verdict.verdict == "inconclusive"
    assert "in 1 cases its reconstruction is not finite" in verdict.statement
    assert judge(hand_made([None] * 3, [0.9] * 3)).verdict == "inconclusive"


def test_only_details_that_both_measured_are_compared():
    records = hand_made([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
    records += hand_made([0.0, 0.0, 0.0], [None, None, None], "club")
    assert judge(records).estimate == pytest.approx(0.0)


def test_one_image_or_no_stable_method_decides_nothing():
    verdict = judge(hand_made([0.0], [1.0]))
    assert verdict.verdict == "inconclusive"
    assert "1 image, too few for an interval" in verdict.statement
    verdict = judge(hand_made([0.0] * 3, [1.0] * 3), baselines=())
    assert verdict.statement == "Nothing can be said: there is no reference method to compare with."
    assert judge([]).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"details": ()}, "a list of details"),
        ({"details": "heart"}, "a list of details"),
        ({"details": ("haert",)}, "did you mean 'heart'"),
        ({"details": ("text: ",)}, "visible character"),
        ({"details": ("text:♠",)}, "got '♠'"),
        ({"contrast": -1.0}, "contrast .* above 0"),
        ({"contrast": 1.5}, "contrast .* at most 1"),
        ({"size": 7.9}, "size .* whole number"),
        ({"size": 4}, "size .* at least 5"),
    ],
)
def test_wrong_settings_are_refused(settings, said):
    with pytest.raises(InputError, match=said):
        Structural(**settings)
