"""Each row of the catalogue of edits does what its example shows."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from gradcheck.repair import trees
from gradcheck.repair.candidates import insert
from gradcheck.repair.catalogue import EXPRESSIONS, STATEMENTS, Row, StatementRow
from gradcheck.repair.donors import Donor
from gradcheck.repair.edits.statements import Block
from gradcheck.repair.places import Place
from gradcheck.repair.program import Line, Routine, changed

VALUES = {
    "a": np.array([1.0, 2, 3]),
    "b": np.array([3.0, 1, 2]),
    "e": np.array([1.0, -2, 3]),
    "w": np.array([1.0, 2, 3]),
    "x": np.array([1.0, 2, 3]),
    "X": np.eye(3) * 2,
    "A": np.arange(9.0).reshape(3, 3),
    "B": np.arange(9.0).reshape(3, 3) + 1,
    "m": np.array([1.0, -2, 3]),
    "s": np.array([1.0, 2, 3]),
    "r": np.arange(9.0).reshape(3, 3) + 2,
    "S": np.arange(9.0).reshape(3, 3) + 3,
    "Y": np.array([0.1, 0.2, 0.3]),
    "d": 0.7,
    "k": 3,
    "i": 1,
    "j": 0,
    "risk": np.array([True, False, True]),
}


def donor(text: str) -> Donor:
    code = trees.compiled(text)
    return Donor(text, 0.0, [eval(code, {**VALUES, "np": np})], code)


def place_of(text: str) -> Place:
    node = trees.parse(text)
    names = [donor(name) for name in VALUES]
    matrix = "a[i, j]" in text  # an example about indices alone
    value = 1.0 if matrix else eval(text, {**VALUES, "np": np, "A": VALUES["A"]})
    return Place(node, None, [value], names, [*names, donor("X @ b")], "np", index=text == "i")


@pytest.mark.parametrize("row", EXPRESSIONS, ids=lambda row: row.name)
def test_an_edit_of_an_expression(row: Row) -> None:
    place = place_of(row.before)
    found = {trees.text(insert(new, place.node)): cost for new, cost in row.edits(place)}
    assert row.after in found, sorted(found)
    assert all(row.cost + cost > 0 for cost in found.values())


def block_of(text: str) -> tuple[Block, Routine]:
    tree = ast.parse("def g(x):\n" + "".join(f"    {line}\n" for line in text.splitlines()) + "    return g\n").body[0]
    assert isinstance(tree, ast.FunctionDef)
    routine = Routine(None, tree, None, {}, None)  # type: ignore[arg-type]
    first, second = tree.body[0], tree.body[1]
    line = Line(routine, first, (tree,), False)
    indices = [trees.parse("g[:-1]").slice]  # type: ignore[attr-defined]
    foreign = ast.parse("d = d - f(d)").body
    after = second if not isinstance(second, ast.Return) or isinstance(first, ast.For) else None
    return Block(line, None, after, ("g", "a"), {}, indices, foreign), routine


@pytest.mark.parametrize("row", STATEMENTS, ids=lambda row: row.name)
def test_an_edit_of_statements(row: StatementRow) -> None:
    block, routine = block_of(row.before)
    found = set()
    for table, _ in row.edits(block):
        body = [s for s in changed(routine, table).body if not isinstance(s, ast.Return)]
        found.add("".join(ast.unparse(ast.fix_missing_locations(statement)) + "\n" for statement in body))
    assert row.after in found, sorted(found)


def test_what_is_not_there_is_not_offered() -> None:
    conditions = next(row for row in EXPRESSIONS if row.name == "condition")
    assert not list(conditions.edits(place_of("a + b")))
    numbers = next(row for row in EXPRESSIONS if row.name == "number")
    assert not list(numbers.edits(place_of("a")))
    without_numpy = place_of("Y")
    assert not [new for new, _ in EXPRESSIONS[0].edits(Place(trees.parse("2"), index=True))]
    elementary = next(row for row in EXPRESSIONS if row.name == "elementary")
    bare = Place(without_numpy.node, None, without_numpy.values, numpy=None)
    assert not any("np" in trees.names(new) for new, _ in elementary.edits(bare))
