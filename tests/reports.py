"""Reports built by hand, for the tests of everything that renders them."""

from __future__ import annotations

from typing import Any

from gradcheck.model import (
    DerivativeEstimate,
    Diagnosis,
    DiagnosisKind,
    DirectionCheck,
    EntryCheck,
    ErrorMap,
    Finding,
    FindingKind,
    Kind,
    Ladder,
    Method,
    Point,
    Report,
    Resolution,
    Status,
    Target,
    Tolerance,
    Verdict,
)


def estimate(value: float, uncertainty: float, status: Status = Status.CONVERGED, **more: Any) -> DerivativeEstimate:
    return DerivativeEstimate(value=value, uncertainty=uncertainty, step=6.1e-6, evaluations=8, status=status, **more)


def _errors(claimed: float, value: float) -> dict[str, float]:
    gap, size = abs(claimed - value), max(abs(claimed), abs(value))
    return {"abs_error": gap, "rel_error": gap / size if size else 0.0}


def entry(
    index: int | tuple[int, ...],
    claimed: float,
    value: float,
    uncertainty: float,
    verdict: Verdict = Verdict.PASS,
    *,
    path: str | None = None,
    status: Status = Status.CONVERGED,
    reason: str = "",
    explained: bool = False,
    **more: Any,
) -> EntryCheck:
    place = (index,) if isinstance(index, int) else index
    return EntryCheck(
        index=place,
        path=str(list(place)) if path is None else path,
        claimed=claimed,
        estimate=estimate(value, uncertainty, status, **more),
        **_errors(claimed, value),
        verdict=verdict,
        reason=reason,
        explained=explained,
    )


def direction(
    number: int, claimed: float, value: float, uncertainty: float, verdict: Verdict = Verdict.PASS, point: int = 0
) -> DirectionCheck:
    return DirectionCheck(
        number=number,
        point=point,
        claimed=claimed,
        estimate=estimate(value, uncertainty),
        **_errors(claimed, value),
        verdict=verdict,
    )


def build(**changes: Any) -> Report:
    """A passing report of three entries, with `changes` to its fields; counts follow the entries given."""
    entries = changes.setdefault(
        "entries",
        (
            entry(1, 1.23456789012, 1.23456789034, 3.1e-10),
            entry(0, -0.5, -0.50000000001, 1.2e-10),
            entry(2, 2718.28182845, 2718.28182846, 4.4e-8),
        ),
    )
    compared = entries or changes.get("directions", ())
    fields: dict[str, Any] = {
        "name": "quadratic:f",
        "kind": Kind.GRADIENT,
        "target": Target(name="f", file="examples/quadratic.py", line=12),
        "claim": Target(name="grad", file="examples/quadratic.py", line=20),
        "verdict": max((e.verdict for e in compared), default=Verdict.PASS),
        "point": Point(shape=(3,), dtype="float64", origin="random normal", seed=7),
        "shape": (3,),
        "method": Method.COORDINATES,
        "engine": "python",
        "tolerance": Tolerance(rtol=1e-7, atol=0.0),
        "checked": len(compared),
        "failed": sum(e.verdict is Verdict.FAIL for e in compared),
        "inconclusive": sum(e.verdict is Verdict.INCONCLUSIVE for e in compared),
        "noise": 2.2e-16,
        "resolution": Resolution(
            absolute=3e-9,
            digits=9,
            sentence="Every entry agrees to at least 9 digits; an error above 3e-9 of an entry would have been seen.",
        ),
        "nfev": 28,
        "ngev": 3,
        "seconds": 0.0123,
        "versions": {"python": "3.11.9", "numpy": "2.4.0", "gradcheck": "0.1.0"},
        "replay": "gradcheck examples/quadratic.py:f --grad examples/quadratic.py:grad --dim 3 --seed 7",
    }
    return Report(**(fields | changes))


def passing(**changes: Any) -> Report:
    return build(**changes)


def failing(**changes: Any) -> Report:
    """Two entries of the wrong sign, explained by a diagnosis, and one that nothing explains."""
    return build(
        **{
            "claim": Target(name="grad_wrong", file="examples/quadratic.py", line=31),
            "entries": (
                entry(17, -3.40123456, 3.40123457, 2.1e-8, Verdict.FAIL, explained=True),
                entry(4, 0.00123456, -0.00123457, 3.4e-11, Verdict.FAIL, explained=True),
                entry(8, 125.300011, 125.3, 7.7e-8, Verdict.FAIL, reason="the gap persists when the step changes"),
                entry(3, 9.99999999, 9.99999998, 6.0e-8),
            ),
            "diagnoses": (
                Diagnosis(
                    kind=DiagnosisKind.SIGN,
                    message="2 of 3 wrong entries have the opposite sign.",
                    parameters={"indices": [[17], [4]]},
                    explained=2 / 3,
                    advice="Look for a subtraction written the wrong way round.",
                ),
                Diagnosis(
                    kind=DiagnosisKind.UNEXPLAINED, message="1 wrong entry fits no known mistake.", explained=1 / 3
                ),
            ),
            "replay": "gradcheck examples/quadratic.py:f --grad examples/quadratic.py:grad_wrong --dim 100 --seed 7",
            "point": Point(shape=(100,), dtype="float64", origin="random normal", seed=7),
            "shape": (100,),
            "checked": 100,
        }
        | changes
    )


def undecided(**changes: Any) -> Report:
    """A kink, noise twice for the same reason, and a pass."""
    noisy = "the noise of f (about 1e-3) hides any error below 40 %"
    return build(
        **{
            "entries": (
                entry(
                    5,
                    0.0,
                    0.5,
                    0.5,
                    Verdict.INCONCLUSIVE,
                    status=Status.KINK,
                    reason="the claim lies between the one-sided derivatives",
                    left=-1.0,
                    right=1.0,
                    kink=2.5e-7,
                ),
                entry(1, 0.31, 0.29, 0.12, Verdict.INCONCLUSIVE, status=Status.NOISY, reason=noisy),
                entry(2, 0.11, 0.17, 0.14, Verdict.INCONCLUSIVE, status=Status.NOISY, reason=noisy),
                entry(0, 4.0, 4.0000001, 2e-6),
            ),
            "findings": (
                Finding(
                    kind=FindingKind.LOW_PRECISION,
                    message="f returns float64 but computes in float32.",
                    evidence={"digits": 7},
                ),
            ),
        }
        | changes
    )


def erroneous(**changes: Any) -> Report:
    """User code raised at the point; nothing was compared."""
    return build(
        **{
            "entries": (),
            "verdict": Verdict.ERROR,
            "findings": (
                Finding(
                    kind=FindingKind.USER_ERROR, message="f raised ValueError: A must be square.", verdict=Verdict.ERROR
                ),
            ),
            "trouble": (
                "Traceback (most recent call last):\n"
                '  File "examples/quadratic.py", line 14, in f\n'
                '    raise ValueError("A must be [square] & <finite>")\n'
                "ValueError: A must be [square] & <finite>\n"
            ),
            "noise": None,
            "resolution": Resolution(absolute=float("inf"), digits=None, sentence="Nothing was compared."),
        }
        | changes
    )


def directional(**changes: Any) -> Report:
    """Random directions at two points, stopped early."""
    return build(
        **{
            "entries": (),
            "directions": (
                direction(0, 812.00123, 811.99877, 3.2e-6, Verdict.FAIL),
                direction(1, -44.1234567, -44.1234568, 2.9e-6),
                direction(2, 1.5e12, 1.5e12, 2.0, point=1),
            ),
            "method": Method.DIRECTIONS,
            "point": Point(shape=(1_000_000,), dtype="float64", origin="random normal", seed=0),
            "shape": (1_000_000,),
            "interrupted": True,
            "notes": ("Point 2 lay outside the domain of f and was drawn again.",),
        }
        | changes
    )


def extreme(**changes: Any) -> Report:
    """Numbers at the ends of what a float can hold."""
    nan, inf = float("nan"), float("inf")
    return build(
        **{
            "entries": (
                entry(0, nan, 1.5, 1e-9, Verdict.FAIL),
                entry(1, inf, -1.7976931348623157e308, 1e292, Verdict.FAIL),
                entry(2, -1.2345678901234567e-300, 1.2345678901234567e-300, 3.2e-316, Verdict.FAIL),
                entry(3, 5e-324, 1.5e-323, 5e-324, Verdict.FAIL),
                entry(4, 123456789.123456, 123456789.123999, 0.0, Verdict.FAIL),
                entry(5, -0.0, 0.0, 0.0),
                entry(6, 1e300, 1.0000001e300, 2e293),
            ),
        }
        | changes
    )


def many(count: int = 40, **changes: Any) -> Report:
    """`count` failing entries of a matrix variable, worst first."""
    return build(
        **{
            "entries": tuple(
                entry((i // 3, i % 3), 1.0 + 1.0 / (i + 1), 1.0, 1.3e-10, Verdict.FAIL) for i in range(count)
            ),
            "point": Point(shape=(count // 3 + 1, 3), dtype="float64", origin="random normal", seed=1),
            "shape": (count // 3 + 1, 3),
        }
        | changes
    )


def oddly_named(**changes: Any) -> Report:
    """Names with brackets, markup, a pipe, wide and combining characters, and control characters."""
    return failing(
        **{
            "name": "mödel[bold]:f|‖Ax‖²",
            "target": Target(name="Loss[red].<lambda>", file="src/模型[1].py", line=3),
            "claim": Target(name="[/bold]∇f", file="src/模型[1].py", line=9),
            "entries": (
                entry(0, 1.5, 2.5, 1e-9, Verdict.FAIL, path="params[bold][0, 2]"),
                entry(1, 2.5, 3.5, 1e-9, Verdict.FAIL, path="重み[1]"),
            ),
            "notes": ("An escape \x1b[31m and a bell \x07 in a note :smile:",),
        }
        | changes
    )


def mapped(**changes: Any) -> Report:
    """A matrix with a wrong block and an entry that could not be judged; the worst entry has its ladder."""
    steps = tuple(0.9 * 4.0**-k for k in range(16))
    ladder = Ladder(
        steps=steps, values=tuple(2.0 + h * h / 3 + 1e-15 / h for h in steps), noise=tuple(3e-16 / h for h in steps)
    )
    return build(
        **{
            "name": "mds:f",
            "entries": (
                entry((1, 1), 3.0, 2.0, 1e-12, Verdict.FAIL, ladder=ladder),
                entry((1, 2), 0.4, 0.3, 1e-12, Verdict.FAIL),
                entry((2, 2), 0.3, 0.29, 1e-12, Verdict.FAIL),
                entry((0, 0), 0.31, 0.29, 0.12, Verdict.INCONCLUSIVE, status=Status.NOISY),
                *(entry((3, j), 1.0 + j, 1.0 + j, 1e-12) for j in range(4)),
            ),
            "error_map": ErrorMap(shape=(4, 4), block=(1, 1), cells=("?...", ".01.", "..2.", "...."), largest=1.0),
            "point": Point(shape=(4, 4), dtype="float64", origin="random normal", seed=1),
            "shape": (4, 4),
            "checked": 16,
        }
        | changes
    )


EVERY = {
    "mapped": mapped,
    "passing": passing,
    "failing": failing,
    "undecided": undecided,
    "erroneous": erroneous,
    "directional": directional,
    "extreme": extreme,
    "many": many,
    "oddly_named": oddly_named,
}
