"""What a problem makes of images, and what it refuses."""

import html

import numpy as np
import pytest
import torch

from shaketable import Problem
from shaketable.errors import InputError, ShapeError
from tests.helpers import networks

COMPLEX = networks.problem()
REAL = Problem(forward=networks.fourier(), reconstruct=networks.real_zero_filled, real=True)


@pytest.mark.parametrize(
    ("problem", "given", "prepared"),
    [
        (COMPLEX, torch.float32, torch.complex64),
        (COMPLEX, torch.float64, torch.complex128),
        (COMPLEX, torch.complex64, torch.complex64),
        (COMPLEX, torch.complex128, torch.complex128),
        (COMPLEX, torch.int64, torch.complex64),
        (REAL, torch.float32, torch.float32),
        (REAL, torch.float64, torch.float64),
        (REAL, torch.uint8, torch.float32),
    ],
)
def test_images_get_the_kind_of_the_problem_and_keep_their_values(problem, given, prepared):
    images = (10 * networks.images(real=True)).round().to(given)
    result = problem.prepare(images)
    assert result.dtype == prepared
    assert torch.equal(result.to(torch.complex128), images.to(torch.complex128))


def _with(value: float) -> torch.Tensor:
    images = networks.images()
    images[1, 2, 3] = value
    return images


@pytest.mark.parametrize(
    ("images", "error", "said"),
    [
        (networks.images()[0], ShapeError, "add a batch dimension"),
        (networks.images(size=16), ShapeError, r"\(B, 32, 32\)"),
        (networks.images()[:, None], ShapeError, r"got \(2, 1, 32, 32\)"),
        (networks.images()[:0], InputError, "at least one image"),
        (networks.images().numpy(), InputError, "torch tensor, got ndarray"),
        (_with(float("nan")), InputError, "finite"),
        (_with(float("inf")), InputError, "finite"),
        (torch.cat([networks.images(), torch.zeros(1, 32, 32)]), InputError, "all zero"),
    ],
)
def test_images_that_do_not_fit_are_refused_in_a_sentence(images, error, said):
    with pytest.raises(error, match=said):
        COMPLEX.prepare(images)


def test_a_shape_error_carries_both_shapes():
    with pytest.raises(ShapeError) as caught:
        COMPLEX.prepare(torch.ones(3, 8, 9))
    assert caught.value.expected == (-1, 32, 32)
    assert caught.value.got == (3, 8, 9)


def test_complex_images_are_not_silently_made_real():
    with pytest.raises(InputError, match="real=False"):
        REAL.prepare(networks.images())


def test_an_image_with_an_imaginary_nan_is_not_finite():
    images = networks.images()
    images[0, 0, 0] = complex(0.0, float("nan"))
    with pytest.raises(InputError, match="finite"):
        COMPLEX.prepare(images)


def test_preparing_changes_no_value_of_the_callers():
    images = networks.images(real=True)
    before = images.clone()
    REAL.prepare(images)
    COMPLEX.prepare(images)
    assert torch.equal(images, before)
    assert np.array_equal(images.numpy(), before.numpy())


def test_a_problem_says_in_one_line_what_it_is():
    problem = Problem(
        forward=networks.fourier(), reconstruct=networks.real_zero_filled, name="<b>net"
    )
    shape = tuple(problem.forward.image_shape)
    assert repr(problem) == f"Problem('<b>net' on FourierMap, complex images {shape})"
    assert problem._repr_html_() == f"<code>{html.escape(repr(problem))}</code>"
    assert "<b>" not in problem._repr_html_()
