"""A small run that is not instant, to kill and resume.

The same work is the undisturbed run, the one that is killed, and the one that resumes.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import h5py
import numpy as np

from shaketable import (
    Budget,
    Neighbourhood,
    Plan,
    Problem,
    Sampling,
    Search,
    Structural,
    WorstCase,
    run,
)
from shaketable.runs import Run
from shaketable.runs.events import Event, OnEvent
from tests.helpers import networks

N_TASKS = 3 * (
    3 + 2 + 2 + 2
)  # images; worst cases of two methods and one that is given, three probes more
DELAY = 0.004  # seconds per reconstruction of the reference method


def work(out: Path, *, on_event: OnEvent | None = None) -> Run:
    """Run the plan in a directory, or resume it there."""
    search = Search(budget=Budget(n_gradients=6))
    network = networks.Unstable(networks.fourier(), networks.images(1), gain=4.0)
    sampling = Sampling.fourier(networks.sequence(), rates=(0.5, 0.75), trained_rate=0.5)
    plan = Plan(
        probes=(
            WorstCase(radii=(0.01, 0.02), search=search, n_random=2),
            Structural(details=("heart",)),
            sampling,
            Neighbourhood(search=search, n_draws=5),
        ),
        baselines={"zero-filled": networks.Slow(networks.zero_filled, seconds=DELAY)},
    )
    return run(
        Problem(forward=networks.fourier(), reconstruct=network, name="net"),
        networks.images(3),
        plan,
        out=out,
        seed=3,
        on_event=on_event,
    )


def _quietly(out: str, n_tasks: int | None) -> None:
    """The run in a process of its own; Ctrl-C ends it as it ends the command line."""

    def press(event: Event) -> None:
        """Press Ctrl-C in the middle of the task after the first few."""
        if event.kind == "progress" and event.n_done == n_tasks:
            signal.raise_signal(signal.SIGINT)

    try:
        work(Path(out), on_event=press)
    except KeyboardInterrupt:
        sys.exit(130)


def start(out: Path, *, interrupt_after: int | None = None) -> BaseProcess:
    """The run in a new process, from a server that has the imports done already.

    ``interrupt_after`` is the number of finished tasks after which Ctrl-C is pressed; pressed from
    outside it may come too late on a busy machine.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.helpers.resumable", "shaketable.runs.run", "h5py"])
    process = context.Process(target=_quietly, args=(str(out), interrupt_after))
    process.start()
    return process


def stop_at(process: BaseProcess, out: Path, *, seconds: float, how: int) -> bool:
    """Send a signal some seconds after the run began to write; False if it ended before."""
    while process.is_alive() and not out.exists():
        time.sleep(0.001)
    process.join(seconds)
    if process.is_alive() and process.pid is not None:
        os.kill(process.pid, how)
    process.join()
    return process.exitcode in (-how, 130)


def finish(out: Path) -> None:
    """Resume a run and let it end."""
    process = start(out)
    process.join()
    if process.exitcode != 0:
        raise RuntimeError(f"the run in {out} ended with {process.exitcode}")


def kill_until_finished(out: Path, *, n_kills: int, most_seconds: float, seed: int) -> int:
    """Kill at random moments, at most the stated number of times, then let the run finish.

    Returns how many kills hit the run at work.
    """
    rng = np.random.default_rng(seed)
    n_hits = 0
    while n_hits < n_kills:
        seconds = rng.uniform(0, most_seconds)
        if not stop_at(start(out), out, seconds=seconds, how=signal.SIGKILL):
            break
        n_hits += 1
    finish(out)
    return n_hits


def contents(out: Path) -> dict[str, str]:
    """What a run found: checks, records and results byte by byte, every array of every HDF5 file."""
    found = {
        name: hashlib.sha256((out / name).read_bytes()).hexdigest()
        for name in ("checks.jsonl", "records.jsonl", "results.json", "plan.yaml", "run.json")
    }
    for path in sorted((out / "arrays").glob("*")):
        with h5py.File(path, "r") as file:
            names: list[str] = []
            file.visititems(
                lambda name, node, names=names: (
                    names.append(name)  # type: ignore[misc]
                    if isinstance(node, h5py.Dataset)
                    else None
                )
            )
            for name in names:
                values = file[name][()]
                raw = repr(list(values)).encode() if values.dtype == object else values.tobytes()
                key = f"{path.name}/{name} {values.dtype} {values.shape}"
                found[key] = hashlib.sha256(raw).hexdigest()
    return found
