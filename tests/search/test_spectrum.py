"""The local spectrum against dense Jacobians, known spectra, SciPy and finite differences."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import svds

from shaketable import FourierMap, MatrixMap, Problem, local_spectrum
from shaketable.errors import InputError
from shaketable.real_vectors import from_real_rows
from shaketable.search.jacobian import Jacobian, flat
from shaketable.search.lanczos import leading_pairs
from shaketable.sparse import TotalVariation
from tests.helpers import networks
from tests.sparse.scenes import lines, scene


def generators(n, seed=0):
    return [torch.Generator().manual_seed(seed + i) for i in range(n)]


def random(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def dense(response, point):
    """The Jacobian of one item as a real matrix, by reverse mode row after row."""

    def real(coordinates):
        return flat_of(response(from_real_rows(coordinates[None], point)))

    def flat_of(output):
        return (torch.view_as_real(output) if output.is_complex() else output).flatten()

    return torch.func.jacrev(real)(flat(point)[0])


def curved(dtype, seed=0):
    """A network that is not complex-linear, 6 -> 5."""
    first, second = random(6, 8, seed=seed, dtype=dtype), random(8, 5, seed=seed + 1, dtype=dtype)

    def response(x):
        hidden = x @ first
        hidden = torch.tanh(hidden) if not dtype.is_complex else hidden.conj() + hidden.abs() * 1j
        return hidden @ second

    return response


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), complex_=st.booleans())
def test_pairs_agree_with_the_dense_jacobian(seed, complex_):
    dtype = torch.complex128 if complex_ else torch.float64
    response, point = curved(dtype, seed), random(2, 6, seed=seed, dtype=dtype)
    pairs = leading_pairs(response, point, k=3, n_steps=12, generators=generators(2),
                          tolerance=1e-10)  # fmt: skip
    for row in range(2):
        matrix = dense(response, point[row : row + 1])
        torch.testing.assert_close(
            pairs.values[row], torch.linalg.svdvals(matrix)[:3], rtol=1e-8, atol=1e-8
        )
        right, left = flat(pairs.right[row]), flat(pairs.left[row])
        torch.testing.assert_close(right @ right.T, torch.eye(3).double(), rtol=0, atol=1e-9)
        torch.testing.assert_close(right @ matrix.T, pairs.values[row, :, None] * left)


def test_pairs_agree_with_scipy_and_residuals_are_true_before_convergence():
    matrix = random(40, 30)
    expected = torch.as_tensor(svds(matrix.numpy(), k=3, return_singular_vectors=False).copy())
    pairs = leading_pairs(lambda x: x @ matrix.T, torch.zeros(1, 30).double(), k=3, n_steps=30,
                          generators=generators(1), tolerance=1e-9)  # fmt: skip
    torch.testing.assert_close(pairs.values[0], expected.sort(descending=True).values)
    early = leading_pairs(lambda x: x @ matrix.T, torch.zeros(1, 30).double(), k=2, n_steps=4,
                          generators=generators(1))  # fmt: skip
    gap = early.left[0] @ matrix - early.values[0, :, None] * early.right[0]
    torch.testing.assert_close(early.residuals[0], gap.norm(dim=1))
    assert float(early.residuals.min()) > 1e-3
    nearest = (early.values[0][:, None] - torch.linalg.svdvals(matrix)[None]).abs().amin(1)
    assert bool((nearest <= early.residuals[0]).all())


@pytest.mark.parametrize(
    ("spectrum", "expected"),
    [
        ([2.0, 2.0, 2.0, 2.0], [2.0, 2.0, 2.0, 2.0, 0.0, 0.0]),
        ([5.0, 0.0, 0.0, 0.0], [5.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        ([3.0, 3.0 - 1e-4, 1.0, 0.5], [3.0, 3.0 - 1e-4, 1.0, 0.5, 0.0, 0.0]),
        ([0.0, 0.0, 0.0, 0.0], [0.0] * 6),
    ],
)
def test_repeated_clustered_and_missing_values(spectrum, expected):
    diagonal = torch.tensor(spectrum, dtype=torch.float64)
    pairs = leading_pairs(lambda x: diagonal * x, torch.zeros(1, 4).double(), k=6, n_steps=8,
                          generators=generators(1))  # fmt: skip
    torch.testing.assert_close(pairs.values[0].tolist(), expected, rtol=1e-9, atol=1e-9)
    assert bool(torch.isfinite(pairs.right).all() & torch.isfinite(pairs.left).all())


class NoForwardMode(torch.autograd.Function):
    """x³ with a gradient of torch operations and no jvp."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * gradient


class NeitherMode(NoForwardMode):
    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * gradient


def test_without_forward_mode_the_transpose_is_differentiated():
    matrix, point = random(6, 5), random(2, 6, seed=4)
    slow = Jacobian(lambda x: NoForwardMode.apply(x) @ matrix, point)
    fast = Jacobian(lambda x: x**3 @ matrix, point)
    for seed in range(3):
        direction = random(2, 6, seed=seed)
        torch.testing.assert_close(slow.applied(direction), fast.applied(direction))
    assert (slow._forward_mode, fast._forward_mode) == (False, True)
    with pytest.raises(
        InputError, match=r"Expected a reconstructor with forward-mode .* got neither"
    ):
        Jacobian(lambda x: NeitherMode.apply(x) @ matrix, point).applied(random(2, 6))


def test_rows_do_not_depend_on_their_neighbours_and_a_broken_row_stays_alone():
    response, point = curved(torch.float64), random(3, 6)
    options = {"k": 2, "n_steps": 5}
    alone = leading_pairs(response, point[1:2], **options, generators=generators(1, 1))
    broken = point.clone()
    broken[0] = torch.nan
    together = leading_pairs(response, broken, **options, generators=generators(3))
    torch.testing.assert_close(together.values[1:2], alone.values)
    torch.testing.assert_close(together.right[1:2], alone.right)
    assert bool(torch.isnan(together.values[0]).all())
    assert bool(torch.isfinite(together.values[1:]).all())


@pytest.mark.parametrize("domain", ["image", "data"])
def test_spectrum_of_zero_filling_is_the_mask(domain):
    mask = torch.eye(8)
    problem = Problem(forward=FourierMap(mask), reconstruct=lambda y, A: 3 * A.adjoint(y))
    images = random(2, 8, 8, dtype=torch.complex128)
    spectrum = local_spectrum(problem, images, domain=domain, k=2, n_probes=64)
    torch.testing.assert_close(spectrum.singular_values, torch.full((2, 2), 3.0).double())
    # 8 complex positions respond with 3: ‖J‖_F² = 16 · 9, of 128 (image) or 16 dimensions (data).
    assert bool(((spectrum.frobenius - 12).abs() <= 4 * spectrum.frobenius_error + 1e-9).all())
    assert spectrum.n_dimensions == (128 if domain == "image" else 16)
    torch.testing.assert_close(spectrum.stable_rank, (spectrum.frobenius / 3) ** 2)
    torch.testing.assert_close(
        spectrum.dilution, 3 * spectrum.n_dimensions**0.5 / spectrum.frobenius
    )
    if domain == "data":
        assert not bool(spectrum.vectors[..., mask == 0].any())


def test_real_problems_have_real_perturbations_and_frobenius_is_covered():
    matrix = random(6, 6)
    problem = Problem(
        forward=MatrixMap(torch.eye(6).double()), reconstruct=lambda y, A: y @ matrix.T, real=True
    )
    spectrum = local_spectrum(problem, random(1, 6), k=2, n_steps=6, n_probes=200)
    assert spectrum.vectors.dtype == torch.float64
    torch.testing.assert_close(spectrum.singular_values[0], torch.linalg.svdvals(matrix)[:2])
    gap = abs(float(spectrum.frobenius) - float(matrix.norm()))
    assert gap <= 4 * float(spectrum.frobenius_error)
    assert 0 < float(spectrum.frobenius_error) < 0.1 * float(matrix.norm())


def test_black_boxes_and_wrong_numbers_are_refused():
    def problem(differentiable):
        return Problem(forward=FourierMap(torch.ones(4, 4)), differentiable=differentiable,
                       reconstruct=lambda y, A: A.adjoint(y))  # fmt: skip

    images = torch.ones(1, 4, 4)
    with pytest.raises(InputError, match="a black box has no Jacobian"):
        local_spectrum(problem(False), images)
    for numbers in ({"n_probes": 1}, {"k": 0}, {"k": 5, "n_steps": 4}, {"domain": "kspace"}):
        with pytest.raises(InputError, match="Expected"):
            local_spectrum(problem(True), images, **numbers)


def test_what_torch_cannot_see_is_refused_and_what_is_constant_has_no_derivative():
    def detached(y, A):
        return A.adjoint(y.detach())

    with pytest.raises(InputError, match="without torch seeing it"):
        local_spectrum(networks.problem(detached), networks.images(1), k=1)
    constant = local_spectrum(networks.problem(networks.constant), networks.images(1), k=1)
    assert float(constant.singular_values) == 0


def test_total_variation_has_a_spectrum_that_finite_differences_confirm():
    A, image = lines(), scene()
    method = TotalVariation(strength=0.05)
    problem = Problem(forward=A, reconstruct=method)
    spectrum = local_spectrum(problem, image, k=1, n_steps=6, n_probes=2)
    step = 1e-7
    direction = spectrum.vectors[:, 0]
    difference = method(A(image + step * direction), A) - method(A(image - step * direction), A)
    measured = (difference / (2 * step)).flatten(1).norm(dim=1).double()
    torch.testing.assert_close(measured, spectrum.singular_values[:, 0], rtol=1e-3, atol=0)
