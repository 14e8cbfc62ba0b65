"""The nouns: frozen records that a check fills in and a report renders.  Data only, no behaviour beyond look-ups.

It is long because all of them are here: whoever reads a report finds each noun in one place.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gradcheck.wording import counted


class Verdict(enum.IntEnum):
    """The answer for an entry, a direction or a run; ``max()`` of many is the verdict of them all."""

    PASS = 0
    INCONCLUSIVE = 1
    FAIL = 2
    ERROR = 3


class Kind(enum.StrEnum):
    """Which derivative is claimed."""

    GRADIENT = "gradient"
    JACOBIAN = "jacobian"
    HESSIAN = "hessian"
    HVP = "hvp"
    JVP = "jvp"
    VJP = "vjp"

    @property
    def key(self) -> str:
        """The keyword, flag and key by which such a claim is given: ``grad``, ``hess``, ``jac``, ``hvp``, ``jvp``, ``vjp``."""
        return {"gradient": "grad", "hessian": "hess", "jacobian": "jac"}.get(self.value, self.value)


class Method(enum.StrEnum):
    """How claimed and numeric derivatives are compared."""

    AUTO = "auto"
    COORDINATES = "coordinates"
    DIRECTIONS = "directions"
    COMPLEX_STEP = "complex-step"


class Convention(enum.StrEnum):
    """What "the gradient" by a complex variable z = x + iy means; of a real f it is made of ∂f/∂x and ∂f/∂y."""

    STEEPEST = "steepest"
    CONJUGATE = "conjugate"
    WIRTINGER = "wirtinger"
    WIRTINGER_CONJUGATE = "wirtinger_conjugate"
    HOLOMORPHIC = "holomorphic"
    REAL_PART = "real_part"

    @property
    def formula(self) -> str:
        """What is returned for each entry of z."""
        return _CONVENTIONS[self][0]

    @property
    def used_by(self) -> str:
        """Who returns that."""
        return _CONVENTIONS[self][1]


_CONVENTIONS = {
    Convention.STEEPEST: ("∂f/∂x + i ∂f/∂y", "PyTorch and TensorFlow"),
    Convention.CONJUGATE: ("∂f/∂x − i ∂f/∂y", "JAX and Autograd"),
    Convention.WIRTINGER: ("∂f/∂z = ½(∂f/∂x − i ∂f/∂y)", "textbooks of complex analysis"),
    Convention.WIRTINGER_CONJUGATE: ("∂f/∂z̄ = ½(∂f/∂x + i ∂f/∂y)", "signal processing"),
    Convention.HOLOMORPHIC: ("f′, with df = f′ dz", "JAX with holomorphic=True"),
    Convention.REAL_PART: ("∂f/∂x alone", "code that drops the imaginary part"),
}


class Stop(enum.StrEnum):
    """Why a check ended before all was examined."""

    BUDGET = "budget"
    INTERRUPT = "interrupt"
    PLAN = "plan"

    @property
    def subject(self) -> str:
        """What ended it, as the subject of a sentence."""
        return {"budget": "the budget", "interrupt": "Ctrl-C", "plan": "a plan, which was all that was asked for,"}[
            self.value
        ]


class Status(enum.StrEnum):
    """How a numeric derivative was reached, and what limits it.  `advice` is a sentence for the reader."""

    FIRST_STEP = "first_step"
    CONVERGED = "converged"
    NOISY = "noisy"
    BELOW_RESOLUTION = "below_resolution"
    ONE_SIDED = "one_sided"
    KINK = "kink"
    JUMP = "jump"
    STEPS = "steps"
    ORDER_DEPENDENT = "order_dependent"
    CONTRADICTORY = "contradictory"
    UNSETTLED = "unsettled"
    NEGLIGIBLE = "negligible"
    NON_FINITE = "non_finite"
    NOT_EXAMINED = "not_examined"
    COMPLEX_STEP = "complex_step"

    @property
    def advice(self) -> str:
        """One sentence: what the status means and what to try."""
        return _ADVICE[self]


_ADVICE = {
    Status.FIRST_STEP: "the claim agreed with a central difference at the first step",
    Status.CONVERGED: "differences over a ladder of steps converge",
    Status.NOISY: "the noise of f limits the difference; "
    "compute f in higher precision, remove a large constant, or tighten its solver",
    Status.BELOW_RESOLUTION: "what f changes by with this variable is lost in its own noise; "
    "check the term that depends on it alone, or compute f in higher precision",
    Status.ONE_SIDED: "f is defined on one side of the point only; differences are one-sided",
    Status.KINK: "the one-sided derivatives differ; no gradient exists here, choose another point",
    Status.JUMP: "f jumps here; no gradient exists, choose another point",
    Status.STEPS: "an iteration or an adaptive solver in it stops early: lower its tolerance (tol, rtol), let it go on for long "
    "enough (maxiter), or fix its number of steps; a knob shows whether the gap falls with it",
    Status.ORDER_DEPENDENT: "f depends on where it was called before, which hides its derivative: let its solver start from the "
    "same guess at every call (no warm start), or lower its tolerance (tol)",
    Status.CONTRADICTORY: "small and large steps tell different stories; try another point, or compute f in higher precision",
    Status.UNSETTLED: "differences do not settle: f bends, jumps or varies too fast close to the point; try another point",
    Status.NEGLIGIBLE: "0 is claimed, and f changes by little beside what is ordinary; if that is the tolerance of a solver, "
    "tighten it, else say with atol that it is nothing",
    Status.NON_FINITE: "f is not finite around the point; choose a point inside its domain, or bounds that keep within it",
    Status.COMPLEX_STEP: "f was taken at a tiny imaginary distance, where its imaginary part tells the derivative",
    Status.NOT_EXAMINED: "the bound on re-examined entries was reached; give a larger budget, or check this entry alone",
}


class FindingKind(enum.StrEnum):
    """What the examination of the callables themselves can bring to light."""

    MUTATES_INPUT = "mutates_input"
    REUSES_BUFFER = "reuses_buffer"
    NON_DETERMINISTIC = "non_deterministic"
    ORDER_DEPENDENT = "order_dependent"
    VALUE_MISMATCH = "value_mismatch"
    NON_FINITE = "non_finite"
    WRONG_SHAPE = "wrong_shape"
    WRONG_DTYPE = "wrong_dtype"
    LOW_PRECISION = "low_precision"
    IGNORES_INPUT = "ignores_input"
    KINK = "kink"
    JUMP = "jump"
    STEPS = "steps"
    DOMAIN_EDGE = "domain_edge"
    NOT_SYMMETRIC = "not_symmetric"
    NOT_TANGENT = "not_tangent"
    NOT_INVARIANT = "not_invariant"
    NOT_LINEAR = "not_linear"
    NOT_ADJOINT = "not_adjoint"
    OUTSIDE_PATTERN = "outside_pattern"
    NOT_HOLOMORPHIC = "not_holomorphic"
    VACUOUS = "vacuous"
    SPECIAL_POINT = "special_point"
    CLAIM_IS_DIFFERENCE = "claim_is_difference"
    DISCRETISATION_GAP = "discretisation_gap"
    NEVER_RAN = "never_ran"
    USER_ERROR = "user_error"


class DiagnosisKind(enum.StrEnum):
    """The known mistakes that a wrong derivative can be explained by."""

    SIGN = "sign"
    SCALE = "scale"
    SINGLE_ENTRY = "single_entry"
    ENTRIES = "entries"
    BLOCK = "block"
    ZERO_BLOCK = "zero_block"
    TRANSPOSED = "transposed"
    SHIFTED = "shifted"
    REVERSED = "reversed"
    SWAPPED = "swapped"
    PERMUTED = "permuted"
    MISSING_TERM = "missing_term"
    LOW_PRECISION = "low_precision"
    STALE_POINT = "stale_point"
    NOT_SYMMETRIZED = "not_symmetrized"
    MISSING_TRANSPOSE = "missing_transpose"
    TRIANGLE_ONLY = "triangle_only"
    DOUBLED_OFF_DIAGONAL = "doubled_off_diagonal"
    NOT_PROJECTED = "not_projected"
    LEFT_FOR_RIGHT = "left_for_right"
    SCALED_TANGENT = "scaled_tangent"
    OTHER_FORM = "other_form"
    READS_TRIANGLE = "reads_triangle"
    DIAGONAL_ONLY = "diagonal_only"
    CHAIN_FACTOR = "chain_factor"
    CONJUGATED = "conjugated"
    HALF = "half"
    REAL_PART_ONLY = "real_part_only"
    SWAPPED_PARTS = "swapped_parts"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """A gap up to ``atol + rtol * max(|claimed|, |numeric|)`` is accepted."""

    rtol: float
    atol: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Central differences of f at falling steps, of which a derivative was made.

    steps: h; the displacement is ±h.
    values: (f(x + h v) − f(x − h v)) / 2h at each.
    noise: by how much the noise of f may move each.
    """

    steps: tuple[float, ...]
    values: tuple[float, ...]
    noise: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivativeEstimate:
    """A numeric derivative, never without its error.

    value: the numeric derivative.
    uncertainty: a bound on |value - true derivative|, in the units of `value`.
    step: the step in x at which it was taken (the displacement is ±step).
    evaluations: calls of f spent on it.
    status: how it was reached and what limits it.
    left, right: the one-sided derivatives where they differ (a kink or an edge), else None.
    kink: the signed distance from x to the kink or jump along this coordinate, where it was found.
    ladder: the differences it was made of, kept for the worst entry and the worst direction of a check.
    """

    value: float
    uncertainty: float
    step: float
    evaluations: int
    status: Status
    left: float | None = None
    right: float | None = None
    kink: float | None = None
    ladder: Ladder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplexEstimate:
    """The numeric derivative by a complex variable, never without its error.

    value: in the convention of the claim.
    uncertainty: bounds on the errors of its real and of its imaginary part, as one complex number.
    step, evaluations, status: as for a real derivative, of the worse of its parts.
    left, right, kink, ladder: the same.
    """

    value: complex
    uncertainty: complex
    step: float
    evaluations: int
    status: Status
    left: float | None = None
    right: float | None = None
    kink: float | None = None
    ladder: Ladder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCheck:
    """One entry of the claimed derivative beside its numeric value; both are complex where the variable is.

    index: into x0 for a gradient; (row…, column…) for a Jacobian or Hessian.
    path: the entry as a person would write it, such as ``[3]``, ``[0, 2]`` or ``W[0, 2]``.
    rel_error: abs_error / max(|claimed|, |numeric|), 0 where both are 0.
    reason: why the verdict is not PASS, else ''.
    explained: a diagnosis accounts for the gap.
    """

    index: tuple[int, ...]
    path: str
    claimed: float | complex
    estimate: DerivativeEstimate | ComplexEstimate
    abs_error: float
    rel_error: float
    verdict: Verdict
    reason: str = ""
    explained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionCheck:
    """One random direction v: the claimed ⟨g, v⟩ beside the numeric directional derivative.

    number: counts directions from 0 within the check.
    point: which of the points of the check (0 is the first).
    """

    number: int
    point: int
    claimed: float
    estimate: DerivativeEstimate
    abs_error: float
    rel_error: float
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something noticed about the callables themselves; `verdict` is what it does to the run (PASS: a remark only).

    target: 'f', 'grad', 'hess', … : which callable it is about.
    evidence: the facts behind the message, as plain JSON-able values.
    """

    kind: FindingKind
    message: str
    target: str = "f"
    verdict: Verdict = Verdict.PASS
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A line of source.  text: what stands there, without its indentation."""

    file: str
    line: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change of source with which the claim agrees with all that was measured.

    file, line: where the changed lines begin.
    before, after: the lines there as they are and as they should be, whole, without a line break at the end.
    diff: the same as a unified diff that ``git apply`` takes; it may change further files.
    certain: nothing that means something else agrees as well.
    """

    file: str
    line: int
    before: str
    after: str
    diff: str
    certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """A known mistake that explains the gap.

    message: one sentence with its evidence.
    parameters: factor, indices, ranges, term, … as plain JSON-able values.
    explained: the share (0 to 1) of the wrong entries that it accounts for.
    advice: the line of code usually behind it, or ''.
    where: the line that is wrong, if the evidence points to one.
    """

    kind: DiagnosisKind
    message: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    explained: float = 1.0
    advice: str = ""
    where: Where | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A callable under examination: its name, and where it is written, if that is known."""

    name: str
    file: str | None = None
    line: int | None = None


FOUND = "found by reach"  # the origin of a point that was looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where the check was made.

    origin: how the point came about, such as 'random normal' or the file it was read from.
    seed: of a random point, else None.
    values: its entries in C order when there are few, else ().
    leaves: of a tree, the name and the shape of each array that is a variable.
    """

    shape: tuple[int, ...]
    dtype: str
    origin: str
    seed: int | None = None
    values: tuple[float, ...] = ()
    leaves: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def size(self) -> int:
        """Number of entries d."""
        size = 1
        for n in self.shape:
            size *= n
        return size


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What the check could have seen.

    absolute: any entry off by more than this would have been caught.
    digits: every entry that passed agrees to at least this many significant digits (of the larger of itself and
        what is ordinary for its neighbours); None if nothing passed.
    sentence: both in plain words.
    parts: the same by named part or for special entries, as (name, absolute) pairs.
    """

    absolute: float
    digits: int | None
    sentence: str
    parts: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a check of a right derivative costs, told from one call of f and of the claim.

    evaluations: of f, `setup` of them before anything is compared.
    any_entry: how many of them see an error of any entry; `whole`, how many a random direction takes, which sees one of the
        whole.
    claims: calls of the claim.
    seconds: what all that takes.
    sentence: the same in words.
    """

    evaluations: int
    setup: int
    any_entry: int
    whole: int
    claims: int
    seconds: float
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToleranceLaw:
    """How the gap between claim and f changes with the tolerance of a solver, or with its mesh.

    knob: what was turned, such as 'tol'.
    levels: its values, from the coarsest on.
    gaps: the gap along directions at each, relative to the size of the derivative.
    noise: how well each gap is known.
    exponent: p, where the gap falls like the tolerance to that power, or like the inverse of a count; None if none was seen.
    spread: the standard error of p; None if unknown.
    limit: the gap that is left when the solver is exact, and `error`, how well that is known.
    sentence: what that comes to.
    """

    knob: str
    levels: tuple[float, ...]
    gaps: tuple[float, ...]
    noise: tuple[float, ...]
    exponent: float | None
    spread: float | None
    limit: float
    error: float
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMap:
    """Where a matrix is wrong: the worst of its entries in each cell of a grid.

    shape: rows and columns of the matrix.
    block: rows and columns of a cell; (1, 1) where each entry has its own.
    cells: a string for each row of cells, a character for each cell: '.' agrees, '?' could not be judged, '!' is claimed
        to be no number, '0' to '9' is wrong by between 10^-k and 10^-(k+1) of `largest`, ' ' is not known.
    largest: the largest error of a wrong entry, 0 where there is none.
    """

    shape: tuple[int, int]
    block: tuple[int, int]
    cells: tuple[str, ...]
    largest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A deliberate mistake in a derivative, and what the same check says of it.

    name: such as 'sign' or 'one entry 0'.
    """

    name: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class MutatedLine:
    """A line of a claim's source, broken on purpose in a few ways (mutants), and what the same check says of them.

    where: the line as it stands.
    made: how many mutants answer otherwise than the claim and were judged; `noticed`: how many of them FAIL.
    survivor: the line as the first mutant has it that gets a PASS; '' if none does.
    equivalent: mutants that change nothing, here and at further points; they do not count.
    undecided: mutants that could not be judged; they do not count.
    ran: whether the claim runs the line at the point at all.
    """

    where: Where
    made: int
    noticed: int
    survivor: str = ""
    equivalent: int = 0
    undecided: int = 0
    ran: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report:
    """Everything one check found out.

    ``print(report)`` shows it as text, a notebook as a page; `to_json`, `to_html`, `to_markdown` and `plot` give it in
    other forms.  What it looks like is up to `gradcheck.reporting`.

    name: of the check, such as ``mymodule:f``.
    target, claim: the function and the claimed derivative.
    verdict: the worst of entries, directions and findings.
    shape: of the claimed derivative as an array, such as (20, 3) for a gradient with respect to a matrix.
    method, engine: how f was differenced and by which engine it was called.
    entries: every entry that did not PASS up to a bound, then the worst of the others; a sequence of `EntryCheck`,
        worst first.
    checked, failed, inconclusive: numbers of entries (or of directions, with the directions method) compared in all.
    directions: one record for each random direction.
    further: the points beside the first, in the order in which `directions` number them; their origin says of which kind.
    conventions: of a derivative by complex variables, what it can be: the convention that it was judged by, then others that
        cannot be told from it here; one that does not hold where the verdict is FAIL; empty where all is real.
    error_map: where a Jacobian, a Hessian or the gradient by a matrix did not pass; None for a vector, or if all passed.
    fixes: changes of the claim's source that make it right, best first.
    plan: what was expected of the check before it began; None where f is not slow, and no plan was asked for.
    law: how the gap changes with the solver's tolerance; None unless a knob was named.
    mistakes: what the self-test has tried; nothing unless it was asked for.
    mutations: the lines of the claim that were broken on purpose; nothing unless that was asked for.
    noise: the measured noise level of f, in the units of f; None where it was not measured.
    resolution: the smallest error that would have been caught.
    nfev, ngev: calls of f and of the claimed derivative, all included.
    seconds: wall time of the check.
    versions: of python, numpy, numba (if loaded) and gradcheck.
    replay: the command that repeats the check, or None.
    test: a test to paste that makes the check, of a point that was found by `reach`; else None.
    notes: remarks for the reader, such as points that were re-drawn.
    trouble: the traceback of user code, when the verdict is ERROR because it raised.
    raised: the places in that, of user code alone, the innermost last.
    declared: where the check is declared, a section of a file or a test; None if nowhere.
    interrupted: stopped by Ctrl-C or by the budget; what is here is valid, but not everything was examined.
    stopped: which of the two; None if everything was examined.
    """

    name: str
    kind: Kind
    target: Target
    claim: Target
    verdict: Verdict
    point: Point
    shape: tuple[int, ...]
    method: Method
    engine: str
    tolerance: Tolerance
    entries: Sequence[EntryCheck]
    checked: int
    failed: int
    inconclusive: int
    directions: tuple[DirectionCheck, ...] = ()
    further: tuple[Point, ...] = ()
    findings: tuple[Finding, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    fixes: tuple[Fix, ...] = ()
    conventions: tuple[Convention, ...] = ()
    error_map: ErrorMap | None = None
    plan: Plan | None = None
    law: ToleranceLaw | None = None
    mistakes: tuple[Mistake, ...] = ()
    mutations: tuple[MutatedLine, ...] = ()
    noise: float | None = None
    resolution: Resolution
    nfev: int
    ngev: int
    seconds: float
    versions: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    replay: str | None = None
    test: str | None = None
    notes: tuple[str, ...] = ()
    trouble: str | None = None
    raised: tuple[Target, ...] = ()
    declared: Target | None = None
    interrupted: bool = False
    stopped: Stop | None = None

    @property
    def headline(self) -> str:
        """The verdict in one plain sentence."""
        return headline(self)

    @property
    def convention(self) -> Convention | None:
        """What the derivative by complex variables was taken to mean; None where all is real."""
        return self.conventions[0] if self.conventions else None

    def __repr__(self) -> str:
        """One line, for lists of reports and for the prompt."""
        return f"<Report: {self.verdict.name}, {self.kind.value} of {self.name}, {counted(self.checked, 'entry')} compared>"

    def __str__(self) -> str:
        """The report as plain text."""
        return str(_shown_by("as_text", self, "text")).rstrip("\n")

    def _repr_html_(self) -> str:
        """The report as a notebook shows it."""
        return str(_shown_by("as_fragment", self))

    def to_json(self) -> str:
        """The report as strict JSON; its schema is `gradcheck/schemas/report.json`."""
        return str(_shown_by("as_text", self, "json"))

    def to_html(self) -> str:
        """The report as a page of HTML that needs nothing else."""
        return str(_shown_by("as_text", self, "html"))

    def to_markdown(self) -> str:
        """The report as GitHub-flavoured Markdown."""
        return str(_shown_by("as_text", self, "markdown"))

    def plot(self) -> Any:
        """The pictures of the report as a Matplotlib figure: errors, the worst entry against the step, all entries.

        Raises:
            UsageError: Matplotlib is not installed (``python -m pip install "gradcheck[plot]"``).
        """
        return _shown_by("as_figure", self)


SHOWN_BY: dict[str, Callable[..., Any]] = {}
"""What shows a report, by name: `reporting.formats` enters it, so that the nouns import nothing that stands above them."""


def _shown_by(function: str, *arguments: Any) -> Any:
    return SHOWN_BY[function](*arguments)


def _at(where: Where | None) -> str:
    return "" if where is None else f" in line {where.line} of {where.file.replace(chr(92), '/').rpartition('/')[2]}"


def headline(report: Report) -> str:
    """One plain sentence: the verdict, and the first diagnosis or finding behind it."""
    what = (
        report.kind.value if report.kind.value.islower() and len(report.kind.value) > 3 else report.kind.value.upper()
    )
    if report.point.origin == FOUND:
        what = f"{what}, at a point that was looked for,"
    noun = "direction" if report.method is Method.DIRECTIONS and not report.entries else "entry"
    blamed = next((f for f in report.findings if f.verdict is report.verdict and report.verdict > Verdict.PASS), None)
    if report.verdict is Verdict.PASS:
        empty = next((f for f in report.findings if f.kind is FindingKind.VACUOUS and f.evidence.get("whole")), None)
        if empty is not None:
            return f"The {what} agrees, but so would much else: {empty.message}"
        if report.law is not None:
            return f"The {what} is right: {report.law.sentence}."
        if report.interrupted:
            return f"The {what} is right, as far as the budget allowed to see: {_seen(report)} agree."
        return f"The {what} is right: {counted(report.checked, noun)} agree{'s' if report.checked == 1 else ''}."
    if report.verdict is Verdict.FAIL:
        if report.diagnoses and report.diagnoses[0].kind is not DiagnosisKind.UNEXPLAINED:
            return f"The {what} is wrong{_at(report.diagnoses[0].where)}: {report.diagnoses[0].message}"
        if blamed is not None and blamed.kind is FindingKind.NOT_HOLOMORPHIC:
            return f"The {what} is wrong: {blamed.message}"
        if report.law is not None:
            return f"The {what} is wrong: {report.law.sentence}."
        if report.failed:
            where = report.diagnoses[0].where if report.diagnoses else None
            return f"The {what} is wrong{_at(where)}: {report.failed:,} of {counted(report.checked, noun)} disagree."
        elsewhere = {d.point for d in report.directions if d.verdict is Verdict.FAIL and d.point}
        if elsewhere:
            return f"The {what} is right at the first point and wrong at {counted(len(elsewhere), 'other point')}."
        if blamed is not None:
            return f"The {what} is wrong in use: {blamed.message}"
        return f"The {what} is wrong."
    if report.verdict is Verdict.ERROR:
        return f"The {what} could not be checked: {blamed.message if blamed else 'user code failed.'}"
    if report.stopped is Stop.PLAN and report.plan is not None:
        return f"The {what} was not checked, as a plan alone was asked for: {report.plan.sentence}."
    if report.interrupted:
        return f"The {what} could not be judged: {ended_early(report)}."
    if report.law is not None and blamed is None:
        return f"The {what} could not be judged: {report.law.sentence}."
    if report.inconclusive:
        return (
            f"The {what} could not be judged: {report.inconclusive:,} of {counted(report.checked, noun)} inconclusive."
        )
    if blamed is not None:
        return f"The {what} agrees, but not safely: {blamed.message}"
    return f"The {what} could not be judged."


def _seen(report: Report) -> str:
    """What was compared of a derivative too large for its budget."""
    directions = counted(len(report.directions), "random direction")
    return (
        f"{directions} and {report.checked:,} of {counted(math.prod(report.shape), 'entry')}"
        if report.entries
        else directions
    )


def ended_early(report: Report) -> str:
    """What ended an interrupted check before its time, and what was not seen by then."""
    ended = f"{report.stopped.subject if report.stopped else 'something'} ended the check"
    if not report.checked:
        return f"{ended} before anything was compared"
    total = math.prod(report.shape)
    if report.method is Method.DIRECTIONS:
        return f"{ended} after {counted(report.checked, 'entry' if report.entries else 'direction')}"
    if report.checked < total and report.directions:
        return f"{ended} after {_seen(report)}"
    if report.checked < total:
        return f"{ended} after {report.checked:,} of {counted(total, 'entry')}; the others were not examined"
    return f"{ended} before all was examined"
