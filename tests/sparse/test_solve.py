"""Solutions: certificates, equivariance, independence of the batch, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shaketable.errors import InputError, ShapeError
from shaketable.maps import FourierMap, MatrixMap, MultiCoilFourierMap
from shaketable.sparse import NotConvergedWarning, SparseMethod, TotalVariation, WaveletL1
from shaketable.sparse.penalties import Values
from tests.sparse.scenes import lines, scene

METHODS = [
    TotalVariation(strength=0.02),
    TotalVariation(strength=0.02, values="ri"),
    TotalVariation(strength=0.02, values="real"),
    TotalVariation(strength=0.02, isotropic=False),
    WaveletL1(strength=0.05, levels=2),
    WaveletL1(strength=0.05, levels=2, values="ri"),
    WaveletL1(strength=0.05, levels=2, values="real"),
]
KINDS = [f"{method.describe()['name']}-{method.values}" for method in METHODS]
A = lines()
DATA = A(scene(batch=3))

every_method = pytest.mark.parametrize("method", METHODS, ids=KINDS)


@every_method
def test_gap_bounds_the_distance_to_a_long_run(method: SparseMethod) -> None:
    best = replace(method, gap=2e-6, max_iterations=6000).solve(DATA, A)
    for gap in (3e-2, 1e-3):
        solution = replace(method, gap=gap).solve(DATA, A)
        assert bool(solution.converged.all())
        assert bool((solution.gap <= gap).all())
        excess = (solution.objective - best.objective) / solution.objective
        # The long run is itself above the minimum by at most its own gap.
        assert bool((excess <= solution.gap + 1e-12).all())
        assert bool((excess >= -best.gap - 1e-12).all())


@given(
    rate=st.floats(0.2, 1.0),
    seed=st.integers(0, 50),
    strength=st.floats(1e-3, 1.0),
    values=st.sampled_from(["complex", "ri", "real"]),
    height=st.sampled_from([16, 20, 23]),
)
@settings(max_examples=15, deadline=None)
def test_bounds_hold_for_any_problem(
    rate: float, seed: int, strength: float, values: Values, height: int
) -> None:
    shape = (height, 18)
    forward = lines(shape, max(rate, 0.25), seed)
    data = forward(scene(shape, batch=2, noise=0.3))
    method = TotalVariation(strength=strength, values=values, gap=1e-2)
    rough, fine = method.solve(data, forward), replace(method, gap=1e-4).solve(data, forward)
    assert bool(rough.converged.all())
    assert bool((rough.objective * (1 + 1e-9) >= fine.objective * (1 - fine.gap)).all())
    assert bool((rough.objective * (1 - rough.gap) <= fine.objective * (1 + 1e-9)).all())


@every_method
def test_scaling_the_data_scales_the_image(method: SparseMethod) -> None:
    solution = method.solve(DATA, A)
    doubled = method.solve(4 * DATA, A)
    assert torch.equal(doubled.image, 4 * solution.image)
    torch.testing.assert_close(doubled.objective, 16 * solution.objective)
    factor = torch.tensor([0.37, 1e6, 3e-7])[:, None, None]
    scaled = method.solve(factor * DATA, A)
    torch.testing.assert_close(scaled.image / factor, solution.image, rtol=1e-9, atol=1e-9)
    assert scaled.n_iterations.tolist() == solution.n_iterations.tolist()


@every_method
@pytest.mark.parametrize("factor", [2.0**80, 2.0**-80])
def test_very_large_and_small_single_precision_data_are_solved_alike(
    method: SparseMethod, factor: float
) -> None:
    data = DATA.to(torch.complex64)
    scaled = method.solve(factor * data, A)
    assert torch.equal(scaled.image, factor * method.solve(data, A).image)


@pytest.mark.parametrize("method", [METHODS[0], METHODS[3], METHODS[4]])
def test_a_global_phase_passes_through(method: SparseMethod) -> None:
    phase = torch.polar(torch.ones(3, dtype=torch.float64), torch.tensor([0.3, 2.0, -1.1]).double())
    turned = method(phase[:, None, None] * DATA, A)
    expected = phase[:, None, None] * method(DATA, A)
    torch.testing.assert_close(turned, expected, rtol=1e-9, atol=1e-9)


@every_method
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_neighbours_in_the_batch_change_no_bit(method: SparseMethod, dtype: torch.dtype) -> None:
    data = torch.cat([DATA, 0 * DATA[:1], 1e3 * DATA[:1]]).to(dtype)
    data[4] += A(scene(batch=1, noise=2.0))[0].to(dtype)
    together = method.solve(data, A)
    for index in range(len(data)):
        alone = method.solve(data[index : index + 1], A)
        assert torch.equal(alone.image[0], together.image[index])
        for name in ("gap", "objective", "strength", "n_iterations", "converged"):
            assert torch.equal(getattr(alone, name)[0], getattr(together, name)[index])
    assert not bool(together.image[3].any())
    assert len(set(together.n_iterations.tolist())) > 1


@every_method
def test_single_precision_reaches_the_same_objective(method: SparseMethod) -> None:
    single = method.solve(DATA.to(torch.complex64), A)
    double = method.solve(DATA, A)
    assert single.image.dtype.to_real() == torch.float32
    assert single.image.is_complex() == (method.values != "real")
    assert bool(single.converged.all())
    torch.testing.assert_close(single.objective, double.objective, rtol=2e-3, atol=0)


@pytest.mark.parametrize("strength", [1e-4, 1e-5])
def test_small_strengths_keep_their_certificate_in_single_precision(strength: float) -> None:
    method = TotalVariation(strength=strength)
    solution = method.solve(DATA.to(torch.complex64), A)
    reference = replace(method, gap=1e-4).solve(DATA, A)
    assert bool(solution.converged.all())
    excess = solution.objective / reference.objective - 1
    assert bool((excess.abs() <= 1.5e-3).all())


@pytest.mark.parametrize("shape", [(230, 180), (31, 17)])
def test_total_variation_takes_any_shape(shape: tuple[int, int]) -> None:
    forward = lines(shape)
    solution = TotalVariation().solve(forward(scene(shape, batch=1)), forward)
    assert tuple(solution.image.shape) == (1, *shape)
    assert bool(solution.converged.all())


def test_full_sampling_and_a_tiny_strength_return_the_image() -> None:
    image = scene(batch=2)
    forward = FourierMap(torch.ones(32, 32))
    for method in (TotalVariation(strength=1e-7), WaveletL1(strength=1e-7, levels=2)):
        torch.testing.assert_close(method(forward(image), forward), image, rtol=0, atol=1e-5)


def test_a_large_strength_leaves_the_mean_only() -> None:
    image = scene(batch=1)
    flat = TotalVariation(strength=100.0)(A(image), A)
    expected = image.mean(dim=(1, 2), keepdim=True).expand_as(image)
    torch.testing.assert_close(flat, expected, rtol=0, atol=1e-4)
    assert float(WaveletL1(strength=100.0, levels=2)(A(image), A).abs().max()) < 1e-4


def test_an_unsampled_mean_is_zero() -> None:
    mask = A.mask.clone()
    mask[0, 0] = False
    forward = FourierMap(mask)
    solution = TotalVariation(strength=0.02).solve(forward(scene(batch=1)), forward)
    assert bool(solution.converged.all())
    assert float(solution.image.mean().abs()) < 1e-12


def test_an_unreached_gap_is_said() -> None:
    method = TotalVariation(strength=0.02, max_iterations=3)
    solution = method.solve(DATA, A)
    assert solution.converged.tolist() == [False] * 3
    assert solution.n_iterations.tolist() == [3] * 3
    assert bool((solution.gap > method.gap).all())
    with pytest.warns(NotConvergedWarning, match=r"Expected a relative duality gap of 0\.001"):
        method(DATA, A)


def test_the_call_returns_the_image_of_the_solution() -> None:
    for method in METHODS:
        assert torch.equal(method(DATA, A), method.solve(DATA, A).image)


def test_unsampled_positions_are_ignored() -> None:
    littered = torch.where(A.mask, DATA, 7 + 3j)
    assert torch.equal(METHODS[0](littered, A), METHODS[0](DATA, A))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"strength": 0.0}, "strength to be a finite number above 0 and at most 10000, got 0.0"),
        ({"strength": float("nan")}, "strength to be a finite number above 0"),
        ({"strength": "0.1"}, "strength to be a finite number above 0 .* got '0.1'"),
        ({"gap": -1.0}, "gap to be a finite number above 0"),
        ({"max_iterations": 0}, "max_iterations to be a whole number of at least 1"),
        ({"max_iterations": 10**30}, "max_iterations to be a whole number"),
        ({"values": torch.zeros(2)}, "Expected values to be one of"),
        ({"max_iterations": 20.5}, "max_iterations to be a whole number of at least 1"),
        ({"values": "magnitude"}, "Expected values to be one of"),
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        replace(METHODS[0], **changes)


def test_wrong_wavelets_are_refused() -> None:
    with pytest.raises(InputError, match="orthogonal wavelet"):
        WaveletL1(wavelet="bior2.2")
    with pytest.raises(InputError, match="orthogonal wavelet"):
        WaveletL1(wavelet="dmey")  # called orthogonal by PyWavelets, and is not within 2e-3
    with pytest.raises(InputError, match="of at least 1 and at most 16, got 70"):
        WaveletL1(levels=70, translation_invariant=True)
    with pytest.raises(InputError, match="levels to be a whole number of at least 1"):
        WaveletL1(levels=0)
    forward = lines((40, 40))
    data = forward(scene((40, 40)))
    with pytest.raises(InputError, match="multiples of 16"):
        WaveletL1()(data, forward)


def test_wrong_data_and_maps_are_refused() -> None:
    with pytest.raises(ShapeError, match="Expected data of shape"):
        METHODS[0](DATA[0], A)
    with pytest.raises(InputError, match="complex64 or complex128"):
        METHODS[0](torch.zeros(1, 32, 32, dtype=torch.int64), A)
    with pytest.raises(InputError, match="Expected finite data"):
        METHODS[0](DATA * float("nan"), A)
    with pytest.raises(InputError, match=r"Expected a forward map of images \(H, W\)"):
        METHODS[0](DATA, MatrixMap(torch.eye(4)))
    for wrong in ((DATA.tolist(), A), (A, DATA), (DATA, None), (DATA.numpy(), A)):
        with pytest.raises(InputError, match="Expected data as a tensor and a forward map"):
            METHODS[0](*wrong)


@pytest.mark.parametrize("unit", [1e-20, 1e-9, 1e12, 1e19, 1e30])
def test_a_map_in_another_unit_is_solved_or_said_not_to_be(unit: float) -> None:
    matrix = torch.randn(40, 64, generator=torch.Generator().manual_seed(1)) / 8
    image = scene((8, 8), batch=1).real.to(torch.float32)
    method = TotalVariation(strength=0.1, gap=1e-2)
    forward = MatrixMap(matrix, image_shape=(8, 8))
    scaled = MatrixMap(unit * matrix, image_shape=(8, 8))
    expected, found = (method.solve(one(image), one) for one in (forward, scaled))
    assert bool(expected.converged)
    assert bool(found.converged) or not 1e-9 <= unit <= 1e19
    if bool(found.converged):
        torch.testing.assert_close(found.image, expected.image, rtol=0, atol=1e-4)
    else:
        assert float(found.gap) > 0.01


@pytest.mark.parametrize("unit", [1e-20, 1e19])
def test_an_image_that_is_undefined_has_no_certificate(unit: float) -> None:
    coils = unit * torch.ones(2, 32, 32, dtype=torch.complex64)
    forward = MultiCoilFourierMap(A.mask, coils)
    solution = TotalVariation().solve(forward(DATA.to(torch.complex64)), forward)
    assert bool(solution.image.isnan().all())
    assert bool((solution.gap == torch.inf).all())
    assert not bool(solution.converged.any())


@every_method
def test_the_record_names_the_rule(method: SparseMethod) -> None:
    record = method.describe()
    for name in ("name", "penalty", "values", "strength", "lambda", "rule", "gap", "certificate"):
        assert record[name]
    assert record["rule"] == "set by the user"
    assert "other" in str(type(method)().describe()["rule"])
    assert replace(method, rule="by hand").describe()["rule"] == "by hand"


def test_the_default_rule_is_claimed_for_calibrated_settings_only() -> None:
    calibrated = TotalVariation().describe()["rule"]
    for method in (TotalVariation(gap=0.1, values="real"), WaveletL1(translation_invariant=True)):
        assert method.describe()["rule"] == calibrated
    for method in (TotalVariation(isotropic=False), WaveletL1(levels=2)):
        assert "not calibrated for these settings" in str(method.describe()["rule"])


def test_a_strength_beyond_single_precision_is_refused() -> None:
    with pytest.raises(InputError, match="at most 10000, got 10000000"):
        TotalVariation(strength=1e7)
