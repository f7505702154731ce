"""Kill a run twenty times at random moments, let it finish, and compare it with an undisturbed one.

Run ``python benchmarks/resume.py``. Checks, records, results and every array of every HDF5 file are
compared byte by byte; the program fails where one differs.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.helpers import resumable

N_KILLS = 20
MOST_SECONDS = 0.35


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        undisturbed, disturbed = Path(folder) / "undisturbed", Path(folder) / "disturbed"
        resumable.finish(undisturbed)
        began = time.monotonic()
        n_hits = resumable.kill_until_finished(
            disturbed, n_kills=N_KILLS, most_seconds=MOST_SECONDS, seed=0
        )
        wanted, got = resumable.contents(undisturbed), resumable.contents(disturbed)
        took = time.monotonic() - began
    differing = sorted(key for key in {*wanted, *got} if wanted.get(key) != got.get(key))
    print(f"{n_hits} of {N_KILLS} kills hit the run at work, {took:.0f} s")
    print(f"{len(wanted)} files and arrays compared, {len(differing)} differ")
    for key in differing:
        print(f"  {key}")
    if n_hits < N_KILLS:
        print("the run ended before the last kill: lower MOST_SECONDS on this machine")
    return 1 if differing or n_hits < N_KILLS else 0


if __name__ == "__main__":
    sys.exit(main())
