"""Every kind is explained, and every example shows what it is the example of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.checks.hessian import check_hessian
from gradcheck.checks.jacobian import check_jacobian
from gradcheck.checks.products import check_hvp, check_jvp
from gradcheck.diagnosis import catalogue
from gradcheck.diagnosis.diagnoses import DIAGNOSES, PARAMETERS, Entry
from gradcheck.diagnosis.findings import FINDINGS
from gradcheck.diagnosis.regions import PLACES
from gradcheck.errors import UsageError
from gradcheck.model import DiagnosisKind, FindingKind, Report, Verdict


def data() -> dict[str, Any]:
    """What the examples may use."""
    random = np.random.default_rng(20)
    return {
        "np": np,
        "x0": np.array([0.3, 1.2, 0.7, 2.0, 0.4, 1.5]),
        "A": random.normal(size=(8, 6)),
        "b": random.normal(size=8),
        "C": random.normal(size=(2, 3)),
        "M": random.normal(size=(6, 6)),
        "c": random.normal(size=6),
    }


def run(entry: Entry, version: str) -> Report:
    names = data()
    if "sparse." in version:
        names["sparse"] = pytest.importorskip("scipy.sparse", reason="SciPy is in the test extra only")
    exec(f"{entry.given}\n{version}", names)
    options = {"throw": False, **eval(f"dict({entry.options})", names)}
    x0, f = names["x0"], names.get("f", names.get("func"))
    if "value_and_grad" in names:
        return gradcheck.check_gradient(f, names["value_and_grad"], x0, value_and_grad=True, **options)
    if "hess" in names:
        return check_hessian(f, names["hess"], x0, **options)
    if "jac" in names:
        return check_jacobian(f, names["jac"], x0, **options)
    if "hvp" in names:
        return check_hvp(f, names["hvp"], x0, **options)
    if "jvp" in names:
        return check_jvp(f, names["jvp"], x0, vjp=names["vjp"], **options)
    return gradcheck.check_gradient(f, names["grad"], x0, **options)


@pytest.mark.parametrize("kind", DiagnosisKind)
def test_each_example_of_a_diagnosis_is_one(kind: DiagnosisKind) -> None:
    entry = DIAGNOSES[kind]
    report = run(entry, entry.wrong)
    assert report.verdict is Verdict.FAIL
    (diagnosis,) = report.diagnoses
    assert diagnosis.kind is kind, diagnosis.message
    assert run(entry, entry.right).verdict is Verdict.PASS


@pytest.mark.parametrize("kind", FindingKind)
def test_each_example_of_a_finding_is_one(kind: FindingKind) -> None:
    entry = FINDINGS[kind]
    report = run(entry, entry.wrong)
    assert kind in [finding.kind for finding in report.findings]
    right = run(entry, entry.right)
    assert right.verdict is Verdict.PASS
    assert kind not in [finding.kind for finding in right.findings]


def test_every_kind_is_explained() -> None:
    assert set(DIAGNOSES) == set(DiagnosisKind)
    assert set(FINDINGS) == set(FindingKind)
    for kind in [*DiagnosisKind, *FindingKind]:
        assert kind.value in catalogue.overview()
        text = catalogue.explain(kind.value)
        assert "wrong:" in text
        assert "What to try: " in text


def test_every_parameter_is_explained_and_used() -> None:
    used = {key for entry in DIAGNOSES.values() for key in (*entry.keys, *entry.sometimes)} | PLACES | {"entries"}
    assert used == set(PARAMETERS)


@pytest.mark.parametrize(
    ("typed", "end"),
    [
        ("transpose", "did you mean transposed?"),
        ("kinks", "did you mean kink?"),
        ("?!", "gradcheck --explain lists them all"),
    ],
)
def test_a_kind_that_is_none_is_told_what_is_near(typed: str, end: str) -> None:
    with pytest.raises(UsageError, match="there is no diagnosis or finding") as error:
        catalogue.explain(typed)
    assert str(error.value).endswith(end)


def test_a_kind_may_be_written_with_hyphens_and_capitals() -> None:
    assert catalogue.explain("Not-Symmetric") == catalogue.explain("not_symmetric")


def test_a_name_of_two_kinds_explains_both() -> None:
    text = catalogue.explain("low_precision")
    assert "low_precision (diagnosis)" in text
    assert "low_precision (finding)" in text
