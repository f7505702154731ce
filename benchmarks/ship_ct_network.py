"""Put a training of Ell 50 or Med 50 into the package: weights in half precision, and the card.

    python benchmarks/ship_ct_network.py ell-50 TRAINING --quality ellipses=E.json abdomen=A.json

TRAINING is the folder that ``shaketable zoo train NAME --out TRAINING`` left, finished or not. Each FILE
is what ``ct_networks.py clean`` printed for the weights and a kind of images, ``FILE+FILE`` where network
and reference method were measured apart. Only what a training changes is replaced in the card: weights,
recipe, steps, seconds, curve, quality. The weights are refused where half precision costs 0.1 dB or more
on the held-out images.
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

from shaketable import zoo
from shaketable.metrics import psnr
from shaketable.zoo.registry import shipped_weights
from shaketable.zoo.training.checkpoint import Checkpoint, read_checkpoint
from shaketable.zoo.weights import save_weights

MOST_LOST = 0.1
NAMES = ("ell-50", "med-50")


def main() -> int:
    torch.set_num_threads(1)
    arguments = _parsed()
    name = arguments.name
    trained = read_checkpoint(arguments.training, type(zoo.find_entry(name).recipe))
    if trained is None:
        raise SystemExit(f"no checkpoint in {arguments.training}")
    network = zoo.load(name, weights=arguments.training / "checkpoint.pt")
    with TemporaryDirectory() as folder:
        half = Path(folder) / "half.safetensors"
        save_weights(network.model, half, dtype=torch.float16)
        lost = quality(network) - quality(zoo.load(name, weights=half))
        print(f"half precision costs {lost.mean():.4f} dB, at most {lost.max():.4f}")
        if float(lost.max()) >= MOST_LOST:
            return 1
        target = shipped_weights(name)
        target.write_bytes(half.read_bytes())
    path = target.parents[1] / "cards" / f"{name}.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["weights"] |= {
        "sha256": sha256(target.read_bytes()).hexdigest(),
        "bytes": target.stat().st_size,
    }
    card["training"] |= of_training(trained)
    card["quality"] |= {
        "half_precision": f"costs at most {max(0.0, float(lost.max())):.3f} dB on the held-out images",
        "sets": {
            kind: {"images": card["quality"]["sets"][kind]["images"], **measured(files)}
            for kind, files in arguments.quality
        },
    }
    path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {target} ({target.stat().st_size} bytes) and {path}")
    return 0


def quality(network: zoo.ZooNetwork) -> torch.Tensor:
    """``(M,)`` float64: PSNR in dB on the held-out images."""
    forward, images = network.forward, network.images("test")
    with torch.no_grad():
        outputs = [network.reconstruct(forward(image[None]), forward) for image in images]
    return psnr(torch.cat(outputs), images)


def of_training(trained: Checkpoint) -> dict[str, Any]:
    """What the card says of the steps that were done."""
    recipe, step = trained.recipe, trained.step
    decayed = max(0, step - (recipe.n_steps - recipe.n_decay_steps))
    history = (
        "the whole recipe"
        if step >= recipe.n_steps
        else f"not the whole recipe: planned for {recipe.n_steps} steps, the running average of the "
        f"weights after {step} is shipped, {decayed} of the {recipe.n_decay_steps} steps with a "
        "falling learning rate and whole images among them"
    )
    rows = [
        [step, round(loss, 4), None if db is None else round(db, 2)]
        for step, loss, db in trained.curve
    ]
    return {
        "images_sha256": trained.images_hash,
        "n_steps": step,
        "recipe": asdict(recipe),
        "seconds": round(trained.seconds),
        "history": history,
        "curve": {
            "columns": [
                "step",
                "running mean of the loss",
                "mean PSNR in dB on the held-out images",
            ],
            "held_out": "net.images('test'); watched, nothing was chosen by them",
            "rows": rows,
        },
    }


def measured(files: list[Path]) -> dict[str, Any]:
    """The results in files of ``ct_networks.py clean``, put together."""
    result: dict[str, Any] = {}
    for file in files:
        result |= json.loads(file.read_text(encoding="utf-8"))["results"]
    return result


def _kind(text: str) -> tuple[str, list[Path]]:
    kind, _, files = text.partition("=")
    return kind, [Path(file) for file in files.split("+")]


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("training", type=Path)
    parser.add_argument("--quality", type=_kind, nargs="+", required=True)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
