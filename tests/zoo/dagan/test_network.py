"""DAGAN's generator and discriminator against plain NumPy layers, and their contracts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from shaketable.errors import InputError
from shaketable.maps import FourierMap
from shaketable.zoo.dagan.network import DAGAN, BatchNorm, DAGANDiscriminator, DAGANGenerator
from tests.helpers.oracles import directional_derivative, relative_difference

Array = npt.NDArray[np.float64]


def small_network(seed: int = 0) -> DAGAN:
    """Five levels in double precision, every number random, running statistics included."""
    generator = torch.Generator().manual_seed(seed)
    network = DAGAN(width=2, n_levels=5).double().eval().requires_grad_(False)
    for name, value in network.state_dict().items():
        drawn = torch.randn(value.shape, dtype=torch.float64, generator=generator)
        if name.endswith("running_var"):
            value.copy_(drawn.abs() + 0.5)
        elif value.ndim == 4:
            value.copy_(drawn / (value[0].numel()) ** 0.5)
        else:
            value.copy_(0.2 * drawn + (1.0 if "norm" in name and "weight" in name else 0.0))
    return network


def problem(n_images: int = 2, size: int = 32) -> tuple[FourierMap, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    mask = torch.rand(size, generator=generator) < 0.4
    mask[0] = True
    images = torch.rand(n_images, size, size, dtype=torch.float64, generator=generator)
    return FourierMap(mask.expand(size, size)), images


def down(x: Array, kernel: Array, bias: Array) -> Array:
    """Stride 2, one pixel of zeros around, straight from the definition."""
    x = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    size = x.shape[1] // 2 - 1
    out = np.zeros((len(kernel), size, size)) + bias[:, None, None]
    for i, j in np.ndindex(4, 4):
        seen = x[:, i : i + 2 * size : 2, j : j + 2 * size : 2]
        out += np.einsum("oc,chw->ohw", kernel[:, :, i, j], seen)
    return out


def up(x: Array, kernel: Array, bias: Array) -> Array:
    """The transpose of :func:`down`: every pixel paints a 4x4 patch."""
    size = 2 * x.shape[1]
    out = np.zeros((kernel.shape[1], size + 2, size + 2))
    for i, j in np.ndindex(4, 4):
        out[:, i : i + size : 2, j : j + size : 2] += np.einsum(
            "ihw,io->ohw", x, kernel[:, :, i, j]
        )
    return out[:, 1:-1, 1:-1] + bias[:, None, None]


def norm(x: Array, state: dict[str, Array], name: str) -> Array:
    scale = state[f"{name}.weight"] / np.sqrt(state[f"{name}.running_var"] + 1e-5)
    centred = x - state[f"{name}.running_mean"][:, None, None]
    return centred * scale[:, None, None] + state[f"{name}.bias"][:, None, None]


def leaky(x: Array) -> Array:
    return np.where(x > 0, x, 0.2 * x)


def plain_generator(state: dict[str, Array], image: Array, n_levels: int = 5) -> Array:
    def layer(name: str, x: Array) -> Array:
        function = down if name.startswith("down") else up
        return function(x, state[f"{name}.weight"], state[f"{name}.bias"])

    levels = [layer("down.0", image)]
    for level in range(1, n_levels - 1):
        levels.append(
            leaky(norm(layer(f"down.{level}", levels[-1]), state, f"down_norms.{level - 1}"))
        )
    hidden = leaky(layer(f"down.{n_levels - 1}", levels[-1]))
    for level in range(n_levels):
        hidden = np.maximum(norm(layer(f"up.{level}", hidden), state, f"up_norms.{level}"), 0)
        if level < n_levels - 1:
            hidden = np.concatenate([hidden, levels[n_levels - 2 - level]])
    weight, bias = state["last.weight"][:, :, 0, 0], state["last.bias"]
    correction = np.tanh(np.einsum("oc,chw->ohw", weight, hidden) + bias[:, None, None])
    return np.clip(correction + image, -1, 1)


def test_equals_plain_layers() -> None:
    network = small_network()
    forward, images = problem()
    data = forward(images)
    state = {
        name.removeprefix("generator."): value.numpy()
        for name, value in network.state_dict().items()
    }
    expected = []
    for y in data.numpy():
        aliased = np.abs(np.fft.ifft2(forward.mask.numpy() * y, norm="ortho"))
        expected.append((plain_generator(state, 2 * aliased[None] - 1)[0] + 1) / 2)
    got = network(data, forward)
    assert got.dtype == torch.float64
    assert relative_difference(got, torch.from_numpy(np.stack(expected))) < 1e-12
    assert relative_difference(got, forward.adjoint(data).abs()) > 0.05


def test_the_published_sizes() -> None:
    with torch.device("meta"):
        generator = DAGANGenerator()
        discriminator = DAGANDiscriminator()
    down_channels = [layer.out_channels for layer in generator.down]
    up_channels = [(layer.in_channels, layer.out_channels) for layer in generator.up]
    assert down_channels == [64, 128, 256, 512, 512, 512, 512, 512]
    assert up_channels == [
        (512, 512), (1024, 1024), (1536, 1024), (1536, 1024), (1536, 256), (512, 128), (256, 64),
        (128, 64),
    ]  # fmt: skip
    assert discriminator.last.in_features == 512 * 4 * 4
    assert discriminator(torch.zeros(2, 1, 256, 256, device="meta")).shape == (2,)


def test_images_of_a_batch_do_not_meet() -> None:
    network = small_network()
    forward, images = problem(n_images=3)
    data = forward(images)
    alone = torch.cat([network(y[None], forward) for y in data])
    assert relative_difference(network(data, forward), alone) < 1e-13


def test_gradient_is_that_of_finite_differences() -> None:
    network = small_network()
    forward, images = problem(n_images=1)
    weight, direction = torch.randn_like(images), torch.randn_like(images)

    def response(x: torch.Tensor) -> torch.Tensor:
        return (weight * network(forward(x), forward)).sum()

    x = images.clone().requires_grad_(True)
    response(x).backward()
    assert x.grad is not None
    derivative = float(directional_derivative(response, images, direction))
    assert float((x.grad * direction).sum()) == pytest.approx(derivative, rel=1e-5)


def test_the_gradient_reaches_complex_data() -> None:
    network = small_network()
    forward, images = problem(n_images=1)
    data = forward(images).detach().requires_grad_(True)
    network(data, forward).sum().backward()
    assert data.grad is not None
    assert data.grad.is_complex()
    assert float(data.grad.abs().max()) > 0
    assert float(data.grad[:, ~forward.mask].abs().max()) == 0


def test_output_is_limited() -> None:
    forward, images = problem()
    output = small_network()(forward(10 * images), forward)
    assert float(output.max()) <= 1
    assert float(output.min()) >= 0


def test_batch_norm_is_that_of_torch() -> None:
    ours, theirs = BatchNorm(3), torch.nn.BatchNorm2d(3)
    x = 2 * torch.randn(4, 3, 5, 5) + 1
    for _ in range(3):
        assert torch.allclose(ours(x), theirs(x), atol=1e-6)
    ours.eval(), theirs.eval()
    assert torch.allclose(ours(x), theirs(x), atol=1e-6)
    assert all(value.is_floating_point() for value in ours.state_dict().values())


def test_discriminator_learns_to_tell_two_images_apart() -> None:
    torch.manual_seed(0)
    discriminator = DAGANDiscriminator(width=2, size=64)
    images = torch.stack([torch.zeros(1, 64, 64), torch.rand(1, 64, 64)])
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-2)
    target = torch.tensor([0.0, 1.0])
    losses = []
    for _ in range(20):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(discriminator(images), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


def test_says_what_is_wrong() -> None:
    network = small_network()
    forward = FourierMap(torch.ones(24, 32))
    with pytest.raises(InputError, match=r"multiples of 32, got \(24, 32\)"):
        network(torch.zeros(1, 24, 32, dtype=torch.complex64), forward)
    with pytest.raises(InputError, match=r"shape \(B, 32, 32\), got \(32, 32\)"):
        network(torch.zeros(32, 32, dtype=torch.complex64), FourierMap(torch.ones(32, 32)))
    with pytest.raises(InputError, match="at least 5 levels"):
        DAGANGenerator(n_levels=4)
    with pytest.raises(InputError, match="multiple of 64"):
        DAGANDiscriminator(size=100)
