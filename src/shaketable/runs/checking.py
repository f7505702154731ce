"""The checks that a run begins with, each made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from shaketable.checks import Check, CheckReport, preflight
from shaketable.errors import MapError, PreflightError
from shaketable.maps import check_map
from shaketable.probes.probe import Method, Probe, Searching, Subject, key_of
from shaketable.problem import Problem
from shaketable.runs.cache import Cache, Keys

Checks = tuple[Check, ...]


@runtime_checkable
class Demanding(Protocol):
    """A probe that not every network can be measured with."""

    def require(self, problem: Problem) -> None:
        """Raise an error that says what is missing."""
        ...


def make_checks(
    subject: Subject, probes: Sequence[Probe], seed: int, *, known: Mapping[str, Checks],
    keys: Keys, cache: Cache,
) -> dict[str, Checks]:  # fmt: skip
    """Forward map, networks, reference methods, and that the probes can find what they look for.

    Failed checks of the first three kinds stop the run; a weak search only keeps it from calling
    anything stable.

    Parameters
    ----------
    subject, probes, seed
        Of the run.
    known
        Checks that this run has made before, by what was checked; they are not made again.
    keys, cache
        Where evidence of other runs is found and kept.

    Returns
    -------
    dict
        ``"map"``, ``"method NAME"``, ``"evidence KEY"`` -> checks.

    Raises
    ------
    PreflightError
        If map or method fail.
    """
    for probe in probes:
        if isinstance(probe, Demanding):
            for problem in subject.problems:
                probe.require(problem)
    made: dict[str, Checks] = {}
    for name, make in _basic(subject, seed):
        made[name] = known[name] if name in known else make()
    CheckReport(
        checks=tuple(check for checks in made.values() for check in checks)
    ).raise_if_failed()
    for probe in probes:
        if isinstance(probe, Searching):
            name = evidence_name(probe)
            made[name] = (
                known[name]
                if name in known
                else _evidence(probe, subject, seed, keys.evidence(probe), cache)
            )
    return made


def evidence_name(probe: Probe) -> str:
    """What the evidence of a probe is stored under."""
    return f"evidence {key_of(probe)}"


def _basic(subject: Subject, seed: int) -> Iterator[tuple[str, Callable[[], Checks]]]:
    yield "map", lambda: (_map_check(subject),)
    several = len(subject.problems) > 1
    for method in subject.methods:
        named = several or method.role == "baseline"
        yield f"method {method.name}", lambda m=method, n=named: _method(m, subject, seed, n)  # type: ignore[misc]


def _method(method: Method, subject: Subject, seed: int, named: bool) -> Checks:
    prefix = f"{method.name}: " if named else ""
    report = preflight(method.problem, subject.images, seed=seed)
    return tuple(replace(check, name=prefix + check.name) for check in report.checks)


def _map_check(subject: Subject) -> Check:
    try:
        report = check_map(subject.problem.forward, dtype=subject.images.dtype)
    except MapError as error:
        raise PreflightError(f"Check 'forward map' failed: {error}") from error
    limit = next(check.limit for check in report.checks if check.name == "adjoint")
    return Check(
        name="adjoint",
        value=report.adjoint_gap,
        limit=limit,
        passed=True,
        sentence="The forward map is linear and its adjoint is its adjoint; its norm is "
        f"{report.norm:.3g}.",
    )


def _evidence(
    probe: Searching, subject: Subject, seed: int, key: str | None, cache: Cache
) -> Checks:
    found = cache.find_evidence(key)
    if found is None:
        found = probe.evidence(subject.problem, subject.images, seed)
        cache.keep_evidence(key, found)
    return found
