"""Reading a stored run: results.json and the arrays beside it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shaketable.errors import RunError

SCHEMA = "shaketable.results/1"

Record = Mapping[str, Any]
Array = NDArray[Any]


def number(record: Record, key: str) -> float | None:
    """Return the finite number under ``key``, or None: null, text, NaN and infinity are no numbers.

    Examples
    --------
    >>> number({"error": 2}, "error"), number({"error": None}, "error"), number({}, "error")
    (2.0, None, None)
    """
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def text(record: Record, key: str, default: str = "") -> str:
    """Return the value under ``key`` as text; the default where it is missing or null."""
    value = record.get(key)
    return default if value is None else str(value)


def mapping(record: Record, key: str) -> Record:
    """Return the object under ``key``; empty where there is none."""
    value = record.get(key)
    return value if isinstance(value, Mapping) else {}


def sequence(record: Record, key: str) -> Sequence[Any]:
    """Return the list under ``key``; empty where there is none."""
    value = record.get(key)
    return value if isinstance(value, list) else []


def bounds(record: Record, key: str = "interval") -> tuple[float | None, float | None]:
    """Return the two ends of an interval ``[low, high]``; None for an end that does not exist."""
    ends = sequence(record, key)
    if len(ends) != 2:
        return None, None
    pair = {"low": ends[0], "high": ends[1]}
    return number(pair, "low"), number(pair, "high")


@dataclass(frozen=True, kw_only=True)
class StoredRun:
    """What a run directory holds.

    Parameters
    ----------
    directory
        The run directory.
    results
        The content of ``results.json``.
    fingerprint
        SHA-256 of the bytes of ``results.json``.
    unreadable
        Names of array files that were asked for and could not be read; filled while reading.
    recent
        The arrays of the item that was read last, because a figure asks for them repeatedly.
    """

    directory: Path
    results: Record
    fingerprint: str
    unreadable: dict[str, str] = field(default_factory=dict)
    recent: dict[tuple[str, str], Array | None] = field(default_factory=dict, repr=False)

    @property
    def problem(self) -> Record:
        """The tested problem."""
        return mapping(self.results, "problem")

    @property
    def plan(self) -> Record:
        """The plan as resolved."""
        return mapping(self.results, "plan")

    @property
    def planned(self) -> dict[str, tuple[Record, ...]]:
        """The settings of the planned probes by name; several where one runs in two domains."""
        planned = {}
        for name, settings in mapping(self.plan, "probes").items():
            every = settings if isinstance(settings, list) else [settings]
            planned[str(name)] = tuple(one for one in every if isinstance(one, Mapping))
        return planned

    @property
    def not_applicable(self) -> dict[str, str]:
        """Why a probe has no meaning for this network, by its name."""
        reasons = mapping(self.plan, "not_applicable")
        return {
            str(name): text(reasons, name).strip().rstrip(".")
            for name in reasons
            if text(reasons, name)
        }

    @property
    def units(self) -> str:
        """The unit of the images; empty where none was stated."""
        return text(self.problem, "units")

    @property
    def network(self) -> str:
        """The name of the tested network."""
        found = (text(r, "method") for r in self.records() if r.get("role") == "network")
        return text(self.problem, "network") or next(found, "network")

    @property
    def baselines(self) -> tuple[str, ...]:
        """The names of the stable methods, the primary one first."""
        primary = text(self.problem, "baseline")
        named = [primary, *(str(name) for name in sequence(self.problem, "baselines"))]
        measured = (text(r, "method") for r in self.records() if r.get("role") == "baseline")
        return tuple(dict.fromkeys(name for name in (*named, *measured) if name))

    @property
    def methods(self) -> tuple[str, ...]:
        """The network, then the stable methods."""
        return (self.network, *self.baselines)

    @property
    def images(self) -> tuple[Record, ...]:
        """The tested images."""
        found = sequence(self.problem, "images")
        return tuple(image for image in found if isinstance(image, Mapping))

    def records(self, probe: str = "") -> tuple[Record, ...]:
        """All records, or those of one probe, in stored order."""
        found = (r for r in sequence(self.results, "records") if isinstance(r, Mapping))
        return tuple(r for r in found if not probe or r.get("probe") == probe)

    def array(self, item: str, name: str) -> Array | None:
        """One stored array, or None where the file or the array does not exist.

        Parameters
        ----------
        item
            The key of the work item.
        name
            The path inside the HDF5 file, for example ``methods/deep-mri/clean``.
        """
        if any(known != item for known, _ in self.recent):
            self.recent.clear()
        if (item, name) not in self.recent:
            self.recent[item, name] = self._read(item, name)
        return self.recent[item, name]

    def _read(self, item: str, name: str) -> Array | None:
        import h5py

        file = self.directory / "arrays" / f"{item}.h5"
        if not item or Path(item).name != item:
            return None
        if not file.is_file():
            self.unreadable[item] = "the file is missing"
            return None
        try:
            with h5py.File(file, "r") as store:
                if name not in store or not isinstance(store[name], h5py.Dataset):
                    return None
                dataset = store[name]
                is_text = h5py.check_string_dtype(dataset.dtype) is not None
                return np.asarray(dataset.asstr()[()] if is_text else dataset[()])
        except (OSError, ValueError, KeyError):
            self.unreadable[item] = "the file cannot be read as HDF5"
            return None

    def picture_array(self, item: str, name: str, index: int | None = None) -> Array | None:
        """Return one ``(H, W)`` array, of a stack if ``index`` is given; None if absent."""
        array = self.array(item, name)
        if array is None:
            return None
        if index is not None:
            if array.ndim != 3 or not 0 <= index < len(array):
                return None
            array = array[index]
        if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "biufc":
            return None
        return array


def load_run(run_dir: Path) -> StoredRun:
    """Read ``results.json`` of a run directory.

    Raises
    ------
    RunError
        If the file is missing, is not JSON, or has another schema than this version reads.
    """
    path = Path(run_dir) / "results.json"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(
            f"Expected a run directory with results.json, got {run_dir} without one; "
            "finish the run with 'shaketable run' first, or name the directory it wrote."
        ) from error
    try:
        results = json.loads(content)
    except ValueError as error:
        raise RunError(
            f"Expected JSON in {path}, got something else ({error}); "
            "repeat 'shaketable run' into the same directory to write it again."
        ) from error
    schema = results.get("schema") if isinstance(results, dict) else None
    if schema != SCHEMA:
        raise RunError(
            f"Expected results of schema {SCHEMA!r}, got {schema!r} in {path}; "
            "use the version of Shaketable that wrote this run."
        )
    return StoredRun(
        directory=Path(run_dir),
        results=results,
        fingerprint=hashlib.sha256(content).hexdigest(),
    )
