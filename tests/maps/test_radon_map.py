"""The Radon map against its definition, exact line integrals, and other libraries."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, map_coordinates

from shaketable.errors import InputError, ShapeError
from shaketable.maps import RadonMap, check_map
from tests.helpers.ellipses import PHANTOM, line_integrals, pixel_means
from tests.helpers.oracles import map_matrix, relative_difference


def _evenly(n_views: int) -> np.ndarray:
    return np.arange(n_views) * np.pi / n_views


def _walked(image: np.ndarray, angle: float, s: float) -> float:
    """One ray, followed step by step with SciPy's interpolation."""
    height, width = image.shape
    cosine, sine = np.cos(angle), np.sin(angle)
    if abs(cosine) >= abs(sine):
        rows = np.arange(height, dtype=float)
        columns = (s - ((height - 1) / 2 - rows) * sine) / cosine + (width - 1) / 2
    else:
        columns = np.arange(width, dtype=float)
        rows = (height - 1) / 2 - (s - (columns - (width - 1) / 2) * cosine) / sine
    padded = np.pad(image, 2)  # zero outside, and reached linearly
    values = map_coordinates(padded, [rows + 2, columns + 2], order=1, cval=0.0)
    return float(values.sum() / max(abs(cosine), abs(sine)))


@pytest.mark.parametrize("shape", [(9, 9), (8, 8), (6, 11), (12, 5)])
def test_follows_each_ray_by_linear_interpolation(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).normal(size=shape)
    angles = np.array([0.0, 0.4, np.pi / 4, 1.3, np.pi / 2, 2.0, 2.9, -0.7, 4.0])
    A = RadonMap(angles, shape)
    n_detectors = A.data_shape[1]
    assert n_detectors % 2 == 1
    assert n_detectors >= np.hypot(*shape)
    s = np.arange(n_detectors) - (n_detectors - 1) / 2
    expected = np.array([[_walked(image, angle, at) for at in s] for angle in angles])
    got = A(torch.from_numpy(image)[None])
    assert relative_difference(got[0], torch.from_numpy(expected)) < 1e-13


def test_is_as_near_to_exact_line_integrals_as_pixels_allow() -> None:
    errors = []
    for n_pixels in (64, 128, 256):
        angles = _evenly(30)
        A = RadonMap(angles, (n_pixels, n_pixels))
        exact = line_integrals(PHANTOM, angles, A.data_shape[1], n_pixels)
        data = A(torch.from_numpy(pixel_means(PHANTOM, n_pixels))[None])[0]
        errors.append(relative_difference(data, torch.from_numpy(exact)))
    assert errors[0] < 0.02
    assert errors[2] < 0.004
    assert errors[1] / errors[2] > 1.8  # first order, the best that jumps allow
    assert errors[0] / errors[1] > 1.8


def test_the_unit_of_length_is_a_pixel_and_every_view_sees_all_of_the_image() -> None:
    image = torch.zeros(1, 41, 41, dtype=torch.float64)
    image[:, 10:31, 10:31] = 2.0
    data = RadonMap([0.0, np.pi / 2], (41, 41))(image)
    assert data[0, :, data.shape[2] // 2].tolist() == pytest.approx([42, 42])
    inside = torch.rand((1, 24, 30), dtype=torch.float64, generator=torch.manual_seed(0))
    sums = RadonMap([0.0, np.pi / 2, np.pi], (24, 30), n_detectors=40)(inside).sum(dim=2)
    # Along the axes, each pixel counts once; the grid of detectors lies between pixels in one.
    assert sums[0].tolist() == pytest.approx([float(inside.sum())] * 3)


def test_angles_turn_counter_clockwise_from_rays_along_columns() -> None:
    image = torch.zeros(1, 21, 21)
    image[0, 4, 15] = 1.0  # six rows above the middle, five columns right of it
    data = RadonMap([0.0, np.pi / 2, np.pi], (21, 21))(image)[0]
    middle = data.shape[1] // 2
    assert (data.argmax(dim=1) - middle).tolist() == [5, 6, -5]


def test_agrees_with_scikit_image() -> None:
    from skimage.transform import radon

    noise = np.random.default_rng(1).normal(size=(85, 85))
    window = np.hypot(*np.mgrid[-42:43, -42:43]) < 34
    image = gaussian_filter(noise * window, 3)
    angles = _evenly(36)
    reference = radon(image, theta=np.degrees(angles), circle=False).T
    middle = reference.shape[1] // 2
    data = RadonMap(angles, (85, 85), n_detectors=101)(torch.from_numpy(image)[None])[0]
    expected = torch.from_numpy(reference[:, middle - 50 : middle + 51].copy())
    assert relative_difference(data, expected) < 0.01


def test_agrees_with_astra() -> None:
    astra = pytest.importorskip("astra", reason="the library ASTRA is not installed")
    angles = _evenly(24) + 0.05
    A = RadonMap(angles, (40, 52))
    volume = astra.create_vol_geom(40, 52)
    rays = astra.create_proj_geom("parallel", 1.0, A.data_shape[1], angles)
    projector = astra.create_projector("linear", rays, volume)
    number = astra.projector.matrix(projector)
    expected = torch.from_numpy(astra.matrix.get(number).toarray())
    astra.matrix.delete(number)
    astra.projector.delete(projector)
    got = map_matrix(A, torch.float64)
    assert relative_difference(got, expected) < 5e-4  # ASTRA sums up places in single precision
    assert float((got - expected).abs().max()) < 5e-3


@pytest.mark.parametrize(
    ("dtype", "limit"),
    [(torch.float32, 1e-6), (torch.complex64, 1e-6), (torch.float64, 1e-12),
     (torch.complex128, 1e-12)],
)  # fmt: skip
def test_passes_the_check_of_maps(dtype: torch.dtype, limit: float) -> None:
    report = check_map(RadonMap(_evenly(50), (128, 128)), dtype=dtype)
    assert report.adjoint_gap <= limit


def test_complex_images_are_mapped_part_by_part() -> None:
    A = RadonMap(_evenly(7), (12, 10))
    image = torch.randn(3, 12, 10, dtype=torch.complex128, generator=torch.manual_seed(2))
    expected = torch.complex(A(image.real), A(image.imag))
    assert relative_difference(A(image), expected) < 1e-14
    conjugated = torch.complex(A(image.real), A(-image.imag))
    assert relative_difference(A(image.conj()), conjugated) < 1e-14


def test_a_subset_of_views_is_a_subset_of_the_data() -> None:
    angles = _evenly(20)
    image = torch.rand(2, 16, 16, dtype=torch.float64, generator=torch.manual_seed(3))
    every, some = RadonMap(angles, (16, 16)), RadonMap(angles[::4], (16, 16))
    assert torch.equal(some(image)[0], every(image)[0, ::4])


def test_half_a_turn_is_the_mirrored_view() -> None:
    image = torch.rand(1, 15, 18, dtype=torch.float64, generator=torch.manual_seed(4))
    there = RadonMap([0.3, 1.4], (15, 18))(image)
    back = RadonMap([0.3 + np.pi, 1.4 - np.pi], (15, 18))(image)
    assert relative_difference(back, there.flip(-1)) < 1e-12


def test_describes_its_angles() -> None:
    described = RadonMap([0.0, 1.0], (4, 6)).describe()
    assert described == {
        "type": "radon", "shape": [4, 6], "n_angles": 2, "n_detectors": 9, "angles": [0.0, 1.0],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("angles", "shape", "n_detectors", "sentence"),
    [
        ([], (8, 8), None, "at least one finite angle"),
        ([[0.0, 1.0]], (8, 8), None, r"got shape \(1, 2\)"),
        ([0.0, float("nan")], (8, 8), None, "NaN or infinity"),
        (["north"], (8, 8), None, "angles as a list of numbers"),
        ([0.0], (8,), None, r"image of shape \(H, W\)"),
        ([0.0], (8, 0), None, "two positive whole numbers"),
        ([0.0], (8, 8), 0, "at least one detector"),
    ],
)
def test_refuses_what_is_no_geometry(
    angles: list[float], shape: tuple[int, int], n_detectors: int | None, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        RadonMap(angles, shape, n_detectors=n_detectors)


def test_refuses_images_of_another_size() -> None:
    A = RadonMap([0.0], (8, 6))
    with pytest.raises(ShapeError, match=r"Expected image of shape \(B, 8, 6\)"):
        A(torch.zeros(1, 6, 8))
    with pytest.raises(ShapeError, match=r"Expected data of shape \(B, 1, 11\)"):
        A.adjoint(torch.zeros(1, 11))
    with pytest.raises(InputError, match=r"got torch\.float16"):
        A(torch.zeros(1, 8, 6, dtype=torch.float16))
