"""FBPConvNet in NumPy loops, written from MatConvNet's definitions, on MATLAB's axes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
from scipy.signal import correlate2d

# MatConvNet adds this to the variance.
EPSILON = 1e-4
N_POOLINGS = 4


@dataclass
class PlainNetwork:
    """Arrays as MATLAB holds them: filters ``(H, W, in, out)``, transposed ``(H, W, out, in)``."""

    layers: list[tuple[str, list[np.ndarray]]] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write ``net.layers{}`` as MATLAB does with ``-v7.3``."""
        with h5py.File(path, "w") as file:
            everything = file.create_group("#refs#")
            references = np.empty((len(self.layers), 1), dtype=h5py.ref_dtype)
            for number, (kind, weights) in enumerate(self.layers):
                group = everything.create_group(f"layer{number}")
                group["type"] = np.array([[ord(letter)] for letter in kind], dtype=np.uint16)
                if weights:
                    cells = np.empty((len(weights), 1), dtype=h5py.ref_dtype)
                    for place, values in enumerate(weights):
                        name = f"weights{number}_{place}"
                        # Axes are reversed, and trailing ones of length one are dropped, down to two.
                        shape = list(values.shape)
                        while len(shape) > 2 and shape[-1] == 1:
                            shape.pop()
                        everything[name] = values.reshape(shape).transpose()
                        cells[place, 0] = everything[name].ref
                    group["weights"] = cells
                if kind == "convt":
                    group["crop"] = np.array([[0.0], [1.0], [0.0], [1.0]])
                references[number, 0] = group.ref
            file.create_group("net")["layers"] = references

    def correction(self, image: np.ndarray) -> np.ndarray:
        """``(H, W)`` -> what the network adds to it."""
        features, kept = image[:, :, None], []
        for kind, weights in self.layers:
            if kind == "conv":
                features = correlate(features, *weights)
            elif kind == "convt":
                features = enlarge(features, *weights)
            elif kind == "bnorm":
                mean = features.mean(axis=(0, 1))
                deviation = np.sqrt(features.var(axis=(0, 1)) + EPSILON)
                features = (features - mean) / deviation * weights[0][:, 0] + weights[1][:, 0]
            elif kind == "relu":
                features = np.maximum(features, 0)
            elif kind == "reg_toss":
                kept.append(features)
            elif kind == "pool":
                height, width, n = features.shape
                features = features.reshape(height // 2, 2, width // 2, 2, n).max(axis=(1, 3))
            elif kind == "reg_concat":
                features = np.concatenate([kept.pop(), features], axis=2)
        return features[:, :, 0]


def correlate(features: np.ndarray, filters: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """``y[i, j, q] = b[q] + Σ f[a, b, p, q] x[i + a, j + b, p]``, padded to the same size."""
    return np.stack(
        [
            bias[q, 0]
            + sum(
                correlate2d(features[:, :, p], filters[:, :, p, q], mode="same")
                for p in range(filters.shape[2])
            )
            for q in range(filters.shape[3])
        ],
        axis=2,
    )


def enlarge(features: np.ndarray, filters: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """``y[2 i + a, 2 j + b, q] += f[a, b, q, p] x[i, j, p]``, last row and column cut off."""
    height, width, _ = features.shape
    result = np.zeros((2 * height + 1, 2 * width + 1, filters.shape[2]))
    for i in range(height):
        for j in range(width):
            result[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += filters @ features[i, j]
    return result[:-1, :-1] + bias[:, 0]


def random_network(width: int, seed: int = 0) -> PlainNetwork:
    """A network of the published architecture, loud enough that every layer matters."""
    random, network = np.random.default_rng(seed), PlainNetwork()

    def block(kind: str, n_in: int, n_out: int) -> None:
        shape = (3, 3, n_in, n_out) if kind == "conv" else (3, 3, n_out, n_in)
        network.layers.append((kind, [random.normal(size=shape), random.normal(size=(n_out, 1))]))
        moments = random.uniform(1, 2, (n_out, 2))
        scales = [random.uniform(0.5, 1.5, (n_out, 1)), random.normal(size=(n_out, 1)), moments]
        network.layers.extend([("bnorm", scales), ("relu", [])])

    for level in range(N_POOLINGS + 1):
        n_out = width * 2**level
        block("conv", n_out // 2 if level else 1, n_out)
        for _ in range(1 if level else 2):
            block("conv", n_out, n_out)
        if level < N_POOLINGS:
            network.layers.extend([("reg_toss", []), ("pool", [])])
    for level in reversed(range(N_POOLINGS)):
        n_out = width * 2**level
        block("convt", 2 * n_out, n_out)
        network.layers.append(("reg_concat", []))
        block("conv", 2 * n_out, n_out)
        block("conv", n_out, n_out)
    last = [random.normal(size=(1, 1, width, 1)), random.normal(size=(1, 1))]
    network.layers.extend([("conv", last), ("euclideanloss", [])])
    return network
