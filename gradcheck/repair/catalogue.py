"""What people get wrong, as a table of edits that grows by a row.

A row has a name, a cost (the more usual the mistake, the smaller), an example of before and after that a test applies it to, and
a function of `edits` that yields what may stand instead, each with a cost of its own that is added.  In a new expression the
name HERE of `places` stands for the one that was there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gradcheck.repair.edits import arithmetic, arrays, borrowed, statements
from gradcheck.repair.places import Edits, Place


class Row(NamedTuple):
    """One kind of edit of an expression."""

    name: str
    cost: float
    before: str
    after: str
    edits: Callable[[Place], Edits]


class StatementRow(NamedTuple):
    """One kind of edit of statements."""

    name: str
    cost: float
    before: str
    after: str
    edits: Callable[[statements.Block], statements.Edits]


EXPRESSIONS = (
    Row("sign", 1.0, "a @ b", "-(a @ b)", arithmetic.sign),
    Row("operator", 1.0, "a + b", "a - b", arithmetic.operator),
    Row("number", 1.0, "2", "4", arithmetic.number),
    Row("exponent", 1.2, "s ** k", "s ** (k - 1)", arithmetic.exponent),
    Row("nearby", 1.0, "i", "i + 1", arithmetic.nearby),
    Row("drop", 1.0, "a * b", "a", arithmetic.drop),
    Row("transpose", 1.1, "A @ x", "A.T @ x", arrays.transpose),
    Row("symmetric", 1.5, "r.T @ S", "r.T @ S + (r.T @ S).T", arithmetic.symmetric),
    Row("parenthesis", 1.2, "2 * a - b", "2 * (a - b)", arithmetic.parenthesis),
    Row("function", 1.3, "np.sum(a)", "np.mean(a)", arrays.function),
    Row("cumulated from the end", 1.8, "np.cumsum(a)", "np.cumsum(a[::-1])[::-1]", arrays.cumulated),
    Row("dtype", 1.2, "np.zeros(4, int)", "np.zeros(4)", arrays.dtype),
    Row("axis", 1.3, "a.sum(axis=0)", "a.sum(axis=1)", arrays.axis),
    Row("elementary", 2.0, "np.tanh(Y)", "1 - np.tanh(Y) ** 2", arithmetic.elementary),
    Row("index", 1.3, "a[i, j]", "a[j, i]", arrays.index),
    Row("mask", 1.6, "w", "w[risk]", arrays.mask),
    Row("condition", 1.2, "m < 0", "m > 0", arrays.condition),
    Row("name", 1.6, "a", "b", borrowed.name),
    Row("donor", 2.4, "a", "X @ b", borrowed.donor),
    Row("factor", 2.2, "a", "a * b", borrowed.factor),
    Row("matrix factor", 3.0, "a", "a @ B", borrowed.matrix_factor),
    Row("limited", 2.2, "e", "np.clip(e, -d, d)", arithmetic.limited),
    Row("boundary", 1.5, "np.pad(w, 1)", "np.pad(w, 1, mode='edge')", arrays.boundary),
    Row("term", 2.6, "a", "a + b", borrowed.term),
)

STATEMENTS = (
    StatementRow("accumulate", 1.2, "g = a\n", "g += a\n", statements.accumulate),
    StatementRow("order", 1.6, "a = 1\nb = a\n", "b = a\na = 1\n", statements.order),
    StatementRow("statement too many", 1.5, "a = 1\nb = 2\n", "b = 2\n", statements.remove),
    StatementRow("target", 1.4, "g[1:] += d\n", "g[:-1] += d\n", statements.target),
    StatementRow("symmetrised", 2.0, "C = r.T @ S\n", "C = r.T @ S\nC = C + C.T\n", statements.transformed),
    StatementRow("line of f", 1.9, "d = a\n", "d = a\nd = d - f(d)\n", statements.foreign),
    StatementRow(
        "moved", 2.2, "for i in a:\n    g += i\n    g *= 2\n", "for i in a:\n    g += i\ng *= 2\n", statements.moved
    ),
)
