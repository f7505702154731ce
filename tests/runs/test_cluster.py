"""Runs in several processes: the same bytes as in one, whatever happens to the workers.

Everything is compared with one thread of torch in every process: more threads add numbers up in
another order, which changes the last digits of sums of large tensors.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from shaketable import Budget, Plan, Problem, Search, Structural, run
from shaketable.errors import InputError, MissingDependencyError, RunError
from shaketable.runs import Event, cluster, load_run
from tests.helpers import networks, watched
from tests.helpers.resumable import contents

pytest.importorskip("distributed")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # what workers go by


class Local:
    """A class that only this module has: its code has to travel."""

    def __init__(self, gain: float, seconds: float) -> None:
        self.unstable = networks.Unstable(watched.FORWARD, watched.images(1), gain=gain)
        self.seconds = seconds

    def __call__(self, y, A):
        time.sleep(self.seconds)
        return own(self.unstable(y, A))


def own(image):
    """A function that only this module has."""
    return 0.9 * image


def work(out, *, seconds: float = 0.0, n: int = 4, **settings):
    """Two networks, two domains, one detail: 4 images, 52 tasks."""
    search = Search(budget=Budget(n_gradients=4))
    plan = Plan(
        probes=(
            watched.Unproven(radii=(0.01, 0.02), search=search, n_random=1),
            watched.Unproven(radii=(0.01,), search=search, n_random=1, domain="data"),
            Structural(details=("heart",)),
        ),
        baselines={"zero-filled": networks.zero_filled},
    )
    problems = [
        Problem(forward=watched.FORWARD, reconstruct=Local(gain, seconds), name=name)
        for name, gain in (("net", 2.0), ("other net", 3.0))
    ]
    return run(problems, watched.images(n), plan, out=out, seed=5, **settings)


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    out = tmp_path_factory.mktemp("serial") / "run"
    assert work(out).results["failed"] == []
    return contents(out)


def workers() -> list[psutil.Process]:
    """The worker processes of this process's runs."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any("dask_worker" in word for word in process.cmdline()):
                found.append(process)
    return found


@pytest.mark.parametrize("n", [1, 2, 4])
def test_any_number_of_workers_gives_the_bytes_of_one_process(serial, tmp_path, n):
    events: list[Event] = []
    work(tmp_path / "run", workers=n, on_event=events.append)
    assert contents(tmp_path / "run") == serial
    assert workers() == []
    kinds = [event.kind for event in events]
    assert kinds.count("started") == kinds.count("finished") == 52
    assert events[-1].n_done == 52


class Killing(threading.Thread):
    """Kills one worker after the other at random moments, from when the first task is done."""

    def __init__(self, n: int, victims=workers) -> None:
        super().__init__(daemon=True)
        self.n, self.victims, self.n_killed = n, victims, 0
        self.begun, self.ended = threading.Event(), threading.Event()

    def run(self) -> None:
        rng = np.random.default_rng(7)
        self.begun.wait()
        while self.n_killed < self.n and not self.ended.wait(rng.uniform(0.05, 0.8)):
            there = self.victims()
            if there:
                with contextlib.suppress(psutil.Error):
                    there[rng.integers(len(there))].kill()
                    self.n_killed += 1

    def hear(self, event: Event) -> None:
        if event.kind == "finished":
            self.begun.set()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.begun.set()
        self.ended.set()
        self.join()


@pytest.mark.slow
def test_workers_that_are_killed_at_random_moments_cost_nothing(serial, tmp_path):
    with Killing(4) as killing:
        work(tmp_path / "run", seconds=0.01, workers=2, on_event=killing.hear)
    assert killing.n_killed >= 3
    assert contents(tmp_path / "run") == serial
    assert workers() == []


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 2])
def test_a_task_that_ends_its_process_every_time_fails_and_the_others_are_done(
    tmp_path, monkeypatch, n
):
    monkeypatch.setattr(cluster, "_MOST_DEATHS", 2)
    monkeypatch.setattr(cluster, "_SUSPECT", 1)
    home, killer = os.getpid(), watched.images(3)[0:1]

    def reconstruct(y, A):
        close = torch.linalg.vector_norm(y - A(killer)) < 0.1 * torch.linalg.vector_norm(y)
        if os.getpid() != home and close:
            os.kill(os.getpid(), signal.SIGKILL)
        return A.adjoint(y)

    images = (
        watched.images(1).repeat(5, 1, 1) * torch.tensor([1.0, 3.0, 4.0, 5.0, 6.0])[:, None, None]
    )
    plan = Plan(probes=(Structural(details=("heart",)),), baselines={"half": networks.scaled(0.5)})
    problem = Problem(forward=watched.FORWARD, reconstruct=reconstruct, name="net")
    result = run(problem, images, plan, out=tmp_path / "run", workers=n)
    [failed] = result.results["failed"]
    assert failed["item"] == "structural-image-000@net"
    assert failed["error"] == "its worker process died 3 times"
    done = [(r["image"], r["method"]) for r in result.records]
    assert len(done) == 9
    assert result.verdicts[0]["statement"].endswith("planned items are not finished.")
    assert workers() == []


SCRIPT = """
    import sys
    from tests.runs.test_cluster import work

    def hear(event):
        if event.kind == "finished":
            print("finished", flush=True)

    if __name__ == "__main__":
        work(sys.argv[1], seconds=0.01, workers=2, on_event=hear)
"""


@pytest.mark.slow
def test_ctrl_c_ends_the_workers_and_keeps_what_is_finished(serial, tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(textwrap.dedent(SCRIPT))
    out = tmp_path / "run"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    process = subprocess.Popen(
        [sys.executable, str(script), str(out)], env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for _ in range(3):
        assert process.stdout.readline() == "finished\n"
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert [child for child in children if child.is_running()] == []
    stored = load_run(out)
    lines = (out / "records.jsonl").read_text().splitlines()
    assert 3 <= len(lines) < 52
    assert stored.results["notes"][0].startswith(f"{52 - len(lines)} of the planned items")
    work(out)
    assert contents(out) == serial


@contextlib.contextmanager
def outside(folder: Path) -> Iterator[tuple[str, list[psutil.Process]]]:
    """A scheduler and two workers that somebody else has started."""
    there = folder / "scheduler.json"
    environment = {
        **os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1",
    }  # fmt: skip

    def start(*words: str) -> psutil.Popen:
        return psutil.Popen(
            [sys.executable, "-m", *words, "--scheduler-file", str(there), "--no-dashboard"],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip

    processes = [start("distributed.cli.dask_scheduler", "--port", "0", "--host", "127.0.0.1")]
    try:
        while not there.exists() or not there.read_text():
            assert processes[0].is_running()
            time.sleep(0.05)
        worker = ("distributed.cli.dask_worker", "--no-nanny", "--nthreads", "1")
        processes += [start(*worker), start(*worker)]
        yield json.loads(there.read_text())["address"], processes[1:]
    finally:
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.kill()
            process.wait()


@pytest.mark.slow
def test_a_cluster_of_others_gives_the_same_bytes_and_outlives_a_worker(serial, tmp_path):
    with outside(tmp_path) as (address, others):
        with Killing(1, victims=lambda: others[:1]) as killing:
            work(tmp_path / "run", scheduler=address, on_event=killing.hear)
        assert killing.n_killed == 1
        assert others[1].is_running()
        again = work(tmp_path / "again", n=1, scheduler=address)
        assert again.results["failed"] == []
    assert contents(tmp_path / "run") == serial


def test_no_scheduler_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_ANSWER", 1)
    with pytest.raises(RunError, match=r"Expected a Dask scheduler at tcp://127\.0\.0\.1:9"):
        work(tmp_path / "run", scheduler="tcp://127.0.0.1:9")


def test_without_the_library_nothing_begins(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    events: list[Event] = []
    for settings in ({"workers": 2}, {"scheduler": "tcp://127.0.0.1:9"}):
        with pytest.raises(MissingDependencyError, match=r"pip install 'shaketable\[cluster\]'"):
            work(tmp_path / "run", **settings, on_event=events.append)
    assert events == []
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"workers": 0}, "workers to be a whole number of at least 1"),
        ({"workers": 1.5}, "workers to be a whole number"),
        ({"workers": 2, "scheduler": "tcp://here:1"}, "workers or a scheduler, got both"),
        ({"device": "cuda:99"}, "'cuda:99'"),
        ({"device": ()}, "at least one device"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_done(tmp_path, settings, said):
    with pytest.raises(InputError, match=said):
        work(tmp_path / "run", **settings)
    assert not (tmp_path / "run").exists()


def test_what_cannot_travel_is_said(tmp_path):
    lock = threading.Lock()

    def locked(y, A):
        with lock:
            return A.adjoint(y)

    problem = Problem(forward=watched.FORWARD, reconstruct=locked, name="net")
    plan = Plan(probes=(Structural(details=("heart",)),))
    with pytest.raises(RunError, match="can be sent to other processes"):
        run(problem, watched.images(1), plan, out=tmp_path / "run", workers=1)
    assert workers() == []
    result = run(problem, watched.images(1), plan, out=tmp_path / "run")  # here it can
    assert result.results["failed"] == []


def test_every_worker_has_its_share_of_the_cores_and_a_device_of_its_own(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    threads = [cluster.Machines(workers=n).threads_each for n in (1, 2, 3, 8, 9, None)]
    assert threads == [8, 4, 2, 1, 1, 1]
    assert cluster.Machines(workers=2, threads=3).threads_each == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert cluster.Machines(workers=2).threads_each == 5
    assert cluster.Machines(workers=2, threads=3).threads_each == 3
    devices = ("cuda:0", "cuda:1")
    assert [cluster._device_of(devices, name) for name in ("0", 1, "2", "tcp://other")] == [
        "cuda:0", "cuda:1", "cuda:0", "cuda:0"
    ]  # fmt: skip
