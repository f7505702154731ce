"""Complex tensors as real vectors: there and back, products, orthonormal rows."""

import pytest
import torch

from shaketable.real_vectors import (
    from_real_parts,
    from_real_rows,
    orthonormal,
    real_parts,
    real_rows,
)

DTYPES = [torch.float32, torch.float64, torch.complex64, torch.complex128]


def draw(dtype, *shape):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("dtype", DTYPES)
def test_there_and_back_changes_nothing(dtype):
    x = draw(dtype, 3, 4, 5)
    assert torch.equal(from_real_parts(real_parts(x), x), x)
    assert torch.equal(from_real_rows(real_rows(x), x), x)
    assert real_rows(x).shape == (3, 20 * (2 if dtype.is_complex else 1))
    assert from_real_rows(real_rows(x).double(), x).dtype == dtype
    assert real_rows(x[:0]).shape == (0, real_rows(x).shape[1])


def test_a_conjugated_or_transposed_view_is_seen_as_it_is():
    x = draw(torch.complex64, 4, 3, 3).mH
    assert torch.equal(from_real_rows(real_rows(x), x), x)
    assert torch.equal(real_parts(x)[..., 1], x.imag)


def test_products_are_real_parts_of_complex_ones():
    x, y = draw(torch.complex128, 2, 6), draw(torch.complex128, 2, 6).roll(1, 0)
    expected = torch.stack([torch.vdot(a, b).real for a, b in zip(x, y, strict=True)])
    torch.testing.assert_close((real_rows(x) * real_rows(y)).sum(1), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_orthonormal_rows_keep_the_span_and_the_order(dtype):
    x = draw(dtype, 4, 3, 3)
    rows = real_rows(orthonormal(x)).double()
    torch.testing.assert_close(rows @ rows.T, torch.eye(4).double(), atol=1e-5, rtol=0)
    triangle = rows @ real_rows(x).double().T
    assert float(triangle.tril(-1).abs().max()) < 1e-5  # row k of x needs the first k rows only
    assert bool((triangle.diagonal() > 0).all())
