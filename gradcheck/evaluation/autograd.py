"""What torch or jax itself says the derivative of f is, as a claim, and whether rules written by hand in it keep their contracts.

`grad="autograd"`.  A wrong `torch.autograd.Function` or `jax.custom_vjp` inside f makes that derivative wrong; how such a rule
treats the cotangent that it is given does not show in a gradient, and is looked at here.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UsageError, is_interrupt
from gradcheck.evaluation.claims import AUTOGRAD, Wrapper
from gradcheck.evaluation.differentiators import EXACT, Call, Differentiator, Pull, RuleCall
from gradcheck.evaluation.engines import with_arguments
from gradcheck.evaluation.in_jax import InJax
from gradcheck.evaluation.in_torch import InTorch
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


def _breach(kind: FindingKind, key: str, message: str) -> Finding:
    verdict = Verdict.PASS if kind is FindingKind.IGNORES_INPUT else Verdict.FAIL
    return Finding(kind=kind, target=key, verdict=verdict, message=message)
