"""What running costs: finished runs, shared results, workers, a cluster's overhead, many images.

    python benchmarks/runs.py finished     # a finished run once more, in a fresh process
    python benchmarks/runs.py sharing      # how often a reference method is searched
    python benchmarks/runs.py workers      # two workers beside two processes that share nothing
    python benchmarks/runs.py kills        # workers killed at random moments, and the bytes that result
    python benchmarks/runs.py overhead     # what a task costs beside what it measures
    python benchmarks/runs.py thousand     # memory, files, time per task, size of the report

Times are wall times on this machine; `workers` prints ratios of runs made side by side.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

import shaketable as st
from shaketable.probes import Case, Measured, Outcome, Record, Verdict
from shaketable.probes.probe import array
from shaketable.sparse import TotalVariation

SIDE = 32


def network(y, A):
    """Zero filling with a bend in it, so that there is something to search."""
    zero_filled = A.adjoint(y)
    return zero_filled + 0.3 * torch.tanh(3 * zero_filled.abs()) * zero_filled


def sequence():
    """The sampling of all sections."""
    return st.maps.sampling.cartesian_variable_density((SIDE, SIDE), seed=0, n_center=4)


def images(n: int, side: int = SIDE) -> torch.Tensor:
    """Bright boxes with a little texture."""
    generator = torch.Generator().manual_seed(0)
    found = 0.05 * torch.rand(n, side, side, generator=generator)
    found[:, side // 8 : -side // 8, side // 5 : -side // 5] += 0.5
    return found


def four_probes() -> st.Plan:
    """Every probe, short."""
    search = st.Search(budget=st.Budget(n_gradients=12))
    return st.Plan(
        probes=(
            st.WorstCase(search=search),
            st.Structural(details=("heart",), size=9),
            st.Sampling.fourier(sequence(), rates=(0.5,), trained_rate=1 / 3),
            st.Neighbourhood(search=search, n_draws=4),
        ),
        baselines={"total-variation": TotalVariation(gap=1e-2)},
    )


def problem(name: str = "network", side: int = SIDE) -> st.Problem:
    """One network on the map of all sections."""
    mask = (
        sequence().mask(1 / 3)
        if side == SIDE
        else st.maps.sampling.cartesian_variable_density((side, side), seed=0).mask(1 / 3)
    )
    return st.Problem(forward=st.FourierMap(mask), reconstruct=network, name=name)


def finished(folder: Path) -> None:
    """Run four probes on two 32 x 32 images, then once more in this process and in a fresh one."""
    first = _timed(lambda: st.run(problem(), images(2), four_probes(), out=folder / "run"))
    again = _timed(lambda: st.run(problem(), images(2), four_probes(), out=folder / "run"))
    print(f"first run {first:.1f} s, once more {again:.2f} s")
    program = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); import torch, shaketable as st, runs\n"
        "from shaketable.runs import run\n"
        "began = time.perf_counter()\n"
        "run(runs.problem(), runs.images(2), runs.four_probes(), out=sys.argv[2])\n"
        "print(f'in a fresh process, after import: {time.perf_counter() - began:.2f} s')"
    )
    here = str(Path(__file__).parent)
    subprocess.run([sys.executable, "-c", program, here, str(folder / "run")], check=True)


def sharing(folder: Path) -> None:
    """Three networks and eight images beside one reference method: how many searches of it."""
    search = st.Search(budget=st.Budget(n_gradients=4), local_start=False)
    probe = st.WorstCase(radii=(0.02,), search=search)
    plan = st.Plan(probes=(probe,), baselines={"tv": TotalVariation(gap=1e-2)})
    for names, note in ((("a",), ""), (("a", "b", "c"), ""), (("a", "d"), ", in another run")):
        started: list[str] = []

        def watch(event, started=started) -> None:
            if event.kind == "started":
                started.append(event.item)

        store = folder / ("store" if len(names) != 1 else "alone")
        st.run([problem(name) for name in names], images(8), plan, out=folder / "-".join(names),
               store=store, on_event=watch)  # fmt: skip
        searches = sum(key.endswith("@tv") for key in started)
        print(f"networks {', '.join(names)}, 8 images{note}: {searches} searches of the reference "
              f"method, {len(started)} tasks measured")  # fmt: skip


def _long_plan() -> st.Plan:
    search = st.BlackBox(n_queries=1200)
    return st.Plan(probes=(st.WorstCase(radii=(0.02,), search=search, n_random=1),))


def _part(folder: str, start: str, stop: str) -> None:
    torch.set_num_threads(1)
    st.run(problem(side=96), images(12, 96)[int(start) : int(stop)], _long_plan(), out=folder)


def workers(folder: Path) -> None:
    """Two workers beside two processes that share nothing, and serial; one thread everywhere."""
    for turn in range(2):
        times = {}
        for name in ("serial", "workers", "apart"):
            place = folder / f"{name}-{turn}"
            times[name] = _timed(lambda name=name, place=place: _race(name, place))
        gains = {name: times["serial"] / times[name] for name in ("workers", "apart")}
        print(
            f"serial {times['serial']:.1f} s; 2 workers {times['workers']:.1f} s "
            f"({gains['workers']:.2f} times as fast); 2 processes that share nothing "
            f"{times['apart']:.1f} s ({gains['apart']:.2f}); workers have "
            f"{gains['workers'] / gains['apart']:.2f} of that gain"
        )


def _race(name: str, place: Path) -> None:
    """Processes of their own for everybody, so that all import torch."""
    code = "import sys; sys.path.insert(0, {here!r}); import runs; runs.{call}"
    here = str(Path(__file__).parent)
    calls = {
        "serial": [f"_part({str(place)!r}, 0, 12)"],
        "workers": [f"_with_workers({str(place)!r})"],
        "apart": [f"_part({str(place) + '-a'!r}, 0, 6)", f"_part({str(place) + '-b'!r}, 6, 12)"],
    }[name]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen([sys.executable, "-c", code.format(here=here, call=call)], env=environment)
        for call in calls
    ]
    if any(process.wait() for process in started):
        raise SystemExit("a process of the race failed")


def _with_workers(folder: str) -> None:
    torch.set_num_threads(1)
    st.run(problem(side=96), images(12, 96), _long_plan(), out=folder, workers=2)


N_KILLS = 20


def kills(folder: Path) -> None:
    """Serial, 1, 2 and 4 workers, and a scheduler of its own whose workers are killed 20 times."""
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    search = st.BlackBox(n_queries=300)
    plan = st.Plan(
        probes=(
            st.WorstCase(radii=(0.02,), search=search, n_random=1),
            st.Structural(details=("heart",), size=9),
        ),
        baselines={"zero-filling": _zero_filling},
    )

    def go(name: str, **settings) -> bytes:
        st.run([problem("a"), problem("b")], images(8), plan, out=folder / name, **settings)
        return _bytes_of(folder / name)

    expected = go("serial")
    for n in (1, 2, 4):
        print(
            f"{n} workers: {'equal' if go(f'workers-{n}', workers=n) == expected else 'OTHER'} bytes"
        )
    with _Scheduler() as scheduler, _Killer(scheduler) as killer:
        same = go("scheduler", scheduler=scheduler.address) == expected
        done = killer.n_killed
    print(
        f"a scheduler, {done} workers killed before the end: {'equal' if same else 'OTHER'} bytes"
    )


def _zero_filling(y, A):
    return A.adjoint(y)


def _bytes_of(directory: Path) -> bytes:
    """Records, results and checks, and every array of every file."""
    import h5py

    digest = hashlib.sha256()
    for name in ("records.jsonl", "results.json", "checks.jsonl"):
        digest.update((directory / name).read_bytes())
    for path in sorted((directory / "arrays").glob("*.h5")):
        digest.update(path.name.encode())
        with h5py.File(path) as file:
            file.visititems(
                lambda name, node: (
                    digest.update(name.encode() + node[()].tobytes())
                    if isinstance(node, h5py.Dataset) and node.dtype.kind in "fci"
                    else None
                )
            )
    return digest.digest()


class _Scheduler:
    """A Dask scheduler and two workers, processes of their own; workers that end are started again."""

    def __enter__(self):
        self.file = Path(tempfile.mkdtemp()) / "scheduler.json"
        command = ["distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard"]
        self.process = self._start(*command, "--scheduler-file", str(self.file))
        while not self.file.exists() or not self.file.read_text():
            time.sleep(0.1)
        self.address = json.loads(self.file.read_text())["address"]
        self.workers = [self.worker(), self.worker()]
        return self

    def worker(self) -> subprocess.Popen:
        """One more worker."""
        options = ["--no-nanny", "--nthreads", "1", "--memory-limit", "0", "--no-dashboard"]
        place = ["--local-directory", str(self.file.parent)]
        return self._start("distributed.cli.dask_worker", self.address, *options, *place)

    @staticmethod
    def _start(module: str, *options: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", module, *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers, self.process):
            process.kill()
            process.wait()


class _Killer:
    """Kills workers at random moments until it has killed enough, and starts others for them."""

    def __init__(self, scheduler: _Scheduler) -> None:
        self.scheduler, self.n_killed, self.over = scheduler, 0, threading.Event()
        self.thread = threading.Thread(target=self._kill, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def _kill(self) -> None:
        chance = random.Random(0)  # noqa: S311  (moments, not secrets)
        while self.n_killed < N_KILLS and not self.over.wait(chance.uniform(1, 7)):
            index = chance.randrange(2)
            self.scheduler.workers[index].kill()
            self.scheduler.workers[index].wait()
            self.scheduler.workers[index] = self.scheduler.worker()
            self.n_killed += 1

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """A probe that measures nothing: what is left is the cost of a task."""

    name = "nothing"
    record_type = Record

    def measure(self, case: Case) -> Outcome:
        """Keep the image."""
        return Outcome(records=(Record(),), arrays={"image": array(case.image[0])})

    def verdict(self, measured: Measured) -> Verdict:  # noqa: ARG002
        """There is nothing to judge."""
        return Verdict(probe="nothing", verdict="inconclusive", statement="None.", measure="none")


def overhead(folder: Path) -> None:
    """What a task costs in this process, and on two workers."""
    plan, n = st.Plan(probes=(Nothing(),)), 1000
    empty = {}
    for name, many in (("here", None), ("workers", 2)):
        for count in (50, n):
            out = folder / f"{name}-{count}"
            empty[name, count] = _timed(
                lambda out=out, many=many, count=count: st.run(
                    problem(), images(count), plan, out=out, workers=many
                )
            )
    for name in ("here", "workers"):
        each = (empty[name, n] - empty[name, 50]) / (n - 50)
        print(f"{name}: {1e3 * each:.2f} ms a task, {empty[name, 50]:.1f} s for the first 50")
    each = (empty["workers", n] - empty["workers", 50]) / (n - 50)
    print(f"10^6 tasks on 1000 workers at this rate: {each * 1e6 / 60:.0f} min of the one writer")


def thousand(folder: Path) -> None:
    """A thousand images: what grows and what does not."""
    process, seen, last = psutil.Process(), [], time.perf_counter()

    def watch(event) -> None:
        nonlocal last
        if event.kind == "finished" and event.n_done % 250 == 0:
            now = time.perf_counter()
            memory = process.memory_info().rss / 2**20
            seen.append((event.n_done, memory, process.num_fds(), (now - last) / 250))
            last = now

    plan = st.Plan(
        probes=(st.Structural(details=("heart",), size=9),),
        baselines={"zero-filling": lambda y, A: A.adjoint(y)},
    )
    run = st.run(problem(), images(1000), plan, out=folder / "run", on_event=watch)
    for n_done, memory, files, each in seen:
        print(f"{n_done} tasks: {memory:.0f} MB, {files} open files, {1e3 * each:.1f} ms a task")
    took = _timed(run.report)
    size = (folder / "run" / "report.html").stat().st_size / 2**20
    print(f"report of 1000 images: {size:.1f} MB in {took:.1f} s")


def _timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


SECTIONS = {
    "finished": finished,
    "sharing": sharing,
    "workers": workers,
    "kills": kills,
    "overhead": overhead,
    "thousand": thousand,
}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in SECTIONS:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as place:
        SECTIONS[sys.argv[1]](Path(place))
