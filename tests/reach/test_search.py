"""Points that run what never ran are found, and mistakes there; a right claim stays right there as well."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Report, Verdict, check_gradient
from gradcheck.model import FOUND
from gradcheck.reach.search import CALLS
from tests.reach.piecewise import CASES

TRIVIAL = (0.0, 1.0, -1.0)
reports: dict[str, Report] = {}


@pytest.fixture(scope="module")
def found() -> dict[str, Report]:
    """What is found of the wrong gradients; all are right at the point given."""
    made = {}
    for name, (f, _, wrong, x0) in CASES.items():
        assert check_gradient(f, wrong, x0, throw=False).verdict is Verdict.PASS, name
        made[name] = check_gradient(f, wrong, x0, throw=False, reach=True)
    return made


def test_mistakes_in_branches_hardly_ever_entered_are_found(found: dict[str, Report]) -> None:
    assert len(CASES) >= 40
    missed = [name for name, report in found.items() if report.verdict is not Verdict.FAIL]
    assert len(missed) <= 6, missed


def test_points_are_shrunk_to_few_entries(found: dict[str, Report]) -> None:
    failed = {name: report for name, report in found.items() if report.verdict is Verdict.FAIL}
    large = [
        name
        for name, report in failed.items()
        if not report.point.values or np.sum(~np.isin(report.point.values, TRIVIAL)) > 3
    ]
    assert len(large) <= len(failed) / 10, large


def test_the_points_found_are_points_at_which_the_check_fails(found: dict[str, Report]) -> None:
    for name, report in found.items():
        f, _, wrong, x0 = CASES[name]
        if report.verdict is Verdict.FAIL:
            assert report.point.origin == FOUND
            x = np.array(report.point.values).reshape(x0.shape)
            assert check_gradient(f, wrong, x, throw=False).verdict is Verdict.FAIL, name


@pytest.mark.parametrize("name", CASES)
def test_right_gradients_are_right_wherever_the_search_goes(name: str) -> None:
    f, right, _, x0 = CASES[name]
    report = check_gradient(f, right, x0, throw=False, reach=True)
    assert report.verdict is Verdict.PASS
    assert report.point.origin != FOUND
    assert report.ngev <= CALLS + 20  # the last check may begin just before the end
