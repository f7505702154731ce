"""The recipes of the two networks of computed tomography: one architecture, two kinds of images."""

from __future__ import annotations

from dataclasses import dataclass

from shaketable.errors import InputError
from shaketable.zoo.training.recipe import TrainingRecipe


@dataclass(frozen=True, kw_only=True)
class FBPConvNetRecipe(TrainingRecipe):
    """How FBPConvNet is trained.

    Adam minimises ``mean_b rms(f(y_b) - x_b) / rms(b_b)`` with ``b`` the filtered back-projection,
    without noise in the data, as published. The images of a run and their back-projections are made
    once; turned by quarters of a turn and mirrored they are equally good samples, because evenly spaced
    views are the same views then. Before the decay the network sees quadrants of ``crop`` pixels that
    contain the middle; during the decay whole images, whose statistics it normalises with in use. The
    published configuration is ``replace(recipe, width=64, size=512, crop=256)``; `zoo.load` gives
    weights of any width the map of 256 pixels, so a `RadonMap` of 512 is made beside them.

    Parameters
    ----------
    width
        Of :class:`shaketable.zoo.fbp_conv_net.network.FBPConvNet`; published: 64.
    n_views
        Views, spaced evenly over half a turn; even, for the symmetries above.
    crop
        Height and width before the decay, a multiple of 16.
    """

    size: int = 256
    width: int = 16
    n_views: int = 50
    crop: int = 128
    n_steps: int = 12000
    n_warmup_steps: int = 200
    n_decay_steps: int = 7000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.crop % 16 or self.size % 16 or not self.size // 2 <= self.crop <= self.size:
            raise InputError(
                f"Expected multiples of 16 with crop from {self.size // 2} to {self.size} pixels, "
                f"got size {self.size} and crop {self.crop}; the size itself switches crops off."
            )
        if self.crop < 32:
            raise InputError(
                f"Expected a crop of at least 32 pixels, got {self.crop}; the lowest level has one "
                "pixel for 16, and one pixel has no statistics."
            )
        if self.n_views < 2 or self.n_views % 2:
            raise InputError(
                f"Expected an even number of views, got {self.n_views}; turned by a quarter, other "
                "views are not the same views."
            )


@dataclass(frozen=True, kw_only=True)
class Ell50Recipe(FBPConvNetRecipe):
    """How Ell 50 is trained: on random ellipses only.

    The images are those of :func:`shaketable.io.ellipse_phantoms` with ``phantom_seed``; what is in
    them stands there.

    Parameters
    ----------
    n_images
        Number of images; published: 500, of which 475 to train on.
    phantom_seed
        Decides them. The test images have another one.
    """

    n_images: int = 500
    phantom_seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Med50Recipe(FBPConvNetRecipe):
    """How Med 50 is trained: on medical images that were turned, bent, zoomed and changed in contrast.

    Parameters
    ----------
    n_drawn
        Number of images that are drawn once from those that were read, which are twice the size.
    """

    n_drawn: int = 1000
