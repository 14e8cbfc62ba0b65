"""A case is a run of a solver with derivatives that are c times the right ones: c = 1 is right, anything else is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import gradcheck
from gradcheck.watch.outcome import Class


def right_and_wrong(case: Callable[[float], Any], pairs: int = 1) -> None:
    """Watch a case twice; its result is as without, and `pairs` derivatives are right, then wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        without = case(1.0)
        with gradcheck.watching(budget=None) as seen:
            np.testing.assert_array_equal(case(1.0), without)
        assert [outcome.category for outcome in seen.outcomes] == [Class.RIGHT] * pairs, str(seen)
        with gradcheck.watching(budget=None) as seen:
            case(1.01)
        assert [outcome.category for outcome in seen.outcomes] == [Class.WRONG] * pairs, str(seen)
        np.testing.assert_array_equal(case(1.0), without)
