"""jax: the rules of `jax.custom_vjp` and `jax.custom_jvp` against the function that they stand for.

There is no solver: a pair is met where the function is called with numbers, or differentiated at some.  Where jit traces the
call there are none, and that is said.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.evaluation.sources import describe
from gradcheck.model import Kind
from gradcheck.watch.adapters.conventions import Converted, weights
from gradcheck.watch.hooks import Call, Hook
from gradcheck.watch.identity import reason_against
from gradcheck.watch.pairs import Check, Pair, Visit

MOST = 100_000  # numbers in the arguments of one call
TRACED = "jit traced its calls, in which x has no values; with JAX_DISABLE_JIT=1 it is checked"


def _vjp(call: Call) -> None:
    rule = getattr(call.args[0], "bwd", None)
    _rule(call, rule, "custom_vjp", Kind.GRADIENT, _backward)


def _jvp(call: Call) -> None:
    rule = getattr(call.args[0], "jvp", None)
    _rule(call, rule, "custom_jvp", Kind.JVP, _forward)


def _rule(call: Call, rule: Any, role: str, kind: Kind, check: Callable[..., Check]) -> None:
    jax: Any = sys.modules["jax"]
    custom, *given = call.args
    file = describe(custom.fun).file or ""
    if not callable(rule) or file.startswith(_folder(jax)) or reason_against(custom.fun) is not None:
        return
    words = list(inspect.signature(custom.fun).bind(*given, **call.kwargs).args)
    fixed = {*custom.nondiff_argnums}
    leaves, tree = jax.tree_util.tree_flatten([None if k in fixed else word for k, word in enumerate(words)])
    values = [_value(jax, leaf) for leaf in leaves]
    places = [
        k for k, value in enumerate(values) if value is None or value.dtype.kind == "f" or "float" in str(value.dtype)
    ]
    hidden = TRACED if any(value is None for value in values) else ""
    if not places or sum(np.size(value) for value in values if value is not None) > MOST:
        return

    def restored(x: Any) -> list[Any]:
        """The arguments of a call with other numbers in the places that vary."""
        parts, start = list(values), 0
        for k in places:
            part = x[start : start + values[k].size]
            parts[k] = jax.numpy.asarray(part).reshape(values[k].shape)
            start += values[k].size
        again = jax.tree_util.tree_unflatten(tree, parts)
        return [word if k in fixed else new for k, (word, new) in enumerate(zip(words, again, strict=True))]

    pair = Pair(
        kind=kind,
        via=call.via,
        role=role,
        function=custom.fun,
        derivative=rule,
        at=lambda visit: check(jax, custom, restored),
        size=tuple("traced" if value is None else value.ndim for value in values),
        hidden=hidden,
    )
    if not call.session.wants(pair):
        return
    if not hidden:
        x = np.concatenate([np.asarray(values[k], np.float64).ravel() for k in places])
        pair.visits.note(Visit(x, (), {}))
    call.pairs.append(pair)


def _folder(jax: Any) -> str:
    return str(jax.__file__).removesuffix("__init__.py")


def _value(jax: Any, leaf: Any) -> Any:
    """The numbers that a tracer stands for, be it of a derivative or of a batch; None if it has none."""
    for _ in range(20):
        if not isinstance(leaf, jax.core.Tracer):
            return np.array(leaf)
        if hasattr(leaf, "primal"):
            leaf = leaf.primal
        elif hasattr(leaf, "val") and isinstance(getattr(leaf, "batch_dim", None), int):
            leaf = leaf.val.take(0, axis=leaf.batch_dim)
        else:
            return None
    return None


@contextlib.contextmanager
def _double(jax: Any) -> Any:
    """In double precision, as long as it lasts."""
    enable = jax.enable_x64 if hasattr(jax, "enable_x64") else sys.modules["jax.experimental"].enable_x64
    with enable(True):
        yield


def _flat(jax: Any, outputs: Any) -> list[Any]:
    return [out for out in jax.tree_util.tree_leaves(outputs) if jax.numpy.issubdtype(out.dtype, jax.numpy.floating)]


def _backward(jax: Any, custom: Any, restored: Callable[[Any], list[Any]]) -> Check:
    """A sum of all outputs, each with a weight of its own, and what jax makes of the rule."""

    def total(x: Any) -> Any:
        outputs = _flat(jax, custom(*restored(x)))
        return sum((out * weights(out.shape)).sum() for out in outputs)

    def value(fun: Callable[..., Any], x: Any) -> float:
        with _double(jax):
            outputs = _flat(jax, fun(*restored(x)))
            return float(sum((out * weights(out.shape)).sum() for out in outputs))

    def slope(rule: Callable[..., Any], x: Any) -> Any:
        with _double(jax):
            return np.asarray(jax.grad(total)(jax.numpy.asarray(x)), np.float64)

    return Check(Converted(custom.fun, value), Converted(custom.bwd, slope), {})


def _forward(jax: Any, custom: Any, restored: Callable[[Any], list[Any]]) -> Check:
    """All outputs in one vector, and what jax makes of the rule along a direction."""

    def joined(outputs: Any) -> Any:
        return jax.numpy.concatenate([out.ravel() for out in _flat(jax, outputs)])

    def value(fun: Callable[..., Any], x: Any) -> Any:
        with _double(jax):
            return np.asarray(joined(fun(*restored(x))), np.float64)

    def along(rule: Callable[..., Any], x: Any, v: Any) -> Any:
        with _double(jax):
            point, direction = jax.numpy.asarray(x), jax.numpy.asarray(v)
            return np.asarray(jax.jvp(lambda x: joined(custom(*restored(x))), (point,), (direction,))[1], np.float64)

    return Check(Converted(custom.fun, value), Converted(custom.jvp, along), {})


HOOKS = (
    Hook("jax._src.custom_derivatives", "custom_vjp.__call__", "jax.custom_vjp", _vjp),
    Hook("jax._src.custom_derivatives", "custom_jvp.__call__", "jax.custom_jvp", _jvp),
)
