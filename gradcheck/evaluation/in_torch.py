"""Derivatives by torch.autograd, and the contracts of the `torch.autograd.Function`s that they go through.

torch is never imported: whoever made a tensor has done so.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gradcheck.errors import is_interrupt
from gradcheck.evaluation.differentiators import EXACT, Call, Differentiator, Pull, RuleCall, lost
from gradcheck.evaluation.sources import describe
from gradcheck.model import FindingKind
from gradcheck.variables.arrays import as_numpy
from gradcheck.wording import named

LOOKED_AT = 20  # rules of one function, at the most
WRITES = "writes into what forward saved; let it work on a copy"


class InTorch(Differentiator):
    """By torch.autograd."""

    conjugates = True

    @property
    def torch(self) -> Any:
        """torch, which whoever made a tensor has imported."""
        return sys.modules["torch"]

    def pulled(self, call: Call, variables: Sequence[Any], role: str) -> tuple[Any, Pull]:
        torch = self.torch
        value, inputs = self._followed(call, variables)
        if not isinstance(value, torch.Tensor):
            raise lost(role, f"{role} returned {type(value).__name__}; return the tensor itself, without .item()")
        if not value.requires_grad:
            raise lost(role, f"the value of {role} has no grad_fn; do not detach it, nor compute it under no_grad")

        def pull(cotangent: Any) -> Sequence[Any]:
            found: Sequence[Any] = torch.autograd.grad(value, inputs, cotangent, retain_graph=True, allow_unused=True)
            return found

        return value.detach(), pull

    def _followed(self, call: Call, variables: Sequence[Any]) -> tuple[Any, list[Any]]:
        torch = self.torch
        inputs = [torch.as_tensor(one).detach().clone().requires_grad_() for one in variables]
        with torch.enable_grad():
            return call(inputs), inputs

    def pushed(self, call: Call, variables: Sequence[Any], tangents: Sequence[Any]) -> Any:
        forward = self.torch.autograd.forward_ad
        with forward.dual_level():
            pairs = zip(variables, tangents, strict=True)
            value = call([forward.make_dual(self.torch.as_tensor(one).detach(), tangent) for one, tangent in pairs])
            return forward.unpack_dual(value).tangent

    def rules(self, call: Call, variables: Sequence[Any]) -> list[Callable[..., Any]]:
        value, _ = self._followed(call, variables)
        return list({id(node._forward_cls): node._forward_cls.backward for node in _written(value)}.values())

    def breaches(self, call: Call, variables: Sequence[Any]) -> Iterator[tuple[FindingKind, str]]:
        """Each backward is called by itself with the cotangent that it got: torch casts and sums what it returns in silence."""
        torch = self.torch
        value, inputs = self._followed(call, variables)
        given: dict[Any, tuple[Any, ...]] = {}

        def keep(node: Any) -> Callable[[tuple[Any, ...]], None]:
            def hook(cotangents: tuple[Any, ...]) -> None:
                given.setdefault(node, tuple(None if one is None else one.detach().clone() for one in cotangents))

            return hook

        hooks = [node.register_prehook(keep(node)) for node in _written(value)]
        torch.autograd.grad(value, inputs, torch.ones_like(value), retain_graph=True, allow_unused=True)
        for hook in hooks:
            hook.remove()
        seen = set()
        for node, cotangents in given.items():
            rule = describe(node._forward_cls.backward)
            where = f" (line {rule.line})" if rule.line else ""
            for kind, what in self._asked_again(node, cotangents):
                if (rule.name, kind) not in seen:
                    seen.add((rule.name, kind))
                    yield kind, f"{rule.name}{where} {what}"

    def _asked_again(self, node: Any, cotangents: tuple[Any, ...]) -> Iterator[tuple[FindingKind, str]]:
        """As `_of_rule`; torch refuses to go on where it notices itself that something was written into."""
        try:
            yield from self._of_rule(node, cotangents)
        except Exception as error:
            if is_interrupt(error):
                raise
            if "modified by an inplace operation" in str(error):
                yield FindingKind.MUTATES_INPUT, WRITES
            else:
                yield FindingKind.NON_DETERMINISTIC, f"cannot be asked again: it raised {named(error)}"

    def _of_rule(self, node: Any, cotangents: tuple[Any, ...]) -> Iterator[tuple[FindingKind, str]]:
        torch = self.torch

        def asked(factor: float) -> tuple[tuple[Any, ...], list[Any]]:
            """What the rule makes of so many times its cotangent, and the cotangent after that."""
            scaled = [None if one is None else factor * one for one in cotangents]
            with torch.no_grad():
                found = node._forward_cls.backward(node, *scaled)
            return (found if isinstance(found, tuple) else (found,)), scaled

        kept = [None if one is None else one.detach().clone() for one in node.saved_tensors]
        once, after = asked(1.0)
        needed = [k for k, needs in enumerate(node.needs_input_grad) if needs]
        edges = [(edge, place) for edge, place in node.next_functions if edge is not None]
        for k, (edge, place) in zip(needed, edges, strict=False):
            got = once[k] if k < len(once) else None
            if got is None:
                missing = f"returns None for input {k}, which needs a gradient; return zeros where it is 0"
                yield FindingKind.IGNORES_INPUT, missing  # which torch takes for 0, rightly perhaps: the entries tell
                continue
            metadata = getattr(edge, "_input_metadata", ())
            if place >= len(metadata):
                continue  # an older torch tells nothing of its nodes
            shape, dtype = tuple(metadata[place].shape), metadata[place].dtype
            if tuple(got.shape) != shape:
                yield (
                    FindingKind.WRONG_SHAPE,
                    f"returns shape {tuple(got.shape)} for input {k} of shape {shape}, which torch sums in silence",
                )
            if _is_coarser(got.dtype, dtype):
                have, want = (str(one).rpartition(".")[2] for one in (got.dtype, dtype))
                yield (
                    FindingKind.WRONG_DTYPE,
                    f"returns {have} for input {k}, which is {want}; torch casts it, and the digits are lost",
                )
        if _differ(after, cotangents):
            yield FindingKind.MUTATES_INPUT, "writes into the gradient that it is given; let it work on a copy"
        if _differ(node.saved_tensors, kept):
            yield FindingKind.MUTATES_INPUT, WRITES
        again, _ = asked(1.0)
        if _apart(once, again):
            yield FindingKind.NON_DETERMINISTIC, "gives other values when it is asked again"
            return
        double, _ = asked(2.0)
        if _apart([None if one is None else 2 * one for one in once], double):
            yield (
                FindingKind.NOT_LINEAR,
                "is not linear in the gradient that it is given: for twice that it does not return twice as much; "
                "multiply by grad_output",
            )
        zero, _ = asked(0.0)
        if any(bool((as_numpy(one) != 0).any()) for one in zero if one is not None):
            yield FindingKind.NOT_LINEAR, "does not return 0 for a gradient of 0; multiply by grad_output"

    def calls_of_rules(self, call: Call, variables: Sequence[Any]) -> list[RuleCall]:
        """Seen by their forward methods, each of which is another one meanwhile."""
        torch, seen = self.torch, dict[Any, tuple[Any, ...]]()
        value, _ = self._followed(call, variables)
        owners = list({node._forward_cls: None for node in _written(value)})

        def recording(owner: Any, forward: Callable[..., Any]) -> Callable[..., Any]:
            def recorded(*given: Any, **named: Any) -> Any:
                inputs = given[isinstance(given[0], torch.autograd.function.FunctionCtx) :]
                seen.setdefault(owner, tuple(one.detach().clone() if _is_tensor(torch, one) else one for one in inputs))
                return forward(*given, **named)

            return recorded

        before = [(owner, owner.__dict__.get("forward")) for owner in owners]
        try:
            for owner in owners:
                owner.forward = staticmethod(recording(owner, owner.forward))
            self._followed(call, variables)
        finally:
            for owner, own in before:
                if own is None:
                    del owner.forward
                else:
                    owner.forward = own
        return [self._call_of(owner, inputs) for owner, inputs in seen.items()]

    def _call_of(self, owner: Any, inputs: tuple[Any, ...]) -> RuleCall:
        torch = self.torch
        places = [k for k, one in enumerate(inputs) if _is_tensor(torch, one) and one.is_floating_point()]

        def function(variables: Sequence[Any]) -> Any:
            whole = list(inputs)
            for k, one in zip(places, variables, strict=True):
                whole[k] = one
            return owner.apply(*whole)

        def pullback(variables: Sequence[Any], cotangent: Any) -> list[Any]:
            followed = [one.detach().requires_grad_() for one in variables]
            with torch.enable_grad():
                value = function(followed)
            found = torch.autograd.grad(value, followed, cotangent, allow_unused=True)
            return [torch.zeros_like(one) if got is None else got for got, one in zip(found, followed, strict=True)]

        return RuleCall(describe(owner.backward), function, pullback, [inputs[k] for k in places])


def _is_tensor(torch: Any, value: Any) -> bool:
    return isinstance(value, torch.Tensor)


def _is_coarser(dtype: Any, wanted: Any) -> bool:
    """Whether a dtype of torch has fewer digits than another, or none."""
    if dtype == wanted:
        return False
    if not dtype.is_floating_point:
        return not dtype.is_complex
    return dtype.itemsize < wanted.itemsize


def _written(value: Any) -> list[Any]:
    """The nodes of a graph of torch that are `torch.autograd.Function`s of the user's."""
    waiting: list[Any] = [value.grad_fn]
    seen: set[Any] = set()
    found: list[Any] = []
    while waiting and len(found) < LOOKED_AT:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "_forward_cls"):
            found.append(node)
        waiting += [edge for edge, _ in node.next_functions]
    return found


def _differ(some: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether arrays, None among them, are other than they were."""
    pairs = [(one, other) for one, other in zip(some, others, strict=True) if one is not None and other is not None]
    return not all(np.array_equal(as_numpy(one), as_numpy(other), equal_nan=True) for one, other in pairs)


def _apart(some: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether answers differ by more than rounding."""
    if len(some) != len(others):
        return True
    for one, other in zip(some, others, strict=True):
        if (one is None) != (other is None):
            return True
        if one is not None:
            left, right = as_numpy(one), as_numpy(other)
            if left.shape != right.shape:
                return True
            slack = EXACT * float(np.finfo(left.dtype).eps) * float(np.abs(left).max(initial=0.0))
            if float(np.abs(left - right).max(initial=0.0)) > slack:
                return True
    return False
