"""The tables of docs/paper.md, from what the benchmarks of the claims have stored.

    python benchmarks/paper_tables.py            write them
    python benchmarks/paper_tables.py --check    compare only; exit code 1 where they differ

A table stands between ``<!-- table: KEY, KEY, ... -->`` and ``<!-- end of table -->``; the keys are those
of ``benchmarks/results/claims.json``, see `claims_store`. Nothing else of the document is touched.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

from claims_store import load
from documents import PAPER, write_tables

TITLES = {
    "ell-50": "Ell 50", "med-50": "Med 50", "automap": "AUTOMAP", "dagan": "DAGAN",
    "mri-vn": "MRI-VN", "deep-mri": "Deep MRI",
}  # fmt: skip
METHODS = {
    "zero_filled": "zero-filled",
    "filtered_back_projection": "filtered back-projection",
    "total_variation": "total variation",
    "TotalGeneralizedVariation": "second-order TGV",
    "Shearlets": "shearlets",
    "WaveletL1": "wavelets",
}
DETAILS = ("spade", "heart", "diamond", "club", "text:CAN U SEE IT")
GIVEN = "total_variation_given_the_networks"
# Reference methods of which only the best strength gets a row.
OTHERS = ("TotalGeneralizedVariation", "Shearlets", "WaveletL1")

Entry = dict[str, Any]
Row = list[str]


def main() -> int:
    stored = load()
    return write_tables(
        __doc__.splitlines()[0], PAPER, stored,
        lambda keys: _TABLES[keys[0].split()[0]](keys, stored),
    )  # fmt: skip


def worst_rows(keys: list[str], stored: dict[str, Entry]) -> list[Row]:
    """Amplification and PSNR, one column per radius; the network's rows once."""
    radii = sorted(stored[keys[0]]["methods"]["network"], key=float)
    rows: list[Row] = [["", *(f"{100 * float(radius):g} %" for radius in radii)]]
    for key in keys:
        methods, network = stored[key]["methods"], _network(key)
        strength = re.search(r"strength=(\S+)", key)
        stable = f"total variation of strength {strength[1]}" if strength else "total variation"
        labels = {
            "network": f"**{network}**, its worst case",
            "total_variation": f"{stable}, its own worst case",
            GIVEN: f"{stable}, given those of {network}",
        }
        for method, label in labels.items():
            if method in methods:
                found = [methods[method].get(radius) for radius in radii]
                cells = [x and _both(x["amplification"], x["perturbed_psnr_db"]) for x in found]
                rows.append([f"{label}{_same_n(found)}", *(cell or "" for cell in cells)])
        for method, label in (("network", network), ("total_variation", stable)):
            if method in methods:
                noise = [methods[method].get(radius) for radius in radii]
                cells = [x and f"{x['random_amplification']['mean']:.2f}" for x in noise]
                rows.append([f"{label}, random noise", *(cell or "" for cell in cells)])
    return [row for number, row in enumerate(rows) if row[0] not in {r[0] for r in rows[:number]}]


def _same_n(found: list[Entry | None]) -> str:
    every = {x["amplification"]["n"] for x in found if x}
    if len(every) != 1:
        raise SystemExit(f"Expected as many images in all columns of a row, got {sorted(every)}.")
    return f" (n = {every.pop()})"


def detail_rows(keys: list[str], stored: dict[str, Entry]) -> list[Row]:
    """Contrast recovery and correlation, one column per detail."""
    rows: list[Row] = []
    for key, label, methods in _labelled(keys, stored):
        for method, found in methods:
            names = sorted(found, key=DETAILS.index)
            rows = rows or [["", *(name.removeprefix("text:") for name in names)]]
            chosen = [found[name] for name in names]
            cells = [_both(x["contrast_recovery"], x["correlation"], 3) for x in chosen]
            n = _images(chosen[0]["contrast_recovery"])
            rows.append([f"{_method(method, key)}{label}{n}", *cells])
    return rows


def rate_rows(keys: list[str], stored: dict[str, Entry]) -> list[Row]:
    """PSNR, one column per rate or number of views."""
    rows: list[Row] = []
    for key, label, methods in _labelled(keys, stored):
        for method, found in methods:
            columns = sorted(found, key=float)
            names = [c if float(c) > 1 else f"{100 * float(c):.0f} %" for c in columns]
            rows = rows or [["", *names]]
            cells = [_interval(found[column], 1) for column in columns]
            rows.append([f"{_method(method, key)}{label}{_images(found[columns[0]])}", *cells])
    return rows


def method_rows(keys: list[str], stored: dict[str, Entry]) -> list[Row]:
    """PSNR and, where it was measured, SSIM; one column per level of noise."""
    noises = [float((re.search(r"noise=(\S+)", key) or ["", "0"])[1]) for key in keys]
    first = stored[keys[0]]["methods"]
    rows: list[Row] = [
        ["", *(f"{100 * noise:g} % noise" if noise else "no noise" for noise in noises)]
    ]
    for method in _in_order(first):
        cells = []
        for key in keys:
            found = stored[key]["methods"].get(method)
            cells.append("" if found is None else _quality(found))
        rows.append([f"{_method(method, keys[0])}{_images(_psnr(first[method]))}", *cells])
    return rows


_TABLES: dict[str, Callable[[list[str], dict[str, Entry]], list[Row]]] = {
    "worst": worst_rows,
    "details": detail_rows,
    "rates": rate_rows,
    "views": rate_rows,
    "clean": method_rows,
    "methods": method_rows,
}


def _labelled(
    keys: list[str], stored: dict[str, Entry]
) -> list[tuple[str, str, list[tuple[str, Any]]]]:
    """Keys with what tells their images apart, where the keys differ in them."""
    kinds = {key.split(maxsplit=2)[2] for key in keys}
    result = []
    for key in keys:
        kind = key.split(maxsplit=2)[2]
        contrast = re.search(r"contrast=(\S+)", kind)
        label = f", {kind.split()[0]}" if len(kinds) > 1 else ""
        if contrast:
            label += f", contrast {100 * float(contrast[1]):g} %"
        methods = stored[key]["methods"]
        result.append((key, label, [(method, methods[method]) for method in _in_order(methods)]))
    return result


def _in_order(methods: Entry) -> list[str]:
    """The network, plain inversion, total variation by strength, the best of each other one."""
    plain = [m for m in methods if not m.startswith((*OTHERS, "total_variation"))]
    varied = [m for m in methods if m.startswith("total_variation")]
    best = [
        max(same, key=lambda m: _psnr(methods[m])["mean"])
        for other in OTHERS
        if (same := [m for m in methods if m.startswith(other)])
    ]
    return [
        *sorted(plain, key=lambda m: m != "network"),
        *sorted(varied, key=_strength, reverse=True),
        *best,
    ]


def _strength(method: str) -> float:
    last = method.rsplit("_", 1)[-1]
    return float(last) if re.fullmatch(r"[0-9.e-]+", last) else 0.0


def _method(method: str, key: str) -> str:
    if method == "network":
        return f"**{_network(key)}**"
    strength = _strength(method)
    name = METHODS[method.removesuffix(f"_{method.rsplit('_', 1)[-1]}") if strength else method]
    return f"{name}, {strength:g}" if strength else name


def _network(key: str) -> str:
    published = ", published weights" if "weights=" in key else ""
    return TITLES[key.split()[1]] + published


def _psnr(found: Entry) -> Entry:
    return found.get("psnr_db", found)


def _quality(found: Entry) -> str:
    text = _interval(_psnr(found), 1)
    return f"{text}; {found['ssim']['mean']:.3f}" if "ssim" in found else text


def _images(interval: Entry) -> str:
    return f" (n = {interval['n']})"


def _interval(interval: Entry, digits: int) -> str:
    if interval["low"] is None:
        return f"{interval['mean']:.{digits}f}"
    return f"{interval['mean']:.{digits}f} [{interval['low']:.{digits}f}, {interval['high']:.{digits}f}]"


def _both(first: Entry, second: Entry, digits: int | None = None) -> str:
    if digits is None:
        return f"{_interval(first, 2)}; {second['mean']:.1f} dB"
    return f"{_interval(first, digits)}; {second['mean']:.{digits}f}"


if __name__ == "__main__":
    sys.exit(main())
