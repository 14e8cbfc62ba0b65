"""A derivative that remembers where it was called, and is otherwise the one that the program has."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.watch.pairs import Pair, Visit

UNSEEN = "<gradcheck.watch, importlib._bootstrap>"
"""The file that our frames between a program and its solver are said to be of.

Python skips frames of files so named when it counts the ``stacklevel`` of a warning: warnings are attributed to the lines that
they were attributed to without us.
"""


class Recorded:
    """A derivative, wrapped: calls, attributes and pickling are those of `__wrapped__`."""

    def __init__(self, inner: Callable[..., Any], pair: Pair) -> None:
        object.__setattr__(self, "__wrapped__", inner)
        object.__setattr__(self, "_gradcheck_pair", pair)
        for name in ("__doc__", "__module__"):  # which the class has as well
            object.__setattr__(self, name, getattr(inner, name, None))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        own = object.__getattribute__(self, "__dict__")
        pair = own["_gradcheck_pair"]
        noted = _note(pair, args, kwargs)
        value = own["__wrapped__"](*args, **kwargs)
        if noted:
            _weigh(pair, value if pair.written is None else args[pair.written])
        return value

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "__wrapped__"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__wrapped__, name, value)

    def __eq__(self, other: object) -> bool:
        inner = object.__getattribute__(self, "__wrapped__")
        return bool(inner == (other.__wrapped__ if isinstance(other, Recorded) else other))

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __reduce__(self) -> tuple[Any, ...]:
        return _itself, (self.__wrapped__,)

    def __copy__(self) -> Any:
        return self.__wrapped__

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self.__wrapped__, memo)


def _itself(inner: Any) -> Any:
    return inner


def _note(pair: Pair, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    with contextlib.suppress(Exception):
        x = args[0] if pair.point is None else pair.point(args, kwargs)
        if pair.at is not None:  # the whole call may be needed
            args = tuple(value.copy() if isinstance(value, np.ndarray) else value for value in args)
        pair.visits.note(Visit(np.array(x) if isinstance(x, np.ndarray) else copy.copy(x), args, kwargs))
        return True
    return False


def _weigh(pair: Pair, value: Any) -> None:
    with contextlib.suppress(Exception), np.errstate(all="ignore"):
        pair.visits.weigh(value if pair.part is None else value[pair.part])


Recorded.__call__.__code__ = Recorded.__call__.__code__.replace(co_filename=UNSEEN)
