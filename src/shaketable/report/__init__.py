"""One self-contained HTML page from a stored run: no model, no torch, no network."""

from __future__ import annotations

from shaketable.report.build import build_report

__all__ = ["build_report"]
