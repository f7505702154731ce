"""What check_map measures, and what it says of maps with one mistake each."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from shaketable.errors import AdjointError, InputError, LinearityError, MapError, ShapeError
from shaketable.maps import FourierMap, MatrixMap, NumpyMap, check_map


def _mask() -> Tensor:
    return torch.rand(12, 12, generator=torch.Generator().manual_seed(0)) < 0.5


class Changed:
    """A Fourier map with one part replaced."""

    def __init__(
        self,
        *,
        call: Callable[[Tensor], Tensor] | None = None,
        adjoint: Callable[[Tensor], Tensor] | None = None,
        sampled: Tensor | None = None,
    ) -> None:
        self.map = FourierMap(_mask())
        self.image_shape = self.data_shape = (12, 12)
        self.call = call or self.map
        self.adjoint = adjoint or self.map.adjoint
        self.sampled = sampled

    def __call__(self, image: Tensor) -> Tensor:
        return self.call(image)


FOURIER = FourierMap(_mask())


@pytest.mark.parametrize(
    ("dtype", "limit"),
    [
        (torch.float32, 1e-6),
        (torch.complex64, 1e-6),
        (torch.float64, 1e-12),
        (torch.complex128, 1e-12),
    ],
)
def test_a_right_map_passes_with_its_numbers(dtype: torch.dtype, limit: float) -> None:
    report = check_map(FOURIER, dtype=dtype)
    assert 0 <= report.adjoint_gap <= limit
    assert 0 < report.linearity_gap <= 10 * limit
    assert report.dtype == dtype
    assert report.data_dtype.is_complex
    assert report.image_shape == report.data_shape == (12, 12)
    names = [check.name for check in report.checks]
    assert names == ["linearity", "sampled", "adjoint", "batch", "autograd"]
    assert all(check.value <= check.limit for check in report.checks)


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_norm_is_the_largest_singular_value(dtype: torch.dtype) -> None:
    matrix = torch.randn(9, 12, dtype=dtype, generator=torch.Generator().manual_seed(3))
    report = check_map(MatrixMap(matrix), dtype=dtype)
    expected = float(torch.linalg.matrix_norm(matrix, 2))
    assert report.norm == pytest.approx(expected, rel=1e-4)
    assert report.norm <= expected * (1 + 1e-12)
    assert 0 <= report.norm_change < 1e-3


def test_norm_of_a_complex_matrix_over_real_images() -> None:
    matrix = torch.randn(5, 4, dtype=torch.complex128, generator=torch.Generator().manual_seed(4))
    report = check_map(MatrixMap(matrix), dtype=torch.float64)
    stacked = torch.cat([matrix.real, matrix.imag])
    assert report.norm == pytest.approx(float(torch.linalg.matrix_norm(stacked, 2)), rel=1e-4)


def test_the_seed_decides_the_numbers() -> None:
    first, second, other = (check_map(FOURIER, seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert first.linearity_gap != other.linearity_gap


@pytest.mark.parametrize(
    ("adjoint", "sentence"),
    [
        (
            lambda y: 4.34 * FOURIER.adjoint(y),
            r"the adjoint times 4\.34; divide its image by 4\.34",
        ),
        (lambda y: -1j * FOURIER.adjoint(y), r"the adjoint times -1j; divide its image by -1j"),
        (
            lambda y: FOURIER.adjoint(y.conj()).conj(),
            "the transpose without the conjugate; conjugate the data before",
        ),
        (
            lambda y: 2 * FOURIER.adjoint(y.conj()).conj(),
            "the transpose without the conjugate times 2; .* divide its image by 2",
        ),
        (lambda y: FOURIER.adjoint(y).mT, "rows and columns swapped; swap them"),
        (lambda y: FOURIER(y), "returns the same as A; it must map data back"),
        (lambda y: FOURIER.adjoint(y).roll(1, -1), "no multiple, conjugate or transpose"),
    ],
)
def test_a_wrong_adjoint_is_described(adjoint: Callable[[Tensor], Tensor], sentence: str) -> None:
    with pytest.raises(AdjointError, match=sentence) as caught:
        check_map(Changed(adjoint=adjoint))
    assert caught.value.gap > caught.value.limit == 1e-6


def test_an_adjoint_that_forgets_the_mask_is_described() -> None:
    forgetful = lambda y: torch.fft.ifft2(y, norm="ortho")  # noqa: E731
    with pytest.raises(AdjointError, match=r"multiply the data by A\.sampled first"):
        check_map(Changed(adjoint=forgetful, sampled=_mask()))
    # On the range of A this adjoint is right, so pairs with y = A x alone would let it pass.
    with pytest.raises(AdjointError, match="no multiple, conjugate or transpose"):
        check_map(Changed(adjoint=forgetful))


def test_antilinear_adjoints_are_no_adjoints() -> None:
    for adjoint in (lambda y: FOURIER.adjoint(y).conj(), lambda y: FOURIER.adjoint(y.conj())):
        with pytest.raises(LinearityError, match=r"A\.adjoint to be linear .*: it conjugates"):
            check_map(Changed(adjoint=adjoint))


def test_an_unscaled_fft_pair_is_a_scaled_adjoint() -> None:
    A = NumpyMap(forward=np.fft.fft2, adjoint=np.fft.ifft2, image_shape=(4, 8), data_shape=(4, 8))
    with pytest.raises(AdjointError, match=r"the adjoint times 0\.03125"):
        check_map(A)


def test_one_wrong_entry_of_a_large_matrix_is_found() -> None:
    matrix = torch.randn(64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(6))
    wrong = matrix.clone()
    wrong[3, 5] += 1e-6
    A = NumpyMap(
        forward=lambda x: matrix.numpy() @ x,
        adjoint=lambda y: wrong.numpy().T @ y,
        image_shape=(64,),
        data_shape=(64,),
    )
    with pytest.raises(AdjointError):
        check_map(A, dtype=torch.float64)


def test_shapes_are_compared_before_any_product() -> None:
    A = NumpyMap(forward=lambda x: x, adjoint=lambda y: y, image_shape=(3, 4), data_shape=(4, 3))
    with pytest.raises(ShapeError, match=r"forward to return shape \(4, 3\), got \(3, 4\)"):
        check_map(A)
    with pytest.raises(
        ShapeError, match=r"A to return shape \(2, 12, 12\).*got \(2, 6, 12\)"
    ) as no:
        check_map(Changed(call=lambda x: x[:, ::2]))
    assert no.value.expected == (2, 12, 12)
    with pytest.raises(ShapeError, match=r"A\.adjoint to return shape .*got \(2, 144\)"):
        check_map(Changed(adjoint=lambda y: y.flatten(1)))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda x: FOURIER(x) + 0.1, "sends zero to something else"),
        (lambda x: FOURIER(x) + 0.1 * torch.randn_like(x), "two calls with the same argument"),
        (lambda x: FOURIER(x.real), "linear over real numbers only; .* dtype=torch.float32"),
        (lambda x: FOURIER(x) * x.abs(), "put what is not linear into the reconstructor"),
    ],
)
def test_what_is_not_linear_is_described(call: Callable[[Tensor], Tensor], sentence: str) -> None:
    torch.manual_seed(0)
    with pytest.raises(LinearityError, match=sentence):
        check_map(Changed(call=call))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda x: FOURIER(x) / 0, "finite numbers, got NaN or infinity"),
        (lambda x: 0 * FOURIER(x), "to something, got zeros"),
        (lambda x: FOURIER(x.to(torch.complex128)), "keep the precision"),
        (lambda x: x.numpy(), "return a tensor, got ndarray; wrap NumPy"),
        (lambda x: x.no_such_thing, "got AttributeError.*dtype=torch.float32"),
        (lambda x: FOURIER(x.roll(1, 0)), "mapped on its own"),
        (lambda x: FOURIER(x.detach()), "without gradient; wrap NumPy functions in NumpyMap"),
        (lambda x: 2 * FOURIER(x).detach() - FOURIER(x), "relative difference of 2"),
    ],
)
def test_other_mistakes_are_map_errors(call: Callable[[Tensor], Tensor], sentence: str) -> None:
    with pytest.raises(MapError, match=sentence):
        check_map(Changed(call=call))


def test_gradients_are_left_alone_where_there_are_none() -> None:
    report = check_map(Changed(call=lambda x: FOURIER(x.detach())), differentiable=False)
    assert "autograd" not in [check.name for check in report.checks]


@pytest.mark.parametrize(
    ("sampled", "error", "sentence"),
    [
        (~_mask(), MapError, "zeros where A.sampled is False"),
        (_mask().float(), MapError, "to be boolean"),
        (_mask()[None], ShapeError, r"A\.sampled of shape \(12, 12\)"),
    ],
)
def test_sampled_positions_must_be_the_ones(
    sampled: Tensor, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        check_map(Changed(sampled=sampled))


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(InputError, match="function without image_shape, data_shape"):
        check_map(lambda x: x)
    with pytest.raises(InputError, match=r"got torch\.int64"):
        check_map(FOURIER, dtype=torch.int64)
    with pytest.raises(InputError, match="n_pairs=0"):
        check_map(FOURIER, n_pairs=0)


def test_a_looser_limit_lets_a_rough_adjoint_pass() -> None:
    rough = Changed(adjoint=lambda y: 1.001 * FOURIER.adjoint(y))
    with pytest.raises(AdjointError):
        check_map(rough)
    assert 1e-6 < check_map(rough, limit=1e-2).adjoint_gap < 1e-2
