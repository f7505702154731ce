"""Claims about worst cases: what the network loses, and what they do to the reference method."""

from __future__ import annotations

from shaketable.blocks.quantities import percent, readable
from shaketable.paper.claims import Claim, above, below
from shaketable.paper.reading import images_of, of_method, psnr_lost, records_of
from shaketable.search import Domain
from shaketable.statistics import mean_interval
from shaketable.stored import StoredRun, number


def drop_claims(
    figure: int, run: StoredRun, *, domain: Domain, says: str, whole: float, part: float, of: str
) -> tuple[Claim, Claim]:
    """What the network loses to its worst cases, and how the reference method amplifies the same ones.

    The reference method is judged by amplification, not by its loss of PSNR: a method that recovers
    ``x + r`` exactly loses PSNR too, but has an amplification of one.

    Parameters
    ----------
    figure, run
        The number of the figure and its run; all its images count.
    domain
        Of the perturbations; the largest size is taken.
    says
        The paper's claim on the network.
    whole, part
        Losses in dB above which it holds, and holds in part.
    of
        What sizes are relative to.

    Raises
    ------
    RunError
        If the run holds no such worst cases.
    """
    records = records_of(run, "worst_case", domain)
    stable = run.baselines[0]
    last, beside = (
        [of_method(records, method, image)[-1] for image in images_of(records)]
        for method in (run.network, stable)
    )
    size = f"{percent(number(last[0], 'radius'))} of {of}"
    drop = mean_interval([psnr_lost(record) for record in last])
    found = [number(record, "given_network_amplification") for record in beside]
    given = mean_interval([value for value in found if value is not None])
    return (
        Claim(
            figure=figure, network=run.network, unit="dB", units="images", measured=drop, says=says,
            outcome=above(drop, whole, part),
            quantity=f"PSNR that {run.network} loses to worst cases of {size}, lower bound",
            rule=f"holds where the interval lies above {readable(whole)} dB, in part above "
            f"{readable(part)} dB",
        ),
        Claim(
            figure=figure, network=run.network, unit="", units="images", measured=given,
            outcome=below(given, 1.5, 3.0),
            says="The reference method is unaffected by the same perturbations",
            quantity=f"amplification by {stable} of the perturbations of {run.network}, {size}",
            rule="holds where the interval lies below 1.5, in part below 3; recovering what was "
            "perturbed exactly has 1",
        ),
    )  # fmt: skip
