"""The multi-coil map against its definition and another library."""

import numpy as np
import pytest
import torch

from shaketable.errors import InputError, ShapeError
from shaketable.maps import FourierMap, MultiCoilFourierMap, birdcage_coils, check_map
from tests.helpers.oracles import dft_matrix, map_matrix, relative_difference


def _normal(*shape: int, dtype: torch.dtype = torch.complex128, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def _mask(*shape: int) -> torch.Tensor:
    return _normal(*shape, dtype=torch.float64, seed=9) > -0.3


@pytest.mark.parametrize("shape", [(4, 6), (5, 3)])
def test_is_the_masked_dft_matrix_of_each_coil(shape: tuple[int, int]) -> None:
    mask, coils = _mask(*shape), _normal(3, *shape)
    full = torch.kron(dft_matrix(shape[0]), dft_matrix(shape[1])) * mask.flatten()[:, None]
    expected = torch.cat([full * coil.flatten() for coil in coils])
    A = MultiCoilFourierMap(mask, coils)
    assert relative_difference(map_matrix(A), expected) < 1e-14


def test_agrees_with_sigpy() -> None:
    sigpy = pytest.importorskip("sigpy")
    mri = pytest.importorskip("sigpy.mri")
    shape = (12, 16)  # even, where both halves of a centred transform are the same shift
    mask, coils, image = _mask(*shape), _normal(4, *shape, seed=1), _normal(1, *shape, seed=2)

    def centred(x: torch.Tensor) -> np.ndarray:
        return torch.fft.fftshift(x, dim=(-2, -1)).numpy()

    sense = mri.linop.Sense(centred(coils), weights=centred(mask.to(torch.float64)))
    expected = np.fft.ifftshift(sense(centred(image[0])), axes=(-2, -1))
    A = MultiCoilFourierMap(mask, coils)
    data = A(image)
    assert relative_difference(data[0], torch.from_numpy(expected)) < 1e-12
    back = np.fft.ifftshift(sense.H(centred(data[0])), axes=(-2, -1))
    assert relative_difference(A.adjoint(data)[0], torch.from_numpy(back)) < 1e-12
    assert sigpy.__version__


def test_one_flat_coil_is_the_single_coil_map() -> None:
    mask, image = _mask(8, 9), _normal(2, 8, 9)
    A = MultiCoilFourierMap(mask, torch.ones(1, 8, 9, dtype=torch.complex128))
    B = FourierMap(mask)
    assert torch.equal(A(image)[:, 0], B(image))
    assert torch.equal(A.adjoint(A(image)), B.adjoint(B(image)))


def test_normalised_coils_and_all_samples_give_the_image_back() -> None:
    coils = birdcage_coils(6, (24, 20), dtype=torch.complex128)
    A = MultiCoilFourierMap(torch.ones(24, 20), coils)
    image = _normal(2, 24, 20)
    assert relative_difference(A.adjoint(A(image)), image) < 1e-14
    assert check_map(A, dtype=torch.complex128).norm == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize(
    ("dtype", "limit"), [(torch.complex64, 1e-6), (torch.complex128, 1e-12), (torch.float32, 1e-6)]
)
def test_passes_the_check_of_maps(dtype: torch.dtype, limit: float) -> None:
    A = MultiCoilFourierMap(_mask(40, 36), birdcage_coils(5, (40, 36)))
    assert check_map(A, dtype=dtype).adjoint_gap <= limit


def test_sampled_is_the_mask_for_every_coil() -> None:
    mask = _mask(6, 7)
    A = MultiCoilFourierMap(mask, birdcage_coils(3, (6, 7)))
    assert A.sampled.shape == A.data_shape == (3, 6, 7)
    assert A.sampled.dtype == torch.bool
    assert all(torch.equal(of_one, mask) for of_one in A.sampled)
    data = A(_normal(1, 6, 7))
    assert bool((data[:, ~A.sampled] == 0).all())


def test_description_tells_coil_maps_apart() -> None:
    mask = torch.eye(8)
    described = MultiCoilFourierMap(mask, birdcage_coils(4, (8, 8))).describe()
    other = MultiCoilFourierMap(mask, birdcage_coils(4, (8, 8), radius=2)).describe()
    assert described["type"] == "multi-coil-fourier"
    assert (described["shape"], described["n_coils"], described["rate"]) == ([8, 8], 4, 0.125)
    assert described["coils_sha256"] != other["coils_sha256"]


def test_real_coil_maps_are_taken_as_complex() -> None:
    A = MultiCoilFourierMap(torch.ones(4, 4), torch.ones(2, 4, 4))
    assert A.coils.dtype == torch.complex64


@pytest.mark.parametrize(
    ("coils", "error", "sentence"),
    [
        (torch.ones(4, 4), ShapeError, r"coil maps of shape \(C, 4, 4\), as the mask"),
        (torch.ones(2, 4, 5), ShapeError, r"got \(2, 4, 5\)"),
        (torch.ones(0, 4, 4), ShapeError, r"got \(0, 4, 4\)"),
        (torch.zeros(2, 4, 4), InputError, "not all zero"),
        (torch.full((2, 4, 4), float("nan")), InputError, "finite coil maps"),
        (torch.ones(2, 4, 4, dtype=torch.int64), InputError, r"got torch\.int64"),
    ],
)
def test_refuses_coil_maps_that_are_none(
    coils: torch.Tensor, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        MultiCoilFourierMap(torch.ones(4, 4), coils)


def test_refuses_masks_that_are_none() -> None:
    with pytest.raises(InputError, match="zeros and ones"):
        MultiCoilFourierMap(torch.full((4, 4), 0.5), torch.ones(2, 4, 4))


def test_refuses_data_without_a_coil_axis() -> None:
    A = MultiCoilFourierMap(torch.ones(4, 6), birdcage_coils(2, (4, 6)))
    with pytest.raises(ShapeError, match=r"Expected data of shape \(B, 2, 4, 6\)"):
        A.adjoint(torch.zeros(1, 4, 6))
