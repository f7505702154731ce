"""What the verbs of the zoo do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shaketable.cli.ends import Interrupted
from shaketable.cli.files import require_folder, require_new
from shaketable.cli.output import say, say_table
from shaketable.cli.progress import TrainingProgress

if TYPE_CHECKING:
    from torch import Tensor

    from shaketable.zoo import NetworkEntry, TrainingRecipe, ZooNetwork


def tell_networks() -> None:
    """Print the networks of the zoo: size, image, sampling."""
    from shaketable import zoo
    from shaketable.errors import WeightsError

    rows = []
    for name in zoo.names():
        try:
            network = zoo.load(name)
        except WeightsError:
            rows.append((name, "none: train or import", "", ""))
            continue
        height, width = network.forward.image_shape
        n_weights = sum(value.numel() for value in network.model.parameters())
        rows.append((name, f"{n_weights:,}", f"{height} x {width}", f"{network.trained_rate:.0%}"))
    say_table(("name", "weights", "image", "sampling"), rows)


def train_network(
    name: str, out: Path, images: Sequence[Path], *, steps: int | None, device: str, seed: int
) -> None:
    """Train a network of the zoo, or go on with the training that ``out`` holds.

    Parameters
    ----------
    name
        Of the network.
    out
        Folder for checkpoint and weights.
    images
        Files and folders of training images; empty for those that exist on every machine.
    steps, device, seed
        As `shaketable.zoo.train` and its recipe have them; without ``steps`` the recipe's number.

    Raises
    ------
    Interrupted
        After Ctrl-C, when the checkpoint has been written.
    InputError, RunError
        If a name, image or folder is wrong.
    """
    from shaketable import zoo
    from shaketable.devices import require_device

    entry = zoo.find_entry(name)
    recipe = _recipe(entry, steps, seed)
    require_device(device)
    require_folder(out)
    values = entry.training_images(images, recipe)
    say(f"Training {name} on {len(values)} images for {recipe.n_steps} steps.")
    try:
        with TrainingProgress() as progress:
            result = zoo.train(
                recipe,
                values,
                out,
                held_out=_held_out(entry, recipe),
                device=device,
                on_event=progress,
            )
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"Interrupted, with the training so far kept in '{out}'; the same command goes on."
        ) from error
    say(f"Weights: {result.weights}")
    say(f"Use them with 'weights: {result.weights}' beside 'zoo: {name}' in a plan.")


def import_network(name: str, file: Path, out: Path) -> None:
    """Read a published file of weights, try the network on its held-out images, write safetensors.

    Raises
    ------
    InputError, WeightsError
        If the name, the file or the place to write is wrong.
    """
    from shaketable import zoo

    zoo.find_entry(name)
    require_new(out)
    network = zoo.load(name, weights=file)
    say(f"{name} from {file}: {_clean_quality(network):.1f} dB on {network.image_ids('test')[0]}.")
    say(f"Wrote {zoo.import_weights(name, file, out)}")


def _clean_quality(network: ZooNetwork) -> float:
    """PSNR in dB on the first held-out image: a file of another network's weights shows here."""
    import torch

    from shaketable.metrics import psnr

    image = network.images("test")[:1]
    with torch.no_grad():
        output = network.reconstruct(network.forward(image), network.forward)
    return float(psnr(output, image)[0])


def _recipe(entry: NetworkEntry[Any], steps: int | None, seed: int) -> TrainingRecipe:
    """The network's recipe, its two ends shortened in proportion where there are other steps."""
    recipe: TrainingRecipe = replace(entry.recipe, seed=seed)
    return recipe if steps is None else recipe.with_steps(steps)


def _held_out(entry: NetworkEntry[Any], recipe: TrainingRecipe) -> Tensor:
    return entry.images((recipe.size, recipe.size))
