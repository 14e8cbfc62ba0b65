"""``gradcheck --sweep PACKAGE``: what pairs up by name below a package, as checks, and what of it cannot be called."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from gradcheck.errors import GradcheckError
from gradcheck.evaluation.sources import describe
from gradcheck.model import Kind
from gradcheck.runner.config import DeclaredCheck
from gradcheck.runner.decorator import import_below
from gradcheck.sweep.holders import Holder, classes_of, names_of, objects, of_class, of_module, required
from gradcheck.sweep.names import BACKWARD, FORWARD, Named, pairs
from gradcheck.sweep.places import Place, first_place, place_of_backward, second_place
from gradcheck.sweep.torch_functions import check_of, is_torch_function
from gradcheck.watch.adapters.conventions import Converted
from gradcheck.watch.identity import reason_against


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What was found below a package.

    checks: of what can be called.
    uncalled: the name of what pairs up and cannot be called, and why.
    problems: modules that cannot be imported.
    """

    checks: tuple[DeclaredCheck, ...]
    uncalled: tuple[tuple[str, str], ...]
    problems: tuple[GradcheckError, ...]


def sweep(package: str, load: Callable[[str], ModuleType], sizes: Sequence[int] = ()) -> Sweep:
    """Import every module below a package, and pair what it defines by name.

    load: imports a module by its dotted name; what it raises for `package` itself is raised here.
    sizes: of the vectors at which functions are called; none for a few that are usual.
    """
    problems = tuple(import_below(load(package), load))
    names = sorted(name for name in sys.modules if f"{name}.".startswith(f"{package}."))
    modules = [module for name in names if isinstance(module := sys.modules[name], ModuleType)]
    checks: dict[str, DeclaredCheck] = {}
    uncalled: dict[str, str] = {}
    for kind in (kind for module in modules for kind in classes_of(module) if is_torch_function(kind)):
        name = f"{kind.__module__}:{kind.__qualname__}"
        if reason_against(kind) is not None:
            continue
        of_torch = check_of(kind, name)
        if isinstance(of_torch, str):
            uncalled[name] = of_torch
        else:
            checks[name] = of_torch
    for holder, named in _paired(modules):
        name = f"{holder.name}.{named.function}" if ":" in holder.name else f"{holder.name}:{named.function}"
        if holder.missing:
            uncalled[name] = holder.missing
            continue
        for found in _of(holder, named, name, sizes):
            if isinstance(found, str):
                uncalled[name] = found
            else:
                checks.setdefault(found.name, found)
    return Sweep(checks=tuple(checks.values()), uncalled=tuple(uncalled.items()), problems=problems)


def _paired(modules: list[ModuleType]) -> Iterator[tuple[Holder, Named]]:
    found: dict[type, Any] | None = None
    for module in modules:
        own = of_module(module)
        for named in _with_backward(list(own.callables)):
            yield own, named
        for kind in classes_of(module):
            paired = list(_with_backward(names_of(kind)))
            if not paired or is_torch_function(kind):
                continue
            if found is None:
                found = objects(modules)
            holder = of_class(kind, found)
            for named in paired:
                yield holder, named


def _with_backward(names: list[str]) -> Iterator[Named]:
    yield from pairs(names)
    if FORWARD in names and BACKWARD in names:
        yield Named(FORWARD, BACKWARD, None)


def _of(holder: Holder, named: Named, name: str, sizes: Sequence[int]) -> Iterator[DeclaredCheck | str]:
    """The checks of a function and its derivatives, or why there is none."""
    function = holder.callables.get(named.function)
    first, second = (holder.callables.get(word) if word else None for word in (named.first, named.second))
    claims = [claim for claim in (first, second) if claim is not None]
    if function is None or not claims or any(reason_against(claim) is not None for claim in claims):
        return
    for callable_ in (function, *claims):
        if len(needed := required(callable_)) > 1:
            yield f"{describe(callable_).name} takes {', '.join(needed)}"
            return
    if named.first == BACKWARD and named.function == FORWARD:
        yield _of_backward(holder, name, function, claims[0], sizes)
        return
    place: Place | None = None
    if first is not None:
        found = first_place(function, first, holder.hints, sizes)
        if isinstance(found, str):
            yield f"{named.first}: {found}"
        else:
            place = found
            yield _check(name, named.first or "", place, function, first)
    if second is not None:
        after = second_place(function, second, place, holder.hints, sizes)
        if isinstance(after, str):
            yield f"{named.second}: {after}"
        elif after.kind is Kind.HESSIAN:
            yield _check(name, named.second or "", after, function, second)
        elif first is not None:
            yield _check(f"{name.rpartition(named.function)[0]}{named.first}", named.second or "", after, first, second)


def _of_backward(
    holder: Holder, name: str, forward: Callable[..., Any], backward: Callable[..., Any], sizes: Sequence[int]
) -> DeclaredCheck | str:
    place = place_of_backward(forward, backward, holder.hints, sizes)
    if isinstance(place, str):
        return f"backward: {place}"

    def product(backward: Callable[..., Any], x: Any, v: Any) -> Any:
        forward(x)  # which keeps what backward needs
        return backward(v)

    return _check(name, BACKWARD, place, forward, Converted(backward, product))


def _check(name: str, derivative: str, place: Place, function: Any, claim: Any) -> DeclaredCheck:
    return DeclaredCheck(
        name=f"{name}, {derivative}",
        target=function,
        derivatives={place.kind: claim},
        options={"point": place.x} | ({"elementwise": True} if place.elementwise else {}),
        file=describe(claim).file or "",
        section=name,
        line=describe(claim).line,
    )
