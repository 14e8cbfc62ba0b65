"""What makes a solver more exact, as the user names it: its values, and how a function is called with one of them."""

from __future__ import annotations

import contextlib
import functools
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from gradcheck.errors import UsageError
from gradcheck.numerics.tolerance_law import MOST
from gradcheck.wording import did_you_mean

if TYPE_CHECKING:
    from gradcheck.options.functions import Setting
    from gradcheck.options.keywords import Options

FINER = 10.0  # by this factor a tolerance falls from level to level, …
MORE = 2  # … and a count of cells or steps grows by this one


class Knob:
    """What is turned, for a given f.

    name: for the reader.
    levels: its values, from the coarsest on.
    count: it is a number of cells or steps, which grows.

    Raises `UsageError` if f does not take it, or nobody says where to begin.
    """

    def __init__(self, setting: Setting, f: Callable[..., Any], options: Options) -> None:
        self.setting, self.name = setting, setting.name
        if ":" in self.name:
            owner, _, attribute = self.name.rpartition(":")
            remedy = f"give what holds it, as in knob=({owner.rpartition('.')[2]}, {attribute!r})"
            raise UsageError(f"knob is {self.name!r}, a target, which the command line loads; {remedy}")
        if setting.holder is not None and (options.jobs > 1 or options.executor is not None):
            raise UsageError(
                f"knob {self.name} is set in this process alone; leave jobs and executor out, or make it a keyword of f"
            )
        start = setting.values[0] if setting.values else self._start(f, options)
        self.count = start > 1 and float(start).is_integer()
        self.levels = list(setting.values) if len(setting.values) > 1 else list(islice(self._finer(start), MOST))
        falling = sorted(self.levels, reverse=not self.count)
        if falling != self.levels or len(set(falling)) < len(falling):
            raise UsageError(f"knob {self.name} must become more exact from value to value; put the coarsest first")

    def _start(self, f: Callable[..., Any], options: Options) -> Any:
        """The value that f has it at."""
        if self.setting.holder is not None:
            value = getattr(self.setting.holder, self.name, None)
            missing = f"there is no number {self.name} in what is given with it"
        elif isinstance(options.args, Mapping) and self.name in options.args:
            value, missing = options.args[self.name], f"args give {self.name}, but as no number"
        else:
            known = _keywords(f)
            parameter = known.get(self.name)
            if known and parameter is None and not _takes(f, self.name):
                near = did_you_mean(self.name, known)
                raise UsageError(f"f takes no keyword {self.name!r}, which knob names{near}")
            value = None if parameter is None else parameter.default
            missing = f"f has no number as default for {self.name}"
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < math.inf:
            raise UsageError(f"{missing}: say where knob begins, as in {self.name}=1e-6")
        return value

    def _finer(self, start: Any) -> Iterator[Any]:
        for k in range(MOST):
            yield int(start) * MORE**k if self.count else start / FINER**k

    @property
    def tolerances(self) -> list[float]:
        """The levels as what falls."""
        return [1 / level if self.count else float(level) for level in self.levels]

    def turned(self, call: Any, level: float) -> Any:
        """f or a claim, with the knob at a level; itself if it does not take it."""
        if self.setting.holder is not None or not callable(call) or not _takes(call, self.name):
            return call
        return functools.partial(call, **{self.name: level})

    def takes(self, call: Any) -> bool:
        """Whether a callable hears of the knob at all."""
        return self.setting.holder is not None or (callable(call) and _takes(call, self.name))

    def set(self, level: Any) -> None:
        """Turn an attribute."""
        if self.setting.holder is not None:
            setattr(self.setting.holder, self.name, level)

    @contextlib.contextmanager
    def put_back(self) -> Iterator[None]:
        """An attribute has its value again after this, whatever happens."""
        before = None if self.setting.holder is None else getattr(self.setting.holder, self.name, None)
        try:
            yield
        finally:
            self.set(before)


def _keywords(call: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(call).parameters
    except (TypeError, ValueError):  # some that are written in C tell nothing
        return {}


def _takes(call: Callable[..., Any], name: str) -> bool:
    found = _keywords(call)
    any_other = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in found.values())
    return name in found or any_other or not found


def knob_of(f: Callable[..., Any], options: Options) -> tuple[Knob | None, Options]:
    """What is turned, if anything is, and the options of a check in which it is no argument beside.

    Raises `UsageError` also for what a knob does not go with.
    """
    setting = options.knob
    if setting is None or options.on is not None:  # with which it is refused
        return None, options
    if options.elementwise or options.points > 1:
        raise UsageError("knob is for one derivative at one point; leave elementwise and points out")
    knob = Knob(setting, f, options)
    if isinstance(options.args, Mapping) and setting.holder is None and setting.name in options.args:
        options = replace(options, args={name: value for name, value in options.args.items() if name != setting.name})
    return knob, options


__all__ = ["Knob", "knob_of"]
