"""Pairs of a function and its derivative that source code declares with a decorator, and how to find them again.

The decorator costs nothing when the program runs: it returns the very function it is given, and this module imports
nothing outside the standard library until someone looks for the pairs.
"""

from __future__ import annotations

import inspect
import itertools
import pkgutil
import sys
from collections.abc import Callable, Container, Hashable, Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from gradcheck.errors import ConfigError, GradcheckError
from gradcheck.evaluation.sources import describe, own
from gradcheck.model import Kind

if TYPE_CHECKING:
    from gradcheck.runner.config import DeclaredCheck

G = TypeVar("G", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A function and a callable that claims to be its derivative.

    module: where the decorator was applied.
    options: of the check, as they were given; not validated.
    """

    function: Callable[..., Any]
    derivative: Callable[..., Any]
    kind: Kind
    module: str
    options: Mapping[str, Any]


# Kept by what was written, and strongly: a function that is defined anew at every call of an outer one, or by a reload,
# takes the place of its predecessor.
_pairs: dict[Hashable, Pair] = {}


def derivative_of(function: Callable[..., Any], kind: str = "gradient", **options: Any) -> Callable[[G], G]:
    """Register the decorated callable as a derivative of `function`; it is returned as it is.

    kind: 'gradient', 'hessian', 'jacobian', 'hvp', 'jvp' or 'vjp', or short 'grad', 'hess' or 'jac'.
    options: where and how to check, by the keys of a declared check: dim, shape, point, bounds, rtol, …  They are
        validated when the pair is looked for, not here.

    Raises `ConfigError` for an unknown kind, TypeError for what is not callable.

        @gradcheck.derivative_of(f, dim=100)
        def grad(x): ...
    """
    if not callable(function):
        raise TypeError(f"derivative_of needs the function, as in @derivative_of(f), not {function!r}")
    kinds = [known for known in Kind if len(kind) > 2 and known.value.startswith(kind)]
    if not kinds:
        raise ConfigError(f"derivative_of: unknown kind {kind!r}; use one of {', '.join(Kind)}")
    module = str(sys._getframe(1).f_globals.get("__name__", "__main__"))

    def register(derivative: G) -> G:
        if not callable(derivative):  # @derivative_of without (f) ends here, and so does a classmethod in its class
            raise TypeError(f"derivative_of decorates a callable, as in @derivative_of(f), not {derivative!r}")
        _pairs[module, _identity(derivative), _identity(function), kinds[0]] = Pair(
            function=function,
            derivative=derivative,
            kind=kinds[0],
            module=module,
            options=MappingProxyType(options),
        )
        return derivative

    return register


def registered(package: str | None = None) -> list[Pair]:
    """The pairs declared in a module or anywhere below a package, in their order; all of them without `package`."""
    return [p for p in _pairs.values() if package is None or f"{p.module}.".startswith(f"{package}.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What was found below a package: the checks, and one error for each module or pair that is unfit."""

    checks: tuple[DeclaredCheck, ...]
    problems: tuple[GradcheckError, ...]


def discover(package: str, load: Callable[[str], ModuleType]) -> Discovery:
    """Import every module below `package` and return the pairs that they declare, as checks.

    load: imports a module by its dotted name, such as `targets.load_module`; what it raises for `package` itself is
        raised here, and collected for the modules below.
    """
    from gradcheck.runner.config import (  # not above: it imports numpy, and user code imports this module
        declare,
    )

    problems = list(import_below(load(package), load))
    checks: dict[str, DeclaredCheck] = {}
    for pair in registered(package):
        where = describe(pair.derivative)
        file, section = where.file or pair.module, f"derivative_of({describe(pair.function).name}) on {where.name}"
        if where.line is not None:
            section += f", line {where.line}"
        own: dict[str, object] = {"target": pair.function, pair.kind.key: pair.derivative}
        try:
            _refuse_methods(pair, f"{file}: {section}")
            if clash := pair.options.keys() & own.keys():
                raise ConfigError(f"{file}: {section}: {clash.pop()!r} is for the decorator to say; remove the option")
            table = {"name": _free_name(pair, where.name, checks), **pair.options, **own}
            check = declare(table, file=file, section=section, line=where.line)
            if check.name in checks:
                other = checks[check.name].source
                raise ConfigError(f"{check.source}: the name {check.name!r} is taken by {other}; rename one")
            checks[check.name] = check
        except ConfigError as error:
            problems.append(error)
    return Discovery(checks=tuple(checks.values()), problems=tuple(problems))


def import_below(module: ModuleType, load: Callable[[str], ModuleType]) -> Iterator[GradcheckError]:
    """Import the modules below a package; yield the errors.  pkgutil.walk_packages would let SystemExit through."""
    for info in pkgutil.iter_modules(getattr(module, "__path__", ()), f"{module.__name__}."):
        if info.name.endswith(".__main__"):
            continue  # importing it runs the program
        try:
            below = load(info.name)
        except GradcheckError as error:
            yield error
        else:
            yield from import_below(below, load)


def _refuse_methods(pair: Pair, source: str) -> None:
    for function in (pair.function, pair.derivative):
        name = describe(function).name
        first = next(iter(inspect.signature(function).parameters), "") if inspect.isfunction(function) else ""
        if "." in name and first in {"self", "cls"}:
            remedy = "declare bound methods, as in derivative_of(model.f)(model.grad) where model is made"
            raise ConfigError(f"{source}: {name} is a method without its object; {remedy}")


def _free_name(pair: Pair, name: str, taken: Container[str]) -> str:
    """``module:name``; with the function where one derivative serves several; with a number as the last resort."""
    of = f"{pair.module}:{name} of {describe(pair.function).name}"
    numbered = (f"{of} ({number})" for number in itertools.count(2))
    return next(free for free in itertools.chain((f"{pair.module}:{name}", of), numbered) if free not in taken)


def _identity(thing: Any) -> Hashable:
    """What stays the same when a function is defined again; methods and objects are themselves."""
    code = own(thing, "__code__")
    if inspect.ismethod(thing) or not isinstance(code, CodeType):
        return id(own(thing, "__self__") or thing), str(own(thing, "__name__"))
    return str(own(thing, "__qualname__")), code.co_firstlineno
