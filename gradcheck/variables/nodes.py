"""A tree of dicts, lists, tuples and records, taken apart into nodes and leaves, which put it together again.

The nodes also find the leaves in another tree of the same structure, such as a claimed derivative.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gradcheck.errors import UserCodeError
from gradcheck.model import FindingKind
from gradcheck.variables.containers import Container, Make, Row, container_of


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A leaf, by its number."""

    number: int

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of all leaves from here on."""
        return frozenset((self.number,))

    def maker(self) -> Make:
        """What picks this leaf out of all of them."""
        return operator.itemgetter(self.number)


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """A container and what it holds.

    path: what it is called; '' for x0 itself.
    """

    container: Container
    template: Any
    path: str
    keys: tuple[Any, ...]
    children: tuple[Branch | Slot, ...]
    numbers: frozenset[int]

    def maker(self) -> Make:
        """What puts it together of all leaves of the tree."""
        return self.container.maker(self.template, self.keys, tuple(child.maker() for child in self.children))


Node = Branch | Slot


class Leaf(NamedTuple):
    """A leaf of x0 and what it is called: ``W1``, ``out.W2``, ``layers[0].b``."""

    path: str
    value: Any


def take_apart(x0: Any, names: Sequence[str] = ()) -> tuple[Node, list[Leaf]]:
    """A tree as nodes, and its leaves in their order.

    names: what the children of a list or tuple are called that is x0 itself, where they are the arguments of a function.
    """
    leaves: list[Leaf] = []

    def path_of(container: Container, path: str, key: Any) -> str:
        return names[key] if names and not path and isinstance(container, Row) else container.path(path, key)

    def node(value: Any, path: str, above: tuple[int, ...]) -> Node:
        container = None if id(value) in above else container_of(value)
        if container is None:
            leaves.append(Leaf(path, value))
            return Slot(len(leaves) - 1)
        keys, first = container.keys(value), len(leaves)
        inner = (*above, id(value))
        children = tuple(node(container.child(value, key), path_of(container, path, key), inner) for key in keys)
        return Branch(container, value, path, keys, children, frozenset(range(first, len(leaves))))

    return node(x0, "", ()), leaves


def find(node: Node, value: Any, wanted: frozenset[int], role: str) -> dict[int, Any]:
    """The leaves `wanted` of an answer that has the structure of a tree; what stands in the place of others does not matter.

    Raises `UserCodeError` that names the first difference.
    """
    if isinstance(node, Slot):
        return {node.number: value} if node.number in wanted else {}
    of = f" for {node.path}" if node.path else ""
    answers = node.container.answered(value, node.keys)
    if answers is None:
        raise misfit_error(f"{role} returned {noun_of(value)}{of} where x0 has {node.container.noun}", role)
    needed = {key: child for key, child in zip(node.keys, node.children, strict=True) if child.numbers & wanted}
    if isinstance(node.container, Row) and len(answers) != len(node.keys):
        if len(answers) != len(needed):
            raise misfit_error(f"{role} returned {len(answers)} values{of} where x0 has {len(node.keys)}", role)
        answers = dict(zip(needed, answers.values(), strict=True))
    found: dict[int, Any] = {}
    for key, child in needed.items():
        if key not in answers:
            path = node.container.path(node.path, key)
            raise misfit_error(f"{role} returned nothing for {path}; it must return the tree that x0 is", role)
        found |= find(child, answers[key], wanted, role)
    for key in answers:
        if key not in node.keys:
            raise misfit_error(f"{role} returned {node.container.path(node.path, key)}, which x0 does not have", role)
    return found


def misfit_error(message: str, role: str) -> UserCodeError:
    return UserCodeError(message, FindingKind.WRONG_SHAPE, role)


def noun_of(value: Any) -> str:
    """What a value is, for messages."""
    container = container_of(value)
    if container is not None:
        return container.noun
    shape = getattr(value, "shape", None)
    return "a number" if shape == () or isinstance(value, float) else "an array" if shape else type(value).__name__
