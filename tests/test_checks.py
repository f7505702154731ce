"""Preflight: every check passes on a good network and fails on the one that was made for it."""

import functools
import math

import pytest
import torch
from torch import nn

from shaketable import FourierMap, MatrixMap, Problem, preflight
from shaketable.checks import CheckReport
from shaketable.errors import InputError, PreflightError, ShapeError
from shaketable.modules import layers_in_training_mode, reachable_modules
from tests.helpers import networks

NAMES = [
    "evaluation mode",
    "shape",
    "dtype",
    "finite output",
    "deterministic",
    "batch independence",
    "response near the image",
    "better than the zero image",
    "gradient",
]


def check(reconstruct, **settings) -> CheckReport:
    problem = Problem(forward=networks.fourier(), reconstruct=reconstruct, **settings)
    return preflight(problem, networks.images(real=settings.get("real", False)))


def failed(report: CheckReport) -> list[str]:
    return [one.name for one in report.checks if one.passed is False]


def value(report: CheckReport, name: str) -> float:
    return next(one.value for one in report.checks if one.name == name)


@pytest.mark.parametrize(
    "reconstruct",
    [
        networks.zero_filled,
        networks.data_consistent,
        networks.Layered(nn.ReLU()).eval(),
        networks.Layered(nn.BatchNorm2d(2), nn.ReLU(), nn.Dropout(0.5)).eval(),
        networks.Unstable(networks.fourier(), networks.images(), gain=3.0),
    ],
)
def test_a_good_network_passes_every_check(reconstruct):
    report = check(reconstruct)
    assert [one.name for one in report.checks] == NAMES
    assert all(one.passed is True for one in report.checks), report
    assert report.passed
    report.raise_if_failed()


def test_a_real_problem_passes_every_check():
    assert all(one.passed is True for one in check(networks.real_zero_filled, real=True).checks)


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_double_precision_passes_every_check(dtype):
    problem = Problem(
        forward=networks.fourier(),
        reconstruct=networks.zero_filled if dtype.is_complex else networks.real_zero_filled,
        real=not dtype.is_complex,
    )
    images = networks.images(real=not dtype.is_complex).to(dtype)
    assert preflight(problem, images).passed


def test_one_dimensional_images_can_be_checked():
    n = 16
    problem = Problem(forward=MatrixMap(torch.eye(n)), reconstruct=lambda y, A: 1.1 * y, real=True)
    assert preflight(problem, torch.rand(2, n)).passed


@pytest.mark.parametrize(
    ("reconstruct", "settings", "names"),
    [
        (networks.transposed, {}, ["shape"]),
        (lambda y, A: A.adjoint(y).numpy(), {"differentiable": False}, ["shape"]),
        (lambda y, A: y[:, :16, :16], {}, ["shape"]),
        (networks.integers, {}, ["dtype"]),
        (networks.zero_filled, {"real": True}, ["dtype"]),
        (networks.not_a_number, {}, ["finite output"]),
        (networks.batch_mean, {}, ["batch independence"]),
        (networks.one_at_a_time, {}, ["batch independence"]),
        (networks.scaled(-3.0), {}, ["better than the zero image"]),
        (networks.half_detached, {}, ["gradient"]),
        (networks.through_numpy, {}, ["gradient"]),
    ],
)
def test_each_fault_fails_the_check_made_for_it_first(reconstruct, settings, names):
    report = check(reconstruct, **settings)
    assert failed(report)[:1] == names
    assert not report.passed
    with pytest.raises(PreflightError, match=f"Check '{names[0]}' failed: "):
        report.raise_if_failed()


def test_faults_that_touch_one_thing_only_fail_one_check():
    for reconstruct, name in [
        (networks.batch_mean, "batch independence"),
        (networks.half_detached, "gradient"),
        (networks.through_numpy, "gradient"),
        (networks.not_a_number, "finite output"),
    ]:
        assert failed(check(reconstruct)) == [name]


def test_a_constant_network_does_not_respond_and_is_not_differentiated():
    report = check(networks.constant)
    assert failed(report)[0] == "response near the image"
    assert value(report, "response near the image") == 0
    gradient = report.checks[-1]
    assert gradient.passed is None
    assert "does not respond" in gradient.sentence
    with pytest.raises(PreflightError, match="perfectly stable and useless"):
        report.raise_if_failed()


@pytest.mark.parametrize("stochastic", [networks.noisy, networks.Layered(nn.Dropout(0.5)).train()])
def test_a_stochastic_network_is_not_deterministic(stochastic):
    report = check(stochastic)
    assert "deterministic" in failed(report)
    assert value(report, "deterministic") > 1e-3


def test_dropout_in_training_mode_is_named_before_anything_else():
    report = check(networks.Layered(nn.Dropout(0.5)).train())
    assert failed(report)[0] == "evaluation mode"
    assert "layers.1" in report.checks[0].sentence
    assert ".eval()" in report.checks[0].sentence


def test_train_mode_batch_normalisation_fails_two_checks():
    network = networks.Layered(nn.BatchNorm2d(2)).train()
    assert {"evaluation mode", "batch independence"} <= set(failed(check(network)))


def test_train_mode_batch_normalisation_out_of_reach_fails_by_what_it_does():
    hidden = {"network": networks.Layered(nn.BatchNorm2d(2)).train()}
    report = check(lambda y, A: hidden["network"](y, A))
    assert report.checks[0].passed
    assert "batch independence" in failed(report)


def test_batch_normalisation_on_the_current_image_is_no_training_mode():
    current = nn.BatchNorm2d(2, track_running_stats=False).train()
    report = check(lambda y, A: torch.cat([networks.Layered(current)(one[None], A) for one in y]))
    assert {"evaluation mode", "batch independence"}.isdisjoint(failed(report))


def test_looking_at_a_network_in_training_mode_does_not_train_it():
    network = networks.Layered(nn.BatchNorm2d(2)).train()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    check(network)
    assert all(torch.equal(before[key], now) for key, now in network.state_dict().items())


def test_a_part_cut_off_autograd_shows_as_the_share_of_the_derivative_that_is_missing():
    def three_quarters_detached(y, A):
        return 0.25 * A.adjoint(y) + 0.75 * A.adjoint(y).detach()

    report = check(three_quarters_detached)
    assert failed(report) == ["gradient"]
    assert value(report, "gradient") == pytest.approx(0.75, abs=1e-3)


def test_the_gradient_check_is_exact_for_linear_chains():
    for real, reconstruct in [(False, networks.zero_filled), (True, networks.real_zero_filled)]:
        assert value(check(reconstruct, real=real), "gradient") < 1e-4


def test_a_detached_half_of_a_real_problem_is_caught():
    def half(y, A):
        image = A.adjoint(y).real
        return 0.5 * image + 0.5 * image.detach()

    assert failed(check(half, real=True)) == ["gradient"]


def test_a_gradient_that_is_not_finite_is_said_to_be_so():
    report = check(networks.nan_gradient)
    assert failed(report) == ["gradient"]
    assert "root" in report.checks[-1].sentence
    assert "cut off" not in report.checks[-1].sentence


def test_no_grad_inside_the_network_is_said_to_be_the_fault():
    report = check(torch.no_grad()(networks.zero_filled))
    assert failed(report) == ["gradient"]
    assert "differentiable=False" in report.checks[-1].sentence
    assert math.isnan(report.checks[-1].value)


def test_the_gradient_of_a_black_box_is_not_looked_at():
    report = check(networks.through_numpy, differentiable=False)
    assert report.passed
    assert report.checks[-1].name == "gradient"
    assert report.checks[-1].passed is None
    assert "black box" in report.checks[-1].sentence


def test_a_network_that_raises_ends_in_one_sentence():
    def broken(y, A):
        raise IndexError("no such channel\nand a long story")

    report = check(broken)
    assert failed(report) == ["shape"]
    with pytest.raises(PreflightError, match=r"IndexError \(no such channel\)") as caught:
        report.raise_if_failed()
    assert "\n" not in str(caught.value)


def test_a_network_that_refuses_batches_is_told_so():
    report = check(networks.one_at_a_time)
    assert "one image at a time" in report.checks[5].sentence
    assert "two images" in report.checks[5].sentence


def test_a_network_that_loses_an_image_of_a_batch_depends_on_the_batch():
    assert failed(check(lambda y, A: A.adjoint(y)[:1])) == ["batch independence"]


def test_the_number_of_further_failures_is_said():
    report = check(networks.Layered(nn.BatchNorm2d(2)).train())
    n_failed = len(failed(report))
    assert n_failed > 1
    with pytest.raises(PreflightError, match=rf"\({n_failed - 1} more failed\)"):
        report.raise_if_failed()


def test_a_single_image_gets_a_neighbour_of_its_own():
    problem = networks.problem(networks.batch_mean)
    assert failed(preflight(problem, networks.images(1))) == ["batch independence"]


def test_the_same_seed_gives_the_same_numbers():
    first, second, other = (
        preflight(
            networks.problem(networks.Layered(nn.ReLU()).eval()), networks.images(), seed=seed
        )
        for seed in (3, 3, 4)
    )
    assert first == second
    assert value(first, "response near the image") != value(other, "response near the image")


def test_wrong_images_raise_instead_of_failing_checks():
    with pytest.raises(ShapeError):
        preflight(networks.problem(), torch.ones(2, 8, 8))
    with pytest.raises(InputError):
        preflight(networks.problem(), networks.images()[:0])


def test_every_failing_sentence_says_what_to_do():
    for reconstruct in (networks.batch_mean, networks.not_a_number, networks.half_detached):
        [sentence] = [one.sentence for one in check(reconstruct).checks if one.passed is False]
        assert sentence.startswith("Expected")
        assert "got" in sentence
        assert ";" in sentence


class Holder:
    def __init__(self, network):
        self.network = network

    def reconstruct(self, y, A):
        return self.network(y, A)

    __call__ = reconstruct


NETWORK = networks.Layered(nn.Dropout(0.5)).train()


def uses_a_global(y, A):
    return NETWORK(y, A)


def _closure():
    network = NETWORK
    return lambda y, A: network(y, A)


def _takes_a_network(network, y, A):
    return network(y, A)


@pytest.mark.parametrize(
    "reconstruct",
    [
        NETWORK,
        NETWORK.forward,
        Holder(NETWORK),
        Holder(NETWORK).reconstruct,
        functools.partial(_takes_a_network, NETWORK),
        uses_a_global,
        _closure(),
    ],
    ids=["module", "method", "object", "method of object", "partial", "global", "closure"],
)
def test_modules_are_found_behind_every_usual_kind_of_callable(reconstruct):
    assert list(reachable_modules(reconstruct)) == [NETWORK]
    assert layers_in_training_mode(reconstruct) == ["layers.1"]


def test_full_sampling_of_a_fourier_map_is_reconstructed_perfectly():
    problem = Problem(forward=FourierMap(torch.ones(16, 16)), reconstruct=networks.zero_filled)
    report = preflight(problem, networks.images(size=16))
    assert value(report, "better than the zero image") < 1e-6
    assert value(report, "response near the image") == pytest.approx(1.0, abs=1e-4)


def test_a_forward_map_that_adds_noise_is_not_deterministic():
    class Noisy(FourierMap):
        def __call__(self, image):
            data = super().__call__(image)
            return data + 1e-2 * torch.randn(data.shape, dtype=data.dtype)

    problem = Problem(
        forward=Noisy(torch.ones(networks.SIZE, networks.SIZE)),
        reconstruct=lambda y, A: A.adjoint(y),
    )
    assert "deterministic" in failed(preflight(problem, networks.images()))
