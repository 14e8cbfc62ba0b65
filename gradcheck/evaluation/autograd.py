"""What torch or jax itself says the derivative of f is, as a claim, and whether rules written by hand in it keep their contracts.

`grad="autograd"`.  A wrong `torch.autograd.Function` or `jax.custom_vjp` inside f makes that derivative wrong; how such a rule
treats the cotangent that it is given does not show in a gradient, and is looked at here.  Neither framework is imported:
x0 is made of its arrays.
It is long because the two frameworks stand side by side, and a contract is asked of both.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UsageError, UserCodeError, is_interrupt
from gradcheck.evaluation.claims import AUTOGRAD, Wrapper
from gradcheck.evaluation.engines import with_arguments
from gradcheck.evaluation.sources import describe
from gradcheck.model import Finding, FindingKind, Verdict
from gradcheck.numerics.directions import Stream, direction
from gradcheck.variables.arrays import as_numpy, framework_of
from gradcheck.variables.numbers import is_complex
from gradcheck.wording import named

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.engines import Arguments
    from gradcheck.model import Target
    from gradcheck.variables.layout import Layout

    Array = NDArray[np.float64]

EXACT = 1e3  # what a rule computes twice agrees to this many units in the last place
LOOKED_AT = 20  # rules of one function, at the most
WRITES = "writes into what forward saved; let it work on a copy"
Pull = Callable[[Any], Sequence[Any]]
"""From a cotangent to the gradients by the variables, None where there is none."""
Call = Callable[[Sequence[Any]], Any]
"""f of its variables alone."""


@dataclass(frozen=True, slots=True, eq=False)
class RuleCall:
    """One call of a function with a rule written by hand, to be checked by itself.

    target: the rule.
    function: the inputs, a list ↦ what it returns.
    pullback: (inputs, cotangent) ↦ what the rule returns, for the same inputs.
    inputs: those of the call.
    """

    target: Target
    function: Callable[[Sequence[Any]], Any]
    pullback: Callable[[Sequence[Any], Any], Sequence[Any]]
    inputs: list[Any]


class Differentiator(ABC):
    """A framework that differentiates what is written in its arrays.

    conjugates: products with a transposed complex Jacobian are such with its conjugate, too.
    """

    conjugates = False

    @abstractmethod
    def pulled(self, call: Call, variables: Sequence[Any], role: str) -> tuple[Any, Pull]:
        """The value of f, and what takes cotangents of it back.  Raises `UserCodeError` if there is no way back."""

    @abstractmethod
    def pushed(self, call: Call, variables: Sequence[Any], tangents: Sequence[Any]) -> Any:
        """The derivative along tangents, by forward mode; None where f has no such rule."""

    @abstractmethod
    def rules(self, call: Call, variables: Sequence[Any]) -> list[Callable[..., Any]]:
        """The backward rules written by hand that f goes through."""

    def breaches(self, call: Call, variables: Sequence[Any]) -> Iterator[tuple[FindingKind, str]]:
        """What single rules do against their contracts."""
        yield from ()

    def calls_of_rules(self, call: Call, variables: Sequence[Any]) -> list[RuleCall]:
        """The first call of each rule, as far as the framework lets it be seen."""
        return []


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
            raise _lost(role, f"{role} returned {type(value).__name__}; return the tensor itself, without .item()")
        if not value.requires_grad:
            raise _lost(role, f"the value of {role} has no grad_fn; do not detach it, nor compute it under no_grad")

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


class InJax(Differentiator):
    """By jax.vjp and jax.jvp; jax itself sees to the shape, the dtype and the structure of what a rule returns."""

    @property
    def jax(self) -> Any:
        """jax, which whoever made an array has imported."""
        return sys.modules["jax"]

    def pulled(self, call: Call, variables: Sequence[Any], role: str) -> tuple[Any, Pull]:
        value, back = self.jax.vjp(call, list(variables))
        if framework_of(value) is None:
            raise _lost(role, f"{role} returned {type(value).__name__}; return an array of jax")

        def pull(cotangent: Any) -> Sequence[Any]:
            (found,) = back(cotangent.astype(value.dtype))
            gradients: Sequence[Any] = found
            return gradients

        return value, pull

    def pushed(self, call: Call, variables: Sequence[Any], tangents: Sequence[Any]) -> Any:
        return self.jax.jvp(call, (list(variables),), (list(tangents),))[1]

    def rules(self, call: Call, variables: Sequence[Any]) -> list[Callable[..., Any]]:
        found: list[Callable[..., Any]] = []

        def walk(part: Any) -> None:
            for equation in getattr(getattr(part, "jaxpr", part), "eqns", ()):
                back = getattr(equation.params.get("bwd"), "f", equation.params.get("bwd"))
                if callable(back) and back not in found:
                    found.append(back)
                for inner in equation.params.values():
                    for one in inner if isinstance(inner, (list, tuple)) else (inner,):
                        walk(one)

        walk(self.jax.make_jaxpr(call)(list(variables)))
        return found


DIFFERENTIATORS: dict[str, Differentiator] = {"torch": InTorch(), "jax": InJax()}
"""By the names of the frameworks."""


class Autograd(Wrapper):
    """x ↦ the derivative of f by the framework that x0 is made of: a claim like any other.

    f: takes x as a whole.
    outputs: f is vector-valued, and the derivative a matrix; else a gradient.

    Raises `UsageError` if x0 is of no such framework.
    """

    of_whole = True

    def __init__(self, f: Callable[..., Any], layout: Layout, key: str, *, outputs: bool = False) -> None:
        self.inner, self.layout, self.outputs = f, layout, outputs
        self.role = "func" if outputs else "f"
        framework = layout.framework
        if framework is None or framework.name not in DIFFERENTIATORS:
            noun = "made of arrays of NumPy" if framework is None else f"a {framework.noun}"
            raise UsageError(
                f"{key} is {AUTOGRAD!r}, and x0 is {noun}, which differentiates nothing; "
                "give a tensor of torch or an array of jax, and import it (--arrays torch)"
            )
        self.differentiator = DIFFERENTIATORS[framework.name]

    def around(self, inner: Callable[..., Any]) -> Autograd:
        return Autograd(inner, self.layout, "grad", outputs=self.outputs)

    def _call(self, args: Any, named: Any) -> Call:
        return lambda leaves: self.inner(self.layout.assembled(leaves), *args, **named)

    def __call__(self, x: Any, *args: Any, **named: Any) -> Any:
        value, pull = self.differentiator.pulled(self._call(args, named), self.layout.variables(x), self.role)
        row = self._of_complex if is_complex(value) else self._parts
        if self.outputs:
            units = np.eye(int(np.prod(value.shape))).reshape(-1, *value.shape)
            return np.stack([np.concatenate(row(value, pull, unit, x)) for unit in units])
        parts = row(value, pull, np.ones(tuple(value.shape)), x)
        return self.layout.derivative(np.concatenate([part.view(np.float64) for part in parts]))

    def _parts(self, value: Any, pull: Pull, cotangent: NDArray[Any], x: Any) -> list[NDArray[Any]]:
        """Gradients by the variables, flat, of float64 or complex128; what f does not depend on has 0."""
        pairs = zip(pull(_like(value, cotangent)), self.layout.variables(x), strict=True)
        found = [np.zeros_like(as_numpy(one)) if got is None else as_numpy(got) for got, one in pairs]
        return [one.astype(np.complex128 if is_complex(one) else np.float64).reshape(-1) for one in found]

    def _of_complex(self, value: Any, pull: Pull, cotangent: NDArray[Any], x: Any) -> list[NDArray[Any]]:
        """The derivatives of a complex value, with df = f′ dz by a complex variable; the framework gives products with it.

        For a cotangent u torch gives Jᴴu and jax Jᵀu, and the real part of that by a real variable.
        """
        turned = self.differentiator.conjugates
        one, other = (self._parts(value, pull, u, x) for u in (cotangent, 1j * cotangent))
        sign = 1j if turned else -1j
        by_complex = [np.conj(a) if turned else a for a in one]
        pairs = zip(one, other, by_complex, strict=True)
        return [found if is_complex(a) else a + sign * b for a, b, found in pairs]

    def _flat(self, gradients: Sequence[Any], x: Any) -> Array:
        """Gradients by the variables as one vector; what f does not depend on has 0."""
        pairs = zip(gradients, self.layout.variables(x), strict=True)
        parts = [np.zeros(np.shape(one)) if found is None else as_numpy(found) for found, one in pairs]
        return np.concatenate([np.asarray(part, np.float64).reshape(-1) for part in parts])

    def rules(self, x: NDArray[Any], args: Arguments) -> list[Target]:
        """The rules written by hand that f goes through, as far as they can be told."""
        variables = self.layout.variables(self.layout.argument(x.copy()))
        with contextlib.suppress(Exception):
            return [describe(rule) for rule in self.differentiator.rules(self._whole(args), variables)]
        return []

    def _whole(self, args: Arguments) -> Call:
        whole = with_arguments(self.inner, args)
        return lambda leaves: whole(self.layout.assembled(leaves))

    def calls_of_rules(self, x: NDArray[Any], args: Arguments) -> list[RuleCall]:
        """The first call of each of these rules, to be checked by itself."""
        variables = self.layout.variables(self.layout.argument(x.copy()))
        with contextlib.suppress(Exception):
            return self.differentiator.calls_of_rules(self._whole(args), variables)
        return []

    def breaches(self, x: NDArray[Any], args: Arguments, seed: int, *, steady: bool) -> list[Finding]:
        """What the rules do against their contracts, and whether forward mode says what reverse mode does.

        x: the point, flat.
        steady: f gives the same value whenever it is called there, so that the two modes can be compared.
        """
        call, variables = self._whole(args), self.layout.variables(self.layout.argument(x.copy()))
        if self.layout.imaginary is not None or self._has_complex_values(call, variables):
            return []  # contracts are told of in real numbers
        names = ", ".join(rule.name for rule in self.rules(x, args)) or f"the derivative of {self.role}"
        key = "jac" if self.outputs else "grad"
        found: list[Finding] = []
        try:
            found += [_breach(kind, key, what) for kind, what in self.differentiator.breaches(call, variables)]
            found += self._of_whole(call, variables, x, seed, {finding.kind for finding in found}, names, key, steady)
        except Exception as error:
            if is_interrupt(error):
                raise
            if not found:
                what = f"{names} cannot be asked again: it raised {named(error)}"
                found.append(_breach(FindingKind.NON_DETERMINISTIC, key, what))
        return found

    def _has_complex_values(self, call: Call, variables: Sequence[Any]) -> bool:
        with contextlib.suppress(Exception):
            return is_complex(call(variables))
        return False

    def _of_whole(
        self,
        call: Call,
        variables: Sequence[Any],
        x: NDArray[Any],
        seed: int,
        known: set[FindingKind],
        names: str,
        key: str,
        steady: bool,
    ) -> Iterator[Finding]:
        """What shows of f as a whole: a cotangent asked for again, twice it, and 0; and forward mode."""
        value, pull = self.differentiator.pulled(call, variables, self.role)
        u = direction(int(np.prod(value.shape)), seed, Stream.IDENTITY).reshape(tuple(value.shape))

        def back(factor: float) -> Array:
            return self._flat(pull(_like(value, factor * u)), self.layout.assembled(variables))

        once, slack = back(1.0), EXACT * float(np.finfo(x.dtype).eps)
        size = float(np.abs(once).max(initial=0.0))
        if not known & {FindingKind.NON_DETERMINISTIC, FindingKind.NOT_LINEAR}:
            if float(np.abs(back(1.0) - once).max()) > slack * size:
                yield _breach(FindingKind.NON_DETERMINISTIC, key, f"{names} gives other values when it is asked again")
            elif float(np.abs(back(2.0) - 2 * once).max()) > slack * size or back(0.0).any():
                what = f"{names} is not linear in its cotangent: for twice that it does not return twice as much"
                yield _breach(FindingKind.NOT_LINEAR, key, f"{what}; multiply by it")
        v = direction(x.size, seed, Stream.IDENTITY + 1)
        along = self._along(call, variables, v) if steady else None
        if along is not None:
            forward, reverse = float((u * along).sum()), float(once @ v)
            scale = float(np.abs(once * v).sum()) + float(np.abs(u * along).sum())
            if abs(forward - reverse) > slack * scale:
                what = f"{names}: forward mode gives {forward:.6g} along a direction and reverse mode {reverse:.6g}"
                yield _breach(FindingKind.NOT_ADJOINT, key, what)

    def _along(self, call: Call, variables: Sequence[Any], v: Array) -> Array | None:
        """The derivative along a vector by forward mode; None if there is none."""
        tangents = self.layout.variables(self.layout.argument(v.astype(self.layout.dtype)))
        try:
            with warnings.catch_warnings():  # of what the framework makes use of itself
                warnings.simplefilter("ignore")
                found = self.differentiator.pushed(call, variables, tangents)
        except BaseException as error:
            if is_interrupt(error):
                raise
            return None  # most rules that are written by hand have no forward mode
        return None if found is None else np.asarray(as_numpy(found), np.float64)


def _like(value: Any, numbers: Array) -> Any:
    """Numbers as an array of the framework, the dtype and the device of a value."""
    framework = framework_of(value)
    assert framework is not None
    dtype = as_numpy(value).dtype
    return framework.make([np.asarray(numbers, dtype)], [framework.like(value)])[0]


def _lost(role: str, why: str) -> UserCodeError:
    return UserCodeError(f"autograd has no way back from {role} to x0: {why}", FindingKind.WRONG_DTYPE, role)


def _breach(kind: FindingKind, key: str, message: str) -> Finding:
    verdict = Verdict.PASS if kind is FindingKind.IGNORES_INPUT else Verdict.FAIL
    return Finding(kind=kind, target=key, verdict=verdict, message=message)


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
