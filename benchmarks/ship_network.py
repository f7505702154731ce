"""Put a trained AUTOMAP, DAGAN or MRI-VN into the package: weights, card, and the target before both.

    python benchmarks/ship_network.py NAME TRAINING DATA [--into FOLDER] [--hardware TEXT] [--anyway]

TRAINING is the folder that ``shaketable zoo train NAME --out TRAINING --images ...`` left, DATA as in
``mri_networks.py``. Weights go to ``FOLDER/weights/NAME.safetensors``, in half precision where that
costs less than 0.1 dB, and the card to ``FOLDER/cards/NAME.json``; FOLDER is that of the zoo by
default. A network that misses the target of clean quality is not written: on real held-out images
(patient 12) not below the best reference method minus 0.5 dB, 2 dB for AUTOMAP. The exit code is then
1. With ``--anyway`` it is written, and the card says by how much it misses. The template, an average
brain that is smoother than any real one, is reported beside.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from mri_networks import half, quality

from shaketable import zoo
from shaketable.zoo.registry import shipped_weights
from shaketable.zoo.training.checkpoint import Checkpoint, read_checkpoint
from shaketable.zoo.weights import save_weights

MOST_BELOW = {"automap": 2.0, "dagan": 0.5, "mri-vn": 0.5}
MOST_LOST = 0.1
TEMPLATE = "mni152"
TITLES = {
    "automap": "AUTOMAP, trained for Shaketable",
    "dagan": "DAGAN, trained for Shaketable",
    "mri-vn": "MRI-VN (variational network), trained for Shaketable",
}
ARCHITECTURES = {
    "automap": "two dense layers, two convolutions 5x5, a transposed convolution 7x7; Zhu et al., "
    "Nature 555, 2018; the mean of the image is that of the measured DC sample",
    "dagan": "U-Net of 4x4 convolutions with stride 2 that refines the magnitude of the zero-filled "
    "image, trained against a discriminator; Yang et al., IEEE Trans. Med. Imaging 37(6), 2018",
    "mri-vn": "gradient descent with learned filters, Gaussian activations and data weights; "
    "Hammernik et al., Magn. Reson. Med. 79, 2018; conventions of BART's reconet",
}
LIMITS = [
    "not for diagnosis or any clinical use",
    "trained on magnitude images; phase and coils, where there are any, are simulated",
    "few subjects: 4 brains",
    "its stability was neither sought nor avoided in training",
]
# What a reader of the quality has to know besides.
NOTES = {
    "automap": "begins as the best linear estimate of the image, and training gains about two dB "
    "over it; total variation knows that edges are sharp",
    "dagan": "sees the magnitude of the zero-filled image alone, as published, and nothing keeps its "
    "output close to the data; total variation uses the data and that images are real",
    "mri-vn": "on the template, an average brain, total variation does better than on real images, "
    "and without noise it does better everywhere at less than its default strength",
}
# Size here and in the publication, and what the numbers of an image are.
SIZES = {
    "automap": "48x48 pixels, 1900 hidden units and 64 features; the publication has 128x128, 25000 "
    "and 64",
    "dagan": "128x128 pixels, 16 to 128 features; the publication has 256x256 and 64 to 512",
    "mri-vn": "128x128 pixels and 15 simulated coils, filters and stages as published; the "
    "publication has knees of 640x368 and measured coils",
}
UNITS = {
    "automap": "magnitude scaled to a maximum of 1, real",
    "dagan": "magnitude scaled to a maximum of 1, real",
    "mri-vn": "magnitude scaled to a maximum of 1, with a simulated smooth phase",
}
CITATIONS = {
    "automap": "Zhu, Liu, Cauley, Rosen, Rosen 2018",
    "dagan": "Yang et al. 2018",
    "mri-vn": "Hammernik, Klatzer, Kobler, Recht, Sodickson, Pock, Knoll 2018",
}


def misses(name: str, measured: dict[str, Any]) -> list[str]:
    """The sets of real images on which the network is too far below the best reference method."""
    return [
        f"{images}: {row['network_minus_best_stable_db']['estimate']} dB"
        for images, row in measured.items()
        if images != TEMPLATE
        and row["network_minus_best_stable_db"]["estimate"] < -MOST_BELOW[name]
    ]


def target(name: str, measured: dict[str, Any]) -> str:
    """The target of clean quality, and whether the network meets it."""
    missed = misses(name, measured)
    stated = (
        f"not below the best reference method minus {MOST_BELOW[name]:g} dB on the real images of the "
        "held-out patient, reference methods at their default strengths: "
    )
    return stated + (f"missed, {'; '.join(missed)}" if missed else "met")


def card(
    name: str, weights: Path, trained: Checkpoint, measured: dict[str, Any], hardware: str
) -> dict[str, Any]:
    """What the network's file says of itself."""
    network = zoo.load(name, weights=weights)
    # Only DAGAN's learner has a perceptual term, which depends on the machine.
    perceptual = trained.learner.get("perceptual")
    left_out = {} if perceptual is None else {
        "perceptual_loss": "VGG16 of torchvision" if perceptual else
        "left out: the weights of VGG16 could not be had where it was trained"
    }  # fmt: skip
    return {
        "name": name,
        "title": TITLES[name],
        "architecture": ARCHITECTURES[name],
        "size": SIZES[name],
        "units": UNITS[name],
        "weights": {
            "file": f"{name}.safetensors",
            "sha256": sha256(weights.read_bytes()).hexdigest(),
            "bytes": weights.stat().st_size,
            "n_parameters": sum(value.numel() for value in network.model.parameters()),
            "licence": "BSD-3-Clause",
        },
        "training": {
            "images_sha256": trained.images_hash,
            "data": "open_ms_data patients 01, 03, 04 (Lesjak et al. 2016, CC-BY) and a T1 volume of "
            "one subject (Hanke et al. 2014, public domain); patient 12 held out",
            "recipe": asdict(trained.recipe),
            **left_out,
            "hardware": hardware,
            "seconds": round(trained.seconds),
            "curve": [list(row) for row in trained.curve],
        },
        "quality": {
            "convention": "PSNR with the largest modulus of the reference as peak, mean over images; "
            "SSIM of magnitudes; reference methods at their default strengths; no noise added",
            "interval": "Student t over images; slices of one subject are not independent, so it "
            "speaks for these subjects only",
            "target": target(name, measured),
            "note": NOTES[name],
            "sets": measured,
            "reproduce": f"python benchmarks/mri_networks.py quality {name} DATA",
        },
        "intended_use": "showing and testing stability tests. Made for research.",
        "limits": LIMITS,
        "citation": [CITATIONS[name], "Lesjak et al. 2016", "Hanke et al. 2014"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("name", choices=tuple(MOST_BELOW))
    parser.add_argument("training", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--into", type=Path, default=shipped_weights("any").parents[1])
    parser.add_argument("--hardware", default="not stated")
    parser.add_argument("--anyway", action="store_true")
    arguments = parser.parse_args()
    name = arguments.name
    trained = read_checkpoint(arguments.training, type(zoo.find_entry(name).recipe))
    if trained is None:
        raise SystemExit(f"no checkpoint in {arguments.training}")
    network = zoo.load(name, weights=arguments.training / "weights.safetensors")
    measured: dict[str, Any] = quality(network, arguments.data)
    print(json.dumps(measured, indent=2))
    missed = misses(name, measured)
    if missed and not arguments.anyway:
        print(f"Not written, too far below the best reference method: {'; '.join(missed)}")
        return 1
    weights = arguments.into / "weights" / f"{name}.safetensors"
    with TemporaryDirectory() as folder:
        cost = half(network, arguments.data, Path(folder) / "half.safetensors")
    losses = cost["loss_db"]
    assert isinstance(losses, dict)
    keeps = max(losses.values()) < MOST_LOST
    save_weights(network.model, weights, dtype=torch.float16 if keeps else None)
    contents = card(name, weights, trained, measured, arguments.hardware)
    contents["weights"]["dtype"] = "float16" if keeps else "float32"
    contents["weights"]["half_precision_costs_db"] = losses
    path = arguments.into / "cards" / f"{name}.json"
    path.write_text(json.dumps(contents, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"Wrote {weights} ({weights.stat().st_size} bytes) and {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
