"""The keywords that all checks share: `Options`, whose fields are rows of the table of options.

It is long because each row says all that is told of its option, at every face.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import compress
from operator import attrgetter, is_not
from typing import TYPE_CHECKING, Any, TypedDict

from gradcheck.errors import UsageError
from gradcheck.options.functions import Arguments, Executor, Knob, Leaves, Orbit, Suspects
from gradcheck.options.places import Bounds, Form, On
from gradcheck.options.row import HOW, MANY, OTHER, TRUST, WHAT, WHERE, Face, Option, unknown
from gradcheck.options.values import Callback, Choice, Flag, FlagOrNumber, Number, Text, Values, Written

if TYPE_CHECKING:
    from concurrent.futures import Executor as Pool

    from gradcheck.model import Convention, Method, Tolerance

RTOL = 6e-6  # agreement to five digits; a factor of 1 + 1e-5 is an error
Progress = Callable[[str, int, int, int, str], None]
EVERYWHERE = Face.API | Face.CLI | Face.CONFIG | Face.MARKER


def keyword(
    values: Values,
    group: str,
    text: str,
    where: Face = EVERYWHERE,
    *,
    factory: Callable[[], Any] | None = None,
    **more: Any,
) -> Any:
    """A row for the keyword of checks to which it is assigned in `Options`."""
    row = Option("", values, group, text, where, **more)
    if factory is None:
        return dataclasses.field(default=row.default, metadata={"row": row})
    return dataclasses.field(default_factory=factory, metadata={"row": row._replace(default=factory())})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Options:
    """The keywords that all checks share; the command line's options and the keys of declared checks bear the same names."""

    args: tuple[Any, ...] | Mapping[str, Any] = keyword(
        Arguments(),
        WHAT,
        "Further arguments of {f} and claims: numbers, a JSON list or object, a file, or a T.",
        keyword="further arguments of f and of the claim: a tuple, or a dict of arguments by name",
        metavar="P",
        default=(),
    )
    unpack: bool = keyword(
        Flag(),
        WHAT,
        "{f} takes the parts of the point as arguments: a list in its order, a dict by name.",
        keyword="x0 is a tuple, list or dict of the arguments of f: f(*x0) or f(**x0), and the claim alike",
        default=False,
    )
    wrt: str | int | Sequence[str | int] | None = keyword(
        Leaves(),
        WHAT,
        "A leaf of the point that is a variable; the others are handed on. Repeatable.",
        keyword="the leaves of x0 that are variables, by their names; the others are handed on as they are",
        metavar="NAME",
        repeatable=True,
    )
    on: Any = keyword(
        On(),
        WHERE,
        "The set where x lives: sphere, simplex, symmetric, spd, diagonal, orthogonal, SO2, SO3, SE2, SE3, quaternion, "
        "positive, periodic:PERIOD, or a T; {f} is called there alone. For a leaf: R=SO3. Repeatable.",
        keyword="the set on which x0 lives, such as 'SO3' or 'spd', an object with projection and retraction as pymanopt's, or a "
        "dict of these by leaves; f is called there alone, and entries are coordinates of the tangent space",
        metavar="SET",
        repeatable=True,
    )
    claimed: Any = keyword(
        Form(),
        WHAT,
        "What a derivative on a set is: ambient, riemannian:METRIC, left, right, minimal, tril, triu, voigt, tangent; for a "
        "leaf: R=left. By default ambient, or the parameters that it agrees with.",
        keyword="what a derivative on a set is: 'ambient' by the entries of x, 'riemannian' a tangent (or 'riemannian:METRIC'), "
        "'left' or 'right' by a perturbation, 'minimal', 'tril', 'triu', 'voigt' by parameters; or a dict of these by leaves; by "
        "default ambient, or the parameters that a claim of their number agrees with",
        metavar="FORM",
        repeatable=True,
    )
    riemannian: bool = keyword(
        Flag(),
        WHAT,
        "A derivative on a set is tangent to it, in the metric that the set inherits: --claimed riemannian.",
        keyword="a derivative on a set is tangent to it, in the metric that the set inherits: claimed='riemannian'",
        default=False,
    )
    invariant: Any = keyword(
        Orbit(),
        WHAT,
        "A T: x, or x and t, to another point where {f} must be the same: a gauge, a symmetry. It is tested first.",
        keyword="a function of x, or of x and a number t within (-1, 1), that leads to another point at which f must be the same "
        "(a gauge, the sign of an eigenvector, a rigid motion); f is tested for that first",
        metavar="T",
    )
    bounds: Any = keyword(
        Bounds(),
        WHERE,
        "Stay inside; either side may be empty. For each entry: a file of two rows, or a T. For a leaf: W=0:1. Repeatable.",
        keyword="(lower, upper), numbers or arrays of the shape of x0; f is not called outside of them",
        metavar="LO:HI",
        repeatable=True,
    )
    elementwise: bool = keyword(
        Flag(),
        WHAT,
        "{f} returns a value for each entry of x; claims are diagonals of the shape of x.",
        keyword="f returns a value for each entry of x0, and claims are diagonals, of the shape of x0",
        default=False,
    )
    convention: str | Convention | None = keyword(
        Choice("steepest", "conjugate", "wirtinger", "wirtinger_conjugate", "holomorphic", "real_part"),
        WHAT,
        "What a derivative by complex variables must be; by default any one convention will do, and the report says which.",
        keyword="what a derivative by complex variables must be: 'steepest' ∂f/∂x + i ∂f/∂y, as in PyTorch; 'conjugate' "
        "∂f/∂x − i ∂f/∂y, as in JAX; 'wirtinger' and 'wirtinger_conjugate', half of the second and of the first; 'holomorphic'; "
        "'real_part' ∂f/∂x; by default any one of them will do, and the report says which",
        metavar="NAME",
    )
    points: int = keyword(
        Number(1, whole=True),
        WHERE,
        "Check at K points: also near by, drawn anew, larger, smaller.",
        EVERYWHERE | Face.PYTEST,
        keyword="at how many points to check; the first gets the method, the others two random directions each: near the point, "
        "drawn anew, 10 times as large and as small, in turn",
        metavar="K",
        default=1,
    )
    seed: int = keyword(
        Number(0, whole=True),
        WHERE,
        "Of all that is random.",
        EVERYWHERE | Face.PYTEST,
        metavar="S",
        default=0,
    )
    method: str | Method = keyword(
        Choice("auto", "coordinates", "directions", "complex-step"),
        HOW,
        "Compare every entry, or random directions; complex-step: every entry without cancellation, for {f} of complex numbers.",
        keyword="'coordinates' compares every entry, 'directions' random directions, 'auto' chooses by cost; 'complex-step' "
        "compares every entry with Im f(x + ih) / h, to all digits, where f is analytic and takes complex numbers",
        default="auto",
    )
    directions: int | None = keyword(
        Number(1, whole=True), HOW, "How many random directions.", metavar="M", shown="2; 3 vectors for a product"
    )
    eps: float | None = keyword(
        Number(above=0),
        HOW,
        "The first step; what it leaves in doubt is measured at others. By default it is found for each entry.",
        keyword="the first step, in the units of x; what it leaves in doubt is measured at others; by default it is found "
        "for each entry",
        metavar="E",
    )
    vectorized: bool | None = keyword(Flag(), HOW, "{f} takes a batch of points, one a row.")
    jit: bool = keyword(Flag(), HOW, "Compile {f} with Numba first.", default=False)
    jobs: int = keyword(Number(1, whole=True), HOW, "Evaluate in N processes.", metavar="N", default=1)
    executor: Pool | None = keyword(
        Executor(),
        HOW,
        "A concurrent.futures.Executor, or what returns one.",
        keyword="a concurrent.futures.Executor to evaluate on",
        metavar="T",
    )
    isolate: bool = keyword(
        Flag(),
        HOW,
        "Call {f} and claim in a fresh process each time: threads, a GPU, state.",
        keyword="call f and the claim in a fresh process each time, so that none finds what another left behind",
        default=False,
    )
    budget: float | None = keyword(
        Number(above=0),
        HOW,
        "Stop after this time, with what is known.",
        metavar="SECONDS",
        keyword="seconds after which to stop, with what is known",
    )
    plan: bool = keyword(
        Flag(),
        HOW,
        "Call {f} and claim once, say what the check would cost, and end.",
        Face.API | Face.CLI,
        keyword="call f and the claim once, say what the check would cost, and end",
        default=False,
        measures=False,
    )
    journal: str | None = keyword(
        Written(),
        HOW,
        "Keep every evaluation there, and do not repeat it: start again after a kill.",
        keyword="a file in which every evaluation of f and of the claim is kept and not repeated; start again after a kill",
        metavar="FILE",
    )
    knob: Any = keyword(
        Knob(),
        HOW,
        "A keyword of {f}, or a T that is set: the tolerance of its solver, or its mesh. See how the gap falls with it.",
        keyword="a keyword of f, or an attribute as in (settings, 'tol'), that makes its solver more exact: the gap between "
        "claim and f must fall with it; with where to begin, or 3 values: 'tol=1e-6'",
        metavar="NAME",
    )
    rtol: float | None = keyword(
        Number(0, below=1),
        TRUST,
        "Accepted relative error.",
        EVERYWHERE | Face.PYTEST,
        keyword="relative error that is accepted whatever the precision of f",
        metavar="R",
        shown=f"{RTOL:g}",
    )
    atol: float = keyword(Number(0), TRUST, "Accepted absolute error.", metavar="A", default=0.0)
    suspects: Mapping[str, Any] = keyword(
        Suspects(),
        TRUST,
        "A term that may be what is missing. Repeatable.",
        keyword="terms that may be what is missing in the claim, as a dict of callables or arrays by name",
        metavar="T",
        factory=dict,
        flags=("--suspect",),
        repeatable=True,
    )
    fast: bool = keyword(
        Flag(),
        HOW,
        "One random direction; every entry only where that leaves doubt.",
        EVERYWHERE | Face.PYTEST,
        keyword="look along one random direction first, and compare as without it only where that leaves doubt",
        default=False,
    )
    reach: bool = keyword(
        Flag(),
        WHERE,
        "Look for points that run the lines that never ran, and check there.",
        EVERYWHERE | Face.PYTEST,
        default=False,
    )
    strict: bool = keyword(
        Flag(),
        TRUST,
        "A PASS that a trivial claim such as 0 would get as well is INCONCLUSIVE.",
        EVERYWHERE | Face.PYTEST,
        keyword="a check that a trivial claim such as 0 would pass as well is inconclusive",
        default=False,
    )
    fix: bool | float | None = keyword(
        FlagOrNumber(above=0),
        TRUST,
        "Look for a patch of a wrong claim, for at most SECONDS; --no-fix: do not.",
        EVERYWHERE | Face.PYTEST,
        keyword="look for a patch of a wrong claim: True, False, or for how many seconds",
        metavar="[SECONDS]",
        shown="2 where {f} and claim are cheap; 10",
        measures=False,
    )
    allow_inconclusive: bool = keyword(
        Flag(),
        TRUST,
        "Exit 0 where nothing is wrong but not all could be judged.",
        EVERYWHERE | Face.PYTEST,
        keyword="do not raise where nothing is wrong but not all could be judged",
        default=False,
        measures=False,
    )
    name: str | None = keyword(Text(), MANY, "of the check, in its report", Face.API | Face.CONFIG, measures=False)
    progress: Progress | None = keyword(
        Callback(), OTHER, "called as (phase, done, total, evaluations, detail)", Face.API, measures=False
    )
    throw: bool = keyword(Flag(), OTHER, "raise unless all is right", Face.API, default=True, measures=False)

    def __new__(cls, **given: Any) -> Options:
        """Raises `UsageError` for a keyword that does not exist."""
        for key in given:
            if key not in KEYWORDS:
                raise UsageError(unknown("keyword", key, KEYWORDS))
        return object.__new__(cls)

    def __post_init__(self) -> None:
        """Raises `UsageError` for values that make no sense."""
        for row in self._given():
            object.__setattr__(self, row.name, row.check(getattr(self, row.name)))

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """The options of these keywords; where none is given, they are made once.  Raises `UsageError` as a call does."""
        return cls(**given) if given else _by_default()

    def _given(self) -> Iterator[Option]:
        """The rows of the keywords that have another value than by default."""
        return compress(KEYWORDS.values(), map(is_not, _values(self), _defaults))

    @property
    def engine(self) -> dict[str, Any]:
        """How f is to be evaluated, as keywords of `Function`."""
        return {"vectorized": self.vectorized, "jit": self.jit, "jobs": self.jobs, "executor": self.executor}

    @property
    def tolerance(self) -> Tolerance:
        """rtol and atol as one."""
        from gradcheck.model import Tolerance  # not above: the pytest plugin reads the table in every project

        return Tolerance(rtol=RTOL if self.rtol is None else self.rtol, atol=self.atol)

    @property
    def in_force(self) -> dict[str, Any]:
        """The options that bear on the numbers, given or by default, as a report tells them.

        What is left to us, off, or empty is not among them: no eps, no jit, no args unless they were given.
        """
        found = _default_in_force.copy()
        for row in self._given():
            if row.measures:
                value = getattr(self, row.name)
                found[row.name] = row.values.plain(value)
                if value is None or (value is False and row.default is False) or _is_empty(value):
                    del found[row.name]
        if found.keys() <= _default_in_force.keys():  # in the order of the table, then, as nearly always
            return found
        return {name: found[name] for name in KEYWORDS if name in found}


class Keywords(TypedDict, total=False):
    """The fields of `Options` as types, from which an editor completes the keywords of a check."""

    args: tuple[Any, ...] | Mapping[str, Any]
    unpack: bool
    wrt: str | int | Sequence[str | int] | None
    on: Any
    claimed: Any
    riemannian: bool
    invariant: Any
    bounds: Any
    elementwise: bool
    convention: str | Convention | None
    points: int
    seed: int
    method: str | Method
    directions: int | None
    eps: float | None
    vectorized: bool | None
    jit: bool
    jobs: int
    executor: Pool | None
    isolate: bool
    budget: float | None
    plan: bool
    journal: str | None
    knob: Any
    rtol: float | None
    atol: float
    suspects: Mapping[str, Any]
    fast: bool
    reach: bool
    fix: bool | float | None
    strict: bool
    allow_inconclusive: bool
    name: str | None
    progress: Progress | None
    throw: bool


KEYWORDS = {field.name: field.metadata["row"]._replace(name=field.name) for field in dataclasses.fields(Options)}
"""The keywords that all checks share."""


@cache
def _by_default() -> Options:
    return Options()


_values = attrgetter(*KEYWORDS)
_defaults = tuple(row.default for row in KEYWORDS.values())


def _is_empty(value: Any) -> bool:
    return isinstance(value, (tuple, Mapping)) and not value


_default_in_force = {"rtol": RTOL} | {
    row.name: row.values.plain(row.default)
    for row in KEYWORDS.values()
    if row.measures and row.default is not None and row.default is not False and not _is_empty(row.default)
}


def _described() -> str:
    lines = []
    for name, row in KEYWORDS.items():
        default = f" (default {row.default_shown})" if row.default_shown else ""
        lines.append(f"    {name}: {row.description}{default}")
    return "\n\n" + "\n".join(lines) + "\n    "


Options.__doc__ = (Options.__doc__ or "") + _described()
