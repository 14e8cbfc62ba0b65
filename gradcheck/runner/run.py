"""Makes checks one after another: loads what each names, calls it, collects reports and errors, picks the exit code.

It stands between declarations (`config.DeclaredCheck`, which the command line fills in as well) and `gradcheck.checks`.
"""

from __future__ import annotations

import contextlib
import math
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from gradcheck.checks.kinds import checker
from gradcheck.errors import ExitCode, GradcheckError, TargetError, UserCodeError, is_interrupt
from gradcheck.evaluation.claims import AUTOGRAD
from gradcheck.evaluation.sources import describe
from gradcheck.evaluation.unpacking import takes_by_name
from gradcheck.model import (
    FOUND,
    CheckInterrupted,
    Finding,
    FindingKind,
    GradientMismatch,
    Kind,
    Method,
    Point,
    Report,
    Resolution,
    Stop,
    Target,
    Verdict,
    raise_for,
)
from gradcheck.options.keywords import KEYWORDS, Options
from gradcheck.runner.reading import choose_point, read_args, read_bounds, read_on
from gradcheck.runner.targets import Loaded, load, load_holder, load_object
from gradcheck.wording import named

if TYPE_CHECKING:
    from gradcheck.runner.config import DeclaredCheck, Derivable


class Progress(Protocol):
    """Is told which check begins, what is done of it, and that all are over."""

    def begin(self, name: str, number: int, total: int, within: float) -> None:
        """A check begins, the `number`-th of `total`; its budget gives it so many seconds, perhaps inf."""

    def __call__(self, phase: str, done: int, total: int, evaluations: int, detail: str) -> None:
        """So much of a phase is done."""

    def clear(self) -> None:
        """All checks are over."""


class InternalError(GradcheckError):
    """A mistake of gradcheck's own; ``__cause__`` is the exception."""

    exit_code = ExitCode.UNDECIDED


@dataclass(slots=True, eq=False, repr=False)
class Outcome:
    """What a run of checks came to.

    reports: one for each claimed derivative, with the verdict ERROR for a declared check that could not be made.
    problems: what could not be checked, and why; the name is '' where the command line spelt the check out.
    interrupted: by Ctrl-C; what came after that was not checked.
    """

    reports: list[Report] = field(default_factory=list)
    problems: list[tuple[str, GradcheckError]] = field(default_factory=list)
    interrupted: bool = False
    _codes: set[ExitCode] = field(default_factory=set)

    def add(self, report: Report, *, allow_inconclusive: bool) -> None:
        """Take a report; with `allow_inconclusive`, the verdict INCONCLUSIVE does not count against the run."""
        self.reports.append(report)
        if report.stopped is Stop.PLAN:
            return
        try:
            raise_for(report, allow_inconclusive=allow_inconclusive)
        except (GradientMismatch, UserCodeError) as error:
            self._codes.add(error.exit_code)

    def fail(self, check: DeclaredCheck, error: GradcheckError, replay: str) -> None:
        """Take the error of a check that could not be made."""
        self.complain(check.name if check.section else "", error)
        if check.section:  # the report of a run of many must tell of it, too
            self.reports.append(replace(_not_made(check, error), replay=replay))

    def complain(self, name: str, error: GradcheckError) -> None:
        """Take an error that kept something from being checked at all."""
        self.problems.append((name, error))
        self._codes.add(error.exit_code)

    @property
    def exit_code(self) -> ExitCode:
        """The first that applies: interrupted, a derivative is wrong, a check could not be made, one was not judged."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        order = (ExitCode.FAIL, ExitCode.USAGE, ExitCode.UNDECIDED)
        return next((code for code in order if code in self._codes), ExitCode.PASS)


def run(
    declared: Sequence[DeclaredCheck],
    *,
    progress: Progress | None = None,
    self_test: bool = False,
    mutate: bool = False,
    replay: Callable[..., str] = lambda check, report=None: shlex.join(["gradcheck", check.name]),
    outcome: Outcome | None = None,
) -> Outcome:
    """Make the checks in their order.  One that fails, or cannot be made, does not stop the others; Ctrl-C does.

    self_test: also try wrong versions of each gradient, and tell which of them would be caught.
    mutate: also break the source of each claim line by line, and tell which lines could be broken unseen.
    progress: told what is done, if anyone watches.
    replay: the command that repeats a check, of which there is such a report.
    outcome: what was known before, to be added to.
    """
    outcome = outcome or Outcome()
    for number, check in enumerate(declared, 1):
        if progress is not None:
            progress.begin(check.name, number, len(declared), _seconds(check, 1 + self_test + mutate))
        allow = check.option("allow_inconclusive")
        try:
            for result in _results(check, progress, self_test=self_test, mutate=mutate):
                if isinstance(result, Report):
                    outcome.add(replace(result, replay=replay(check, result)), allow_inconclusive=allow)
                else:
                    outcome.fail(check, result, replay(check))
        except CheckInterrupted as stop:
            outcome.interrupted = True
            outcome.add(replace(stop.report, replay=replay(check, stop.report)), allow_inconclusive=allow)
        except KeyboardInterrupt:
            outcome.interrupted = True
        except BaseException as error:
            if is_interrupt(error):
                raise
            outcome.fail(check, _problem(error), replay(check))
        if outcome.interrupted:
            break
    if progress is not None:
        progress.clear()
    return outcome


def _seconds(check: DeclaredCheck, times: int) -> float:
    """What the budget of a check, which is for each derivative, its self-test, and its mutants, comes to; inf without one."""
    budget = check.option("budget")
    return math.inf if budget is None else float(budget) * len(check.claims) * times


def _results(
    check: DeclaredCheck, progress: Progress | None, *, self_test: bool, mutate: bool
) -> Iterator[Report | GradcheckError]:
    """One report for each claimed derivative of a check, each as soon as it is known; or why there is none."""
    factory, folder = check.option("factory"), check.folder

    def find(spec: str) -> Any:
        return load_object(spec, role="--args", folder=folder)

    def find_bounds(spec: str) -> Any:
        return _made(load_object(spec, role="--bounds", folder=folder), spec)

    def find_point(spec: str) -> Any:
        return _made(load_object(spec, role="--point", folder=folder), spec)

    def find_set(spec: str) -> Any:
        return _made(load_object(spec, role="--on", folder=folder), spec)

    target = load(check.target, factory=factory, folder=folder)
    claims = {kind: _claim(check, kind, claim, target) for kind, claim in check.claims.items()}
    bounds = read_bounds(check.option("bounds"), load=find_bounds, folder=folder)
    on = read_on(check.option("on"), load=find_set)
    place = {key: check.option(key) for key in ("dim", "shape", "point", "arrays", "seed")} | {
        "parts": check.option("vars"),
        "dtype": "complex128" if check.option("complex") else "float64",
    }
    x0, point = choose_point(**place, bounds=bounds, on=on, load=find_point, folder=folder)
    # The API's keywords bear the same names; what was declared as text is loaded first.
    options = {key: value for key, value in check.options.items() if key in KEYWORDS}
    options |= {"bounds": bounds, "on": on}
    options["args"] = read_args(check.option("args"), load=find, folder=folder)
    if check.option("vars") is not None and "unpack" not in options:
        options["unpack"] = takes_by_name(target.value, x0)
    if "suspects" in options:
        options["suspects"] = {spec: load_object(spec, role="--suspect", folder=folder) for spec in options["suspects"]}
    if "invariant" in options:
        options["invariant"] = load_object(options["invariant"], role="--invariant", folder=folder)
    if "knob" in options:
        options["knob"] = _knob(options["knob"], folder)
    with _executor(check) as executor:
        options["executor"] = executor
        for kind, claim in claims.items():

            def labelled(report: Report, claim: Loaded = claim) -> Report:
                where = report.point
                if where.origin != FOUND:
                    where = replace(where, origin=point.origin, seed=point.seed)
                return replace(
                    report,
                    name=check.name,
                    target=target.target,
                    claim=report.claim if claim.spec == AUTOGRAD else claim.target,
                    point=where,
                    declared=check.place,
                )

            try:
                both = check.option("grad_and_hess")
                report = _check(
                    kind, target, claim, claims=claims, x0=x0, both=both, progress=progress, throw=False, **options
                )
                if self_test or mutate:
                    from gradcheck.runner.worth import Worth  # of use to few

                    again = partial(_check, kind, claims=claims, x0=x0, both=both)
                    worth = Worth(target, claim, x0, options | {"progress": progress}, again, both=both)
                    report = worth.self_tested(report) if self_test else report
                    report = worth.mutated(report) if mutate else report
            except CheckInterrupted as stop:
                raise CheckInterrupted(labelled(stop.report)) from None
            except GradcheckError as error:
                yield error
                continue
            yield labelled(report)


def _check(
    kind: Kind, target: Loaded, claim: Loaded, *, claims: Mapping[Kind, Loaded], x0: Any, both: bool, **options: Any
) -> Report:
    """The check of one claimed derivative, which may make use of another that is claimed beside it.

    both: the claimed gradient comes with the diagonal of the Hessian.
    """
    if kind is Kind.GRADIENT and claim is target:
        return checker(kind)(target.value, None, x0, value_and_grad=True, **options)
    if kind is Kind.GRADIENT and both:
        options["grad_and_hess"] = True
    if kind in (Kind.HESSIAN, Kind.HVP) and (grad := claims.get(Kind.GRADIENT)) is not None and grad is not target:
        options["grad"] = grad.value
    if kind is Kind.JVP and Kind.VJP in claims:
        options["vjp"] = claims[Kind.VJP].value
    return checker(kind)(target.value, claim.value, x0, **options)


def _claim(check: DeclaredCheck, kind: Kind, claim: Derivable, target: Loaded) -> Loaded:
    """A claimed derivative, loaded; the target itself where that returns both, and the word for what a framework is to say."""
    if claim is check.target:
        return target
    if claim == AUTOGRAD:
        value: Any = AUTOGRAD
        return Loaded(spec=AUTOGRAD, value=value, target=Target(name=AUTOGRAD))
    return load(claim, role=_role(check, kind), factory=check.option("factory"), folder=check.folder)


def _role(check: DeclaredCheck, kind: Kind) -> str:
    return kind.key if check.section else f"--{kind.key}"


def _problem(error: BaseException) -> GradcheckError:
    """An exception as an error that can be shown: itself, or the blame of the checked code, or of ours."""
    if isinstance(error, GradcheckError):
        return error
    problem: GradcheckError
    if isinstance(error, Exception):
        problem = InternalError(f"internal error, please report it: {named(error)}")
    else:
        problem = UserCodeError(f"the checked code raised {named(error)}")
    problem.__cause__ = error
    return problem


def _not_made(check: DeclaredCheck, error: GradcheckError) -> Report:
    """The report of a declared check that ended before there was anything to report."""
    from gradcheck.evaluation.tracebacks import places  # of use to failures only

    kind, claim = next(iter(check.claims.items()))
    options, dim = Options(**{key: check.option(key) for key in ("rtol", "atol")}), check.option("dim")
    return Report(
        name=check.name,
        kind=kind,
        target=_described(check.target),
        claim=_described(claim),
        verdict=Verdict.ERROR,
        point=Point(
            shape=check.option("shape") or (() if dim is None else (dim,)), dtype="float64", origin="never reached"
        ),
        shape=(),
        method=Method(check.option("method")),
        engine="none",
        tolerance=options.tolerance,
        entries=(),
        checked=0,
        failed=0,
        inconclusive=0,
        findings=(Finding(kind=FindingKind.USER_ERROR, message=str(error), verdict=Verdict.ERROR),),
        resolution=Resolution(absolute=math.inf, digits=None, sentence="Nothing was examined."),
        nfev=0,
        ngev=0,
        seconds=0.0,
        versions={},
        raised=() if error.__cause__ is None else places(error.__cause__),
        declared=check.place,
    )


def _described(target: Derivable) -> Target:
    return Target(name=target) if isinstance(target, str) else describe(target)


def _knob(value: Any, folder: str) -> Any:
    """What is turned, with what holds it if that is a target."""
    setting = KEYWORDS["knob"].check(value)
    if ":" not in setting.name:
        return setting
    holder, name = load_holder(setting.name, role="--knob", folder=folder)
    return setting._replace(holder=holder, name=name)


def _made(value: Any, spec: str) -> Any:
    """A value, or what the function returns that stands in its place."""
    if not callable(value):
        return value
    try:
        return value()
    except BaseException as error:
        if is_interrupt(error):
            raise
        raise UserCodeError(f"{spec}, called for its value, raised {named(error)}") from error


@contextlib.contextmanager
def _executor(check: DeclaredCheck) -> Iterator[Any]:
    """The executor that a check names, if any: an object with `submit`, or what a class or function returns."""
    if (spec := check.option("executor")) is None:
        yield None
        return
    value = load_object(spec, role="--executor", folder=check.folder)
    executor = value if hasattr(value, "submit") and not isinstance(value, type) else _made(value, spec)
    if not hasattr(executor, "submit"):
        kind = type(executor).__name__
        raise TargetError(f"--executor {spec!r} gives an object of type {kind}, which has no method submit")
    try:
        yield executor
    finally:
        if executor is not value and hasattr(executor, "shutdown"):
            executor.shutdown()
