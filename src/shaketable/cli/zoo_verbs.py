"""What the verbs of the zoo do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shaketable.cli.ends import Interrupted
from shaketable.cli.files import require_new
from shaketable.cli.output import say, say_table
from shaketable.cli.progress import TrainingProgress
from shaketable.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from shaketable.zoo import TrainingRecipe, ZooNetwork


def tell_networks() -> None:
    """Print the networks of the zoo: size, image, sampling."""
    from shaketable import zoo

    rows = []
    for name in zoo.names():
        network = zoo.load(name)
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
        Files and folders of training images; empty for those that an installed library bundles.
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

    _require_name(name)
    recipe = _recipe(steps, seed)
    _require_device(device)
    size = 2 * recipe.size
    values = (
        zoo.read_training_images(images, size) if images else zoo.template_training_images(size)
    )
    say(f"Training {name} on {len(values)} images for {recipe.n_steps} steps.")
    try:
        with TrainingProgress() as progress:
            result = zoo.train(
                recipe, values, out, held_out=_held_out(recipe), device=device, on_event=progress
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

    _require_name(name)
    require_new(out)
    network = zoo.load(name, weights=file)
    say(f"{name} from {file}: {_clean_quality(network):.1f} dB on {network.image_ids('test')[0]}.")
    say(f"Wrote {zoo.import_weights(name, file, out)}")


def _clean_quality(network: ZooNetwork) -> float:
    """PSNR in dB on the first held-out image: a file of another network's weights shows here."""
    import torch

    from shaketable.metrics import psnr

    image = network.images("test")[:1].to(torch.complex64)
    with torch.no_grad():
        output = network.reconstruct(network.forward(image), network.forward)
    return float(psnr(output, image)[0])


def _require_name(name: str) -> None:
    from shaketable import zoo
    from shaketable.plan.mistakes import suggestion

    names = zoo.names()
    if name not in names:
        raise InputError(
            f"Expected a network among {', '.join(names)}, got '{name}'; "
            f"{suggestion(name, names, 'choose one of these.')}"
        )


def _recipe(steps: int | None, seed: int) -> TrainingRecipe:
    """The network's recipe, its two ends shortened in proportion where there are other steps."""
    from shaketable.zoo import TrainingRecipe

    if steps is None:
        return TrainingRecipe(seed=seed)
    if steps < 1:
        raise InputError(f"Expected at least one step, got {steps}; leave --steps out if unsure.")
    full = TrainingRecipe()
    share = steps / full.n_steps
    return TrainingRecipe(
        seed=seed, n_steps=steps, n_warmup_steps=min(full.n_warmup_steps, steps // 10),
        n_decay_steps=int(full.n_decay_steps * share),
    )  # fmt: skip


def _require_device(device: str) -> None:
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"Expected a device that torch has here, got '{device}'; cpu always works."
        ) from error


def _held_out(recipe: TrainingRecipe) -> Tensor:
    from shaketable.zoo import bundled_images

    return bundled_images((recipe.size, recipe.size))
