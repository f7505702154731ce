"""`shaketable show`: the stored verdicts, and every stored perturbation executed again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shaketable.cli.output import say, say_table, say_verdicts
from shaketable.errors import InputError, RunError

if TYPE_CHECKING:
    from shaketable.plan import LoadedPlan
    from shaketable.runs import Replay


def show_run(directory: Path, probe: str | None) -> None:
    """Print verdicts and the table of what was executed again.

    Parameters
    ----------
    directory
        The run.
    probe
        Only this probe; None: all.

    Raises
    ------
    RunError
        If there is no such run, or a perturbation does not do again what was recorded.
    InputError
        If the run has no such probe.
    """
    from shaketable.runs import load_run

    results = load_run(directory).results
    probe = None if probe is None else probe.replace("-", "_")
    verdicts = _chosen(results["verdicts"], probe)
    problem = results["problem"]
    n_images = len(problem["images"])
    networks = [entry["name"] for entry in problem.get("networks", ())] or [problem["network"]]
    say(f"{', '.join(networks)} on {n_images} image{'' if n_images == 1 else 's'}, beside "
        f"{', '.join(problem['baselines']) or 'no reference method'}")  # fmt: skip
    say_verdicts(verdicts)
    if results["records"]:
        _replay(directory, probe)


def _chosen(
    verdicts: Sequence[Mapping[str, Any]], probe: str | None
) -> Sequence[Mapping[str, Any]]:
    if probe is None:
        return verdicts
    chosen = [v for v in verdicts if v["probe"] == probe]
    if not chosen:
        names = ", ".join(dict.fromkeys(v["probe"] for v in verdicts))
        raise InputError(
            f"Expected a probe of this run ({names}), got '{probe}'; name one of them."
        )
    return chosen


def _replay(directory: Path, probe: str | None) -> None:
    from shaketable.runs import replay

    loaded = _rebuilt(directory)
    if loaded is None:
        say(
            "Not executed again: the run was made in Python or from other runs, and its plan holds no "
            "network to load."
        )
        return
    replays = replay(directory, loaded.problems, loaded.plan, probe=probe)
    say_table(
        ("item", "method", "what", "stored error", "error now", ""),
        [_row(each) for each in replays],
    )
    differing = [each for each in replays if not each.agrees]
    if differing:
        first = differing[0]
        raise RunError(
            f"Expected every stored perturbation to do again what was recorded, got {len(differing)} "
            f"of {len(replays)} that do not ({first.item}, {first.method}, first); check that "
            "weights, images and files are those of the run."
        )


def _row(replay: Replay) -> tuple[str, ...]:
    if not replay.hash_matches:
        word = "another perturbation"
    else:
        word = "same" if replay.agrees else "DIFFERENT"
    return (
        replay.item, replay.method, replay.what or f"{replay.radius:g}", f"{replay.stored_error:.5g}",
        f"{replay.error:.5g}", word,
    )  # fmt: skip


def _rebuilt(directory: Path) -> LoadedPlan | None:
    """The plan of a run, made again; None where it was made in Python or by comparing others."""
    from shaketable.plan import load_plan
    from shaketable.plan.locate import read_plan_file

    path = directory / "plan.yaml"
    if "made_in" in read_plan_file(path).data:
        return None
    return load_plan(path)
