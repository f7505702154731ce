"""What a run does: probes, reference methods, seed. Made in Python or read from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shaketable.errors import InputError
from shaketable.probes.probe import Probe, describe_probe
from shaketable.protocols import Reconstructor


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The probes to run and the reference methods beside the network.

    Parameters
    ----------
    probes
        In the order in which they run and are reported.
    baselines
        Reference methods by name; verdicts compare with the first.
    not_applicable
        Names of probes that have no meaning for this network, each with a sentence that says why. The
        report shows it in place of a verdict.
    source
        The resolved plan file that this came from, as plain data; empty when made in Python. It is
        stored with the run, so that ``shaketable show`` can rebuild the problem.

    Raises
    ------
    InputError
        If there is no probe, reference methods have no names, a probe occurs twice in the same domain,
        or one that is run is called not applicable.

    Examples
    --------
    >>> from shaketable.probes import Structural
    >>> Plan(probes=(Structural(details=("heart",)),)).probes[0].name
    'structural'
    """

    probes: tuple[Probe, ...]
    baselines: Mapping[str, Reconstructor] = field(default_factory=dict)
    not_applicable: Mapping[str, str] = field(default_factory=dict)
    source: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.probes:
            raise InputError("Expected at least one probe, got none; WorstCase() is one.")
        if not isinstance(self.baselines, Mapping):
            raise InputError(
                f"Expected reference methods by name, got {type(self.baselines).__name__}; write "
                "{'total-variation': TotalVariation()}."
            )
        for name, method in self.baselines.items():
            if not callable(method):
                raise InputError(
                    f"Expected reference methods as callables g(y, A), got {type(method).__name__} for "
                    f"{name!r}; TotalVariation() is one."
                )
        keys = [(probe.name, getattr(probe, "domain", None)) for probe in self.probes]
        if len(set(keys)) != len(keys):
            raise InputError(
                f"Expected every probe once per domain, got {', '.join(name for name, _ in keys)}; "
                "give one probe several radii or details instead."
            )
        both = sorted({name for name, _ in keys} & set(self.not_applicable))
        if both:
            raise InputError(
                f"Expected probes that are run or not applicable, got {both[0]} as both; "
                "choose one of them."
            )

    def describe(self) -> dict[str, object]:
        """Settings for the record, by name; a list of them where a probe runs in two domains."""
        baselines = {}
        for name, method in self.baselines.items():
            describe = getattr(method, "describe", None)
            baselines[name] = describe() if callable(describe) else {"type": type(method).__name__}
        probes: dict[str, object] = {}
        for name in dict.fromkeys(probe.name for probe in self.probes):
            settings = [describe_probe(probe) for probe in self.probes if probe.name == name]
            probes[name] = settings[0] if len(settings) == 1 else settings
        described: dict[str, object] = {"probes": probes, "baselines": baselines}
        if self.not_applicable:
            described["not_applicable"] = dict(self.not_applicable)
        return described
