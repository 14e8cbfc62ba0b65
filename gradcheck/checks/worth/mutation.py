"""A mutation score for a check: the source of the claim is broken line by line, and the same check asked whether it notices."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, is_dataclass
from time import perf_counter as clock
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks.check import CheckRun
from gradcheck.errors import GradcheckError, UsageError
from gradcheck.evaluation.engines import with_arguments
from gradcheck.evaluation.sources import describe
from gradcheck.model import Kind, MutatedLine, Report, Verdict, Where
from gradcheck.options.keywords import KEYWORDS, Options, Progress
from gradcheck.repair.isolation import Send, can_isolate, isolated, watched
from gradcheck.repair.mend import applied
from gradcheck.repair.mutants import Site, sites, written
from gradcheck.repair.purity import Impure
from gradcheck.repair.setting import Setting, prepare
from gradcheck.repair.source import NoSource
from gradcheck.variables.arrays import as_numpy
from gradcheck.variables.points import inside, neighbours
from gradcheck.wording import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SECONDS = 20.0  # for all mutants, unless there is a budget
MOST = 5  # mutants of a line that are judged …
UNREAD = 2  # … of one that never runs: they all survive …
LOOKED_AT = 24  # … and that are looked at: some cannot run, change nothing, or do the same
NAMED = 4  # lines in a sentence
SLOW, SLOWER = 0.2, 20.0  # seconds of computing, or times what the claim takes, after which a mutant is given up
PATIENCE = 20.0  # times what the check takes, and a second: how long that of a mutant may take
GRACE = 2.0  # seconds beyond the end after which all is ended from outside
SCALES = (1.0, -1.0, 10.0, 0.1, 1.0, -1.0, -10.0, -0.1)  # of the further points at which answers are told apart
ROUNDING = 1e3  # units in the last place of the largest entry, within which two answers are the same
SLOW_F = 1e-3  # seconds of a call of f from which its values are kept, so that mutants cost none
KEPT = 2**27  # bytes of points at which they are
QUIET: dict[str, Any] = {"throw": False, "fix": False, "progress": None, "journal": None, "jobs": 1, "executor": None}
# … and of the options, what costs time, and bears on no verdict of a mutant.
LEFT_OUT = ("jit", "reach", "budget", "name", "isolate", "plan", "knob")


NOTICED, SURVIVED, EQUIVALENT, UNDECIDED = "noticed", "survived", "equivalent", "undecided"
Check = Callable[..., Report]


@dataclass(frozen=True, slots=True, kw_only=True)
class MutationScore:
    """What a check says of a claim broken line by line.

    lines: those of the claim's own source that can be broken, in its order.
    complete: time did not end it before all was tried.
    """

    lines: tuple[MutatedLine, ...]
    complete: bool = True

    @property
    def made(self) -> int:
        """Mutants that count: they change what the claim answers, and were judged."""
        return sum(line.made for line in self.lines)

    @property
    def noticed(self) -> int:
        """Those of them that the check calls wrong."""
        return sum(line.noticed for line in self.lines)

    @property
    def score(self) -> float:
        """The share that is noticed, from 0 to 1; NaN if there are none that count."""
        return self.noticed / self.made if self.made else float("nan")

    @property
    def survivors(self) -> tuple[MutatedLine, ...]:
        """The lines that could be broken without this check noticing."""
        return tuple(line for line in self.lines if line.noticed < line.made)

    @property
    def sentence(self) -> str:
        """All in plain words."""
        if not (self.lines or self.complete):
            return "mutation: time ended it before any mutant was tried (--budget gives more)"
        broken = [line for line in self.lines if line.made]
        text = f"mutation: {self.noticed} of {counted(self.made, 'mutant')} of {counted(len(broken), 'line')} noticed"
        if not broken:
            text = "mutation: no way was found to break a line of the claim that changes what it answers"
        if self.survivors:
            more = len(self.survivors) - NAMED
            places = ", ".join(map(_place, self.survivors[:NAMED]))
            text += f", but not all of {places}" + (f" and {more} more" if more > 0 else "")
        equivalent, undecided = (sum(getattr(line, key) for line in self.lines) for key in ("equivalent", "undecided"))
        if equivalent:
            text += f"; {equivalent} more that change nothing do not count"
        if undecided:
            text += f"; {undecided} more could not be judged"
        return text if self.complete else text + "; time ended it before all were tried (--budget gives more)"


def _place(line: MutatedLine) -> str:
    return f"{os.path.basename(line.where.file)}:{line.where.line}" + ("" if line.ran else " (never ran at the point)")


def broken(
    check: Check, kind: Kind, f: Callable[..., Any], claim: Callable[..., Any], x0: Any, options: Mapping[str, Any]
) -> MutationScore:
    """Break the lines of a claim, and ask a check of each mutant.

    check: (f, claim, **keywords) ↦ the report of the check at x0 with these keywords, be the claim the user's or a mutant.
    options: keywords of the check.

    Raises:
        UsageError: the claim's source cannot be read, does more than compute, or is not right as it stands.
    """
    given = {key: value for key, value in options.items() if key not in LEFT_OUT} | QUIET
    run = CheckRun(kind, f, claim, x0, Options(**{key: value for key, value in given.items() if key in KEYWORDS}))
    whole = check(f, claim, **given)
    if whole.verdict >= Verdict.FAIL:
        said = "is wrong" if whole.verdict is Verdict.FAIL else "cannot be checked"
        raise UsageError(f"no mutants were made: the claim {said} as it stands ({whole.verdict.name}); mend it first")
    answer = _answers(run, f)
    try:
        setting = prepare(claim, f, answer)
    except (Impure, NoSource) as reason:
        where = (
            f" ({os.path.basename(reason.file)}:{reason.line})" if isinstance(reason, Impure) and reason.line else ""
        )
        raise UsageError(f"no mutants were made: {describe(claim).name} {reason}{where}") from None
    if not setting.own:
        raise UsageError("no mutants were made: all that the claim runs is f's as well, or an installed library's")
    seconds = SECONDS if options.get("budget") is None else float(options["budget"])
    if isinstance(x0, np.ndarray) and whole.seconds > SLOW_F * max(whole.nfev, 1):
        f = _Kept(f)
    again = functools.partial(check, f, **given)
    return _Mutants(run, setting, again, whole, seconds).score(options.get("progress"))


def _answers(run: CheckRun, f: Callable[..., Any]) -> Callable[[Callable[..., Any], Array], Array]:
    """(a claim, x) ↦ what it answers at x, as flat numbers; a product is asked for along a vector of ones."""
    layout, kind, args = run.layout, run.draft.kind, run.options.args

    def answer(call: Callable[..., Any], x: Array) -> Array:
        argument = layout.argument(x.copy())
        more: tuple[Any, ...] = ()
        if kind in (Kind.HVP, Kind.JVP):
            more = (layout.argument(np.ones_like(x)),)
        elif kind is Kind.VJP:
            more = (np.ones_like(as_numpy(with_arguments(f, args)(layout.argument(x.copy()))), dtype=np.float64),)
        taken = call if more else run.whole(call, kind.key)
        value = with_arguments(taken, args)(argument, *more)
        return _numbers(layout.collected(argument) if value is None else value)

    return answer


def _numbers(value: Any) -> Array:
    """All numbers of an answer, whatever they are arranged in.  Raises `TypeError` or `ValueError` for what holds none."""
    if isinstance(value, Mapping):
        return _joined(value.values())
    if is_dataclass(value) and not isinstance(value, type):
        return _joined(getattr(value, field.name) for field in fields(value))
    if isinstance(value, (list, tuple)) and not all(isinstance(item, (int, float)) for item in value):
        return _joined(value)
    flat = as_numpy(value.toarray() if hasattr(value, "toarray") else value).reshape(-1)
    return np.array(flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat, dtype=np.float64)


def _joined(parts: Any) -> Array:
    return np.concatenate([_numbers(part) for part in parts] or [np.empty(0)])


class _Kept:
    """f with the values that it has had."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f, self.room = f, KEPT
        self.known: dict[Any, Any] = {}

    def __call__(self, x: Any, *args: Any, **named: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return self.f(x, *args, **named)
        key = x.shape, x.tobytes()
        if key not in self.known and self.room > 0:
            self.room -= x.nbytes
            self.known[key] = self.f(x, *args, **named)
        value = self.known[key] if key in self.known else self.f(x, *args, **named)
        return value.copy() if isinstance(value, np.ndarray) else value


class _Mutants:
    """All mutants of a claim: made and judged in a process of its own, and counted here."""

    def __init__(self, run: CheckRun, setting: Setting, check: Check, whole: Report, seconds: float) -> None:
        self.setting, self.check, self.whole, self.seconds = setting, check, whole, seconds
        self.machine, self.x = setting.machine, run.flat
        self.eps = float(np.finfo(run.layout.dtype).eps)
        near = neighbours(self.x, len(SCALES), run.options.seed, run.bounds)
        self.elsewhere = [inside(scale * x, self.x, run.bounds) for scale, x in zip(SCALES, near, strict=True)]

    # ---- here

    def score(self, progress: Progress | None) -> MutationScore:
        """Raises `UsageError` if a private copy of the claim is not what the claim is."""
        lines: list[tuple[Where, bool]] = []
        counts: dict[int, Counter[str]] = defaultdict(Counter)
        survivors: dict[int, str] = {}
        complete = False
        for what, *more in self._messages():
            if what == "reason":
                raise UsageError(f"no mutants were made: {more[0]}")
            if what == "lines":
                lines = more[0]
            elif what == "end":
                complete = more[0]
            else:
                number, text = more
                counts[number][what] += 1
                if what == SURVIVED:
                    survivors.setdefault(number, text)
                if progress is not None:
                    progress("mutants", sum(c.total() for c in counts.values()), MOST * len(lines), 0, "")
        found = (
            MutatedLine(
                where=where,
                made=counts[k][NOTICED] + counts[k][SURVIVED],
                noticed=counts[k][NOTICED],
                survivor=survivors.get(k, ""),
                equivalent=counts[k][EQUIVALENT],
                undecided=counts[k][UNDECIDED],
                ran=ran,
            )
            for k, (where, ran) in enumerate(lines)
        )
        return MutationScore(lines=tuple(found), complete=complete)

    def _messages(self) -> Iterator[Any]:
        if can_isolate():
            yield from isolated(self._work, self.seconds + GRACE)
        else:
            found: list[Any] = []
            self._look(found.append, contextlib.nullcontext)
            yield from found

    # ---- in the process of its own

    def _work(self, send: Send) -> None:
        started = clock()
        self.machine.run(self.x)
        patience = max(SLOW, SLOWER * (clock() - started))
        try:
            self._look(send, lambda: watched(lambda: self.machine.steps, patience))
        except Exception as error:  # of ours: it must not take the check along
            send(("reason", f"{type(error).__name__}: {error}"))

    def _look(self, send: Send, watch: Callable[[], AbstractContextManager[None]]) -> None:
        deadline = clock() + self.seconds
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            copied = self.judged(deadline)
            if clock() >= deadline:
                send(("end", False))
                return
            if copied is not self.whole.verdict:
                send(
                    (
                        "reason",
                        f"a copy of the claim, unchanged, gets {_word(copied)} and not {self.whole.verdict.name}",
                    )
                )
                return
            with watch():
                base = [self.machine.record(self.x), *map(self.machine.run, self.elsewhere)]
            if base[0] is None:
                send(("reason", "what the claim answers cannot be told apart"))
                return
            found = sites(self.machine)
            send(("lines", [(site.where, site.ran) for site in found]))
            work = [self._judge(k, site, base, deadline, watch, send) for k, site in enumerate(found)]
            while work and clock() < deadline:  # a mutant of each line, then another: time is for all of them
                work = [one for one in work if clock() < deadline and next(one, None)]
            send(("end", not work))

    def _judge(
        self,
        number: int,
        site: Site,
        base: Sequence[Any],
        deadline: float,
        watch: Callable[[], AbstractContextManager[None]],
        send: Send,
    ) -> Iterator[bool]:
        """The mutants of a line, one at a time."""
        known: list[Sequence[Any]] = []
        for mutant in itertools.islice(site.mutants(), LOOKED_AT):
            changed = {self.setting.own.index(routine): tree for routine, tree in mutant.trees().items()}
            try:
                with applied(self.setting, changed):
                    with watch():
                        first = self.machine.run(self.x)
                        if first is None or first.shape != base[0].shape or not np.isfinite(first).all():
                            continue  # whoever calls it notices
                        answers = [first, *map(self.machine.run, self.elsewhere)]
                    if site.ran and self._alike(answers, base):
                        send((EQUIVALENT, number, ""))
                        yield True
                        continue
                    if any(self._alike(answers, other) for other in known if site.ran):
                        continue
                    known.append(answers)
                    verdict = self.judged(deadline)
            except (SyntaxError, ValueError, TypeError):  # it is no Python
                continue
            word = NOTICED if verdict is Verdict.FAIL else SURVIVED if verdict is Verdict.PASS else UNDECIDED
            send((word, number, written(mutant) if word == SURVIVED else ""))
            if len(known) == (MOST if site.ran else UNREAD):
                return
            yield True

    def judged(self, deadline: float) -> Verdict | None:
        """What the check says of the claim as it is now; None if it takes too long."""
        patience = PATIENCE * self.whole.seconds + 1.0
        try:
            report = self.check(self.machine.call, budget=max(min(patience, deadline - clock()), 1e-3))
        except GradcheckError:
            return None
        return None if report.stopped else report.verdict

    def _alike(self, answers: Sequence[Any], others: Sequence[Any]) -> bool:
        """Whether answers are the same but for rounding, at the point and at one more at least."""
        same = [self._same(a, b) for a, b in zip(answers, others, strict=True)]
        return False not in same and any(same[1:])

    def _same(self, a: Any, b: Any) -> bool | None:
        """None if it cannot be told: there is no answer to compare with."""
        if b is None or not np.isfinite(b).any():
            return None if a is None or not np.isfinite(a).any() else False
        if a is None or a.shape != b.shape:
            return False
        size = float(np.abs(b[np.isfinite(b)]).max())
        return bool(np.allclose(a, b, rtol=0.0, atol=ROUNDING * self.eps * size, equal_nan=True))


def _word(verdict: Verdict | None) -> str:
    return "no answer in time" if verdict is None else verdict.name
