"""Derivatives by jax.vjp and jax.jvp.  jax is never imported: whoever made an array has done so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from gradcheck.evaluation.differentiators import Call, Differentiator, Pull, lost
from gradcheck.variables.arrays import framework_of


class InJax(Differentiator):
    """By jax.vjp and jax.jvp; jax itself sees to the shape, the dtype and the structure of what a rule returns."""

    @property
    def jax(self) -> Any:
        """jax, which whoever made an array has imported."""
        return sys.modules["jax"]

    def pulled(self, call: Call, variables: Sequence[Any], role: str) -> tuple[Any, Pull]:
        value, back = self.jax.vjp(call, list(variables))
        if framework_of(value) is None:
            raise lost(role, f"{role} returned {type(value).__name__}; return an array of jax")

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
