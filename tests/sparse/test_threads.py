"""Images on threads: the same bits as one by one, on any number of threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from shaketable.maps import MatrixMap, MultiCoilFourierMap, birdcage_coils
from shaketable.protocols import ForwardMap
from shaketable.sparse import TotalVariation, WaveletL1
from shaketable.sparse.threads import on_threads
from tests.sparse.scenes import lines, scene

SHAPE = (32, 32)
COILS = MultiCoilFourierMap(lines().mask, birdcage_coils(4, SHAPE).to(torch.complex128))
N_THREADS = 3


@pytest.fixture
def several_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(N_THREADS)
    yield
    torch.set_num_threads(before)


def solved(method: TotalVariation | WaveletL1, data: Tensor, forward: ForwardMap) -> list[Tensor]:
    """Image, its certificate, and the derivative in both directions."""
    at = data.detach().requires_grad_()
    solution = method.solve(at, forward)
    (pulled,) = torch.autograd.grad(solution.image.abs().square().sum(), at)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(data, data.flip(-1))
        pushed = torch.autograd.forward_ad.unpack_dual(method.solve(dual, forward).image).tangent
    assert pushed is not None
    return [solution.image, solution.gap, solution.n_iterations, pulled, pushed]


@pytest.mark.usefixtures("several_threads")
@pytest.mark.parametrize("forward", [lines(), COILS], ids=["fourier", "coils"])
@pytest.mark.parametrize("method", [TotalVariation(), WaveletL1()], ids=["tv", "wavelets"])
def test_same_bits_as_one_by_one(method: TotalVariation | WaveletL1, forward: ForwardMap) -> None:
    images = torch.cat([scene(batch=3), scene(batch=2, noise=1.0)])
    data = forward(images)
    together = solved(method, data, forward)
    assert torch.get_num_threads() == N_THREADS
    alone = [solved(method, row[None], forward) for row in data]
    torch.set_num_threads(1)
    single = solved(method, data, forward)
    for number, whole in enumerate(together):
        assert torch.equal(whole, torch.cat([one[number] for one in alone]))
        assert torch.equal(whole, single[number])


@pytest.mark.usefixtures("several_threads")
def test_every_image_has_a_thread_with_one_thread_and_no_gradients() -> None:
    barrier = threading.Barrier(N_THREADS, timeout=60)

    def look(number: int) -> tuple[int, int, bool]:
        barrier.wait()  # all of them at the same time
        return number, torch.get_num_threads(), torch.is_grad_enabled()

    expected = [(number, 1, False) for number in range(N_THREADS)]
    assert on_threads(look, range(N_THREADS)) == expected


@pytest.mark.usefixtures("several_threads")
def test_a_mistake_reaches_the_caller() -> None:
    def fail(number: int) -> int:
        raise ValueError(f"number {number}")

    with pytest.raises(ValueError, match="number 0"):
        on_threads(fail, range(2))
    assert torch.get_num_threads() == N_THREADS


@pytest.mark.usefixtures("several_threads")
def test_maps_that_may_not_be_safe_stay_on_one_thread() -> None:
    threads = set()

    class Watched(MatrixMap):
        def adjoint(self, data: Tensor) -> Tensor:
            threads.add(threading.get_ident())
            return super().adjoint(data)

    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(40, 64, dtype=torch.float64, generator=generator)
    forward = Watched(matrix, image_shape=(8, 8))
    images = torch.rand(3, 8, 8, dtype=torch.float64, generator=generator)
    TotalVariation(values="real")(forward(images), forward)
    assert threads == {threading.get_ident()}
