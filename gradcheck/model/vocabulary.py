"""The words: verdicts, kinds and statuses, each an enumeration whose values are what JSON and the command line say."""

from __future__ import annotations

import enum


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
