"""Train the U-Net of this folder in about a minute, then test it.

python train.py
shaketable run plan.yaml --out ../../runs/unet
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from unet import Reconstruction

import shaketable as st

HERE = Path(__file__).parent
SIZE = 64


def phantom(random: np.random.Generator) -> np.ndarray:
    """An ellipse with smaller ellipses in it, peak 1."""
    rows, columns = np.mgrid[:SIZE, :SIZE] / (SIZE / 2) - 1
    image = np.zeros((SIZE, SIZE))
    for index in range(9):
        size = random.uniform(0.65, 0.85, 2) if index == 0 else random.uniform(0.06, 0.3, 2)
        place = random.uniform(-0.05, 0.05, 2) if index == 0 else random.uniform(-0.45, 0.45, 2)
        angle = random.uniform(0, np.pi)
        u = np.cos(angle) * (rows - place[0]) + np.sin(angle) * (columns - place[1])
        v = np.cos(angle) * (columns - place[1]) - np.sin(angle) * (rows - place[0])
        edge = np.clip(8 * (1 - np.hypot(u / size[0], v / size[1])), 0, 1)
        image += edge * (0.6 if index == 0 else random.uniform(-0.3, 0.4))
    return image.clip(0) / image.max()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args()

    torch.manual_seed(0)
    random = np.random.default_rng(0)
    images = np.stack([phantom(random) for _ in range(204)]).astype(np.float32)
    options.out.mkdir(parents=True, exist_ok=True)
    np.save(options.out / "test.npy", images[:4])  # the network never sees these
    training = torch.from_numpy(images[4:]).to(torch.complex64)

    pattern = st.maps.sampling.cartesian_variable_density((SIZE, SIZE), seed=0, n_center=6)
    A = st.FourierMap(pattern.mask(1 / 3))
    f = Reconstruction()
    optimizer = torch.optim.Adam(f.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=options.steps)
    for step in range(1, options.steps + 1):
        x = training[torch.randint(len(training), (8,))]
        loss = (f(A(x), A) - x).abs().square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"step {step} of {options.steps}: root mean square error {loss.sqrt():.4f}")
    save_file(f.state_dict(), options.out / "weights.safetensors")

    test = torch.from_numpy(images[:4]).to(torch.complex64)
    with torch.no_grad():
        quality = [
            st.metrics.psnr(g(A(test), A), test).mean() for g in (f, lambda y, A: A.adjoint(y))
        ]
    print(f"held-out images: U-Net {quality[0]:.1f} dB, zero-filled {quality[1]:.1f} dB")


if __name__ == "__main__":
    main()
