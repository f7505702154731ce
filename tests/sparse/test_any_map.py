"""Every method on every kind of map: certificates, equivariance, derivatives."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.maps import (
    FourierMap,
    MatrixMap,
    MultiCoilFourierMap,
    NumpyMap,
    RadonMap,
    birdcage_coils,
)
from shaketable.protocols import ForwardMap
from shaketable.sparse import (
    SparseMethod,
    TotalGeneralizedVariation,
    TotalVariation,
    WaveletL1,
    scaled_data,
)
from shaketable.sparse.penalties import Values
from tests.helpers.oracles import directional_derivative, relative_difference
from tests.sparse.scenes import lines, scene

SHAPE = (16, 16)


def gaussian() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(140, 256, dtype=torch.float64, generator=generator) / 12


def numpy_map() -> NumpyMap:
    matrix = gaussian().numpy()
    return NumpyMap(
        forward=lambda x: matrix @ x.ravel(),
        adjoint=lambda y: (matrix.T @ y).reshape(SHAPE),
        image_shape=SHAPE,
        data_shape=(140,),
    )


def unequal_coils() -> Tensor:
    """Their squares do not sum to one."""
    return birdcage_coils(3, SHAPE) * torch.linspace(0.3, 1, 16)[:, None]


MASK = lines(SHAPE, 0.5).mask
MAPS: dict[str, ForwardMap] = {
    "fourier": FourierMap(MASK),
    "coils": MultiCoilFourierMap(MASK, birdcage_coils(4, SHAPE)),
    "unequal-coils": MultiCoilFourierMap(MASK, unequal_coils()),
    "radon": RadonMap(torch.arange(7) * math.pi / 7, SHAPE),
    "matrix": MatrixMap(gaussian(), image_shape=SHAPE),
    "numpy": numpy_map(),
}
METHODS: dict[str, SparseMethod] = {
    "tv": TotalVariation(strength=0.05),
    "tgv": TotalGeneralizedVariation(strength=0.05),
    "wavelets": WaveletL1(strength=0.05, levels=2),
}
every_map = pytest.mark.parametrize("name", MAPS)
PAIRS = [("tv", name) for name in MAPS] + [
    ("tgv", "fourier"),
    ("tgv", "radon"),
    ("wavelets", "coils"),
]
pairs = pytest.mark.parametrize(("kind", "name"), PAIRS)


def data_of(name: str) -> tuple[Tensor, ForwardMap]:
    forward = MAPS[name]
    return forward(scene(SHAPE, batch=2)), forward


@pairs
def test_the_gap_bounds_the_distance_to_a_long_run(kind: str, name: str) -> None:
    method, (data, forward) = METHODS[kind], data_of(name)
    best = replace(method, gap=1e-4, max_iterations=3000).solve(data, forward)
    solution = method.solve(data, forward)
    assert bool(solution.converged.all())
    assert bool(best.converged.all())
    excess = (solution.objective - best.objective) / solution.objective
    assert bool((excess <= solution.gap + 1e-12).all())
    assert bool((excess >= -best.gap - 1e-12).all())


@every_map
def test_the_objective_is_that_of_the_image(name: str) -> None:
    data, forward = data_of(name)
    solution = METHODS["tv"].solve(data, forward)
    image = solution.image
    steps = torch.stack([torch.roll(image, -1, axis) - image for axis in (1, 2)])
    variation = steps.abs().square().sum(0).sqrt().sum((1, 2))
    distance = (forward(image) - data).abs().square().flatten(1).sum(1) / 2
    torch.testing.assert_close(distance + solution.strength * variation, solution.objective)


@pairs
def test_scaling_the_data_scales_the_image(kind: str, name: str) -> None:
    method, (data, forward) = METHODS[kind], data_of(name)
    image = method(data, forward)
    torch.testing.assert_close(method(1e4 * data, forward) / 1e4, image, rtol=1e-8, atol=1e-10)


@pairs
def test_neighbours_in_the_batch_do_not_matter(kind: str, name: str) -> None:
    method, (data, forward) = METHODS[kind], data_of(name)
    together = method.solve(data, forward)
    alone = method.solve(data[1:], forward)
    assert alone.n_iterations.tolist() == together.n_iterations[1:].tolist()
    torch.testing.assert_close(alone.image, together.image[1:], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", METHODS)
def test_radon_images_have_the_same_bits_alone_and_in_a_batch(kind: str) -> None:
    method = replace(METHODS[kind], values="real")
    data, forward = data_of("radon")
    leaf = data.real.to(torch.float32).requires_grad_()
    together = method(leaf, forward)
    (gradient,) = torch.autograd.grad(together.sum(), leaf)
    for number in range(len(data)):
        one = leaf[number : number + 1].detach().requires_grad_()
        alone = method(one, forward)
        assert torch.equal(alone[0], together[number])
        assert torch.equal(torch.autograd.grad(alone.sum(), one)[0][0], gradient[number])


@pairs
def test_both_derivatives_agree_with_finite_differences(kind: str, name: str) -> None:
    method, (data, forward) = METHODS[kind], data_of(name)
    generator = torch.Generator().manual_seed(1)
    along = torch.randn(data.shape, dtype=data.dtype, generator=generator)
    along = 1e-2 * along * (data != 0)
    expected = directional_derivative(lambda y: method(y, forward), data, along, step=1e-6)
    leaf = data.clone().requires_grad_()
    image = method(leaf, forward)
    weights = torch.randn(image.shape, dtype=image.dtype, generator=generator)
    (gradient,) = torch.autograd.grad(image, leaf, weights)
    pulled = float((gradient.conj() * along).real.sum())
    assert pulled == pytest.approx(float((weights.conj() * expected).real.sum()), rel=1e-4)
    if name != "numpy":
        _, tangent = torch.func.jvp(lambda y: method(y, forward), (data,), (along,))
        assert relative_difference(tangent, expected) < 1e-4


@pytest.mark.parametrize("name", ["radon", "matrix", "coils"])
def test_real_images_are_solved_as_such(name: str) -> None:
    forward = MAPS[name]
    image = scene(SHAPE, batch=1).real
    solution = TotalVariation(strength=0.01, values="real").solve(forward(image), forward)
    assert not solution.image.is_complex()
    assert bool(solution.converged.all())


def test_real_data_of_a_real_map_give_a_real_image() -> None:
    forward = MAPS["radon"]
    image = TotalVariation(strength=0.01)(forward(scene(SHAPE, batch=1).real), forward)
    assert image.dtype == torch.float64


class Mirrored(FourierMap):
    """A map of its own, for all that it inherits."""

    def __call__(self, image: Tensor) -> Tensor:
        return super().__call__(image.flip(-1))

    def adjoint(self, data: Tensor) -> Tensor:
        return super().adjoint(data).flip(-1)


def test_a_map_that_inherits_is_solved_as_what_it_is() -> None:
    mask = torch.rand(SHAPE, generator=torch.Generator().manual_seed(1)) < 0.5
    plain, mirrored = FourierMap(mask), Mirrored(mask)
    image = scene(SHAPE, batch=1)
    solution = TotalVariation(strength=1e-3, gap=1e-5).solve(mirrored(image), mirrored)
    other = TotalVariation(strength=1e-3, gap=1e-5).solve(plain(image.flip(-1)), plain)
    # Backward differences of a mirrored image are not forward ones, but the residual is small.
    residual = float((mirrored(solution.image) - mirrored(image)).norm() / mirrored(image).norm())
    assert residual < 0.01
    assert float(solution.objective) == pytest.approx(float(other.objective), rel=0.1)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
@pytest.mark.parametrize("values", ["complex", "real"])
def test_maps_that_do_not_see_constants_have_true_certificates(
    dtype: torch.dtype, values: Values
) -> None:
    mask = torch.rand(SHAPE, generator=torch.Generator().manual_seed(1)) < 0.5
    mask[0, 0] = False
    blind = Mirrored(mask)
    data = blind(scene(SHAPE, batch=1)).to(dtype)
    method = TotalVariation(strength=1e-3, values=values, gap=1e-2)
    least = float(replace(method, gap=1e-5, max_iterations=5000).solve(data, blind).objective)
    for n_iterations in (5, 20, 80, 320):
        solution = method.solve(data, blind, n_iterations=n_iterations)
        assert float(solution.objective) * (1 - float(solution.gap)) <= least * (1 + 1e-5)


class Sum:
    """One number per image; a constant image explains any."""

    image_shape = (8, 12)
    data_shape = (1,)
    sampled = None

    def __call__(self, image: Tensor) -> Tensor:
        return image.sum((1, 2))[:, None]

    def adjoint(self, data: Tensor) -> Tensor:
        return data[:, :, None].expand(-1, *self.image_shape)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64, torch.complex128])
def test_data_that_a_constant_explains_have_no_false_certificate(dtype: torch.dtype) -> None:
    data = torch.full((1, 1), 3.0, dtype=dtype)
    method = TotalVariation(strength=1e-2)
    for n_iterations in (5, 20, 25, 40, 100):
        solution = method.solve(data, Sum(), n_iterations=n_iterations)
        # The minimum is exactly 0: only an objective of 0 has no gap.
        assert float(solution.gap) == 1 or float(solution.objective) == 0


class RealImages:
    """Complex data of real images."""

    image_shape = SHAPE
    data_shape = SHAPE
    sampled = None

    def __call__(self, image: Tensor) -> Tensor:
        spectrum: Tensor = torch.fft.fft2(image, norm="ortho")
        return spectrum

    def adjoint(self, data: Tensor) -> Tensor:
        return torch.fft.ifft2(data, norm="ortho").real


def test_real_data_of_a_map_that_gives_complex_ones_are_refused() -> None:
    data = scene(SHAPE, batch=1).real
    with pytest.raises(InputError, match="Expected complex data"):
        TotalVariation(strength=1e-2).solve(data, RealImages())


class Single(Sum):
    """In single precision only, whatever it is given."""

    def adjoint(self, data: Tensor) -> Tensor:
        return super().adjoint(data.to(torch.float32))


class Number(Sum):
    data_shape = ()  # type: ignore[assignment]


def test_maps_that_cannot_be_solved_are_refused() -> None:
    with pytest.raises(InputError, match=r"keep the precision of the data \(torch.float64\)"):
        TotalVariation().solve(torch.ones(1, 1, dtype=torch.float64), Single())
    with pytest.raises(InputError, match="at least one axis beside the batch"):
        TotalVariation().solve(torch.ones(1), Number())


@pytest.mark.parametrize("name", ["coils", "unequal-coils"])
def test_coils_a_few_at_a_time_are_all_of_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data, forward = data_of(name)

    def image_and_gradient() -> tuple[Tensor, Tensor]:
        leaf = data.clone().requires_grad_()
        image = METHODS["tv"](leaf, forward)
        return image.detach(), torch.autograd.grad(image.abs().square().sum(), leaf)[0]

    whole = image_and_gradient()
    n_bytes = data[0, 0].numel() * data.element_size()
    monkeypatch.setattr(scaled_data, "CACHE_BYTES", 2 * n_bytes)  # the last block may be smaller
    scaled = scaled_data.scaled_data(data, forward, "complex", scaled_data.DataWeights())
    blocks = scaled.term.blocks  # type: ignore[attr-defined]
    assert [block.rows for block in blocks][:2] == [slice(0, 2), slice(2, data.shape[1])]
    for found, expected in zip(image_and_gradient(), whole, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("weight", [1e-5, 3e-6])
def test_constants_that_are_hardly_seen_have_no_false_certificate(weight: float) -> None:
    generator = torch.Generator().manual_seed(0)
    one = torch.full((64,), 1 / 8, dtype=torch.float64)
    rows = torch.randn(20, 64, dtype=torch.float64, generator=generator)
    rows = torch.linalg.qr((rows - (rows @ one)[:, None] * one).mT).Q.mT
    forward = MatrixMap(torch.cat([rows, weight * one[None]]), image_shape=(8, 8))
    data = forward(scene((8, 8), batch=1).real)
    data[:, -1] = 1  # which a constant explains
    method = TotalVariation(strength=1e-2, max_iterations=300)
    solution = method.solve(data.to(torch.float32), forward)
    image = solution.image.double()
    constant = (data - forward(image))[0, -1] / (8 * weight)
    steps = torch.stack([torch.roll(image, -1, axis) - image for axis in (1, 2)])
    variation = steps.square().sum(0).sqrt().sum()
    left = (forward(image + constant) - data).square().sum() / 2
    least = float(left + solution.strength * variation)
    assert float(solution.objective) * (1 - float(solution.gap)) <= least * (1 + 1e-4)


class Unmasked:
    """Neither direction looks at what is sampled."""

    image_shape = data_shape = SHAPE
    sampled = MASK

    def __call__(self, image: Tensor) -> Tensor:
        return torch.fft.fft2(image, norm="ortho")

    def adjoint(self, data: Tensor) -> Tensor:
        return torch.fft.ifft2(data, norm="ortho")


def test_unsampled_data_of_a_map_that_does_not_mask_are_ignored() -> None:
    data, plain = data_of("fourier")
    littered = torch.where(MASK, data, 7 + 3j)
    method = TotalVariation(strength=0.05, gap=1e-5)
    found, expected = method.solve(littered, Unmasked()), method.solve(data, plain)
    torch.testing.assert_close(found.strength, expected.strength)
    torch.testing.assert_close(found.objective, expected.objective, rtol=1e-4, atol=0)


class Slots:
    """A class without room for a weak reference."""

    __slots__ = ()
    image_shape = data_shape = SHAPE
    sampled = MASK
    __call__ = Unmasked.__call__
    adjoint = Unmasked.adjoint


def test_a_map_with_slots_is_solved() -> None:
    data, _ = data_of("fourier")
    found, expected = (METHODS["tv"].solve(data, A) for A in (Slots(), Unmasked()))
    assert torch.equal(found.image, expected.image)


@dataclass
class Unhashable:
    """A map of somebody else's, with equality and so without a hash."""

    mask: Tensor
    image_shape: tuple[int, int] = SHAPE
    data_shape: tuple[int, int] = SHAPE

    @property
    def sampled(self) -> Tensor:
        return self.mask

    def __call__(self, image: Tensor) -> Tensor:
        return torch.fft.fft2(image, norm="ortho") * self.mask

    def adjoint(self, data: Tensor) -> Tensor:
        return torch.fft.ifft2(data * self.mask, norm="ortho")


def test_a_map_without_a_hash_is_solved() -> None:
    forward = Unhashable(MASK)
    data, plain = data_of("fourier")
    method = TotalVariation(strength=0.05, gap=1e-5)
    found, expected = method.solve(data, forward), method.solve(data, plain)
    torch.testing.assert_close(found.objective, expected.objective, rtol=1e-4, atol=0)


def test_the_precision_of_an_earlier_solve_does_not_matter() -> None:
    method, (data, _) = replace(METHODS["tv"], values="real"), data_of("radon")
    first, second = (RadonMap(torch.arange(7) * math.pi / 7, SHAPE) for _ in range(2))
    method(data.real.to(torch.float32), first)
    assert torch.equal(method(data.real, first), method(data.real, second))


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("values", ["complex", "real"])
def test_real_and_complex_data_meet_every_map_and_every_kind_of_values(
    name: str, values: Values
) -> None:
    data, forward = data_of(name)
    method = TotalVariation(strength=0.05, values=values)
    for given in (data, data.real.contiguous()):
        leaf = given.clone().requires_grad_()
        image = method(leaf, forward)
        assert image.is_complex() == (values != "real" and forward.adjoint(given).is_complex())
        (gradient,) = torch.autograd.grad(image.abs().square().sum(), leaf)
        assert gradient.dtype == given.dtype
        step = 1e-6 * gradient / gradient.norm()
        ahead, back = (method(given + s * step, forward).abs().square().sum() for s in (1, -1))
        assert float(ahead - back) == pytest.approx(2e-6 * float(gradient.norm()), rel=1e-4)
