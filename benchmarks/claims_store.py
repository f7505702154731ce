"""What `ct_networks.py` and `mri_claims.py` measured, kept for the tables of docs/paper.md.

Results of one question (what, network, images, domain, contrast, noise) share an entry: methods that
were measured in several runs stand side by side in it, each with the settings of its own run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

STORE = Path(__file__).parent / "results" / "claims.json"
# What is not in a key has its usual value.
USUAL = {"domain": "image", "contrast": "0.3", "noise": "0.0", "weights": "shipped"}
# How a run was made; paths of the machine are not kept.
SETTINGS = ("count", "stable", "given", "others", "gradients", "strength", "processor_seconds")

Results = dict[str, dict[str, Any]]


def key_of(settings: dict[str, Any]) -> str:
    """``"worst deep-mri cardiac weights=d5_c5.npz"``: what was asked."""
    parts = [str(settings[name]) for name in ("what", "network", "images")]
    for name, usual in USUAL.items():
        value = Path(str(settings.get(name) or usual)).name
        if value != usual and not (name in ("contrast", "noise") and float(value) == float(usual)):
            parts.append(f"{name}={value}")
    usual_strength = 5e-4 if parts[1].endswith("-50") else 5e-3
    if parts[0] not in ("clean", "methods") and float(settings["strength"]) != usual_strength:
        parts.append(f"strength={settings['strength']}")
    return " ".join(parts)


def keep(settings: dict[str, Any], results: Results) -> None:
    """Add results to the store: ``{method: {column: value}}`` or the other way round."""
    every = load()
    entry = every.setdefault(key_of(settings), {"methods": {}, "runs": {}})
    chosen = {name: settings[name] for name in SETTINGS if settings.get(name) is not None}
    for method, columns in by_method(settings["what"], results).items():
        entry["methods"].setdefault(method, {}).update(columns)
        entry["runs"].setdefault(method, {}).update(dict.fromkeys(columns, chosen))
    text = json.dumps(dict(sorted(every.items())), indent=1, sort_keys=True)
    STORE.write_text(text + "\n", encoding="utf-8")


def load() -> dict[str, Any]:
    """The whole store; empty where there is none."""
    found: dict[str, Any] = json.loads(STORE.read_text("utf-8")) if STORE.exists() else {}
    return found


def by_method(what: str, results: Results) -> Results:
    """``{method: {column: value}}``: sampling rates and some worst cases come the other way round."""
    if what in ("clean", "methods", "details") or not next(iter(results))[0].isdigit():
        return results
    turned: Results = {}
    for column, methods in results.items():
        for method, value in methods.items():
            turned.setdefault(method, {})[column] = value
    return turned
