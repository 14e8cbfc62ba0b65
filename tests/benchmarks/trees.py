"""What a tree, or an array of a framework, costs a call beside its flat twin: `python tests/benchmarks/trees.py`.

The twin is one array of NumPy, which is handed over as it is.  Microseconds of processor time for making the argument of a call,
the best of several rounds, and how often x is copied for it, for a matrix (20, 3) and a vector (3,).  Frameworks that are not
installed are left out.
"""

from __future__ import annotations

import dataclasses
import importlib
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from gradcheck.variables.flat import lay_out

CALLS, ROUNDS = 2000, 7
LARGE = 10**6


@dataclasses.dataclass
class Layer:
    W: Any
    b: Any


def holders(rows: int) -> dict[str, Any]:
    """The points, with a matrix of so many rows."""
    W, b = np.ones((rows, 3)), np.ones(3)
    found: dict[str, Any] = {
        "one array (the twin)": W,
        "dict of two": {"W": W, "b": b},
        "nested dataclass of three": Layer(W, Layer(b, b)),
        "dict of twenty": {f"p{k}": W for k in range(20)} if rows < 100 else {"W": W},
    }
    for name, module in (("torch", "torch"), ("jax", "jax.numpy"), ("array-api-strict", "array_api_strict")):
        try:
            xp = importlib.import_module(module)
        except ImportError:
            continue
        found |= {name: xp.asarray(W), f"{name}, dict of two": {"W": xp.asarray(W), "b": xp.asarray(b)}}
    return found


def microseconds(x0: Any) -> float:
    """What making the argument of a call takes."""
    layout, flat = lay_out(x0)
    lend, best = layout.lending(flat.copy()), np.inf
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(CALLS):
            lend()
        best = min(best, (time.process_time() - started) / CALLS)
    return best * 1e6


def copies(x0: Any) -> float:
    """How many bytes are allocated by NumPy for it, in sizes of x; what a framework allocates does not show."""
    layout, flat = lay_out(x0)
    lend = layout.lending(flat.copy())
    lend()
    tracemalloc.start()
    kept = lend()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del kept
    return peak / flat.nbytes


def main() -> None:
    large = holders(LARGE)
    print(f"{'':32}{'µs a call':>10}{'copies':>8}")
    for name, x0 in holders(20).items():
        print(f"{name:32}{microseconds(x0):10.2f}{copies(large[name]):8.1f}")


if __name__ == "__main__":
    main()
