"""Images and weights of the reader's own, in place of those that a figure comes with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shaketable.errors import InputError
from shaketable.paper.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Own:
    """What the reader brings.

    Parameters
    ----------
    images
        By network: a file or folder of images to use in place of the held-out ones. They are
        resized to the network's size and divided by their peak; for networks of computed tomography,
        images in Hounsfield units become attenuation relative to water instead.
    weights
        By network: weights to use in place of the shipped ones, as `shaketable.zoo.load` takes them.
    """

    images: Mapping[str, Path] = field(default_factory=dict)
    weights: Mapping[str, Path] = field(default_factory=dict)


def read_own(images: Sequence[str], weights: Sequence[str], figures: Sequence[Figure]) -> Own:
    """Read what the options ``--images [NETWORK=]PATH`` and ``--weights [NETWORK=]FILE`` say.

    Images without a network are for every network of the figures; weights fit one network only, so
    theirs may be left out where the figures show one.

    Raises
    ------
    InputError
        If a network is not in the figures, or weights could be for several.

    Examples
    --------
    >>> from shaketable.paper import find_figure
    >>> own = read_own(["brains"], ["med-50=mine.mat"], [find_figure(4)])
    >>> sorted(own.images), sorted(own.weights)
    (['med-50', 'mri-vn'], ['med-50'])
    """
    shown = tuple(dict.fromkeys(name for figure in figures for name in figure.networks))
    mine, theirs = _by_network(images, shown), _by_network(weights, shown)
    if "" in theirs and len(shown) > 1:
        raise InputError(
            f"Expected weights as NETWORK=FILE, because several networks are shown "
            f"({', '.join(shown)}), got '{theirs['']}'; write for example "
            f"{shown[0]}={theirs['']}."
        )
    return Own(images=_spread(mine, shown), weights=_spread(theirs, shown))


def _by_network(given: Sequence[str], shown: Sequence[str]) -> dict[str, Path]:
    """What was given by network; under the empty name what was given without one."""
    from shaketable import zoo

    found: dict[str, Path] = {}
    for text in given:
        name, separator, path = text.partition("=")
        if not separator or name not in zoo.names():
            name, path = "", text
        elif name not in shown:
            raise InputError(
                f"Expected a network that is shown ({', '.join(shown)}), got '{name}' in '{text}'; "
                "name one of these, or make another figure."
            )
        found[name] = Path(path)
    return found


def _spread(given: Mapping[str, Path], shown: Sequence[str]) -> dict[str, Path]:
    common = {name: given[""] for name in shown if "" in given}
    return common | {name: path for name, path in given.items() if name}
