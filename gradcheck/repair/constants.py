"""Whether a mended claim still agrees with f when the numbers that both use are others: 0.5 may stand for lam by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.repair.case import Case
    from gradcheck.repair.setting import Setting

    Array = NDArray[np.float64]

OTHERWISE = 1.07  # what each number is multiplied by
MOST = 12  # numbers that are changed, one after another
AGREES = 1e-4  # of the size of the directional derivative


def agreement(case: Case, setting: Setting) -> int:
    """For how many of the numbers, each changed alone, the claim as it stands agrees with differences of f along a direction."""
    if case.value is None or setting.function is None:
        return 0
    x = np.asarray(case.measured[0].x, dtype=np.float64)
    v = np.random.default_rng(3).uniform(0.5, 1.0, x.shape) * np.maximum(np.abs(x), 0.1)
    count = 0
    for namespaces, name, value in setting.world.numbers()[:MOST]:
        for namespace in namespaces:
            namespace[name] = value * OTHERWISE
        try:
            count += _agrees(case, setting, x, v)
        except Exception:  # the number was no free one: a size, an exponent
            continue
        finally:
            for namespace in namespaces:
                namespace[name] = value
    return count


def _agrees(case: Case, setting: Setting, x: Array, v: Array) -> bool:
    assert case.value is not None
    h = 1e-5
    plus, minus = (case.value(setting.function, x + s * h * v) for s in (1, -1))
    slope = (plus - minus) / (2 * h)
    claimed = setting.machine.run(x)
    if claimed is None:
        return False
    along: Any = claimed.reshape(slope.size, x.size) @ v.reshape(-1)
    terms = np.abs(claimed.reshape(slope.size, x.size) * v.reshape(-1)).sum(axis=1)
    return bool((np.abs(along - slope) <= AGREES * (terms + np.abs(slope)) + 1e-12).all())
