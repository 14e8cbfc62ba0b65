"""From x0 as the user has it, and bounds on it, to flat vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import PointError, UsageError
from gradcheck.variables.arrays import Like, framework_of, precision
from gradcheck.variables.containers import container_of
from gradcheck.variables.layout import ArrayLayout, Layout
from gradcheck.variables.points import NESTED, as_bounds, as_point
from gradcheck.wording import did_you_mean, one_line, quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.variables.arrays import Framework


def lay_out(
    x0: Any, *, wrt: str | int | Sequence[str | int] | None = None, unpack: bool = False, names: Sequence[str] = ()
) -> tuple[Layout, NDArray[Any]]:
    """How x0 is laid out as a vector, and that vector, (n,), float64 or float32; it may share memory with `x0`.

    x0: an array of any framework, a number, or a tree of them.
    wrt: the leaves of a tree that are variables, or branches of it; by default all that hold floats.
    unpack: the parts of x0 are the arguments of a function, which is to answer with as many values.
    names: of these arguments, where x0 is a tuple or list.

    Raises:
        PointError: a leaf is nothing that can be a variable, or not finite.
        UsageError: `wrt` names what is not there, or is given for what is no tree.
    """
    if not (unpack or is_tree(x0)):
        if wrt is not None:
            raise UsageError(f"wrt is {quoted(wrt)}, but x0 is one array; it picks leaves of a dict, list or tuple")
        layout, flat, framework, like = _leaf(x0, "")
        if framework is None or like is None:
            return layout, flat
        from gradcheck.variables.frameworks import FrameworkLayout  # of use to few

        return FrameworkLayout(layout, framework, like), flat

    from gradcheck.variables.nodes import Branch, take_apart  # an array does without
    from gradcheck.variables.trees import TreeLayout

    wrt = (wrt,) if isinstance(wrt, (str, int)) else wrt
    try:
        root, leaves = take_apart(x0, names)
    except RecursionError:
        raise PointError(f"x0 {NESTED}") from None
    if unpack and not isinstance(root, Branch):
        raise UsageError(
            f"unpack hands over the parts of a tuple, a list or a dict, and x0 is {_kind(x0)}; leave it out"
        )
    chosen = [k for k, leaf in enumerate(leaves) if _varies(leaf.path, leaf.value)] if wrt is None else []
    for asked in wrt or ():
        name = names[asked] if isinstance(asked, int) and -len(names) <= asked < len(names) else asked
        chosen += [k for k in _named(name, [leaf.path for leaf in leaves]) if k not in chosen]
    if not chosen:
        held = ", ".join(f"{leaf.path} is {_kind(leaf.value)}" for leaf in leaves[:3]) or "it is empty"
        raise PointError(f"x0 has no leaf of floats: {held}; nothing to check")
    found = [_leaf(leaves[k].value, leaves[k].path) for k in chosen]
    framework = _common_framework(
        [(leaves[k].path, entry[2]) for k, entry in zip(chosen, found, strict=True) if entry[3]]
    )
    numbers_alone = all(layout.dtype == np.float64 for layout, _, _, like in found if like is not None)
    dtype = np.float64 if numbers_alone else np.float32  # the lowest precision among the arrays
    tree = TreeLayout(
        root,
        leaves,
        [(k, layout) for k, (layout, *_) in zip(chosen, found, strict=True)],
        dtype,
        framework=framework,
        likes=[like for *_, like in found] if framework is not None else (),
        alone=unpack or wrt is not None,
    )
    if finer := [layout.owner for layout, _, _, like in found if like is not None and layout.dtype != dtype]:
        tree.note = f"{', '.join(finer)}: rounded to float32, as other leaves of x0 are of that precision"
    with np.errstate(over="ignore"):
        return tree, np.concatenate([flat for _, flat, *_ in found]).astype(dtype)


def is_tree(x0: Any) -> bool:
    """Whether x0 is no array: a list or tuple of numbers is one, as NumPy takes it.

    Raises `PointError` for what holds itself.
    """
    try:
        return _is_tree(x0)
    except RecursionError:
        raise PointError(f"x0 {NESTED}") from None


def _is_tree(x0: Any) -> bool:
    container = container_of(x0)
    if container is None:
        return False
    if type(x0) not in (list, tuple):
        return True
    if {float, int}.issuperset(map(type, x0)):
        return False
    return any(
        not isinstance(part, (float, int, np.generic)) and (_is_tree(part) or hasattr(part, "shape") or part is None)
        for part in x0
    )


def _varies(path: str, value: Any) -> bool:
    """Whether a leaf is a variable unless the user says otherwise.  Raises `PointError` for what is neither that nor data."""
    if isinstance(value, (bool, int, str, bytes, type(None), np.bool_, np.integer)):
        return False
    if framework_of(value) is not None:
        return not precision(value).lstrip("u").startswith(("int", "bool"))
    if isinstance(value, (float, complex, np.ndarray, np.generic)):
        return np.asarray(value).dtype.kind in "fcO"
    raise PointError(
        f"{path} of x0 is of type {type(value).__name__}, which is no number; "
        f"name the leaves that are variables, as in wrt=('W', 'b'), and it is handed on as it is"
    )


def _leaf(value: Any, path: str) -> tuple[Layout, NDArray[Any], Framework | None, Like | None]:
    """An array: its layout, its entries, the framework it belongs to, and what it is there; of a number neither of these two."""
    what, framework = f"{path} of x0" if path else "the point", framework_of(value)
    if framework is None:
        x = as_point(value, what, variable=bool(path), may_be_complex=True)
        if x.dtype.kind == "c":
            number = path and isinstance(value, (complex, np.complexfloating))
            return (*_complex_leaf(x, path, value), None, None if number else Like())
        if path and isinstance(value, (float, np.floating)):
            from gradcheck.variables.trees import NumberLayout

            return NumberLayout(type(value), x.dtype, path), x.reshape(-1), None, None
        return ArrayLayout(x.shape, x.dtype, path), x.reshape(-1), None, Like()
    if precision(value) in ("bfloat16", "float16", "half"):
        cast = {"torch": "x0.float()", "jax": "x0.astype('float32')"}.get(framework.name, "float32")
        raise PointError(
            f"{what} has dtype {precision(value)}, which is too coarse to be differenced; give {cast}, and cast within f"
        )
    try:
        numbers, like = framework.numpy(value), framework.like(value)
    except Exception as error:
        device = getattr(value, "device", None)
        where = f" on device {device}" if device is not None else ""
        raise PointError(f"{what} is a {framework.noun}{where} that cannot be read: {one_line(error)}") from None
    x = as_point(numbers, what, may_be_complex=True)
    if x.dtype.kind == "c":
        return (*_complex_leaf(x, path, x), framework, like)
    return ArrayLayout(x.shape, x.dtype, path), x.reshape(-1), framework, like


def _complex_leaf(x: NDArray[Any], path: str, value: Any) -> tuple[Layout, NDArray[Any]]:
    """The layout and the entries of a complex array, or of a number within a tree."""
    from gradcheck.variables.complex import ComplexLayout, ComplexNumberLayout  # of use to few

    flat = x.reshape(-1).view(np.float32 if x.dtype.itemsize == 8 else np.float64)
    if path and isinstance(value, (complex, np.complexfloating)):
        return ComplexNumberLayout(type(value), x.dtype, path), flat
    return ComplexLayout(x.shape, x.dtype, path or "z"), flat


def _common_framework(found: Sequence[tuple[str, Framework | None]]) -> Framework | None:
    """The framework that all arrays are of, by their paths; None for NumPy.  Raises `PointError` if there are several."""
    if not found:
        return None
    first, framework = found[0]
    for path, other in found[1:]:
        if other is not framework:
            nouns = ["NumPy array" if one is None else one.noun for one in (framework, other)]
            raise PointError(
                f"x0 mixes frameworks: {first} is a {nouns[0]} and {path} a {nouns[1]}; make them arrays of one framework"
            )
    return framework


def _named(name: str | int, paths: Sequence[str], option: str = "wrt") -> list[int]:
    """The leaves that a name stands for: one, or all of a branch.  Raises `UsageError` if there are none."""
    path = f"[{name}]" if isinstance(name, int) else name
    found = [k for k, known in enumerate(paths) if known == path or known.startswith((f"{path}.", f"{path}["))]
    if not found:
        shown = ", ".join(paths[:8]) + (", …" if len(paths) > 8 else "")
        raise UsageError(
            f"{option} names {path}, which x0 does not have{did_you_mean(path, paths) or f'; it has {shown}'}"
        )
    return found


def _kind(value: Any) -> str:
    """What a value is, for messages: its dtype, or its type."""
    return f"an array of {precision(value)}" if getattr(value, "shape", ()) else f"of type {type(value).__name__}"


def flat_bounds(bounds: Any, layout: Layout) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Bounds as two vectors, (n,) each.  Raises `PointError` if they do not fit."""
    if bounds is None:
        return None
    try:
        if not layout.leaves:
            pair = as_bounds(bounds, layout.shape)
            assert pair is not None
            low, high = layout.spread(pair[0]), layout.spread(pair[1])
        elif isinstance(bounds, Mapping):
            low, high = np.full(layout.size, -np.inf), np.full(layout.size, np.inf)
            owners = [leaf.owner for leaf, _ in layout.leaves]
            for name, pair in bounds.items():
                for k in _named(name, owners, "bounds"):
                    leaf, where = layout.leaves[k]
                    low[where], high[where] = leaf.spread(pair[0]), leaf.spread(pair[1])
        else:
            low, high = layout.spread(bounds[0]), layout.spread(bounds[1])
        if not (low <= high).all():
            raise ValueError("the lower ones must not be greater than the upper ones")
    except (TypeError, ValueError) as reason:
        raise PointError(f"bounds is {quoted(bounds)}; {reason}") from None
    return low, high


def require_within(x: NDArray[Any], bounds: tuple[NDArray[Any], NDArray[Any]] | None, layout: Layout) -> None:
    """Raise `PointError` if an entry of the vector `x` is outside the bounds."""
    if bounds is None:
        return
    outside = np.flatnonzero((x < bounds[0]) | (x > bounds[1]))
    if outside.size:
        i = int(outside[0])
        raise PointError(
            f"the point is {x[i]} at {layout.name(i) if x.size > 1 else 'its only entry'}, "
            f"outside the bounds {bounds[0][i]:g}:{bounds[1][i]:g}"
        )
