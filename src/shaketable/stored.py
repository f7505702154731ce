"""Reading a stored run: results.json and the arrays beside it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from shaketable.errors import RunError
from shaketable.records import from_row, slug

SCHEMA = "shaketable.results/1"

Record = Mapping[str, Any]
Array = NDArray[Any]
R = TypeVar("R")
T = TypeVar("T")
Key = tuple[str, str, str]


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
    recent: dict[Key, Array | None] = field(default_factory=dict, repr=False)

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

    @cached_property
    def networks(self) -> tuple[str, ...]:
        """The names of the tested networks; runs of one network may name it alone."""
        listed = [one for one in sequence(self.problem, "networks") if isinstance(one, Mapping)]
        named = [*(text(one, "name") for one in listed), *([] if listed else [self._alone])]
        return tuple(dict.fromkeys(name for name in named if name)) or ("network",)

    @property
    def _alone(self) -> str:
        found = (text(r, "method") for r in self.records() if r.get("role") == "network")
        return text(self.problem, "network") or next(found, "network")

    @property
    def network(self) -> str:
        """The name of the tested network, the first one of several."""
        return self.networks[0]

    @property
    def weights(self) -> dict[str, str]:
        """The hash of the weights of every network that has weights to hash."""
        listed = [one for one in sequence(self.problem, "networks") if isinstance(one, Mapping)]
        found = {text(one, "name"): text(one, "weights_sha256") for one in listed}
        alone = {} if listed else {self.network: text(self.problem, "weights_sha256")}
        return {name: digest for name, digest in (found | alone).items() if digest}

    @cached_property
    def baselines(self) -> tuple[str, ...]:
        """The names of the reference methods, the primary one first."""
        primary = text(self.problem, "baseline")
        named = [primary, *(str(name) for name in sequence(self.problem, "baselines"))]
        measured = (text(r, "method") for r in self.records() if r.get("role") == "baseline")
        found = (name for name in (*named, *measured) if name and name not in self.networks)
        return tuple(dict.fromkeys(found))

    @property
    def methods(self) -> tuple[str, ...]:
        """The networks, then the reference methods."""
        return (*self.networks, *self.baselines)

    @property
    def images(self) -> tuple[Record, ...]:
        """The tested images."""
        return self._objects("images", self.problem)

    @property
    def verdicts(self) -> tuple[Record, ...]:
        """The verdicts; each holds for the network that it names, or for the only one."""
        return self._objects("verdicts")

    @property
    def comparisons(self) -> tuple[Record, ...]:
        """What networks differ in on the same images."""
        return self._objects("comparisons")

    @property
    def checks(self) -> tuple[Record, ...]:
        """The checks made before the test."""
        return self._objects("checks")

    def _objects(self, key: str, within: Record | None = None) -> tuple[Record, ...]:
        found = sequence(self.results if within is None else within, key)
        return tuple(one for one in found if isinstance(one, Mapping))

    @cached_property
    def _rows(self) -> tuple[Record, ...]:
        return self._objects("records")

    @cached_property
    def probes(self) -> tuple[str, ...]:
        """The probes that there are records of."""
        return tuple(dict.fromkeys(text(row, "probe") for row in self._rows))

    def records(self, probe: str = "") -> tuple[Record, ...]:
        """All records, or those of one probe, as stored and in stored order."""
        return tuple(r for r in self._rows if not probe or r.get("probe") == probe)

    def records_of(self, kind: type[R], probe: str) -> tuple[R, ...]:
        """The records of a probe as its own type, in stored order.

        Parameters
        ----------
        kind
            The type; what a row lacks is None, NaN or empty there (`shaketable.records.from_row`).
        probe
            The name of the probe.
        """
        return tuple(
            from_row(
                kind, {**row, **{key: text(row, key, "unnamed") for key in ("method", "image")}}
            )
            for row in self.records(probe)
        )

    def array(self, item: str, name: str, network: str | None = None) -> Array | None:
        """One stored array, or None where the file or the array does not exist.

        Parameters
        ----------
        item
            The key of the probe on an image.
        name
            The path inside the HDF5 file, for example ``methods/deep-mri/clean``.
        network
            Whose perturbation it was, for what a reference method made of the perturbation of a
            network; the first network by default.
        """
        key = (item, name, network or self.network)
        if any(known != item for known, _, _ in self.recent):
            self.recent.clear()
        if key not in self.recent:
            self.recent[key] = self._first(self._places(*key), name)
        return self.recent[key]

    def names(self, item: str) -> tuple[str, ...]:
        """The paths of all arrays of an item."""
        stems = self._files.get(item, ())
        found = (name for stem in stems for name in self._read(stem, _dataset_names) or ())
        return tuple(dict.fromkeys(found))

    def place(self, item: str) -> str:
        """Where the arrays of an item lie in the run directory: one file, or one per method."""
        is_split = item in self._files and item not in self._files[item]
        return f"arrays/{item}@*.h5" if is_split else f"arrays/{item}.h5"

    @cached_property
    def _files(self) -> Mapping[str, tuple[str, ...]]:
        """The files of each item without their ending: ``ITEM`` or ``ITEM@METHOD``, ..."""
        found: dict[str, tuple[str, ...]] = {}
        for stem in sorted(path.stem for path in (self.directory / "arrays").glob("*.h5")):
            item = stem.partition("@")[0]
            found[item] = (*found.get(item, ()), stem)
        return found

    @cached_property
    def _measured(self) -> frozenset[str]:
        return frozenset(f"{text(r, 'item')}@{slug(text(r, 'method'))}" for r in self._rows)

    def _places(self, item: str, name: str, network: str) -> tuple[str, ...]:
        """The files that may hold an array: one for all methods, or one per method."""
        if not item or Path(item).name != item:
            return ()
        stored = self._files.get(item, ())
        if not stored or item in stored:
            return (item,)
        part, _, rest = name.partition("/")
        method, _, what = rest.rpartition("/")
        if part != "methods" or not method:
            return stored
        stem = f"{item}@{slug(method)}"
        if what == "given_network":
            stem = f"{stem}@{slug(network)}"
        return (stem,) if stem in stored or stem in self._measured else ()

    def _first(self, stems: Sequence[str], name: str) -> Array | None:
        found = (self._read(stem, lambda store: _dataset(store, name)) for stem in stems)
        return next((array for array in found if array is not None), None)

    def _read(self, stem: str, read: Callable[[Any], T]) -> T | None:
        """What there is to read from an array file; None, and a note, where it cannot be read."""
        import h5py

        file = self.directory / "arrays" / f"{stem}.h5"
        if not file.is_file():
            self.unreadable[stem] = "the file is missing"
            return None
        try:
            with h5py.File(file, "r") as store:
                return read(store)
        except (OSError, ValueError, KeyError):
            self.unreadable[stem] = "the file cannot be read as HDF5"
            return None

    def picture_array(
        self, item: str, name: str, index: int | None = None, network: str | None = None
    ) -> Array | None:
        """Return one ``(H, W)`` array, of a stack if ``index`` is given; None if absent."""
        array = self.array(item, name, network)
        if array is None:
            return None
        if index is not None:
            if array.ndim != 3 or not 0 <= index < len(array):
                return None
            array = array[index]
        if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "biufc":
            return None
        return array


def _dataset(store: Any, name: str) -> Array | None:
    import h5py

    if name not in store or not isinstance(store[name], h5py.Dataset):
        return None
    dataset = store[name]
    is_text = h5py.check_string_dtype(dataset.dtype) is not None
    return np.asarray(dataset.asstr()[()] if is_text else dataset[()])


def _dataset_names(store: Any) -> tuple[str, ...]:
    found: list[str] = []
    store.visititems(lambda name, node: found.append(name) if hasattr(node, "shape") else None)
    return tuple(found)


def searched_by(check: Record) -> tuple[str, str]:
    """Whose search a check has tested: probe and domain; both empty for another check.

    Earlier versions wrote them only into the name.

    Examples
    --------
    >>> searched_by({"name": "search strength (image domain)"})
    ('worst_case', 'image')
    >>> searched_by({"name": "search strength", "probe": "neighbourhood", "domain": "image"})
    ('neighbourhood', 'image')
    """
    probe = text(check, "probe")
    if probe:
        return probe, text(check, "domain")
    name = text(check, "name")
    inside = name.removeprefix("search strength").strip(" ()")
    if inside == name:
        return "", ""
    domain = inside.removesuffix(" domain")
    return (inside, "") if domain == inside else ("worst_case", domain)


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
