"""Stored runs of the same images and map, put side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shaketable.errors import RunError
from shaketable.files import whole_file
from shaketable.records import from_row, slug
from shaketable.registry import find, registered
from shaketable.runs.arrays import read_arrays, write_arrays
from shaketable.runs.comparing import compare_networks
from shaketable.runs.results import SCHEMA
from shaketable.runs.rows import to_json
from shaketable.runs.stored_run import Run, load_run
from shaketable.stored import StoredRun
from shaketable.stored import load_run as load_stored

Row = dict[str, Any]
_WORST_GIVEN = ("given_network_error", "given_network_amplification")


def compare_runs(directories: Sequence[str | Path], out: str | Path) -> Run:
    """Put the networks of several runs beside each other, with paired differences.

    Verdicts are those of the runs; what is new are the comparisons, on the images that all runs
    have. What differs between the runs is said in the notes; probes with other settings are not
    compared.

    Parameters
    ----------
    directories
        Of at least two runs, on the same forward map.
    out
        A new directory, with results, arrays and, once asked for, a report like any run's.

    Raises
    ------
    RunError
        If a run cannot be read, maps differ, no image is in all of them, or ``out`` holds something.
    """
    if len(directories) < 2:
        raise RunError(
            f"Expected at least two runs to compare, got {len(directories)}; name another directory."
        )
    target = Path(out)
    if target.exists() and any(target.iterdir()):
        raise RunError(
            f"Expected a new directory, got {target} with files in it; name another one."
        )
    parts = _named([_Part.read(Path(directory)) for directory in directories])
    _require_one_map(parts)
    images = _common_images(parts)
    probes, notes = _common_probes(parts)
    notes = [*_differences(parts, images), *notes]
    records = _merged(parts, images, probes)
    first = parts[0].results
    results = {
        "schema": SCHEMA, "tool": first["tool"], "environment": first.get("environment", {}),
        "plan": first["plan"], "problem": _problem(parts, images),
        "checks": [check for part in parts for check in part.results["checks"]],
        "records": records,
        "verdicts": [row for part in parts for row in part.verdicts()],
        "comparisons": _comparisons(parts, records),
        "failed": [entry for part in parts for entry in part.results.get("failed", ())],
        "notes": notes, "compared": [str(part.directory) for part in parts],
    }  # fmt: skip
    _write(target, parts, records, results)
    return Run(directory=target, results=results)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One of the runs.

    Parameters
    ----------
    directory, results, stored
        The run.
    names
        What its networks are called here.
    """

    directory: Path
    results: Mapping[str, Any]
    stored: StoredRun
    names: Mapping[str, str]

    @classmethod
    def read(cls, directory: Path) -> _Part:
        results = load_run(directory).results
        networks = [str(entry["name"]) for entry in _networks(results)]
        return cls(
            directory=directory, results=results, stored=load_stored(directory),
            names={name: name for name in networks},
        )  # fmt: skip

    @property
    def images(self) -> dict[str, str]:
        """Hash of every image by id."""
        return {entry["id"]: entry["sha256"] for entry in self.results["problem"]["images"]}

    def rows(self) -> Iterator[Row]:
        """Its records, under the names of here."""
        for row in self.results["records"]:
            given = [
                {**entry, "network": self.names.get(entry["network"], entry["network"])}
                for entry in row.get("given") or ()
            ]
            name = self.names.get(row["method"], row["method"])
            yield {**row, "method": name, **({"given": given} if "given" in row else {})}

    def verdicts(self) -> Iterator[Row]:
        """Its verdicts, each with its network."""
        first = next(iter(self.names))
        for row in self.results["verdicts"]:
            name = row.get("network") or first
            yield {**row, "network": self.names.get(name, name)}


def _networks(results: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    problem = results["problem"]
    alone = {"name": problem["network"], "weights_sha256": problem.get("weights_sha256")}
    return problem.get("networks") or [alone]


def _named(parts: Sequence[_Part]) -> list[_Part]:
    """The parts with networks of different names: one that occurs twice takes its run's name too."""
    seen = [name for part in parts for name in part.names]
    taken: set[str] = set()
    result = []
    for number, part in enumerate(parts, 1):
        names = {}
        for name in part.names:
            label = name if seen.count(name) == 1 else f"{name} ({part.directory.name})"
            label = f"{label} {number}" if slug(label) in taken else label
            taken.add(slug(label))
            names[name] = label
        result.append(
            _Part(
                directory=part.directory, results=part.results, stored=part.stored, names=names
            )
        )  # fmt: skip
    return result


def _require_one_map(parts: Sequence[_Part]) -> None:
    first = parts[0].results["problem"]["map"]
    for part in parts[1:]:
        other = part.results["problem"]["map"]
        differing = sorted(key for key in {*first, *other} if first.get(key) != other.get(key))
        if differing:
            raise RunError(
                f"Expected runs on one forward map, got another {' and '.join(differing)} in "
                f"{part.directory} than in {parts[0].directory}; compare runs on the same data only."
            )


def _common_images(parts: Sequence[_Part]) -> list[str]:
    """The images that all runs have, by name and content."""
    common = [
        name for name, digest in parts[0].images.items()
        if all(part.images.get(name) == digest for part in parts)
    ]  # fmt: skip
    if not common:
        raise RunError(
            "Expected runs of the same images, got none that all have with the same content; run the "
            "networks on the same images."
        )
    return common


def _common_probes(parts: Sequence[_Part]) -> tuple[set[str], list[str]]:
    """The probes that can be compared, and why others cannot."""
    every = [part.results["plan"].get("probes", {}) for part in parts]
    names = dict.fromkeys(name for probes in every for name in probes)
    common, notes = set(), []
    for name in names:
        settings = [probes.get(name) for probes in every]
        if None in settings:
            notes.append(f"{name} was not run everywhere, so it is not compared.")
        elif any(each != settings[0] for each in settings):
            notes.append(
                f"{name} was run with other settings{_which(settings)}; it is not compared."
            )
        else:
            common.add(str(name))
    return common, notes


def _which(settings: Sequence[Any]) -> str:
    if not all(isinstance(each, Mapping) for each in settings):
        return ""
    keys = sorted({key for each in settings for key in each})
    differing = [key for key in keys if any(e.get(key) != settings[0].get(key) for e in settings)]
    return f" ({', '.join(differing)})"


def _differences(parts: Sequence[_Part], images: Sequence[str]) -> list[str]:
    notes = []
    for part in parts:
        left_out = [name for name in part.images if name not in images]
        if left_out:
            notes.append(
                f"{len(left_out)} of {len(part.images)} images of {part.directory.name} are not in all "
                f"runs and are left out ({', '.join(left_out[:3])}{', ...' if left_out[3:] else ''})."
            )
    seeds = {part.results["plan"].get("seed") for part in parts}
    if len(seeds) > 1:
        notes.append("The runs have different seeds, so random draws are not the same.")
    versions = {str(part.results["tool"].get("version")) for part in parts}
    if len(versions) > 1:
        notes.append(f"The runs were made by versions {' and '.join(sorted(versions))}.")
    return notes


def _merged(parts: Sequence[_Part], images: Sequence[str], probes: set[str]) -> list[Row]:
    """All records of the networks; a reference method's come from the first run that has them."""
    merged: dict[tuple[Any, ...], Row] = {}
    for part in parts:
        for row in part.rows():
            if row["image"] not in images or row["probe"] not in probes:
                continue
            known = merged.setdefault(_identity(row), row)
            if known is not row and row.get("given"):
                known["given"] = [*known.get("given", ()), *row["given"]]
                if _worst_given(row) > _worst_given(known):
                    known.update({name: row.get(name) for name in _WORST_GIVEN})
    rows = list(merged.values())
    order = {row["item"]: index for index, row in reversed(list(enumerate(rows)))}
    return sorted(rows, key=lambda row: (order[row["item"]], row["role"] == "baseline"))


def _worst_given(row: Mapping[str, Any]) -> float:
    return float(row.get(_WORST_GIVEN[0]) or 0.0)


def _identity(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells records apart: where they stand, and at which setting."""
    settings = ("domain", "radius", "detail", "rate", "noise_ratio")
    return (row["item"], row["method"], *(row.get(name) for name in settings))


def _comparisons(parts: Sequence[_Part], records: Sequence[Row]) -> list[Row]:
    networks = [label for part in parts for label in part.names.values()]
    found: list[Row] = []
    kinds = dict.fromkeys((row["probe"], row.get("domain")) for row in records)
    for name, domain in kinds:
        if name not in registered("shaketable.probes"):
            continue
        probe = find("shaketable.probes", str(name))
        mine = [row for row in records if (row["probe"], row.get("domain")) == (name, domain)]
        by_network = {
            network: [from_row(probe.record_type, row) for row in mine if row["method"] == network]
            for network in networks
        }  # fmt: skip
        found += compare_networks(probe, by_network)
    return found


def _problem(parts: Sequence[_Part], images: Sequence[str]) -> Row:
    problem = dict(parts[0].results["problem"])
    networks = [
        {**entry, "name": part.names[str(entry["name"])]}
        for part in parts
        for entry in _networks(part.results)
    ]
    shared = [
        name for name in problem["baselines"]
        if all(name in part.results["problem"]["baselines"] for part in parts)
    ]  # fmt: skip
    primary = problem.get("baseline")
    return problem | {
        "network": networks[0]["name"], "networks": networks, "baselines": shared,
        "baseline": primary if primary in shared else next(iter(shared), None),
        "images": [entry for entry in problem["images"] if entry["id"] in images],
    }  # fmt: skip


def _write(
    target: Path, parts: Sequence[_Part], records: Sequence[Row], results: Mapping[str, Any]
) -> None:
    """Arrays first, then the results that make them count."""
    try:
        (target / "arrays").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"Expected a directory that can be written, got {error}.") from error
    wanted = dict.fromkeys((row["item"], row["method"]) for row in records)
    for part in parts:
        for item, method in dict.fromkeys(
            (r["item"], r["method"]) for r in part.results["records"]
        ):
            if (item, part.names.get(method, method)) in wanted:
                _copy_arrays(part, item, method, target / "arrays")
    made = {"made_in": "compare", "runs": [str(part.directory) for part in parts]}
    for name, text in (
        ("plan.yaml", yaml.safe_dump(made, sort_keys=False, allow_unicode=True)),
        ("results.json", json.dumps(json.loads(to_json(results)), indent=1) + "\n"),
    ):
        with whole_file(target / name) as file_part:
            file_part.write_text(text, encoding="utf-8")


def _copy_arrays(part: _Part, item: str, method: str, folder: Path) -> None:
    """The arrays of one method on one image, and what it was given, under the names of here."""
    label, source = part.names.get(method, method), part.directory / "arrays"
    own = source / f"{item}@{slug(method)}.h5"
    old = source / f"{item}.h5"  # older runs kept all methods of an image in one file
    if (file := own if own.is_file() else old).is_file():
        _copy(file, folder / f"{item}@{slug(label)}.h5", method, label)
    for name, network in part.names.items():
        given = source / f"{item}@{slug(method)}@{slug(name)}.h5"
        if given.is_file():
            _copy(given, folder / f"{item}@{slug(label)}@{slug(network)}.h5", method, label)


def _copy(source: Path, target: Path, method: str, label: str) -> None:
    """What is there already is the same method's of another run, and stays."""
    if target.exists():
        return
    kept = {}
    for name, values in read_arrays(source).items():
        if not name.startswith("methods/"):
            kept[name] = values
        elif name.startswith(f"methods/{method}/"):
            kept[f"methods/{label}/{name.removeprefix(f'methods/{method}/')}"] = values
    write_arrays(target, kept)
