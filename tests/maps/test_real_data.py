"""Real CT slices through the Radon map, and raw data of eight coils through theirs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from shaketable.io import load_images
from shaketable.maps import (
    MultiCoilFourierMap,
    RadonMap,
    espirit_coils,
    filtered_back_projection,
    from_centred,
)
from shaketable.maps.sampling import equispaced_views
from shaketable.metrics import psnr
from tests.helpers.data import shared_data
from tests.helpers.oracles import relative_difference

pytestmark = pytest.mark.data


@pytest.mark.parametrize(
    ("part", "number"), [("abdomen/dicom", 10), ("thorax", 1), ("head", 3)], ids=lambda v: str(v)
)
def test_ct_slices_come_back_from_their_views(part: str, number: int) -> None:
    from skimage.transform import iradon

    folder = shared_data(f"ct/{part}")
    if part.startswith("abdomen"):
        pytest.importorskip("openjpeg", reason="no decoder for JPEG 2000 is installed")
    [image] = load_images(folder, slices=[number], shape=(257, 257), scale="hounsfield")
    x = torch.from_numpy(image.array).to(torch.float32)[None]
    quality = {}
    for n_views in (50, 200):
        A = RadonMap(equispaced_views().angles(n_views / 1000), (257, 257))
        data = A(x)
        result = filtered_back_projection(data, A)
        quality[n_views] = float(psnr(result, x)[0])
        theta = np.degrees(A.angles.numpy())
        other = iradon(
            data[0].numpy().astype(np.float64).T, theta=theta, output_size=257, circle=False
        )
        assert relative_difference(result[0], torch.from_numpy(other)) < 1e-5
    # Fifty views leave streaks; two hundred are nearly enough for 257 pixels.
    assert 26 < quality[50] < 29
    assert quality[200] > quality[50] + 9


def test_raw_brain_data_are_explained_by_one_image_and_its_coil_maps() -> None:
    pytest.importorskip("sigpy")
    raw = np.load(shared_data("kspace-brain/cartesian_ksp.npy"))
    data = from_centred(torch.from_numpy(raw)) / np.abs(raw).max()
    mask = (data != 0).any(dim=0)
    coils = espirit_coils(data)
    # A tenth of the samples outside the calibration square is kept aside.
    random = torch.rand(mask.shape, generator=torch.Generator().manual_seed(0))
    square = torch.zeros_like(mask)
    square[115 - 12 : 115 + 12, 90 - 12 : 90 + 12] = True
    aside = mask & (random < 0.1) & ~torch.fft.ifftshift(square)
    A = MultiCoilFourierMap(mask & ~aside, coils)
    image = _least_squares(A, data[None] * A.sampled, penalty=1e-2)
    assert relative_difference(A(image)[0], data * A.sampled) < 0.04
    # Samples that were not used are predicted: most of them is signal, the rest is noise.
    unseen = MultiCoilFourierMap(aside, coils)
    error = relative_difference(unseen(image)[0], data * aside)
    without = MultiCoilFourierMap(aside, coils)(A.adjoint(data[None] * A.sampled))
    assert error < 0.36
    assert error < 0.5 * relative_difference(without[0], data * aside)
    # The head is in the middle of the picture; in the corners nothing is seen.
    seen = (coils != 0).any(dim=0)
    assert bool(seen[60:170, 45:135].all())
    assert not bool(seen[:30, :25].any())


def _least_squares(
    forward: MultiCoilFourierMap, data: torch.Tensor, penalty: float, n_steps: int = 25
) -> torch.Tensor:
    """Minimise ``‖A x − y‖² + penalty ‖x‖²`` by conjugate gradients."""
    x = torch.zeros(1, *forward.image_shape, dtype=data.dtype)
    residual = forward.adjoint(data)
    direction, size = residual, residual.abs().square().sum()
    for _ in range(n_steps):
        image = forward.adjoint(forward(direction)) + penalty * direction
        step = size / (direction.conj() * image).real.sum()
        x, residual = x + step * direction, residual - step * image
        size, before = residual.abs().square().sum(), size
        direction = residual + size / before * direction
    return x
