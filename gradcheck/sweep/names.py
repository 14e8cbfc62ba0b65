"""Which names pair up: a function and its first and second derivative, as people call them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple


class Row(NamedTuple):
    """Names of functions, and those that their derivatives bear beside them."""

    functions: tuple[str, ...]
    first: tuple[str, ...]
    second: tuple[str, ...] = ()


TABLE = (
    Row(
        ("loss", "cost", "loss_function", "cost_function"),
        ("gradient", "grad", "dloss", "derivative"),
        ("hessian", "hess"),
    ),
    Row(
        ("loglike", "loglikelihood", "log_likelihood", "logp", "log_prob"),
        ("score", "dlogp", "grad"),
        ("hessian", "hess"),
    ),
    Row(("residuals", "residual", "constraints", "equations", "rhs"), ("jacobian", "jac")),
    Row(("inverse",), ("inverse_deriv",), ("inverse_deriv2",)),
    Row(("f",), ("fprime", "f_prime", "df", "grad", "gradient", "jac"), ("fprime2", "f_prime2", "hess", "hessian")),
    Row(("fun", "func"), ("jac", "fprime", "grad", "gradient", "jacobian"), ("hess", "fprime2", "hessian")),
    Row(
        ("function", "objective", "objective_function", "value", "energy", "__call__"),
        ("gradient", "grad", "jac", "jacobian", "derivative", "deriv", "der"),
        ("hessian", "hess", "deriv2"),
    ),
)
"""What bears one of these names, the more telling ones first; FIRST_OF and SECOND_OF are made of the name of the function."""

FORWARD, BACKWARD = "forward", "backward"
"""A backward takes a gradient by the values of forward to one by x."""

FIRST_OF = (
    *(
        "{}_grad",
        "{}_gradient",
        "grad_{}",
        "gradient_{}",
        "{}_der",
        "{}_deriv",
        "{}_derivative",
        "{}_prime",
        "d{}",
        "d_{}",
    ),
    *("{}_jac", "{}_jacobian", "jac_{}", "jacobian_{}"),
)
SECOND_OF = ("{}_hess", "{}_hessian", "hess_{}", "hessian_{}", "{}_der2", "{}_deriv2", "{}_prime2")


class Named(NamedTuple):
    """Names that pair up; the second derivative may be missing, or the first."""

    function: str
    first: str | None
    second: str | None


def pairs(names: Collection[str]) -> list[Named]:
    """The pairs among the names of a module or of a class; a derivative is that of one function."""
    first: dict[str, str] = {}
    second: dict[str, str] = {}
    taken: set[str] = set()

    def offer(name: str, found: dict[str, str], words: Iterable[str]) -> None:
        word = next((word for word in words if word in names and word not in taken), None)
        if name in names and name not in found and word is not None:
            found[name] = word
            taken.add(word)

    for name in names:
        if not name.startswith("_"):
            offer(name, first, (form.format(name) for form in FIRST_OF))
            offer(name, second, (form.format(name) for form in SECOND_OF))
    for row in TABLE:
        for name in row.functions:
            offer(name, first, row.first)
            offer(name, second, row.second)
    return [Named(name, first.get(name), second.get(name)) for name in names if name in first or name in second]
