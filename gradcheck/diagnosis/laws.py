"""The known mistakes, each as a law from the claimed to the numeric values.  The simplest come first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.diagnosis.constants import figure, recognise, shortest
from gradcheck.diagnosis.evidence import POORLY, Facts, Fit, Law, claimed_at
from gradcheck.diagnosis.factors import fits, scales, sign
from gradcheck.diagnosis.permutations import permutations
from gradcheck.diagnosis.symmetry import fixed, off_diagonal, reads_triangle, symmetric, transposed_factor
from gradcheck.model import DiagnosisKind, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

SINGLE = float(np.finfo(np.float32).eps)  # of the precision that a gradient is lowered to by mistake …
CAST = 0.51 * SINGLE  # … by a cast of the result, relative to the entry …
COMPUTED = 1e4 * SINGLE  # … or throughout, relative to the largest entry
FEW_BITS = 2.0**12  # an integer multiple this small of a power of two is single precision by nature
COEFFICIENT_TRIES = 3.0  # x, sign(x) and 1 are tried

CHAIN: tuple[tuple[str, str, Callable[[Array], Array]], ...] = (
    ("x", "u = x²/2", lambda x: x),
    ("1/x", "u = log x", lambda x: 1 / x),
    ("exp(x)", "u = exp(x)", np.exp),
    ("exp(−x)", "u = −exp(−x)", lambda x: np.exp(-x)),
    ("σ(x)(1 − σ(x))", "u = σ(x) = 1/(1 + exp(−x))", lambda x: 1 / ((1 + np.exp(-x)) * (1 + np.exp(x)))),
    ("1/(σ(x)(1 − σ(x)))", "", lambda x: (1 + np.exp(-x)) * (1 + np.exp(x))),
    ("σ(x)", "u = log(1 + exp(x))", lambda x: 1 / (1 + np.exp(-x))),
    ("(1 − tanh²(x))", "u = tanh(x)", lambda x: 1 / np.cosh(x) ** 2),
)
"""Chain factors du/dx: the name, the inner function u, and the factor of x."""

ZERO_SENTENCE = "the claim is 0 {where}, where the derivative is not"
ZERO_ADVICE = (
    "Look for entries that are never assigned, a range that stops short, or a gradient that is detached there."
)


def laws(facts: Facts, among: Mask) -> Iterator[Law]:
    """The hypotheses that cost nothing, simplest first; parameters are fitted to the wrong entries in `among`."""
    yield from _precision(facts, among)
    yield sign()
    yield from _absolute(facts, among)
    if facts.whole:
        yield from symmetric(facts)
        yield from reads_triangle(facts)
    yield from _zeros(facts, among)
    yield from scales(facts, among)
    yield from _chain(facts)
    if facts.whole:
        yield from permutations(facts, among)
        yield from _terms(facts, among)


def costly_laws(facts: Facts) -> Iterator[Law]:
    """The hypotheses that cost calls of the claim."""
    yield from _stale(facts)
    if facts.whole:
        yield from transposed_factor(facts)


# ---- factors that are not the same for all, and zeros


def _absolute(facts: Facts, among: Mask) -> Iterator[Law]:
    """The claim is |numeric|: nowhere negative, wrong where the derivative is."""
    if (
        not among.any()
        or (facts.claimed < 0).any()
        or not (facts.numeric[among] < 0).all()
        or (facts.numeric[~among] < 0).all()
    ):
        return
    yield Law(
        kind=DiagnosisKind.SIGN,
        predict=lambda f: np.where(f.numeric < 0, -f.claimed, f.claimed),
        sentence="the claim is the absolute value of the derivative: numeric = −claimed {where}, wherever it is negative",
        parameters={"factor": -1.0, "absolute": True},
        advice="Look for an abs() or a square that swallowed the sign.",
        is_factor=True,
    )


def _zeros(facts: Facts, among: Mask) -> Iterator[Law]:
    """Entries that are claimed to be exactly 0 and are not."""
    zero = among & (facts.claimed == 0)
    if np.sum(zero) < 2 or (facts.mismatch.kind is Kind.HESSIAN and not off_diagonal(facts)[zero].any()):
        return  # zeros on the diagonal alone are left to a missing multiple of the identity
    yield Law(
        kind=DiagnosisKind.ZERO_BLOCK,
        predict=lambda f: np.where(f.wrong & (f.claimed == 0), f.numeric, np.nan),
        sentence=ZERO_SENTENCE,
        advice=ZERO_ADVICE,
        silent=lambda f: (f.claimed != 0) & ~f.blind,
    )


def _along_x(facts: Facts) -> bool:
    return facts.size == facts.x.size and facts.mismatch.kind is not Kind.HESSIAN


def _chain(facts: Facts) -> Iterator[Law]:
    """A chain factor: the derivative with respect to log x for that with respect to x, or the reverse."""
    if not _along_x(facts) or facts.size < 2:
        return
    for name, inner, factor in CHAIN:

        def predict(f: Facts, factor: Callable[[Array], Array] = factor) -> Array:
            with np.errstate(all="ignore"):
                predicted = f.claimed * factor(f.x[f.entry])
            return np.where(np.isfinite(predicted), predicted, np.nan)

        yield Law(
            kind=DiagnosisKind.CHAIN_FACTOR,
            predict=predict,
            sentence=f"numeric = claimed × {name}, entry by entry, {{where}}: a missing chain factor {name}",
            parameters={"term": name},
            advice=f"With {inner} inside f, the derivative by x is that by u times {name}."
            if inner
            else "Look for a derivative by the logarithm, or by another function of x, that was multiplied once too often.",
            tries=float(len(CHAIN)),
            is_factor=True,
        )


# ---- additive terms


def _terms(facts: Facts, among: Mask) -> Iterator[Law]:
    for name, term, tries in _candidates(facts):
        for found in fits(term[facts.entry], facts.numeric - facts.claimed, facts, among):
            half = (found.high - found.low) / 2
            if half > POORLY * abs(found.value):
                continue
            coefficient = shortest(found.low, found.high)
            known = recognise(found.low, found.high)
            exact = name in facts.mismatch.suspects and known is not None and known[2] <= 4
            if exact:
                assert known is not None
                coefficient = known[0]
            yield _missing(facts, name, term, coefficient, half, found, tries, exact=exact)


def _candidates(facts: Facts) -> Iterator[tuple[str, Array, float]]:
    """Terms that may be missing: name, flat vector (size,), and of how many it is one."""
    for name, given in facts.mismatch.suspects.items():
        try:
            term = np.asarray(given, dtype=np.float64).reshape(-1)
        except (TypeError, ValueError):
            continue
        if term.size == facts.size:
            yield name, term, 1.0
    tries = COEFFICIENT_TRIES
    if _along_x(facts):
        yield "x", facts.x, tries
        sign = np.sign(facts.x)
        if (sign != sign[:1]).any():
            yield "sign(x)", sign, tries
    if len(facts.shape) == 2 and facts.shape[0] == facts.shape[1] and facts.mismatch.kind is not Kind.GRADIENT:
        yield "the identity matrix", np.eye(facts.shape[0]).reshape(-1), tries
        if facts.x.size == facts.shape[0]:
            yield "x xᵀ", np.outer(facts.x, facts.x).reshape(-1), tries
    yield "1", np.ones(facts.size), tries


def _missing(
    facts: Facts, name: str, term: Array, coefficient: float, half: float, found: Fit, tries: float, *, exact: bool
) -> Law:

    def values(f: Facts) -> Array:
        """The same term at the point of these facts."""
        if f is facts:
            return term[f.entry]
        fresh = {fresh_name: fresh_term for fresh_name, fresh_term, _ in _candidates(f)}
        return fresh[name][f.entry] if name in fresh else np.full(len(f), np.nan)

    size = "" if exact and abs(coefficient) == 1 else f"{figure(abs(coefficient), half)} × "
    what = f"{size}{name}" if name != "1" else figure(abs(coefficient), half)
    if coefficient > 0:
        sentence = f"numeric − claimed = {what} {{where}}: a term is missing"
    else:
        sentence = f"claimed − numeric = {what} {{where}}: a term too many, counted twice or with the wrong sign"
    return Law(
        kind=DiagnosisKind.MISSING_TERM,
        predict=lambda f: f.claimed + coefficient * values(f),
        sentence=sentence,
        parameters={"term": name, "coefficient": coefficient},
        advice=_term_advice(name, coefficient),
        fitted=0 if exact else 1,
        tries=tries * (3.0 if exact else 1.0),
        slack=None if exact else lambda f: found.sharpest * np.abs(values(f)),
    )


def _term_advice(name: str, coefficient: float) -> str:
    c = f"{abs(coefficient):.6g}"
    gone = "is missing" if coefficient > 0 else "is too much"
    match name:
        case "x":
            return f"A ridge term λ‖x‖² adds 2λx to the gradient; here 2λ = {c} {gone}."
        case "sign(x)":
            return f"An L1 term λ‖x‖₁ adds λ sign(x); here λ = {c} {gone}."
        case "the identity matrix":
            return f"A ridge term λ‖x‖² adds 2λI to the Hessian; here 2λ = {c} {gone}."
        case "1":
            return f"A linear term c·Σx adds the constant c; here {c} {gone}."
        case _:
            return f"The term {name} {gone}."


# ---- precision and points


def _precision(facts: Facts, among: Mask) -> Iterator[Law]:
    """The claim was rounded to single precision, or computed in it, though the point is in double precision."""
    if facts.mismatch.epsilon > SINGLE / 8 or not among.any():
        return
    with np.errstate(all="ignore"):
        single = facts.claimed.astype(np.float32).astype(np.float64) == facts.claimed
        mantissa = np.abs(np.frexp(facts.claimed)[0]) * FEW_BITS
    telling = mantissa != np.round(mantissa)
    if not single.all() or np.sum(telling & among) < min(2, int(np.sum(among))) or not telling.any():
        return
    largest = float(np.max(np.abs(facts.claimed)))
    cast = bool((facts.gap <= CAST * np.abs(facts.claimed) + facts.strict)[among].all())

    def predict(f: Facts) -> Array:
        reach = f.strict + (CAST * np.abs(f.claimed) if cast else COMPUTED * largest)
        return np.where(f.gap <= reach, f.numeric, np.nan)

    if np.isnan(predict(facts)[among]).any():
        return
    # Each telling entry is single precision by chance once in 2^17 times or less: the bits are the evidence, not the gaps.
    bits = float(2.0 ** -min(17 * int(np.sum(telling & among)), 600))
    relative = facts.gap[among] / np.maximum(np.abs(facts.claimed[among]), 1e-300)
    yield Law(
        kind=DiagnosisKind.LOW_PRECISION,
        predict=predict,
        sentence="every claimed value is a single-precision number, and off by no more than that explains {where}: "
        + ("the gradient was cast to float32" if cast else "the gradient is computed in float32"),
        parameters={
            "precision": "float32",
            "relative_gap": [float(relative.min()), float(relative.max())],
        },
        advice="Look for np.float32, for an array made without dtype=float64, or for single-precision data.",
        tries=bits,
    )


def _stale(facts: Facts) -> Iterator[Law]:
    """The claim was right at another point: asked again it answers for this one."""
    mismatch = facts.mismatch
    if mismatch.claim_at is None or claimed_at(mismatch, facts.x) is None:
        return
    again = claimed_at(mismatch, facts.x)
    if again is None or np.array_equal(again[facts.entry], facts.claimed):
        return
    yield Law(
        kind=DiagnosisKind.STALE_POINT,
        predict=fixed(again),
        sentence="asked a second time at the same point, the claim gives the numeric values {where}: "
        "it answers for the point of an earlier call",
        advice="Values kept from an earlier call must be keyed on x; compute them anew when x has changed.",
    )
