"""Problems with known answers: what a search can be tested on, on any forward map."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from shaketable.problem import Problem
from shaketable.search import Ball, Domain
from shaketable.testing.known import KnownProblem
from shaketable.testing.planting import plant
from shaketable.testing.responses import Beyond, DeadZone, Gains, Rectified, Saturated
from shaketable.testing.site import Site

_GAIN = 10.0


def rank_one(site: Site) -> KnownProblem:
    """One direction is amplified 10 times, everything else at most once: the answer is 10 ρ.

    ``f(y) = x + B(e) + g Re⟨p, e⟩ q``, linear in the change of the data; ρ is the radius.
    """
    return plant(
        site, Gains(gains=(_GAIN,)), name="rank one",
        sentence="one direction is amplified ten times as much as any other",
    )  # fmt: skip


def spike(site: Site) -> KnownProblem:
    """A flat spectrum of 5 with one singular value of 10: the answer is 10 ρ.

    The map's own adjoint, scaled to a largest gain of 5, is the rest; on a unitary map that is
    flat throughout, elsewhere on eight random directions at least.
    """
    return plant(
        site, Gains(gains=(_GAIN, *[5.0] * 7)), background=5.0, name="flat spectrum with a spike",
        sentence="one direction is amplified twice as much as the others",
    )  # fmt: skip


def geometric(site: Site) -> KnownProblem:
    """Singular values ``10 · 0.8^i``, i = 0 ... 7: the answer is 10 ρ."""
    return plant(
        site, Gains(gains=tuple(_GAIN * 0.8**i for i in range(8))), name="geometric spectrum",
        sentence="the amplification falls by a fifth from direction to direction",
    )  # fmt: skip


def clustered(site: Site) -> KnownProblem:
    """Four singular values from 10 to 9.7, four of 8: the answer is 10 ρ.

    Single vectors converge slowly here, but any mixture of the first four is within 3 %.
    """
    return plant(
        site, Gains(gains=(_GAIN, 9.9, 9.8, 9.7, 8.0, 8.0, 8.0, 8.0)), name="clustered spectrum",
        sentence="several directions are amplified almost equally",
    )  # fmt: skip


def saturated(site: Site) -> KnownProblem:
    """The leading direction at r = 0 leads nowhere: it saturates at 3 % of the radius.

    ``φ(t) = (100 clip(t_1, -0.03, 0.03), 10 t_2)``, so close to the image the first direction is
    amplified ten times as much as the second, and at the radius less than a third as much. The answer
    is ``sqrt(3² + 10² (1 - 0.03²)) ρ``, see `Saturated`.
    """
    return plant(
        site, Saturated(), name="saturated",
        sentence="the direction that is steepest near the image saturates and masks a worse one",
    )  # fmt: skip


def beyond_radius(site: Site) -> KnownProblem:
    """Nothing is planted for small changes of the data, gain 10 for large ones: the answer is 10 ρ.

    The plant wakes between 20 % and 40 % of the change that its worst perturbation makes, see
    `Beyond`; searches that stay close to the image see the quiet map only.
    """
    return plant(
        site, Beyond(), name="only beyond a radius",
        sentence="small perturbations meet a quiet map, large ones a gain of ten",
    )  # fmt: skip


def piecewise_linear(site: Site) -> KnownProblem:
    """Six ReLU units of four directions; the answer, 9.64 ρ, is found by enumerating the pieces.

    ``φ(t) = max(W t, 0)``, see `Rectified`. It has two local maxima, 3 % apart, on pieces that face
    away from each other.
    """
    return plant(
        site, Rectified(weights=_TWO_MAXIMA), name="piecewise linear",
        sentence="six ReLU units; what is steep depends on the side",
    )  # fmt: skip


def local_maxima(site: Site) -> KnownProblem:
    """Six ReLU units with a good piece and poor ones; the answer, 9.66 ρ, is known by enumeration.

    ``φ(t) = max(W t, 0)`` has local maxima at 79 % to 82 % of the answer, where 55 % of random starts
    end that only climb. So a single start finds it or not; several do.
    """
    return plant(
        site, Rectified(weights=_FIVE_MAXIMA), name="several local maxima", led_to=False,
        sentence="half of all starts lead to a local maximum a fifth lower; more starts help",
    )  # fmt: skip


def in_region(site: Site) -> KnownProblem:
    """What is planted changes one window of the image, a quarter of every side: the answer is 10 ρ.

    Linear, with gains of 10 and 6 from random directions into the window, and the quiet map
    everywhere else.
    """
    return plant(
        site, Gains(gains=(_GAIN, 6.0)), name="only in a region", window=True,
        sentence="the reconstruction is unstable in a small window only",
    )  # fmt: skip


def one_of_batch(site: Site) -> KnownProblem:
    """Three images; the reconstruction of the second is unstable, that of the others is not.

    All directions but eight are ignored. Those eight have gain 5, but that the first has gain 50 for
    the second image: the answers are 5 ρ₁, 50 ρ₂ and 5 ρ₃.
    """
    quiet, loud = Gains(gains=(5.0,) * 8), Gains(gains=(50.0, *[5.0] * 7))
    return plant(
        site, quiet, loud, quiet, background=0.0, name="only one image of the batch",
        sentence="of three images in a batch one is ten times as unstable as the others",
    )  # fmt: skip


def dead_zone(site: Site) -> KnownProblem:
    """Nothing happens along one direction up to half of the radius, then gain 20: the answer is 10 ρ.

    Random perturbations have almost no component along a given direction, so they lie in the dead
    zone, where the plant has no slope: gradients do not lead to it, see `DeadZone`. It stands for
    what no such search can rule out.
    """
    return plant(
        site, DeadZone(), name="behind a dead zone", led_to=False,
        sentence="one direction does nothing up to half of the radius, and no gradient leads to it",
    )  # fmt: skip


PLANTS = (
    rank_one, spike, geometric, clustered, saturated, beyond_radius, piecewise_linear, in_region,
    one_of_batch, local_maxima, dead_zone,
)  # fmt: skip
"""All makers of known problems, each a function of a `Site`."""

NEEDS: dict[Callable[[Site], KnownProblem], int] = {
    spike: 8, geometric: 8, clustered: 8, saturated: 2, piecewise_linear: 4, in_region: 2,
    one_of_batch: 8, local_maxima: 4,
}  # fmt: skip
"""Independent directions that a plant needs of map and ball, where it is more than one."""

_MOST = 8


def known_problems(
    problem: Problem, images: Tensor, *, domain: Domain = "image", ball: Ball | None = None,
    seed: int = 0,
) -> tuple[KnownProblem, ...]:  # fmt: skip
    """All plants on a problem's own map and image, in its dtype.

    Parameters
    ----------
    problem
        Its map and kind of image; its reconstructor plays no part.
    images
        ``(B, *image_shape)``; the first is used.
    domain
        Where perturbations are added.
    ball
        Any ball of the l2 norm.
    seed
        Where the plants are hidden.

    Returns
    -------
    tuple of KnownProblem
        Fewer than `PLANTS` on maps with fewer than eight independent directions, or that see so
        little of the image that a perturbation hides its brightness.

    Raises
    ------
    InputError, ShapeError
        If images, map and ball do not fit together.

    Examples
    --------
    >>> import torch
    >>> from shaketable import FourierMap
    >>> problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=lambda y, A: A.adjoint(y))
    >>> len(known_problems(problem, torch.rand(1, 8, 8)))
    11
    """
    site = Site.of(problem, images, domain=domain, ball=ball, seed=seed)
    n_independent = site.n_independent(_MOST)
    fitting = [make for make in PLANTS if NEEDS.get(make, 1) <= n_independent]
    if not site.tells_images_apart:
        fitting = [make for make in fitting if make is not one_of_batch]
    return tuple(make(site) for make in fitting)


_TWO_MAXIMA = (
    (8.0, 4.0, 0.0, 0.0),
    (-8.0, 5.0, 0.0, 0.0),
    (-2.0, -5.0, 2.0, 0.0),
    (1.0, 2.0, -4.0, 0.0),
    (2.0, 0.0, 3.0, 4.0),
    (-2.0, 0.0, 3.0, -4.0),
)
_FIVE_MAXIMA = (
    (8.0, 4.0, 0.0, 0.0),
    (-7.0, 3.0, 0.0, 0.0),
    (0.0, -7.0, 2.0, 0.0),
    (0.0, 2.0, -6.0, 0.0),
    (3.0, 0.0, 4.0, 5.0),
    (0.0, 0.0, 3.0, -7.0),
)
