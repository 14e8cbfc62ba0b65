"""Our speed beside that of others: `python -m tests.benchmarks [NAME …]`; by default speed and hessian.

Each is a program of its own with options of its own; here they run one after another, as they are.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = (
    "speed",
    "small",
    "hessian",
    "directions",
    "localization",
    "trees",
    "recording",
    "complex",
    "on_sets",
    "solvers",
    "planning",
    "kills",
)


def main() -> int:
    chosen = sys.argv[1:] or ["speed", "hessian"]
    unknown = [name for name in chosen if name not in NAMES]
    if unknown:
        print(f"no benchmark is called {unknown[0]!r}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    codes = [subprocess.run([sys.executable, str(HERE / f"{name}.py")], check=False).returncode for name in chosen]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
