"""Measure in other processes, on this machine or a Dask cluster (dask.distributed).

Workers measure and send back; this process alone writes. A worker that dies costs the task it was at,
which is measured again elsewhere: nothing of a task is kept before it is whole.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import tempfile
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shaketable.errors import MissingDependencyError, RunError
from shaketable.probes.probe import Outcome
from shaketable.runs.contents import is_installed
from shaketable.runs.devices import on_device
from shaketable.runs.measuring import Bench, Done
from shaketable.runs.tasks import Task

_MOST_DEATHS = 10  # of workers at one task before it is given up
_SUSPECT = 3  # deaths after which a task is measured with no other under way
_MOST_STARTS = 30  # of workers one after the other that end before any task does
_PATIENCE = 1.0  # seconds between looks at the workers
_ANSWER = 20  # seconds that a scheduler has to answer


@dataclass(frozen=True, kw_only=True)
class Machines:
    """Where tasks are measured.

    Parameters
    ----------
    workers
        Processes on this machine; None for those of ``scheduler``, or, without one, this process.
    scheduler
        Address of a Dask scheduler.
    devices
        Of the workers, in turn: one worker per device.
    threads
        Of torch in every worker; None takes ``OMP_NUM_THREADS``, or else shares the cores of this
        machine among its workers.
    """

    workers: int | None = None
    scheduler: str | None = None
    devices: tuple[str, ...] = ("cpu",)
    threads: int | None = None

    @property
    def threads_each(self) -> int:
        """Threads of torch in every worker, so that cores are not oversubscribed."""
        stated = os.environ.get("OMP_NUM_THREADS", "")
        if self.threads is not None or stated.isdigit():
            return self.threads or max(1, int(stated))
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return max(1, (cores or 1) // self.workers) if self.workers else 1


class Cluster:
    """An engine of several processes.

    Parameters
    ----------
    bench
        What tasks are measured with; sent to every worker once.
    machines
        Where.

    Raises
    ------
    MissingDependencyError
        If dask.distributed is not installed.
    RunError
        If the scheduler does not answer.
    """

    def __init__(self, bench: Bench, machines: Machines) -> None:
        self._machines = machines
        self._plugin = _plugin(bench, machines)  # before any process is started
        self._local = _Local.start(machines) if machines.scheduler is None else None
        try:
            self._client = self._connected()
            self._client.register_plugin(self._plugin)
        except BaseException:
            if self._local is not None:
                self._local.stop()
            raise
        self._finished: queue.Queue[Any] = queue.Queue()
        self._tasks: dict[str, _Sent] = {}
        self._suspects: deque[_Sent] = deque()

    def _connected(self) -> Any:
        address = self._machines.scheduler if self._local is None else self._local.address
        try:
            return library().Client(address, timeout=_ANSWER, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise RunError(
                f"Expected a Dask scheduler at {address}, got {type(error).__name__}; start one with "
                "'dask scheduler' and pass the address that it prints."
            ) from error

    @property
    def n_ahead(self) -> int:
        """Enough that no worker waits, few enough that no queue holds a whole campaign."""
        return max(8, 3 * self.n_at_once)

    @property
    def n_at_once(self) -> int:
        """One task per worker."""
        return max(1, self._machines.workers or len(self._client.nthreads()))

    def submit(self, task: Task, theirs: Outcome | None) -> None:
        """Send a task to the next free worker."""
        self._send(_Sent(task=task, theirs=theirs))

    def _send(self, sent: _Sent) -> None:
        future = self._client.submit(
            _attempt, self._plugin.token, sent.task, sent.theirs, pure=False,
            key=f"{sent.task.key}-{uuid.uuid4().hex[:8]}", retries=0,
        )  # fmt: skip
        sent.future = future  # a future that nobody holds is cancelled
        self._tasks[future.key] = sent
        future.add_done_callback(self._finished.put)

    def wait(self) -> Done:
        """Wait for the next task, and see to it that workers of this machine that died come back.

        A worker that dies takes the tasks that wait for it along. Which of them ended it is seen
        when each is measured alone.
        """
        while True:
            if self._suspects and not self._tasks:
                self._send(self._suspects.popleft())
            try:
                future = self._finished.get(timeout=_PATIENCE)
            except queue.Empty:
                self._revive()
                continue
            sent = self._tasks.pop(future.key)
            done = self._fetched(future)
            if done is not None:
                return self._counted(done)
            self._lost(sent, future)
            if sent.deaths > _MOST_DEATHS:
                failure = f"its worker process died {sent.deaths} times"
                return self._counted(Done(key=sent.task.key, outcome=None, failure=failure))
            if sent.deaths < _SUSPECT:
                self._send(sent)
            else:
                self._suspects.append(sent)

    def _counted(self, done: Done) -> Done:
        """A task has ended, so workers do start."""
        if self._local is not None:
            self._local.n_started = 0
        return done

    def _revive(self) -> None:
        if self._local is not None:
            self._local.revive()

    def _fetched(self, future: Any) -> Done | None:
        """What a worker has measured; None where it was lost.

        A worker that dies before it has sent the result takes that along, and Dask has it measured
        again.
        """
        patience = _PATIENCE
        while future.status not in ("error", "cancelled"):
            try:
                done: Done = future.result(timeout=patience)
                return done
            except TimeoutError:
                self._revive()
                patience *= 2  # for large results on a slow network
            except Exception:
                if future.status == "finished":
                    raise
        return None

    def _lost(self, sent: _Sent, future: Any) -> None:
        """Count a death; anything else that keeps a task from being measured ends the run."""
        from distributed import KilledWorker

        error = future.exception() if future.status == "error" else None
        if error is None or isinstance(error, KilledWorker):
            sent.deaths += 1
            return
        raise RunError(
            f"Expected workers that can measure, got {type(error).__name__} ({error}) from one; have "
            "all machines the same versions of Shaketable and of what the networks need?"
        ) from error

    def close(self) -> None:
        """Cancel what is under way, and end the workers of this machine."""
        with contextlib.suppress(Exception):  # a scheduler that is gone has nothing to cancel
            self._client.cancel([sent.future for sent in self._tasks.values()], force=True)
            self._client.unregister_worker_plugin(self._plugin.name)
        with contextlib.suppress(Exception):
            self._client.close(timeout=5)
        if self._local is not None:
            self._local.stop()


@dataclass(kw_only=True)
class _Sent:
    """A task that is under way."""

    task: Task
    theirs: Outcome | None
    deaths: int = 0
    future: Any = None


@dataclass(kw_only=True)
class _Local:
    """A scheduler in this process, and workers in processes of their own that are kept alive."""

    cluster: Any
    machines: Machines
    folder: tempfile.TemporaryDirectory[str] = field(default_factory=tempfile.TemporaryDirectory)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    n_started: int = 0

    @classmethod
    def start(cls, machines: Machines) -> _Local:
        import dask
        from distributed import LocalCluster

        # Every death is heard of here, see `_lost`; Dask itself would count some in silence.
        with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
            cluster = LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=0, processes=True, dashboard_address=None, silence_logs=50,
                # its web server is not used; on a fixed port two runs would be in each other's way
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            )  # fmt: skip
        local = cls(cluster=cluster, machines=machines)
        local.processes = [local._worker(index) for index in range(machines.workers or 1)]
        return local

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return str(self.cluster.scheduler_address)

    def _worker(self, index: int) -> subprocess.Popen[bytes]:
        """A process that does not run the user's script again, as one of multiprocessing would."""
        threads = str(self.machines.threads_each)
        environment = {
            **os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads,
            "DASK_LOGGING__DISTRIBUTED": "critical",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }  # fmt: skip
        command = [
            sys.executable, "-m", "distributed.cli.dask_worker", self.address, "--no-nanny",
            "--nthreads", "1", "--name", str(index), "--no-dashboard", "--memory-limit", "0",
            "--death-timeout", "60", "--local-directory", self.folder.name,
        ]  # fmt: skip
        return subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def revive(self) -> None:
        """Start again what has ended.

        Raises
        ------
        RunError
            If workers keep ending and no task does.
        """
        for index, process in enumerate(self.processes):
            if process.poll() is not None:
                self.n_started += 1
                if self.n_started > _MOST_STARTS:
                    raise RunError(
                        "Expected worker processes that stay, got "
                        f"{_MOST_STARTS} that ended before any task was done; run without workers to see "
                        "whether the tasks can be measured here."
                    )
                self.processes[index] = self._worker(index)

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
        with contextlib.suppress(Exception):
            self.cluster.close(timeout=5)
        self.folder.cleanup()


def library() -> Any:
    """dask.distributed.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    """
    try:
        import distributed
    except ImportError as error:
        raise MissingDependencyError(
            "Expected dask.distributed for several processes, got no such library; install it with "
            "pip install 'shaketable[cluster]', or leave workers and scheduler out."
        ) from error
    return distributed


def _plugin(bench: Bench, machines: Machines) -> Any:
    from distributed import WorkerPlugin

    token = uuid.uuid4().hex

    class Measuring(WorkerPlugin):
        """Brings what tasks are measured with to every worker, those that come later included."""

        name = f"shaketable-{token}"

        def __init__(self) -> None:
            self.token = token
            self.content = _packed(bench)
            self.devices, self.threads = machines.devices, machines.threads_each

        def setup(self, worker: Any) -> None:
            benches = getattr(worker, "shaketable", None)
            if benches is None:
                benches = worker.shaketable = {}
            benches[self.token] = _Packed(
                content=self.content, device=_device_of(self.devices, worker.name),
                threads=self.threads,
            )  # fmt: skip

        def teardown(self, worker: Any) -> None:
            getattr(worker, "shaketable", {}).pop(self.token, None)

    return Measuring()


def _packed(bench: Bench) -> bytes:
    """The bench for another process, with the code of modules that are not installed there."""
    import cloudpickle

    by_value = [
        module for name, module in list(sys.modules.items())
        if name != "__main__" and getattr(module, "__file__", None) and not is_installed(name)
    ]  # fmt: skip
    registered = []
    try:
        for module in by_value:
            with contextlib.suppress(ValueError):
                cloudpickle.register_pickle_by_value(module)
                registered.append(module)
        content: bytes = cloudpickle.dumps(bench)
        return content
    except Exception as error:
        raise RunError(
            "Expected networks, map and images that can be sent to other processes, got "
            f"{type(error).__name__} ({error}); run them in this process, without workers."
        ) from error
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)


def _device_of(devices: Sequence[str], worker: object) -> str:
    """One device per worker: workers of this machine are numbered."""
    number = str(worker)
    return devices[int(number) % len(devices)] if number.isdigit() else devices[0]


@dataclass(kw_only=True)
class _Packed:
    """What a worker measures with, unpacked when its first task comes."""

    content: bytes
    device: str
    threads: int
    bench: Bench | None = None

    def unpacked(self) -> Bench:
        if self.bench is None:
            import pickle

            import torch

            torch.set_num_threads(self.threads)
            loaded: Bench = pickle.loads(self.content)  # noqa: S301  (what this run's writer sent)
            self.bench = on_device(loaded, self.device)
        return self.bench


def _attempt(token: str, task: Task, theirs: Outcome | None) -> Done:
    """Measure a task in a worker."""
    from distributed import get_worker

    worker: Any = get_worker()
    packed: _Packed = worker.shaketable[token]
    return packed.unpacked().attempt(task, theirs, _silent)


def _silent(message: str, share: float) -> None:
    """Progress inside a task stays with its worker."""
