"""The networks that can be loaded by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from shaketable.errors import InputError
from shaketable.maps.fourier import FourierMap
from shaketable.maps.sampling import SamplingSequence, cartesian_variable_density
from shaketable.protocols import ForwardMap
from shaketable.zoo.bundled import bundled_image_ids, bundled_images
from shaketable.zoo.deep_mri import DeepMRI
from shaketable.zoo.recipe import TrainingRecipe
from shaketable.zoo.weights import load_weights, save_weights

_HERE = Path(__file__).parent
_NAMES = ("deep-mri",)
_SPLITS = ("test",)
# The grid and the seed of the sampling that a network is handed out with.
_OURS = (128, 128)
_PUBLISHED = (256, 256)
_SAMPLING_SEED = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class ZooNetwork:
    """A trained network with all that a test of it needs.

    Parameters
    ----------
    name
        As in :func:`names`.
    model
        The network in evaluation mode, its parameters without gradients.
    forward
        The forward map it was trained for: Fourier sampling at the trained rate.
    sampling
        The nested sampling pattern that ``forward`` is one rate of.
    trained_rate
        Share of Fourier space that was sampled in training.
    card
        The model card: data, recipe, measured quality, intended use, limits.
    """

    name: str
    model: nn.Module
    forward: FourierMap
    sampling: SamplingSequence
    trained_rate: float
    card: Mapping[str, Any]

    def reconstruct(self, data: Tensor, forward: ForwardMap) -> Tensor:
        """``(B, H, W)`` complex data -> ``(B, H, W)`` complex images; differentiable in the data."""
        image: Tensor = self.model(data, forward)
        return image

    def images(self, split: str = "test") -> Tensor:
        """``(B, H, W)`` complex64 images that the network was not trained on, peak 1.

        Raises
        ------
        InputError
            If the split does not exist.
        MissingDependencyError
            If nilearn, which bundles them, is not installed.
        """
        _check_split(split)
        return bundled_images(self.forward.image_shape)

    def image_ids(self, split: str = "test") -> tuple[str, ...]:
        """One name per image of :meth:`images`.

        Raises
        ------
        InputError
            If the split does not exist.
        """
        _check_split(split)
        return bundled_image_ids()


def names() -> tuple[str, ...]:
    """The networks that :func:`load` knows.

    Examples
    --------
    >>> names()
    ('deep-mri',)
    """
    return _NAMES


def load(name: str, *, weights: str | Path | None = None) -> ZooNetwork:
    """Load a trained network.

    Parameters
    ----------
    name
        One of :func:`names`.
    weights
        None for the weights in the package; else a file: the authors' ``d5_c5.npz``, or
        ``.safetensors``, ``.pt`` or ``.pth`` of a network trained with this package's recipe.

    Returns
    -------
    ZooNetwork

    Raises
    ------
    InputError
        If there is no such network.
    WeightsError
        If the file cannot be read into the network.

    Examples
    --------
    >>> network = load("deep-mri")
    >>> round(network.forward.rate, 3), network.image_ids("test")[0]
    (0.336, 'mni152-z050')
    """
    _check_name(name)
    path = shipped_weights(name) if weights is None else Path(weights)
    model = DeepMRI()
    load_weights(model, path)
    published = path.suffix == ".npz"
    recipe = TrainingRecipe()
    sampling = cartesian_variable_density(
        _PUBLISHED if published else _OURS,
        seed=_SAMPLING_SEED,
        acceleration=recipe.acceleration,
        n_center=recipe.n_center,
    )
    rate = 1 / recipe.acceleration
    return ZooNetwork(
        name=name,
        model=model.eval().requires_grad_(False),
        forward=FourierMap(sampling.mask(rate)),
        sampling=sampling,
        trained_rate=rate,
        card=_card(name, path, shipped=weights is None, published=published),
    )


def shipped_weights(name: str) -> Path:
    """The file of weights inside the package."""
    return _HERE / "weights" / f"{name}.safetensors"


def import_weights(name: str, file: str | Path, out: str | Path) -> Path:
    """Convert a file of weights to safetensors, after checking that it fits the network.

    Parameters
    ----------
    name
        One of :func:`names`.
    file
        As ``weights`` of :func:`load`.
    out
        The ``.safetensors`` file to write.

    Returns
    -------
    Path
        ``out``.

    Raises
    ------
    InputError
        If there is no such network, or ``out`` does not end in ``.safetensors``.
    WeightsError
        If the file cannot be read into the network.
    """
    _check_name(name)
    target = Path(out)
    if target.suffix != ".safetensors":
        raise InputError(f"Expected a .safetensors file to write, got '{out}'; change its ending.")
    model = DeepMRI()
    load_weights(model, Path(file))
    target.parent.mkdir(parents=True, exist_ok=True)
    save_weights(model, target)
    return target


def _card(name: str, path: Path, *, shipped: bool, published: bool) -> Mapping[str, Any]:
    if shipped or published:
        file = _HERE / "cards" / (f"{name}-published.json" if published else f"{name}.json")
        card: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    else:
        card = {"name": name, "weights": {"file": path.name}}
    if not shipped:
        card["weights"]["loaded_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return card


def _check_name(name: str) -> None:
    if name not in _NAMES:
        close = get_close_matches(name, _NAMES, n=1, cutoff=0.4)
        hint = f"did you mean '{close[0]}'?" if close else "choose one of these."
        raise InputError(f"Expected a network among {', '.join(_NAMES)}, got '{name}'; {hint}")


def _check_split(split: str) -> None:
    if split not in _SPLITS:
        raise InputError(
            f"Expected a split among {', '.join(_SPLITS)}, got '{split}'; "
            "training images are not part of the package."
        )
