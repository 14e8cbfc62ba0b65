"""Edits that take names and expressions from elsewhere: in place of one, as a factor, as a term."""

from __future__ import annotations

import ast

import numpy as np

from gradcheck.repair import trees
from gradcheck.repair.donors import Donor
from gradcheck.repair.places import HERE, Edits, Place


def name(p: Place) -> Edits:
    """Another name."""
    if not isinstance(p.node, (ast.Name, ast.Subscript, ast.Attribute)):
        return
    own = p.node.id if isinstance(p.node, ast.Name) else None
    for d in p.names:
        if d.text != own and _fits(d, p):
            near = 0.0 if own and (d.text.startswith(own[:1]) or d.text[-1:] == own[-1:]) else 0.3
            yield d.node, near + d.cost + (0.0 if own else 0.8)


def _fits(d: Donor, p: Place) -> bool:
    if not p.values:
        return True
    if p.kind == "i" and p.index:
        return d.kind == "i" and d.shape == p.shape
    return d.shape == p.shape and (d.kind == p.kind or {d.kind, p.kind} <= set("fi"))


def donor(p: Place) -> Edits:
    """An expression of the same shape from elsewhere."""
    if isinstance(p.node, ast.Constant) and p.index:
        return
    for d in p.donors:
        if not d.is_name and _fits(d, p):
            yield d.node, 0.5 * d.cost


def factor(p: Place) -> Edits:
    """A factor or divisor that leaves the shape."""
    if p.index or p.kind not in ("f", "c") or isinstance(p.node, ast.Constant):
        return
    inside = (
        isinstance(p.parent, ast.BinOp) and isinstance(p.parent.op, (ast.Mult, ast.Div)) and p.parent.left is not p.node
    )
    for d in p.donors:
        if d.kind and _broadcasts(d.shape, p.shape):
            cost = 0.5 * d.cost + (0.2 if inside else 0.0)
            yield trees.times(HERE, d.node), cost
            yield trees.binary(HERE, ast.Div, d.node), cost + 0.3


def _broadcasts(shape: tuple[int, ...], into: tuple[int, ...] | None) -> bool:
    if into is None:
        return True
    try:
        return np.broadcast_shapes(shape, into) == into
    except ValueError:
        return False


def matrix_factor(p: Place) -> Edits:
    """A matrix that leaves the shape, on either side."""
    if p.index or p.kind not in ("f", "c") or not p.shape:
        return
    for d in p.donors:
        if d.kind in "fc" and len(d.shape) == 2:
            if d.shape[0] == d.shape[1] == p.shape[-1]:
                yield trees.binary(HERE, ast.MatMult, d.node), 0.5 * d.cost
                yield trees.binary(HERE, ast.MatMult, trees.transposed(d.node)), 0.5 * d.cost + 0.2
            if d.shape[0] == d.shape[1] == p.shape[0]:
                yield trees.binary(d.node, ast.MatMult, HERE), 0.5 * d.cost
                yield trees.binary(trees.transposed(d.node), ast.MatMult, HERE), 0.5 * d.cost + 0.2


def term(p: Place) -> Edits:
    """A term that leaves the shape; a coefficient is fitted to it, so that its sign does not matter."""
    if p.index or p.kind not in ("f", "c") or isinstance(p.node, ast.Constant):
        return
    for d in p.donors:
        if d.kind in "fci" and d.kind and _broadcasts(d.shape, p.shape):
            yield trees.binary(HERE, ast.Add, d.node), 0.5 * d.cost
