"""The networks that can be loaded by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from torch import nn

from shaketable.errors import InputError, WeightsError
from shaketable.zoo.automap.entry import AUTOMAP_ENTRY
from shaketable.zoo.dagan.entry import DAGAN_ENTRY
from shaketable.zoo.deep_mri.entry import DEEP_MRI
from shaketable.zoo.entry import NetworkEntry, ZooNetwork
from shaketable.zoo.fbp_conv_net.entries import ELL_50, MED_50
from shaketable.zoo.mri_vn.entry import MRI_VN
from shaketable.zoo.training.recipe import TrainingRecipe
from shaketable.zoo.weights import fill, read_weights, save_weights

_HERE = Path(__file__).parent
# A network is one entry here; the order is that of `zoo list`.
_ALL = (DEEP_MRI, ELL_50, MED_50, AUTOMAP_ENTRY, DAGAN_ENTRY, MRI_VN)
_ENTRIES: dict[str, NetworkEntry[Any]] = {entry.name: entry for entry in _ALL}


def names() -> tuple[str, ...]:
    """The networks that :func:`load` knows.

    Examples
    --------
    >>> "deep-mri" in names()
    True
    """
    return tuple(_ENTRIES)


def find_entry(name: str) -> NetworkEntry[Any]:
    """What the zoo knows of a network: its recipe, its images, how it is built.

    Raises
    ------
    InputError
        If there is no such network.
    """
    if name not in _ENTRIES:
        close = get_close_matches(name, _ENTRIES, n=1, cutoff=0.4)
        hint = f"did you mean '{close[0]}'?" if close else "choose one of these."
        raise InputError(f"Expected a network among {', '.join(_ENTRIES)}, got '{name}'; {hint}")
    return _ENTRIES[name]


def entry_of(recipe: TrainingRecipe) -> NetworkEntry[Any]:
    """The network that a recipe trains.

    Raises
    ------
    InputError
        If it is that of no network of the zoo.

    Examples
    --------
    >>> entry_of(find_entry("dagan").recipe).title
    'DAGAN'
    """
    for entry in _ALL:
        if isinstance(recipe, type(entry.recipe)):
            return entry
    known = ", ".join(type(entry.recipe).__name__ for entry in _ALL)
    raise InputError(
        f"Expected a recipe among {known}, got {type(recipe).__name__}; give the learner of a network "
        "of your own to `shaketable.zoo.run_training`."
    )


def load(name: str, *, weights: str | Path | None = None) -> ZooNetwork:
    """Load a trained network.

    Parameters
    ----------
    name
        One of :func:`names`.
    weights
        None for the weights in the package; else a file: the authors' (``d5_c5.npz`` for Deep MRI),
        or ``.safetensors``, ``.pt`` or ``.pth`` of a network trained with this package's recipe.

    Returns
    -------
    ZooNetwork

    Raises
    ------
    InputError
        If there is no such network.
    WeightsError
        If the package has no weights for it, or the file cannot be read into the network.

    Examples
    --------
    >>> network = load("deep-mri")
    >>> round(network.forward.rate, 3), network.image_ids("test")[0]
    (0.336, 'mni152-z050')
    """
    entry = find_entry(name)
    path = _required_weights(name) if weights is None else Path(weights)
    model = _loaded(entry, path)
    published = entry.published is not None and path.suffix == entry.published.suffix
    setting = entry.setting(model, published)
    return ZooNetwork(
        name=name,
        model=model.eval().requires_grad_(False),
        forward=setting.forward,
        sampling=setting.sampling,
        trained_rate=setting.trained_rate,
        card=_card(name, path, shipped=weights is None, published=published),
        entry=entry,
    )


def shipped_weights(name: str) -> Path:
    """The file of weights inside the package, whether it is there or not."""
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
    entry = find_entry(name)
    target = Path(out)
    if target.suffix != ".safetensors":
        raise InputError(f"Expected a .safetensors file to write, got '{out}'; change its ending.")
    model = _loaded(entry, Path(file))
    target.parent.mkdir(parents=True, exist_ok=True)
    save_weights(model, target)
    return target


def _required_weights(name: str) -> Path:
    path = shipped_weights(name)
    if not path.is_file():
        raise WeightsError(
            f"Expected weights of '{name}' in the package, got none; train it with 'shaketable zoo "
            f"train {name}' or give a file of weights."
        )
    return path


def _loaded(entry: NetworkEntry[Any], path: Path) -> nn.Module:
    state = read_weights(path, entry.published)
    model = entry.build(state)
    fill(model, state, path, entry.title)
    return model


def _card(name: str, path: Path, *, shipped: bool, published: bool) -> Mapping[str, Any]:
    if shipped or published:
        file = _HERE / "cards" / (f"{name}-published.json" if published else f"{name}.json")
        card: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    else:
        card = {"name": name, "weights": {"file": path.name}}
    if not shipped:
        card["weights"]["loaded_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return card
