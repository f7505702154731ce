"""The images that nilearn bundles."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from shaketable.errors import MissingDependencyError
from shaketable.zoo import bundled_image_ids, bundled_images, template_training_images
from shaketable.zoo.images import bundled


def test_slices_show_a_brain_in_the_middle() -> None:
    complex_images = bundled_images((64, 64))
    assert complex_images.dtype == torch.complex64
    images = complex_images.abs()
    assert images.shape == (8, 64, 64)
    assert images.min() == 0
    assert torch.allclose(images.amax(dim=(1, 2)), torch.ones(8))
    # The border is air, and left and right halves show the same brain.
    assert float(images[:, :, :4].max()) < 0.02
    halves = images[:, :, :32].sum(dim=(1, 2)) / images.sum(dim=(1, 2))
    assert torch.allclose(halves, torch.full((8,), 0.5), atol=0.05)


def test_phase_is_smooth_and_leaves_no_symmetry() -> None:
    image = bundled_images((64, 64))[4]
    inside = image.abs() > 0.2
    turns = torch.angle(image[1:] * image[:-1].conj())[inside[1:] & inside[:-1]]
    assert float(turns.abs().max()) < 0.3
    spectrum = torch.fft.fft2(image)
    mirrored = spectrum.flip(0, 1).roll((1, 1), (0, 1)).conj()
    assert float((spectrum - mirrored).norm() / spectrum.norm()) > 0.5


def test_names_say_the_plane() -> None:
    names = bundled_image_ids()
    assert len(set(names)) == 8
    assert "mni152-z095" in names


def test_training_slices_keep_their_distance() -> None:
    trained = template_training_images(32)
    assert trained.shape[1:] == (32, 32)
    planes = [
        plane
        for plane in range(30, 141)
        if all(abs(plane - tested) > 2 for tested in bundled.TEST_SLICES)
    ]
    assert len(trained) == len(planes)
    tested = bundled.square_image(bundled.axial_slice(95), 32)
    assert not any(np.array_equal(image, tested) for image in trained.numpy())


def test_says_how_to_get_nilearn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nilearn.datasets", None)
    bundled._template.cache_clear()
    with pytest.raises(MissingDependencyError, match=r"pip install 'shaketable\[demo\]'"):
        bundled_images((64, 64))
