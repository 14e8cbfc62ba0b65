"""Functions of several arguments, as functions of one tree of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradcheck.errors import UsageError
from gradcheck.evaluation.sources import describe

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Unpacked:
    """x ↦ f(*x), or f(**x) for a dict; with further arguments behind.

    rest: the names of the parameters that take further positional arguments if x is a dict.
    of_whole: it takes x as a whole.
    """

    of_whole = True

    def __init__(self, call: Callable[..., Any], rest: Sequence[str] = ()) -> None:
        self.call, self.rest = call, tuple(rest)

    def __call__(self, x: Any, *args: Any, **named: Any) -> Any:
        if isinstance(x, Mapping):
            return self.call(**x, **dict(zip(self.rest, args, strict=True)), **named)
        return self.call(*x, *args, **named)


def unpacked(call: Callable[..., Any], x0: Any, args: Sequence[Any] | Mapping[str, Any], role: str) -> Unpacked:
    """A function of the parts of x0 as one of x0.  Raises `UsageError` that shows its signature if that does not take them.

    args: further arguments, in their order or by name.
    role: whose function it is, for messages.
    """
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):  # some that are written in C tell nothing
        return Unpacked(call)
    named = dict(args) if isinstance(args, Mapping) else {}
    behind = () if isinstance(args, Mapping) else tuple(args)
    rest: list[str] = []
    try:
        if isinstance(x0, Mapping):
            free = [p.name for p in signature.parameters.values() if p.kind in POSITIONAL and p.name not in x0]
            rest = free[: len(behind)]
            if len(rest) < len(behind):
                raise TypeError("too many further arguments")
            signature.bind(**x0, **dict(zip(rest, behind, strict=True)), **named)
        else:
            signature.bind(*x0, *behind, **named)
    except TypeError as error:
        given = ", ".join(map(str, x0)) if isinstance(x0, Mapping) else f"{len(x0)} arguments"
        more = f" and {len(args)} more from args" if args else ""
        what = f"{role}, which is {describe(call).name}{signature}"
        raise UsageError(f"unpack hands {given}{more} to {what}: {error}") from None
    return Unpacked(call, rest)


def takes_by_name(call: Callable[..., Any], parts: Mapping[str, Any]) -> bool:
    """Whether a function has parameters of all these names, or none but ``**named``.

    What tells nothing of its parameters takes one argument.
    """
    try:
        parameters = inspect.signature(call).parameters
    except (TypeError, ValueError):
        return False
    if [parameter.kind for parameter in parameters.values()] == [inspect.Parameter.VAR_KEYWORD]:
        return True
    return all(name in parameters for name in parts)


def argument_names(call: Callable[..., Any], count: int) -> tuple[str, ...]:
    """What a function calls its first arguments; () if it does not tell, or takes any number."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return ()
    names = [parameter.name for parameter in parameters if parameter.kind in POSITIONAL][:count]
    return tuple(names) if len(names) == count else ()


def in_order(call: Callable[..., Any], x0: Mapping[str, Any]) -> Mapping[str, Any]:
    """Arguments by name, in the order in which a function declares them."""
    try:
        names = [name for name in inspect.signature(call).parameters if name in x0]
    except (TypeError, ValueError):
        return x0
    return {name: x0[name] for name in names} if len(names) == len(x0) and type(x0) is dict else x0
