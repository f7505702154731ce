"""Circulant operators on half spectra, beside whole ones of NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shaketable.sparse.circulant import (
    apply_symbol,
    fields_to_spectrum,
    occurrences,
    spectrum_to_fields,
)

sides = st.integers(min_value=2, max_value=21)


def random_planes(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape)


@settings(max_examples=40, deadline=None)
@given(height=sides, width=sides, n_planes=st.sampled_from([1, 2]))
def test_a_symbol_is_applied_as_numpy_applies_it(height: int, width: int, n_planes: int) -> None:
    planes = random_planes(2, n_planes, height, width)
    symbol = np.fft.fft2(random_planes(height, width))
    symbol = symbol.real**2 + symbol.imag**2  # even, as that of a real operator is
    image = planes[:, 0] + (1j * planes[:, 1] if n_planes == 2 else 0)
    expected = np.fft.ifft2(symbol * np.fft.fft2(image))
    found = apply_symbol(torch.from_numpy(symbol), torch.from_numpy(planes), n_planes).numpy()
    parts = [expected.real, expected.imag][:n_planes]
    np.testing.assert_allclose(found, np.stack(parts, 1), atol=1e-10 * np.abs(expected).max())


@settings(max_examples=40, deadline=None)
@given(height=sides, width=sides, n_planes=st.sampled_from([1, 2]))
def test_a_spectrum_has_the_energy_of_its_image(height: int, width: int, n_planes: int) -> None:
    planes = torch.from_numpy(random_planes(2, n_planes, height, width))
    spectrum = fields_to_spectrum(planes, n_planes)
    energy = (spectrum.abs().square() * occurrences(spectrum, width)).sum()
    assert float(energy) == pytest.approx(float(planes.square().sum()), rel=1e-12)
    back = spectrum_to_fields(spectrum, n_planes, width)
    torch.testing.assert_close(back, planes)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("side", [8, 24, 27, 32, 64, 128])
def test_real_images_have_the_same_bits_alone_and_in_a_batch(side: int, dtype: torch.dtype) -> None:
    planes = torch.from_numpy(random_planes(5, 1, side, side)).to(dtype)
    together = fields_to_spectrum(planes, 1)
    back = spectrum_to_fields(together, 1, side)
    for number in range(5):
        alone = fields_to_spectrum(planes[number : number + 1], 1)
        assert torch.equal(alone[0], together[number])
        assert torch.equal(spectrum_to_fields(alone, 1, side)[0], back[number])
