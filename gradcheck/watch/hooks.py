"""Where a program calls a solver, a word with the watch first: functions of libraries get other code while a watch is on.

It is the code of the function that is exchanged, not the function: whoever has a reference to it, from before or after, under
whatever name, calls the new code.  A library that is not imported yet is changed when it is; none is imported by us.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from gradcheck.watch.compiled import inheriting, is_compiled, replace_everywhere
from gradcheck.watch.recording import UNSEEN, Recorded

if TYPE_CHECKING:
    from gradcheck.watch.pairs import Pair

_HERE = "what a function calls first, once `_exchanged` has put that in the place of this text"


class Observer(Protocol):
    """Who is told of the calls of solvers."""

    def entered(self, call: Call, read: Callable[[Call], None]) -> None:
        """A solver is about to run."""

    def wants(self, pair: Pair) -> bool:
        """Whether a pair is to be checked."""

    def left(self, call: Call) -> None:
        """A solver has returned or raised."""

    def keep(self, owner: object, pairs: list[Pair]) -> None:
        """An object of the library has been given pairs, which methods of it will call."""

    def kept(self, owner: object) -> list[Pair]:
        """Those of them that are still to be checked."""


@dataclass(slots=True, eq=False)
class Call:
    """A call of a solver on its way: what was handed over can be looked at, and replaced where it stands.

    via: the name of the solver.
    names: of its positional parameters.
    undo: take back what was changed elsewhere than among the arguments.
    """

    via: str
    original: Callable[..., Any]
    names: Sequence[str]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    session: Observer
    pairs: list[Pair] = field(default_factory=list)
    undo: list[Callable[[], object]] = field(default_factory=list)

    def get(self, name: str, default: Any = None) -> Any:
        """An argument as it was given; `default` if it was not."""
        if name in self.kwargs:
            return self.kwargs[name]
        if name in self.names and (place := self.names.index(name)) < len(self.args):
            return self.args[place]
        return default

    def put(self, name: str, value: Any) -> None:
        """Put another value where an argument was given, or would be."""
        place = self.names.index(name) if name in self.names else len(self.args)
        if name in self.kwargs or place >= len(self.args):
            self.kwargs = {**self.kwargs, name: value}
        else:
            self.args = (*self.args[:place], value, *self.args[place + 1 :])

    def watched(self, pair: Pair) -> Any:
        """The derivative of a pair, or, if the pair is to be checked, one that remembers where it was called."""
        if isinstance(pair.derivative, Recorded) or not self.session.wants(pair):
            return pair.derivative
        self.pairs.append(pair)
        return Recorded(pair.derivative, pair)

    def keep_for(self, owner: object) -> None:
        """Leave the pairs to the methods of an object that has been given them, and does not call them yet."""
        self.session.keep(owner, self.pairs)
        self.pairs = []

    def take_from(self, owner: object) -> None:
        """Have the pairs checked that an object was given before, now that a method of it runs."""
        self.pairs += self.session.kept(owner)

    def finish(self) -> None:
        """The solver has returned, or raised."""
        for undo in reversed(self.undo):
            undo()
        self.session.left(self)


@dataclass(frozen=True, slots=True)
class Hook:
    """A row of the table: a function of a library, and how to read a call of it.

    module, name: where it is, such as ``scipy.optimize._minimize`` and ``minimize``, or ``Function.apply``.  A method of a
        class that is compiled has no code to exchange: a class that inherits it takes the place of that one.
    via: its public name.
    read: finds the pairs in a call, and puts what `Call.watched` returns in the place of each derivative.
    names: of the positional parameters, where the function itself does not tell them.
    """

    module: str
    name: str
    via: str
    read: Callable[[Call], None]
    names: tuple[str, ...] = ()


class Hooks:
    """The functions that are exchanged, as long as a watch is on."""

    def __init__(self, rows: Iterable[Hook], session: Observer) -> None:
        self.session = session
        self.rows: dict[str, list[Hook]] = {}
        for row in rows:
            self.rows.setdefault(row.module, []).append(row)
        self.exchanged: list[tuple[FunctionType, Any]] = []
        self._replaced: list[tuple[type, type]] = []
        self._finder = _Finder(self)

    def install(self) -> None:
        """Exchange the functions of what is imported, and of what will be."""
        for name in self.rows.keys() & sys.modules.keys():
            self.imported(name)
        sys.meta_path.insert(0, self._finder)

    def remove(self) -> None:
        """Give all functions their own code again."""
        with contextlib.suppress(ValueError):
            sys.meta_path.remove(self._finder)
        for function, code in reversed(self.exchanged):
            function.__code__ = code
            function.__dict__.pop("__signature__", None)
        self.exchanged.clear()
        for compiled, ours in reversed(self._replaced):
            replace_everywhere(ours, compiled)
        self._replaced.clear()

    def imported(self, name: str) -> None:
        """A module with functions of the table is there."""
        module = sys.modules.get(name)
        for row in self.rows.get(name, ()):
            *path, last = row.name.split(".")
            holder: Any = module
            for part in path:
                holder = inspect.getattr_static(holder, part, None)
            function = inspect.getattr_static(holder, last, None)
            if isinstance(holder, type) and is_compiled(function):
                ours = inheriting(
                    holder, [r.name.rpartition(".")[2] for r in self.rows[name] if r.name.startswith(path[0])]
                )
                self._replaced.append((holder, ours))
                replace_everywhere(holder, ours)
                function = vars(ours)[last]
            function = getattr(function, "__func__", function)
            if isinstance(function, FunctionType) and all(function is not other for other, _ in self.exchanged):
                self.exchanged.append((function, function.__code__))
                _exchange(function, row, self.session)


def _exchange(function: FunctionType, row: Hook, session: Observer) -> None:
    """Let a function call `row.read` first, and then what it was."""
    code = function.__code__
    original = FunctionType(code, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    original.__kwdefaults__ = function.__kwdefaults__
    signature = inspect.signature(function)
    named = (p.name for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    names = row.names or tuple(named)

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        call = Call(row.via, original, names, args, kwargs, session)
        session.entered(call, row.read)
        return call

    ours = _first_of_all.__code__
    if "__signature__" not in function.__dict__:
        function.__signature__ = signature  # type: ignore[attr-defined]
    function.__code__ = ours.replace(
        co_consts=tuple(begin if constant == _HERE else constant for constant in ours.co_consts),
        co_freevars=code.co_freevars,
        co_name=code.co_name,
        co_qualname=code.co_qualname,
        co_filename=UNSEEN,
    )


def _first_of_all(*args, **kwargs):  # type: ignore[no-untyped-def]  # its code is what counts
    __tracebackhide__ = True
    begin: Any = "what a function calls first, once `_exchanged` has put that in the place of this text"
    call = begin(args, kwargs)
    try:
        return call.original(*call.args, **call.kwargs)
    finally:
        call.finish()


class _Finder(importlib.abc.MetaPathFinder):
    """Finds nothing, but learns what is imported."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks, self._busy = hooks, False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self._hooks.rows or self._busy:
            return None
        self._busy = True
        try:
            spec = _spec_of(name, path, target)
        finally:
            self._busy = False
        if spec is not None and spec.loader is not None and hasattr(spec.loader, "exec_module"):
            _tell(spec.loader, lambda: self._hooks.imported(name))
        return spec


def _spec_of(name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        if not isinstance(finder, _Finder) and hasattr(finder, "find_spec"):
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                return spec
    return None


def _tell(loader: Any, then: Callable[[], None]) -> None:
    """Let a loader of one module tell when it has executed it."""
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        with contextlib.suppress(AttributeError):
            del loader.exec_module
        execute(module)
        then()

    with contextlib.suppress(AttributeError):  # a loader with slots
        loader.exec_module = exec_module


def table() -> list[Hook]:
    """The rows of all libraries that we know, and of those that others have registered.

    An entry point of the group ``gradcheck.watch`` names a sequence of `Hook`, or a function that returns one.
    """
    from importlib import import_module
    from importlib.metadata import entry_points

    rows: list[Hook] = []
    for name in OWN:
        rows += import_module(f"gradcheck.watch.adapters.{name}").HOOKS
    for point in entry_points(group="gradcheck.watch"):
        found = point.load()
        rows += list(found() if callable(found) else found)
    return rows


OWN: tuple[str, ...] = (
    "scipy_optimize",
    "scipy_integrate",
    "torch_autograd",
    "jax_rules",
    "cyipopt",
    "nlopt",
    "iminuit",
    "lmfit",
)
"""The modules of `gradcheck.watch.adapters`."""

Options = Mapping[str, Any]
