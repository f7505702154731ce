"""Given and random perturbations: what does not fit is refused."""

import math

import pytest
import torch

from shaketable import FourierMap, Problem
from shaketable.errors import InputError, ShapeError
from shaketable.search import random_perturbation, respond

IMAGES = torch.ones(2, 4, 4)


def problem() -> Problem:
    return Problem(
        forward=FourierMap(torch.ones(4, 4)), reconstruct=lambda y, A: A.adjoint(y).real, real=True
    )


@pytest.mark.parametrize("shape", [(4, 4), (1, 4, 4), (2, 4, 5), (2, 1, 4, 4)])
def test_a_perturbation_of_another_shape_is_refused(shape):
    with pytest.raises(ShapeError, match=r"shape \(2, 4, 4\) in the image domain"):
        respond(problem(), IMAGES, torch.zeros(shape), domain="image")


def test_a_complex_perturbation_of_real_images_is_refused():
    with pytest.raises(InputError, match="take its real part"):
        respond(problem(), IMAGES, torch.zeros(2, 4, 4) * 1j, domain="image")


@pytest.mark.parametrize("radius", [-0.1, 0.0, math.nan, math.inf, "a"])
def test_a_random_perturbation_of_no_size_is_refused(radius):
    with pytest.raises(InputError, match="Expected"):
        random_perturbation(problem(), IMAGES, radius=radius, domain="image", seed=0)
