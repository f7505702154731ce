"""``python -m shaketable``."""

from __future__ import annotations

import sys

from shaketable.cli import main

if __name__ == "__main__":
    sys.exit(main())
