"""A complete run directory made with numpy: plausible pictures, and records computed from them.

Nothing here reconstructs anything. A "network" answers a perturbation with a large artefact, a
"reference method" blurs and answers with a small one, so that every section of a report has
something to show and every number in it can be checked against an array.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from shaketable.records import slug

Array = NDArray[Any]
Record = dict[str, Any]
RADII = (0.008, 0.016, 0.031)
RATES = (0.15, 0.25, 0.33, 0.45, 0.6)
TRAINED_RATE = 0.33
DETAILS = ("heart", "letters")
TRIALS = [
    {"name": "rank one", "sentence": "One direction stands out.", "reach": 0.9, "led_to": True,
     "share": 0.41, "found": False, "n_gradients": 73},
    {"name": "saturated", "sentence": "A steep direction ends early.", "reach": 0.9, "led_to": True,
     "share": 0.9871, "found": True, "n_gradients": 99},
    {"name": "behind a dead zone", "sentence": "No gradient leads there.", "reach": 0.9,
     "led_to": False, "share": 0.1034, "found": False, "n_gradients": 15},
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SyntheticRun:
    """What to write.

    Parameters
    ----------
    size
        Side of the square images in pixels.
    images
        Identifiers of the images.
    network, baselines
        Names of the methods, the primary reference method first.
    others
        Names of further networks; the second network answers more than the first, the third less.
    layout
        One array file per item, as earlier versions wrote them, or one per item and method.
    probes, domains
        Which probes were run, and where the worst cases were searched.
    real
        Real instead of complex images.
    seed
        Of the random numbers.
    radii
        Sizes of the worst cases.
    """

    size: int = 48
    images: tuple[str, ...] = ("brain-00", "brain-01")
    network: str = "deep-mri"
    baselines: tuple[str, ...] = ("total-variation", "wavelet-l1")
    probes: tuple[str, ...] = ("worst_case", "structural", "sampling", "neighbourhood")
    domains: tuple[str, ...] = ("image", "data")
    real: bool = False
    seed: int = 0
    pictures: tuple[Array, ...] = ()
    radii: tuple[float, ...] = RADII
    others: tuple[str, ...] = ()
    layout: Literal["per item", "per method"] = "per item"

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of all networks."""
        return (self.network, *self.others)

    @property
    def methods(self) -> tuple[tuple[str, str], ...]:
        """Name and role of every method."""
        return (
            *((name, "network") for name in self.networks),
            *((name, "baseline") for name in self.baselines),
        )


def write_run(directory: Path, settings: SyntheticRun | None = None) -> Path:
    """Write ``results.json`` and ``arrays/*.h5``; return the directory."""
    settings = settings or SyntheticRun()
    (directory / "arrays").mkdir(parents=True, exist_ok=True)
    records: list[Record] = []
    images: list[Record] = []
    for index, name in enumerate(settings.images):
        x = phantom(settings, index)
        images.append(
            {
                "id": name,
                "sha256": hashlib.sha256(x.tobytes()).hexdigest(),
                "shape": list(x.shape),
                "peak": float(np.abs(x).max()),
                "norm": float(np.linalg.norm(x)),
            }
        )
        rng = np.random.default_rng([settings.seed, index])
        for item, arrays, found in _items(settings, name, x, rng):
            _store_item(directory / "arrays", item, arrays, settings)
            records += found
    results = _results(settings, images, records)
    (directory / "results.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    (directory / "plan.yaml").write_text("seed: 0\n", encoding="utf-8")
    return directory


def repeat_images(directory: Path, n_images: int) -> Path:
    """Make a run of many images out of one of few: records are repeated, array files linked."""
    results = load(directory)
    images = results["problem"]["images"]
    by_image: dict[str, list[Record]] = {}
    files: dict[str, list[Path]] = {}
    for file in sorted((directory / "arrays").iterdir()):
        files.setdefault(file.stem.partition("@")[0], []).append(file)
    for record in results["records"]:
        by_image.setdefault(record["image"], []).append(record)
    results["problem"]["images"], results["records"] = [], []
    for index in range(n_images):
        image = images[index % len(images)]
        name = f"image-{index:05d}"
        results["problem"]["images"].append({**image, "id": name})
        for record in by_image[image["id"]]:
            item = record["item"].removesuffix(image["id"]) + name
            for file in files[record["item"]]:
                link = file.with_name(file.name.replace(record["item"], item, 1))
                if not link.exists():
                    os.link(file, link)
            varied = {
                key: value * (1 + index / 1e5) if isinstance(value, float) and "r" in key else value
                for key, value in record.items()
                if key not in ("radius", "rate", "trained_rate", "noise_ratio")
            }
            results["records"].append({**record, **varied, "image": name, "item": item})
    save(directory, results)
    return directory


def load(directory: Path) -> Record:
    """Read ``results.json``."""
    return dict(json.loads((directory / "results.json").read_text(encoding="utf-8")))


def save(directory: Path, results: Record) -> None:
    """Write ``results.json``."""
    (directory / "results.json").write_text(json.dumps(results), encoding="utf-8")


def _store_item(folder: Path, item: str, arrays: dict[str, Any], settings: SyntheticRun) -> None:
    """Write the arrays of an item in one of the two layouts."""
    given = {name: value for name, value in arrays.items() if "given_network@" in name}
    arrays = {name: value for name, value in arrays.items() if name not in given}
    if settings.layout == "per item":
        first = {
            n.partition("@")[0]: v for n, v in given.items() if n.endswith(f"@{settings.network}")
        }
        _store(folder / f"{item}.h5", arrays | first)
        return
    shared = {name: value for name, value in arrays.items() if not name.startswith("methods/")}
    for method, _ in settings.methods:
        start = f"methods/{method}/"
        own = {name: value for name, value in arrays.items() if name.startswith(start)}
        _store(folder / f"{item}@{slug(method)}.h5", shared | own)
        for name, value in given.items():
            path, _, network = name.partition("@")
            if path.startswith(start):
                _store(folder / f"{item}@{slug(method)}@{slug(network)}.h5", {path: value})


def _store(path: Path, arrays: dict[str, Any]) -> None:
    with h5py.File(path, "w") as file:
        for name, value in arrays.items():
            if isinstance(value, list):
                file.create_dataset(name, data=value, dtype=h5py.string_dtype())
            else:
                kind = np.complex64 if np.iscomplexobj(value) else np.float32
                file.create_dataset(name, data=value.astype(kind), compression="gzip")


def _grid(size: int) -> tuple[Array, Array]:
    line = np.linspace(-1, 1, size)
    down, across = np.meshgrid(line, line, indexing="ij")
    return down, across


def _ellipse(size: int, centre: tuple[float, float], axes: tuple[float, float]) -> Array:
    down, across = _grid(size)
    distance = ((down - centre[0]) / axes[0]) ** 2 + ((across - centre[1]) / axes[1]) ** 2
    return np.clip((1.05 - np.sqrt(distance)) * size / 8, 0, 1)


def phantom(settings: SyntheticRun, index: int) -> Array:
    """``(size, size)`` phantom, complex unless the settings say real; or the picture given."""
    if settings.pictures:
        return settings.pictures[index % len(settings.pictures)]
    size = settings.size
    shift = 0.03 * index
    x = 0.55 * _ellipse(size, (0, 0), (0.85, 0.68 + shift))
    x += 0.28 * _ellipse(size, (-0.1, 0.0), (0.6, 0.5))
    x -= 0.42 * _ellipse(size, (-0.05, 0.2 + shift), (0.28, 0.09))
    x -= 0.42 * _ellipse(size, (-0.05, -0.2), (0.28, 0.09))
    x += 0.12 * _ellipse(size, (0.5, 0.1), (0.12, 0.16))
    if settings.real:
        return x
    down, across = _grid(size)
    return x * np.exp(0.3j * (down + across * across))


def _blurred(x: Array, width: float) -> Array:
    frequency = np.fft.fftfreq(x.shape[0])
    squared = frequency[:, None] ** 2 + np.fft.fftfreq(x.shape[1])[None, :] ** 2
    blurred = np.fft.ifft2(np.fft.fft2(x) * np.exp(-squared * width**2 * 20))
    return blurred if np.iscomplexobj(x) else blurred.real


def _waves(x: Array, rng: np.random.Generator, period: float) -> Array:
    """A localised wave of norm one, of the kind of values that ``x`` has."""
    down, across = np.meshgrid(*(np.linspace(-1, 1, n) for n in x.shape), indexing="ij")
    centre = rng.uniform(-0.4, 0.4, 2)
    bump = np.exp(-((down - centre[0]) ** 2 + (across - centre[1]) ** 2) / 0.12)
    phase = 2 * np.pi * (0.8 * down + 0.6 * across) / period
    wave = bump * (np.cos(phase) if not np.iscomplexobj(x) else np.exp(1j * phase))
    return wave / np.linalg.norm(wave)


def _clean(x: Array, role: str, rng: np.random.Generator) -> Array:
    error = rng.normal(size=x.shape) * np.abs(x).max() * (0.008 if role == "network" else 0.015)
    return _blurred(x, 0.4 if role == "network" else 1.0) + error


def _psnr(image: Array, reference: Array) -> float:
    mse = np.mean(np.abs(image - reference) ** 2)
    return float(10 * np.log10(np.abs(reference).max() ** 2 / mse))


def _items(
    settings: SyntheticRun, name: str, x: Array, rng: np.random.Generator
) -> Iterator[tuple[str, dict[str, Any], list[Record]]]:
    if "worst_case" in settings.probes:
        for domain in settings.domains:
            yield _worst_case(settings, name, x, rng, domain)
    if "structural" in settings.probes:
        yield _structural(settings, name, x, rng)
    if "sampling" in settings.probes:
        yield _sampling(settings, name, x, rng)
    if "neighbourhood" in settings.probes:
        yield _neighbourhood(settings, name, x, rng)


GAINS = (7.5, 9.0, 5.0)


def _worst_case(
    settings: SyntheticRun, name: str, x: Array, rng: np.random.Generator, domain: str
) -> tuple[str, dict[str, Any], list[Record]]:
    item = f"worst_case-{domain}-{name}"
    arrays: dict[str, Any] = {"image": x, "radii": np.array(settings.radii)}
    records: list[Record] = []
    size = np.linalg.norm(x)
    waves = {network: _waves(x, rng, 0.12) for network in settings.networks}
    for method, role in settings.methods:
        is_network = role == "network"
        clean = _clean(x, role, rng)
        wave = waves[method] if is_network else _waves(x, rng, 0.2)
        artefact = _waves(x, rng, 0.35)
        largest = GAINS[settings.networks.index(method) % 3] if is_network else 1.6
        keys = ("perturbation", "perturbed", "random")
        stacks: dict[str, list[Array]] = {key: [] for key in keys}
        given: dict[str, list[Array]] = {network: [] for network in settings.networks}
        for radius in settings.radii:
            gain = largest * (1 + rng.uniform(-0.1, 0.1))
            stacks["perturbation"].append(radius * size * wave)
            stacks["perturbed"].append(clean + gain * radius * size * artefact)
            stacks["random"].append(clean + 0.6 * radius * size * _waves(x, rng, 0.5))
            for k, network in enumerate(settings.networks):
                given[network].append(clean + (0.9 - 0.2 * k) * radius * size * waves[network])
            found = _worst_case_record(clean, x, {k: v[-1:] for k, v in stacks.items()}, radius)
            if not is_network:
                found |= _given(clean, {k: v[-1] for k, v in given.items()}, found, settings)
            digest = hashlib.sha256(stacks["perturbation"][-1].tobytes()).hexdigest()
            records.append(
                {
                    "probe": "worst_case",
                    "item": item,
                    "method": method,
                    "role": role,
                    "image": name,
                    "domain": domain,
                    **found,
                    "status": "found",
                    "n_gradients": 100,
                    "seed": int(rng.integers(2**31)),
                    "solver_gap": None if is_network else 1.3e-4,
                    "replay_sha256": digest,
                }
            )
        if not is_network:
            for network, stack in given.items():
                arrays[f"methods/{method}/given_network@{network}"] = np.stack(stack)
        stacks["perturbation_image"] = stacks["perturbation"]
        arrays[f"methods/{method}/clean"] = clean
        for key, stack in stacks.items():
            arrays[f"methods/{method}/{key}"] = np.stack(stack)
    return item, arrays, records


def _given(clean: Array, answers: dict[str, Array], own: Record, settings: SyntheticRun) -> Record:
    """What the perturbations of the networks did to a reference method, the worst of them apart."""
    errors = {network: float(np.linalg.norm(a - clean)) for network, a in answers.items()}
    worst = max(errors.values())
    size = own["perturbation_norm"]
    found = {"given_network_error": worst, "given_network_amplification": worst / size}
    if settings.layout == "per item":
        return found
    return found | {
        "given": [
            {"network": network, "error": error, "amplification": error / size}
            for network, error in errors.items()
        ]
    }


def _worst_case_record(
    clean: Array, x: Array, stacks: dict[str, list[Array]], radius: float
) -> Record:
    size = float(np.linalg.norm(stacks["perturbation"][0]))
    error = float(np.linalg.norm(stacks["perturbed"][0] - clean))
    return {
        "radius": radius,
        "perturbation_norm": size,
        "error": error,
        "amplification": error / size,
        "random_amplification": float(np.linalg.norm(stacks["random"][0] - clean)) / size,
        "relative_error": error / float(np.linalg.norm(clean)),
        "clean_psnr": _psnr(clean, x),
        "perturbed_psnr": _psnr(stacks["perturbed"][0], x),
    }


def _details(x: Array) -> Array:
    height, width = x.shape
    peak = np.abs(x).max()
    details = np.zeros((len(DETAILS), height, width))
    down, across = np.meshgrid(*(np.linspace(-1, 1, n) for n in x.shape), indexing="ij")
    u, v = (across - 0.25) / 0.13, -(down - 0.2) / 0.13
    details[0][(u**2 + v**2 - 1) ** 3 - u**2 * v**3 <= 0] = 0.5 * peak
    for column in range(3):
        left = -0.35 + 0.13 * column
        stem = (np.abs(across - left) < 0.025) & (np.abs(down + 0.35) < 0.12)
        bar = (np.abs(across - left - 0.04) < 0.04) & (np.abs(down + 0.45) < 0.025)
        details[1][stem | bar] = 0.4 * peak
    return details


def _structural(
    settings: SyntheticRun, name: str, x: Array, rng: np.random.Generator
) -> tuple[str, dict[str, Any], list[Record]]:
    item = f"structural-{name}"
    details = _details(x)
    arrays: dict[str, Any] = {"image": x, "names": list(DETAILS), "detail": details}
    records: list[Record] = []
    for method, role in settings.methods:
        clean = _clean(x, role, rng)
        kept = 0.35 if role == "network" else 0.9
        answers = [
            kept * _blurred(detail.astype(x.dtype), 1.6 if role == "network" else 0.7)
            for detail in details
        ]
        arrays[f"methods/{method}/clean"] = clean
        arrays[f"methods/{method}/with_detail"] = np.stack([clean + d for d in answers])
        for index, (detail, answer) in enumerate(zip(details, answers, strict=True)):
            energy = float(np.sum(detail**2))
            overlap = float(np.sum(detail * answer).real)
            outside = float(np.linalg.norm(answer[detail == 0]))
            records.append(
                {
                    "probe": "structural",
                    "item": item,
                    "method": method,
                    "role": role,
                    "image": name,
                    "detail": DETAILS[index],
                    "contrast": 0.5 if index == 0 else 0.4,
                    "size": 0.13,
                    "contrast_recovery": overlap / energy,
                    "correlation": overlap / (energy**0.5 * float(np.linalg.norm(answer))),
                    "leakage": outside / float(np.linalg.norm(answer)),
                    "position": [10, 10],
                }
            )
    return item, arrays, records


def _sampling(
    settings: SyntheticRun, name: str, x: Array, rng: np.random.Generator
) -> tuple[str, dict[str, Any], list[Record]]:
    item = f"sampling-{name}"
    arrays: dict[str, Any] = {"image": x, "rates": np.array(RATES)}
    records: list[Record] = []
    for method, role in settings.methods:
        stack = []
        for rate in RATES:
            # The network is best where it was trained; the reference method improves throughout.
            missed = abs(rate - TRAINED_RATE) if role == "network" else 0.65 - rate
            noise = rng.normal(size=x.shape) * np.abs(x).max() * (0.01 + 0.1 * missed)
            stack.append(_blurred(x, 0.4 + 4 * missed) + noise)
            records.append(
                {
                    "probe": "sampling",
                    "item": item,
                    "method": method,
                    "role": role,
                    "image": name,
                    "rate": rate,
                    "trained_rate": TRAINED_RATE,
                    "psnr": _psnr(stack[-1], x),
                    "ssim": float(0.97 - 0.5 * missed - 0.01 * rng.uniform()),
                }
            )
        arrays[f"methods/{method}/reconstruction"] = np.stack(stack)
    return item, arrays, records


def _neighbourhood(
    settings: SyntheticRun, name: str, x: Array, rng: np.random.Generator
) -> tuple[str, dict[str, Any], list[Record]]:
    item = f"neighbourhood-{name}"
    arrays: dict[str, Any] = {"image": x}
    records: list[Record] = []
    size = np.linalg.norm(x)
    for method, role in settings.methods:
        clean = _clean(x, role, rng)
        gain = 7.5 if role == "network" else 1.6
        perturbed = clean + gain * RADII[-1] * size * _waves(x, rng, 0.35)
        arrays[f"methods/{method}/clean"] = clean
        arrays[f"methods/{method}/perturbed"] = perturbed
        noise = rng.normal(size=x.shape) * 0.012 * np.abs(x).max()
        arrays[f"methods/{method}/noisy"] = perturbed + noise
        kept = 19 if role == "network" else 6
        low, high = (0.7513, 0.9987) if role == "network" else (0.1189, 0.5428)
        records.append(
            {
                "probe": "neighbourhood",
                "item": item,
                "method": method,
                "role": role,
                "image": name,
                "radius": RADII[-1],
                "noise_ratio": 0.25,
                "n_draws": 20,
                "n_persisting": kept,
                "interval": [low, high],
                "error": float(np.linalg.norm(perturbed - clean)),
                "status": "found",
            }
        )
    return item, arrays, records


VERDICTS = (
    {
        "probe": "worst_case",
        "verdict": "unstable",
        "statement": (
            "The network amplifies its worst perturbations significantly more than the stable "
            "method amplifies its own."
        ),
        "estimate": 4.61,
        "interval": [4.02, 5.18],
        "measure": "amplification of the network / of the reference method",
        "domain": "image",
    },
    {
        "probe": "structural",
        "verdict": "unstable",
        "statement": "The network loses details that the reference method keeps.",
        "estimate": -0.47,
        "interval": [-0.52, -0.43],
        "measure": "contrast recovery, network minus reference method",
    },
    {
        "probe": "sampling",
        "verdict": "inconclusive",
        "statement": "More samples change the quality of the network by too little to decide.",
        "estimate": -0.31,
        "interval": [-1.2, 0.6],
        "measure": "gain in PSNR above the trained rate, dB",
    },
    {
        "probe": "neighbourhood",
        "verdict": "stable",
        "statement": "The artefact survives noise no more often than that of the reference method.",
        "estimate": 0.08,
        "interval": [-0.1, 0.26],
        "measure": "share of draws, network minus reference method",
    },
)


def _plan_of(settings: SyntheticRun, probe: str) -> Record | list[Record]:
    """The settings of a probe as a plan describes them: a list where it runs in two domains."""
    search = {"n_gradients": 100}
    if probe == "worst_case" and len(settings.domains) > 1:
        return [{"domain": domain, "search": search} for domain in settings.domains]
    return {"search": search, "keeps": 0.5}


def _results(settings: SyntheticRun, images: list[Record], records: list[Record]) -> Record:
    results = {
        "schema": "shaketable.results/1",
        "tool": {"name": "shaketable", "version": "0.1.0"},
        "environment": {"python": "3.11.7", "torch": "2.13.0", "n_threads": 2},
        "plan": {
            "seed": settings.seed,
            "probes": {name: _plan_of(settings, name) for name in settings.probes},
        },
        "problem": {
            "network": settings.network,
            "baseline": settings.baselines[0] if settings.baselines else None,
            "baselines": list(settings.baselines),
            "map": {"type": "fourier", "shape": [settings.size] * 2, "rate": TRAINED_RATE},
            "weights_sha256": hashlib.sha256(settings.network.encode()).hexdigest(),
            "real": settings.real,
            "units": "a.u.",
            "images": images,
        },
        "checks": [
            {
                "name": "adjoint",
                "value": 3.1e-8,
                "limit": 1e-6,
                "passed": True,
                "sentence": "The adjoint belongs to the forward map.",
            },
            {
                "name": "search strength (image domain)",
                "value": 0.41,
                "limit": 0.9,
                "passed": False,
                "sentence": "The search found 41 % of a planted instability; 90 % are expected.",
                "trials": TRIALS,
            },
            {
                "name": "determinism",
                "value": 0.0,
                "limit": 0.0,
                "passed": True,
                "sentence": "Two evaluations of the same data agree.",
            },
            {
                "name": "gradient",
                "value": None,
                "limit": None,
                "passed": None,
                "sentence": "A black box has no gradient to check.",
            },
        ],
        "records": records,
        "verdicts": _verdicts(settings),
        "failed": [],
        "notes": ["The clean quality was measured on two images only."],
    }
    return results if settings.layout == "per item" else _with_networks(results, settings)


def _verdicts(settings: SyntheticRun) -> list[Record]:
    found = [v | {"n_images": len(settings.images)} for v in VERDICTS]
    found = [verdict for verdict in found if verdict["probe"] in settings.probes]
    if settings.layout == "per item":
        return found
    return [
        {**verdict, "network": network, "estimate": float(verdict["estimate"]) * (1 + 0.1 * k)}
        for k, network in enumerate(settings.networks)
        for verdict in found
    ]


def _with_networks(results: Record, settings: SyntheticRun) -> Record:
    """What runs of several networks hold beyond those of one."""
    results["problem"]["networks"] = [
        {"name": name, "weights_sha256": hashlib.sha256(name.encode()).hexdigest()}
        for name in settings.networks
    ]
    results["checks"][1] |= {"name": "search strength", "probe": "worst_case", "domain": "image"}
    results["comparisons"] = [
        {
            "probe": "worst_case",
            "domain": "image",
            "network": settings.network,
            "beside": other,
            "verdict": ("better", "worse", "inconclusive")[k % 3],
            "measure": "difference of the amplification",
            "statement": f"On the same images the worst cases of {settings.network} differ.",
            "estimate": -1.125 + k,
            "interval": [-1.5 + k, -0.75 + k],
            "n_images": len(settings.images),
        }
        for k, other in enumerate(settings.others)
    ]
    return results
