"""Derivatives of expressions by a small rule set: entry by entry, through sums, norms, inner products and quadratic forms."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gradcheck.repair import trees

if TYPE_CHECKING:
    from gradcheck.repair.trees import Node

ZERO, ONE, TWO, MINUS_ONE = ast.Constant(0), ast.Constant(1), ast.Constant(2), ast.Constant(-1)


class NoRule(Exception):  # no error: an answer
    """There is no rule for an expression."""


def is_number(node: Node, value: float) -> bool:
    """Whether a node is this literal."""
    return isinstance(node, ast.Constant) and not isinstance(node.value, (bool, str)) and node.value == value


def add(a: Node, b: Node) -> Node:
    """a + b, shortened."""
    if is_number(a, 0):
        return b
    if is_number(b, 0):
        return a
    if isinstance(b, ast.UnaryOp) and isinstance(b.op, ast.USub):
        return trees.binary(a, ast.Sub, b.operand)
    return trees.binary(a, ast.Add, b)


def mul(a: Node, b: Node) -> Node:
    """a * b, shortened."""
    if is_number(a, 0) or is_number(b, 0):
        return ZERO
    return _product([a, b], [])


def div(a: Node, b: Node) -> Node:
    """a / b, shortened."""
    return a if is_number(a, 0) else _product([a], [b])


def _product(over: list[Node], under: list[Node]) -> Node:
    """Numerators by denominators: numbers are multiplied, what stands on both sides is cancelled."""
    coefficient, above, below = 1.0, [], []  # type: tuple[float, list[Node], list[Node]]
    for part, inverse in [(p, False) for p in over] + [(p, True) for p in under]:
        for factor, upside_down in _factors(part, inverse):
            if isinstance(factor, ast.Constant) and isinstance(factor.value, (int, float)) and factor.value:
                coefficient = coefficient / factor.value if upside_down else coefficient * factor.value
            elif is_number(factor, -1):
                coefficient = -coefficient
            else:
                _cancel(factor, below if upside_down else above, above if upside_down else below)
    node: Node | None = None
    size = abs(coefficient)
    if size != 1 or not above:
        divisor = 1 / size
        if size < 1 and divisor == int(divisor) and above and size != 0.5:
            below.insert(0, trees.number(divisor))
        else:
            node = trees.number(size)
    for factor in above:
        node = factor if node is None else trees.times(node, factor)
    assert node is not None
    for factor in below:
        node = trees.binary(node, ast.Div, factor)
    return trees.minus(node) if coefficient < 0 else node


def _factors(node: Node, inverse: bool) -> Iterator[tuple[Node, bool]]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        yield from _factors(node.left, inverse)
        yield from _factors(node.right, inverse ^ isinstance(node.op, ast.Div))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield MINUS_ONE, inverse
        yield from _factors(node.operand, inverse)
    else:
        yield node, inverse


def _cancel(factor: Node, same: list[Node], other: list[Node]) -> None:
    """Add a factor to its side, or take it off the other: a and a, a ** 2 and a."""
    base, exponent = _power(factor)
    for k, there in enumerate(other):
        if trees.text(there) == trees.text(factor):
            del other[k]
            return
        below, degree = _power(there)
        if trees.text(base) == trees.text(below) and exponent is not None and degree is not None:
            left = exponent - degree
            if left > 0:
                del other[k]
                same.append(power(base, trees.number(left)))
            elif left < 0:
                other[k] = power(base, trees.number(-left))
            else:
                del other[k]
            return
    same.append(factor)


def _power(node: Node) -> tuple[Node, float | None]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        c = node.right
        return node.left, c.value if isinstance(c, ast.Constant) and isinstance(c.value, (int, float)) else None
    return node, 1


def neg(a: Node) -> Node:
    """−a, shortened."""
    return a if is_number(a, 0) else trees.minus(a)


def power(a: Node, b: Node) -> Node:
    """a ** b, shortened."""
    if is_number(b, 1):
        return a
    return ONE if is_number(b, 0) else trees.binary(a, ast.Pow, b)


def less_one(b: Node) -> Node:
    """b − 1, computed where b is a literal."""
    if (c := trees.value_of(b)) is not None:
        return trees.number(c - 1)
    if isinstance(b, ast.UnaryOp) and isinstance(b.op, ast.USub) and (c := trees.value_of(b.operand)) is not None:
        return trees.number(-c - 1)
    if isinstance(b, ast.BinOp) and isinstance(b.op, (ast.Add, ast.Sub)):
        if (c := trees.value_of(b.right)) is not None:
            return add(b.left, trees.number((c if isinstance(b.op, ast.Add) else -c) - 1))
        if isinstance(b.op, ast.Sub) and (c := trees.value_of(b.left)) is not None:
            return trees.binary(trees.number(c - 1), ast.Sub, b.right)
    return trees.binary(b, ast.Sub, ONE)


def _numpy(call: ast.Call, which: str, *arguments: Node) -> Node:
    """np.which(…), with the name of NumPy that `call` uses."""
    assert isinstance(call.func, ast.Attribute)
    root = call.func.value
    if isinstance(root, ast.Attribute):  # np.linalg.norm
        root = root.value
    return trees.call(trees.attribute(root, which), *arguments)


Outer = Callable[["ast.Call", "Node"], "Node"]  # the call and its argument: the derivative by the argument
ELEMENTARY: dict[str, Outer] = {
    "exp": lambda c, u: c,
    "log": lambda c, u: div(ONE, u),
    "log1p": lambda c, u: div(ONE, add(ONE, u)),
    "expm1": lambda c, u: _numpy(c, "exp", u),
    "sqrt": lambda c, u: div(ast.Constant(0.5), c),
    "square": lambda c, u: mul(TWO, u),
    "sin": lambda c, u: _numpy(c, "cos", u),
    "cos": lambda c, u: neg(_numpy(c, "sin", u)),
    "tan": lambda c, u: add(ONE, power(c, TWO)),
    "tanh": lambda c, u: trees.binary(ONE, ast.Sub, power(c, TWO)),
    "sinh": lambda c, u: _numpy(c, "cosh", u),
    "cosh": lambda c, u: _numpy(c, "sinh", u),
    "arctan": lambda c, u: div(ONE, add(ONE, power(u, TWO))),
    "arcsin": lambda c, u: div(ONE, _numpy(c, "sqrt", trees.binary(ONE, ast.Sub, power(u, TWO)))),
    "abs": lambda c, u: _numpy(c, "sign", u),
    "fabs": lambda c, u: _numpy(c, "sign", u),
    "log2": lambda c, u: div(ONE, mul(u, _numpy(c, "log", TWO))),
    "log10": lambda c, u: div(ONE, mul(u, _numpy(c, "log", ast.Constant(10)))),
    "reciprocal": lambda c, u: neg(div(ONE, power(u, TWO))),
}
LINEAR = frozenset(
    {"sum", "mean", "real", "trace", "average"}
)  # whose argument alone is looked at: the weights stand outside


def derivative(node: Node, variable: str) -> Node:
    """d node / d variable, as if every entry of the result depended on the same entry of the variable alone.

    A sum stands for its summand, an inner product u @ v for one factor times the derivative of the other, a norm for u / ‖u‖.

    Raises:
        NoRule: there is no rule for a part that contains the variable.
    """
    if isinstance(node, ast.Name) and node.id == variable:
        return ONE
    if variable not in trees.names(node):
        return ZERO
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        inner = derivative(node.operand, variable)
        return neg(inner) if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp):
        return _of_operation(node, variable)
    if isinstance(node, ast.Call):
        return _of_call(node, variable)
    if isinstance(node, ast.Subscript):
        raise NoRule
    raise NoRule


def _of_operation(node: ast.BinOp, variable: str) -> Node:
    a, b = node.left, node.right
    da, db = derivative(a, variable), derivative(b, variable)
    match node.op:
        case ast.Add():
            return add(da, db)
        case ast.Sub():
            return add(da, neg(db))
        case ast.Mult():
            return add(mul(da, b), mul(a, db))
        case ast.Div():
            return add(div(da, b), neg(mul(db, div(a, power(b, TWO))) if not is_number(db, 0) else ZERO))
        case ast.Pow():
            if variable not in trees.names(b):
                return mul(mul(b, power(a, less_one(b))), da)
            raise NoRule
        case ast.MatMult():
            return _of_product(a, b, variable)
    raise NoRule


def _of_product(a: Node, b: Node, variable: str) -> Node:
    """Of an inner product u @ v or a quadratic form u @ A @ v."""
    db = derivative(b, variable)
    if isinstance(a, ast.BinOp) and isinstance(a.op, ast.MatMult):  # (u @ A) @ v
        left, matrix = a.left, a.right
        if variable in trees.names(matrix):
            raise NoRule
        dleft = derivative(left, variable)
        scale, plain = _scaled(left)
        if not is_number(dleft, 0) and not is_number(db, 0) and trees.text(plain) == trees.text(b):
            both = trees.binary(trees.binary(matrix, ast.Add, trees.transposed(matrix)), ast.MatMult, b)
            return mul(mul(scale, both), db)
        first = mul(trees.binary(matrix, ast.MatMult, b), dleft) if not is_number(dleft, 0) else ZERO
        second = mul(trees.binary(trees.transposed(matrix), ast.MatMult, left), db) if not is_number(db, 0) else ZERO
        return add(first, second)
    scale, plain = _scaled(a)
    if trees.text(plain) == trees.text(b) and variable not in trees.names(scale):
        return mul(mul(mul(TWO, scale), b), db)
    return add(mul(b, derivative(a, variable)), mul(a, db))


def _scaled(node: Node) -> tuple[Node, Node]:
    """0.5 * lam * u as 0.5 * lam and u."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return node.left, node.right
    return ONE, node


def _of_call(node: ast.Call, variable: str) -> Node:
    function = node.func
    if not isinstance(function, ast.Attribute):
        raise NoRule
    which = function.attr
    if not node.args:
        if which in LINEAR:
            return derivative(function.value, variable)
        raise NoRule
    u = node.args[0]
    if which in LINEAR:
        return derivative(u, variable)
    if which == "norm":
        return mul(div(u, ast.Call(node.func, [u], [])), derivative(u, variable))
    if which in ("logaddexp", "maximum") and len(node.args) == 2:
        zero, u = node.args if is_number(node.args[0], 0) else node.args[::-1]
        if not is_number(zero, 0):
            raise NoRule
        inner = derivative(u, variable)
        if which == "maximum":
            return mul(trees_compare(u), inner)
        return mul(div(ONE, add(ONE, _numpy(node, "exp", neg(u)))), inner)
    if which == "where" and len(node.args) == 3:
        first, second = (derivative(part, variable) for part in node.args[1:])
        return ast.Call(node.func, [node.args[0], first, second], [])
    if which in ("sum", "dot", "inner", "vdot") and len(node.args) == 2:
        return _of_product(node.args[0], node.args[1], variable)
    rule = ELEMENTARY.get(which)
    if rule is None or len(node.args) != 1:
        raise NoRule
    return mul(rule(node, u), derivative(u, variable))


def trees_compare(u: Node) -> Node:
    """u > 0."""
    return ast.Compare(u, [ast.Gt()], [ZERO])


def terms(node: Node) -> Iterator[tuple[int, Node]]:
    """The additive terms of an expression, with their signs."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        yield from terms(node.left)
        flip = -1 if isinstance(node.op, ast.Sub) else 1
        for sign, term in terms(node.right):
            yield flip * sign, term
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        for sign, term in terms(node.operand):
            yield -sign, term
    else:
        yield 1, node


def of_parts(node: Node) -> Iterator[Node]:
    """The derivatives of an expression by each variable in it, whole and term by term."""
    for variable in sorted(trees.names(node)):
        try:
            whole = derivative(node, variable)
        except NoRule:
            continue
        if isinstance(whole, ast.Constant):
            continue
        yield whole
        for _, term in terms(whole):
            yield term


__all__ = ["NoRule", "derivative", "of_parts", "terms"]
