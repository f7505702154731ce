"""The figure of `benchmarks/search.py`."""

from __future__ import annotations

import numpy as np
from search_problems import STORE, stored


def figure() -> None:
    """Damage against gradients, every case one panel."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "shaketable"
    import matplotlib.pyplot as plt

    measured = stored()["peers"]
    panels, axes = plt.subplots(
        -(-len(measured) // 2), 2, figsize=(9, 3 * -(-len(measured) // 2)), squeeze=False
    )
    for axis, (name, case) in zip(axes.flat, measured.items(), strict=False):
        budgets, rows = case["budgets"], dict(case["rows"])
        adam = np.max([rows.pop(key) for key in list(rows) if key.startswith("Adam")], axis=0)
        for label, values in (rows | {"Adam, best of 5 rates": list(adam)}).items():
            axis.plot(
                budgets, values, marker="o", label=label, linewidth=2 if label == "default" else 1
            )
        axis.set(title=f"{name}, radius {case['radius']:.1%}", xscale="log", ylabel="amplification")
        axis.set_xticks(budgets, [str(n) for n in budgets])
        axis.minorticks_off()
    for axis in axes.flat[len(measured) :]:
        axis.set_axis_off()
    for axis in axes[-1]:
        axis.set_xlabel("gradients")
    axes[0, 0].legend()
    panels.tight_layout()
    panels.savefig(STORE.with_suffix(".svg"), metadata={"Date": None})
    print(STORE.with_suffix(".svg"))
