"""The real images that may lie beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"


def shared_data(name: str) -> Path:
    """Return the path of a file or folder of the data; skip the test where it is absent."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"needs the real images: '{name}' is not in ../shared/data")
    return path
