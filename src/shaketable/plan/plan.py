"""What a run does: probes, stable methods, seed. Made in Python or read from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shaketable.errors import InputError
from shaketable.probes import Probe
from shaketable.protocols import Reconstructor


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The probes to run and the stable methods beside the network.

    Parameters
    ----------
    probes
        In the order in which they run and are reported.
    baselines
        Stable methods by name; verdicts compare with the first.
    source
        The resolved plan file that this came from, as plain data; empty when made in Python. It is
        stored with the run, so that ``shaketable show`` can rebuild the problem.

    Raises
    ------
    InputError
        If there is no probe, or a probe occurs twice in the same domain.

    Examples
    --------
    >>> from shaketable.probes import Structural
    >>> Plan(probes=(Structural(details=("heart",)),)).probes[0].name
    'structural'
    """

    probes: tuple[Probe, ...]
    baselines: Mapping[str, Reconstructor] = field(default_factory=dict)
    source: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.probes:
            raise InputError("Expected at least one probe, got none; WorstCase() is one.")
        keys = [(probe.name, probe.describe().get("domain")) for probe in self.probes]
        if len(set(keys)) != len(keys):
            raise InputError(
                f"Expected every probe once per domain, got {', '.join(name for name, _ in keys)}; "
                "give one probe several radii or details instead."
            )

    def describe(self) -> dict[str, object]:
        """Settings for the record, by name; a list of them where a probe runs in two domains."""
        baselines = {}
        for name, method in self.baselines.items():
            describe = getattr(method, "describe", None)
            baselines[name] = describe() if callable(describe) else {"type": type(method).__name__}
        probes: dict[str, object] = {}
        for name in dict.fromkeys(probe.name for probe in self.probes):
            settings = [probe.describe() for probe in self.probes if probe.name == name]
            probes[name] = settings[0] if len(settings) == 1 else settings
        return {"probes": probes, "baselines": baselines}
