"""The chain from a perturbation to a reconstruction, and its execution without gradients."""

import pytest
import torch

from shaketable import FourierMap, Problem
from shaketable.chain import Chain, execute
from shaketable.errors import InputError, ShapeError
from tests.helpers import networks

MASK = torch.rand(8, 8, generator=torch.Generator().manual_seed(0)) < 0.5
SPARSER = MASK & (torch.rand(8, 8, generator=torch.Generator().manual_seed(1)) < 0.5)


def squared(y, A):
    return A.adjoint(y) * A.adjoint(y).abs()


def draw(seed=2, n=2):
    return torch.randn(
        n, 8, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.complex64
    )


@pytest.mark.parametrize("domain", ["image", "data"])
def test_both_reconstructions_are_those_of_the_definition(domain):
    A = FourierMap(MASK)
    problem, x, r = Problem(forward=A, reconstruct=squared), draw(), draw(3)
    executed = execute(problem, x, r, domain=domain)
    data = A(x + r) if domain == "image" else A(x) + MASK * r
    assert torch.equal(executed.clean, squared(A(x), A))
    torch.testing.assert_close(executed.perturbed, squared(data, A))
    assert not executed.perturbed.requires_grad


def test_another_forward_map_samples_and_is_handed_on():
    A, B, given = FourierMap(MASK), FourierMap(SPARSER), []

    def reconstruct(y, A):
        given.append(A)
        return A.adjoint(y)

    problem, x = Problem(forward=A, reconstruct=reconstruct), draw()
    executed = execute(problem, x, forward=B)
    assert given == [B]  # nothing was added, so one call is enough
    assert executed.perturbed is executed.clean
    torch.testing.assert_close(executed.clean, B.adjoint(B(x)))


def test_a_real_detail_can_be_added_to_images_of_a_complex_problem():
    A = FourierMap(torch.ones(8, 8))
    problem = Problem(forward=A, reconstruct=lambda y, A: A.adjoint(y))
    detail = torch.zeros(2, 8, 8)
    detail[:, 3, 4] = 1
    executed = execute(problem, draw(), detail)
    torch.testing.assert_close(
        executed.perturbed - executed.clean, detail.to(torch.complex64), atol=1e-5, rtol=0
    )


def test_what_does_not_fit_is_said():
    problem = Problem(forward=FourierMap(MASK), reconstruct=squared)
    with pytest.raises(ShapeError, match="one per image"):
        execute(problem, draw(), draw()[:1])
    with pytest.raises(InputError, match="'image' or 'data'"):
        execute(problem, draw(), draw(), domain="k-space")
    real = Problem(forward=networks.fourier(), reconstruct=networks.real_zero_filled, real=True)
    images = networks.images(real=True)
    with pytest.raises(InputError, match="real part"):
        execute(real, images, images.to(torch.complex64))


def test_only_the_checked_reconstruction_refuses_another_shape():
    problem = Problem(forward=FourierMap(MASK), reconstruct=lambda y, A: A.adjoint(y)[:, :3])
    chain = Chain.of(problem, draw(), "image")
    assert chain.evaluate().shape == (2, 3, 8)
    with pytest.raises(ShapeError, match="one image for each row"):
        chain.reconstruct()


def test_a_network_that_scales_its_data_in_place_changes_no_later_call():
    A = FourierMap(MASK)
    chain = Chain.of(
        Problem(forward=A, reconstruct=lambda y, A: A.adjoint(y.mul_(2))), draw(), "image"
    )
    first = chain.reconstruct()
    assert torch.equal(chain.reconstruct(), first)
