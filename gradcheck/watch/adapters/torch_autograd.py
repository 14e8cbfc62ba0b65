"""torch: the backward of a `torch.autograd.Function`, or one registered in `torch.library`, against the forward.

There is no solver: a pair is met where ``apply`` is called with tensors of which gradients are wanted.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

import numpy as np

from gradcheck.model import Kind
from gradcheck.watch.adapters.conventions import Converted, weights
from gradcheck.watch.hooks import Call, Hook
from gradcheck.watch.identity import reason_against
from gradcheck.watch.pairs import Check, Pair, Visit

GENERATED = "torch._library.autograd"  # the module of the functions that it makes of rules
MOST = 100_000  # numbers in the tensors of one call


def _apply(call: Call) -> None:
    torch: Any = sys.modules["torch"]
    function, *given = call.args
    if not isinstance(function, type) or call.kwargs:
        return
    generated = function.__module__ == GENERATED
    if not generated and function.__module__.partition(".")[0] == "torch":
        return
    places = [k for k, value in enumerate(given) if _varies(torch, value)]
    if not places or not torch.is_grad_enabled() or sum(given[k].numel() for k in places) > MOST:
        return
    if reason_against(function) is not None:
        return
    forward, backward = vars(function).get("forward"), vars(function).get("backward")
    if not isinstance(forward, staticmethod) or not isinstance(backward, staticmethod):
        return
    rule = _registered(backward.__func__) if generated else backward.__func__
    if rule is None or reason_against(rule) is not None:
        return
    pair = Pair(
        kind=Kind.GRADIENT,
        via="torch.library.register_autograd" if generated else call.via,
        role="backward",
        function=forward.__func__,
        derivative=rule,
        at=lambda visit: compared(torch, function, forward.__func__, rule, places, visit),
        size=tuple(value.ndim if isinstance(value, torch.Tensor) else repr(type(value)) for value in given),
    )
    if not call.session.wants(pair):
        return
    kept = tuple(value.detach().clone() if isinstance(value, torch.Tensor) else value for value in given)
    x = np.concatenate([kept[k].double().cpu().numpy().ravel() for k in places])
    pair.visits.note(Visit(x, kept, {}))
    call.pairs.append(pair)


def _registered(backward: Any) -> Any:
    """The rule that `torch.library` has made a backward of; None if there is none, or if torch keeps it elsewhere now."""
    info = inspect.getclosurevars(backward).nonlocals.get("info")
    rule = getattr(info, "_backward_fn", None)
    return rule if callable(rule) else None


def _varies(torch: Any, value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.requires_grad and value.is_floating_point() and value.numel() > 0


def compared(torch: Any, function: Any, forward: Any, backward: Any, places: list[int], visit: Visit) -> Check:
    """A sum of all outputs, each with a weight of its own, as a function of the tensors that vary, laid out in one vector."""
    given = [_double(torch, value) for value in visit.args]
    try:
        with torch.no_grad():
            function.apply(*given)
    except Exception:  # it insists on single precision
        given = list(visit.args)

    def total(x: Any, *, wanted: bool) -> tuple[Any, list[Any]]:
        words, variables, start = list(given), [], 0
        for k in places:
            size = given[k].numel()
            part = torch.as_tensor(x[start : start + size]).reshape(given[k].shape).to(given[k])
            words[k] = part.detach().clone().requires_grad_(wanted)
            variables.append(words[k])
            start += size
        with torch.set_grad_enabled(wanted):
            outputs = function.apply(*words)
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            found = [o for o in outputs if isinstance(o, torch.Tensor) and o.is_floating_point()]
            return sum((o * torch.as_tensor(weights(tuple(o.shape))).to(o)).sum() for o in found), variables

    def value(forward: Any, x: Any) -> float:
        return float(total(x, wanted=False)[0])

    def slope(backward: Any, x: Any) -> Any:
        summed, variables = total(x, wanted=True)
        found = torch.autograd.grad(summed, variables, allow_unused=True)
        zeros = (torch.zeros_like(v) if g is None else g for v, g in zip(variables, found, strict=True))
        return np.concatenate([g.detach().double().cpu().numpy().ravel() for g in zeros])

    return Check(Converted(forward, value), Converted(backward, slope), {})


def _double(torch: Any, value: Any) -> Any:
    return value.double() if isinstance(value, torch.Tensor) and value.is_floating_point() else value


HOOKS = (Hook("torch.autograd.function", "Function.apply", "torch.autograd.Function.apply", _apply),)
