"""The known mistakes, each as a law from the claimed to the numeric values.  The simplest come first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.model import DiagnosisKind, Kind
from gradcheck.numerics.constants import figure, recognise, shortest
from gradcheck.numerics.evidence import POORLY, Facts, Fit, Law, ask, fit
from gradcheck.numerics.permutations import permutations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

SINGLE = float(np.finfo(np.float32).eps)  # of the precision that a gradient is lowered to by mistake …
CAST = 0.51 * SINGLE  # … by a cast of the result, relative to the entry …
COMPUTED = 1e4 * SINGLE  # … or throughout, relative to the largest entry
FEW_BITS = 2.0**12  # an integer multiple this small of a power of two is single precision by nature
COEFFICIENT_TRIES = 3.0  # x, sign(x) and 1 are tried
LARGEST_JACOBIAN = 256  # calls of the claim that a missing transpose may cost

SIGN_ADVICE = "Look for a subtraction written the wrong way round, or a gradient of −f (a maximisation) used for f."


def laws(facts: Facts, among: Mask) -> Iterator[Law]:
    """The hypotheses that cost nothing, simplest first; parameters are fitted to the wrong entries in `among`."""
    yield from _precision(facts, among)
    yield Law(kind=DiagnosisKind.SIGN, predict=lambda f: -f.claimed, advice=SIGN_ADVICE, says="numeric = −claimed {where}: the sign is wrong")
    yield from _absolute(facts, among)
    yield from _matrix(facts)
    yield from _zeros(facts, among)
    yield from scales(facts, among)
    yield from _chain(facts)
    yield from permutations(facts, among)
    yield from _terms(facts, among)


def dear_laws(facts: Facts) -> Iterator[Law]:
    """The hypotheses that cost calls of the claim."""
    yield from _stale(facts)
    yield from _transposed_factor(facts)


# ---- factors


def scales(facts: Facts, among: Mask) -> Iterator[Law]:
    """numeric = r · claimed, r recognised or fitted."""
    for found in _fits(facts.claimed, facts.numeric, facts, among):
        known = recognise(found.low, found.high, _sizes(facts))
        half = (found.high - found.low) / 2
        if abs(found.value - 1) * POORLY >= half:
            if known is not None:
                yield _scale(facts, known[0], known[1], half, tries=known[2])
            yield _scale(facts, known[0] if known else found.value, known[1] if known else "", half, found=found)


def _scale(facts: Facts, r: float, name: str, half: float, *, tries: float = 1.0, found: Fit | None = None) -> Law:
    values: dict[str, Any] = {"factor": r}
    meaning = ""
    if name:
        values["recognised"] = name
        inverse = recognise(1 / r * (1 - 1e-12), 1 / r * (1 + 1e-12)) if name.startswith("1/") and "," not in name else None
        meaning = f": the claim is {inverse[1]} times too large" if inverse and r > 0 else f": a missing factor {name}"
    minus = " The sign is wrong too." if r < 0 and not name else ""
    return Law(
        kind=DiagnosisKind.SCALE,
        predict=lambda f: r * f.claimed,
        says=f"numeric = {figure(r, half)} × claimed {{where}}{meaning}{minus}",
        parameters=values,
        advice=_factor_advice(r, name),
        fitted=0 if found is None else 1,
        tries=tries,
        slack=None if found is None else found.sharpest * np.abs(facts.claimed),
    )


def _factor_advice(r: float, name: str) -> str:
    if math.isclose(abs(r), 2):
        return "The derivative of ‖r‖² is 2 Jᵀr: the 2 is usually forgotten there."
    if math.isclose(abs(r), 0.5):
        return "The derivative of ½‖r‖² is Jᵀr, without a 2."
    if "being" in name or (name.startswith("1/") and name[2:].isdigit()):
        return "A mean differs from a sum by that factor: divide the gradient as f is divided."
    if "ln" in name:
        return "The derivative of log2(u) is u′/(u ln 2), that of log10(u) is u′/(u ln 10)."
    if "π" in name:
        return "Look for a normalising constant, or for degrees taken for radians."
    return "Compare the constants in front of f with those in front of its derivative."


def _sizes(facts: Facts) -> list[tuple[str, int]]:
    """Lengths that a factor may come from."""
    sizes = [("the number of entries", facts.size)] if len(facts.shape) < 2 or facts.mismatch.kind is Kind.GRADIENT else []
    if len(facts.shape) > 1:
        words = ("the number of rows", "the number of columns") if len(facts.shape) == 2 else ()
        sizes += [(words[k] if words else f"the length of axis {k}", n) for k, n in enumerate(facts.shape)]
    return sizes


def _fits(base: Array, target: Array, facts: Facts, among: Mask) -> Iterator[Fit]:
    """Parameters p with p · base = target on most of the wrong entries: with the tight windows, then with the tolerance."""
    seen = 0
    for window in (facts.strict, facts.loose):
        found = fit(base[among], target[among], window[among])
        if found is not None and found.count > seen:
            seen = found.count
            yield found


def _absolute(facts: Facts, among: Mask) -> Iterator[Law]:
    """The claim is |numeric|: nowhere negative, wrong where the derivative is."""
    if not among.any() or (facts.claimed < 0).any() or not (facts.numeric[among] < 0).all() or (facts.numeric[~among] < 0).all():
        return
    yield Law(
        kind=DiagnosisKind.SIGN,
        predict=lambda f: np.where(f.numeric < 0, -f.claimed, f.claimed),
        says="the claim is the absolute value of the derivative: numeric = −claimed {where}, wherever it is negative",
        parameters={"absolute": True},
        advice="Look for an abs() or a square that swallowed the sign.",
    )


def _zeros(facts: Facts, among: Mask) -> Iterator[Law]:
    """Entries that are claimed to be exactly 0 and are not."""
    zero = among & (facts.claimed == 0)
    if np.sum(zero) < 2 or facts.mismatch.kind is Kind.HESSIAN and not _off_diagonal(facts)[zero].any():
        return  # zeros on the diagonal alone are left to a missing multiple of the identity
    yield Law(
        kind=DiagnosisKind.ZERO_BLOCK,
        predict=lambda f: np.where(f.wrong & (f.claimed == 0), f.numeric, np.nan),
        says="the claim is 0 {where}, where the derivative is not",
        advice="Look for entries that are never assigned, a range that stops short, or a gradient that is detached there.",
    )


def _off_diagonal(facts: Facts) -> Mask:
    return facts.entry // facts.shape[-1] != facts.entry % facts.shape[-1]


def _along_x(facts: Facts) -> bool:
    return facts.size == facts.x.size and facts.mismatch.kind is not Kind.HESSIAN


def _chain(facts: Facts) -> Iterator[Law]:
    """A chain factor: the derivative with respect to log x for that with respect to x, or the reverse."""
    if not _along_x(facts) or facts.size < 2:
        return
    for name, power, inner in ("x", 1, "u = x²/2"), ("1/x", -1, "u = log x"):

        def predict(f: Facts, power: int = power) -> Array:
            with np.errstate(all="ignore"):
                predicted = f.claimed * f.x[f.entry] ** float(power)
            return np.where(np.isfinite(predicted), predicted, np.nan)

        yield Law(
            kind=DiagnosisKind.CHAIN_FACTOR,
            predict=predict,
            says=f"numeric = claimed × {name}, entry by entry, {{where}}: a missing chain factor {name}",
            parameters={"factor": name},
            advice=f"With {inner} inside f, the derivative by x is that by u times {name}.",
            tries=2.0,
        )


# ---- additive terms


def _terms(facts: Facts, among: Mask) -> Iterator[Law]:
    for name, term, tries in _candidates(facts):
        for found in _fits(term[facts.entry], facts.numeric - facts.claimed, facts, among):
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
    known = term.copy()

    def predict(f: Facts) -> Array:
        if f is not facts and name in f.mismatch.suspects:
            return f.claimed + coefficient * f.mismatch.suspects[name].reshape(-1)[f.entry]
        if f is not facts and name in ("x", "sign(x)", "x xᵀ"):
            fresh = {"x": f.x, "sign(x)": np.sign(f.x), "x xᵀ": np.outer(f.x, f.x).reshape(-1)}[name]
            return f.claimed + coefficient * fresh[f.entry]
        return f.claimed + coefficient * known[f.entry]

    size = "" if exact and abs(coefficient) == 1 else f"{figure(abs(coefficient), half)} × "
    what = f"{size}{name}" if name != "1" else figure(abs(coefficient), half)
    if coefficient > 0:
        says = f"numeric − claimed = {what} {{where}}: a term is missing"
    else:
        says = f"claimed − numeric = {what} {{where}}: a term too many, counted twice or with the wrong sign"
    return Law(
        kind=DiagnosisKind.MISSING_TERM,
        predict=predict,
        says=says,
        parameters={"term": name, "coefficient": coefficient},
        advice=_term_advice(name, coefficient),
        fitted=0 if exact else 1,
        tries=tries * (3.0 if exact else 1.0),
        slack=None if exact else found.sharpest * np.abs(term[facts.entry]),
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
    reach = CAST * np.abs(facts.claimed) if cast else np.full(len(facts), COMPUTED * largest)
    if not (facts.gap <= reach + facts.strict)[among].all():
        return
    # Each telling entry is single precision by chance once in 2^17 times or less: the bits are the evidence, not the gaps.
    bits = float(2.0 ** -min(17 * int(np.sum(telling & among)), 600))
    yield Law(
        kind=DiagnosisKind.LOW_PRECISION,
        predict=lambda f: np.where(np.abs(f.numeric - f.claimed) <= reach + f.strict, f.numeric, np.nan),
        says="every claimed value is a single-precision number, and off by no more than that explains {where}: "
        + ("the gradient was cast to float32" if cast else "the gradient is computed in float32"),
        parameters={"precision": "float32", "relative_gap": float(np.max(facts.gap[among] / np.maximum(np.abs(facts.claimed[among]), 1e-300)))},
        advice="Look for np.float32, for an array made without dtype=float64, or for single-precision data.",
        tries=bits,
    )


def _stale(facts: Facts) -> Iterator[Law]:
    """The claim was right at another point: asked again it answers for this one."""
    mismatch = facts.mismatch
    if mismatch.claim_at is None or ask(mismatch, facts.x) is None:
        return
    again = ask(mismatch, facts.x)
    places = [("asked a second time at the same point, the claim gives the numeric values", again)]
    for point in mismatch.function_last_points[:3]:
        flat = np.asarray(point, dtype=np.float64).reshape(-1)
        if flat.size == facts.x.size and not np.array_equal(flat, facts.x):
            places.append(("the claim for the point where f was called last is right here", ask(mismatch, flat)))
    for says, answer in places:
        if answer is None or np.array_equal(answer[facts.entry], facts.claimed):
            continue
        yield Law(
            kind=DiagnosisKind.STALE_POINT,
            predict=lambda f, answer=answer: answer[f.entry],
            says=f"{says} {{where}}: it answers for the point of an earlier call",
            advice="Values kept from an earlier call must be keyed on x; compute them anew when x has changed.",
            tries=float(len(places)),
        )


# ---- matrices and their transposes


def _matrix(facts: Facts) -> Iterator[Law]:
    """Laws of a square, symmetric derivative."""
    if facts.mismatch.kind is not Kind.HESSIAN or len(facts.shape) != 2 or facts.shape[0] != facts.shape[1] or facts.size < 4:
        return
    matrix = facts.full.reshape(facts.shape)
    if np.isnan(matrix).any():
        return
    lower, upper = np.tril(matrix, -1), np.triu(matrix, 1)
    place = lambda new: lambda f, new=new: (new(f.full.reshape(f.shape))).reshape(-1)[f.entry]
    if not lower.any() and not upper.any():
        off = _off_diagonal(facts)
        yield Law(
            kind=DiagnosisKind.DIAGONAL_ONLY,
            predict=lambda f: np.where(off, np.where(np.abs(f.numeric) > f.loose, f.numeric, np.nan), f.claimed),
            says="the claim is 0 off the diagonal, and the second derivatives {where} are not",
            parameters={"part": "off-diagonal"},
            advice="np.diag(h) holds ∂²f/∂x_i² alone; the mixed derivatives ∂²f/∂x_i∂x_j belong beside it.",
        )
    elif not lower.any() or not upper.any():
        side = "upper" if upper.any() else "lower"
        yield Law(
            kind=DiagnosisKind.TRIANGLE_ONLY,
            predict=place(lambda h: h + h.T - np.diag(np.diag(h))),
            says=f"only the {side} triangle is filled; its mirror image is right {{where}}",
            parameters={"triangle": side},
            advice="H + np.triu(H, 1).T fills the other half." if side == "upper" else "H + np.tril(H, -1).T fills the other half.",
        )
    yield Law(
        kind=DiagnosisKind.NOT_SYMMETRIZED,
        predict=place(lambda h: (h + h.T) / 2),
        says="numeric = (H + Hᵀ)/2 {where}, with H the claim: it is not symmetrised",
        advice="For f = ⟨x, Ax⟩ with A not symmetric the Hessian is A + Aᵀ, not 2A.",
    )
    yield Law(
        kind=DiagnosisKind.MISSING_TRANSPOSE,
        predict=place(lambda h: h + h.T),
        says="numeric = H + Hᵀ {where}, with H the claim: the transposed part is missing",
        advice="For f = ⟨x, Ax⟩ with A not symmetric the Hessian is A + Aᵀ, not A.",
    )


def _transposed_factor(facts: Facts) -> Iterator[Law]:
    """A claim Jx + b that should be (J + Jᵀ)x/2 + b, or (J + Jᵀ)x + b: the Jacobian of a gradient is symmetric."""
    x, d = facts.x, facts.size
    if facts.mismatch.kind is not Kind.GRADIENT or d != x.size or not 2 <= d <= LARGEST_JACOBIAN or len(facts) < d:
        return
    order = np.argsort(facts.entry)
    claimed, numeric, window = facts.claimed[order], facts.numeric[order], facts.loose[order]
    origin, twice = ask(facts.mismatch, np.zeros(d)), ask(facts.mismatch, 2 * x)
    if origin is None or twice is None:
        return
    linear = claimed - origin
    rounding = 64 * facts.mismatch.epsilon * float(np.max(np.abs(claimed)) + np.max(np.abs(origin)))
    if not linear.any() or np.max(np.abs(twice - claimed - linear)) > rounding:
        return
    # ⟨x, Jᵀx⟩ = ⟨x, Jx⟩ tells before anything is spent whether it can be.
    along, room = float(x @ (numeric - claimed)), float(np.abs(x) @ (window + rounding))
    wanted = [(half, excess) for half, excess in ((True, 0.0), (False, float(x @ linear))) if abs(along - excess) <= room]
    if not wanted:
        return
    size = float(np.max(np.abs(x))) or 1.0
    columns = [ask(facts.mismatch, size * row) for row in np.eye(d)]
    if any(column is None for column in columns):
        return
    jacobian = np.stack([(column - origin) / size for column in columns if column is not None], axis=1)
    if np.max(np.abs(jacobian @ x - linear)) > d * rounding or np.max(np.abs(jacobian - jacobian.T)) <= d * rounding / size:
        return
    for half, _ in wanted:
        right = origin + (0.5 * (linear + jacobian.T @ x) if half else linear + jacobian.T @ x)
        yield Law(
            kind=DiagnosisKind.NOT_SYMMETRIZED if half else DiagnosisKind.MISSING_TRANSPOSE,
            predict=lambda f, right=right: right[f.entry],
            says="the claim is linear in x with a matrix M that is not symmetric, and numeric = "
            + ("(M + Mᵀ)x/2 {where}" if half else "(M + Mᵀ)x {where}")
            + (" up to the constant part" if origin.any() else ""),
            advice=f"For f = ⟨x, Ax⟩ with A not symmetric the gradient is (A + Aᵀ)x, not {'2Ax' if half else 'Ax'}.",
            tries=2.0,
        )
