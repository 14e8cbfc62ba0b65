"""A point: valid, drawn at random, described, its neighbours.  Everything unfit is a `PointError` that names the remedy.

It is long because all that can be wrong with an x0, whatever it is made of, is said in one place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import PointError, UsageError
from gradcheck.model import Point
from gradcheck.numerics.directions import Stream, normal, uniform
from gradcheck.options import places as kinds
from gradcheck.options.places import MOST_DIMENSIONS
from gradcheck.variables.arrays import FRAMEWORKS, ArrayStandard, Framework, Like, framework_of, precision
from gradcheck.variables.containers import container_of
from gradcheck.variables.layout import ArrayLayout, FrameworkLayout, Layout
from gradcheck.variables.numbers import is_masked
from gradcheck.wording import by, did_you_mean, named, one_line, place, quoted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    Bounds = tuple[ArrayLike, ArrayLike]
    """(lower, upper), each a number or an array that broadcasts to the shape of the point; ±inf for none."""


_MAX_VALUES = 16
BOUNDS = kinds.Bounds()


def as_bounds(bounds: Any, shape: tuple[int, ...] | None = None) -> Bounds | None:
    """Bounds as a valid pair; with `shape`, such as fit a point of that shape.  Raises `PointError`."""
    if bounds is None:
        return None
    try:
        valid = BOUNDS.check(bounds)
    except ValueError as reason:
        raise PointError(f"bounds is {quoted(bounds)}; {reason}") from None
    if isinstance(valid, Mapping):
        raise PointError(
            f"bounds is {quoted(bounds)}, by the names of leaves, and the point is one array; give one pair"
        )
    low, high = valid
    if shape is not None and not all(_fits(np.shape(side), shape) for side in (low, high)):
        raise PointError(f"bounds is {quoted(bounds)}; it must fit a point of shape {by(shape)}")
    return low, high


def _fits(small: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether an array of shape `small` can be broadcast to `shape`."""
    pairs = zip(reversed(small), reversed(shape), strict=False)
    return len(small) <= len(shape) and all(one in (1, size) for one, size in pairs)


NESTED = "is nested too deeply, or holds itself; give arrays, or dicts and lists of them"


def as_point(x0: Any, what: str = "the point", *, variable: bool = False, may_be_complex: bool = False) -> NDArray[Any]:
    """Return `x0` as a C-ordered float64 or float32 array of any shape, () included; it may share memory with `x0`.

    Integers become float64; `variable`: not those of a leaf of a tree, which was named as a variable by mistake.
    may_be_complex: complex128 and complex64 are taken as well.

    Raises `PointError` for anything else (complex, objects, other precisions, ragged lists), for NaN and infinities, and for an
    array without entries.
    """
    if is_masked(x0):
        raise PointError(f"{what} has masked entries, which are no numbers; fill them (numpy.ma.filled)")
    try:
        x = np.asarray(x0, order="C")
    except (TypeError, ValueError) as error:
        ragged = "inhomogeneous" in str(error)
        reason = "is ragged" if ragged else f"is a {type(x0).__name__} that numpy cannot take ({one_line(error)})"
        raise PointError(f"{what} {reason}; give an array of floats") from None
    except RecursionError:
        raise PointError(f"{what} {NESTED}") from None
    except Exception as error:  # of a method of its own, such as __array__
        raise PointError(
            f"{what}, of type {type(x0).__name__}, raised {named(error)} when asked for its numbers"
        ) from error
    if x.dtype.kind == "f" and x.dtype.itemsize in (4, 8):
        if not x.dtype.isnative:
            x = x.astype(x.dtype.newbyteorder("="))  # a file may hold the other byte order
    elif x.dtype.kind in "iu" and not variable:
        x = x.astype(np.float64)
    elif may_be_complex and x.dtype.kind == "c" and x.dtype.itemsize in (8, 16):
        x = x.astype(x.dtype.newbyteorder("="), copy=False)
    else:
        raise PointError(f"{what} {_unfit(x, x0)}")
    if x.ndim > MOST_DIMENSIONS:
        raise PointError(f"{what} has {x.ndim} dimensions; reshape it, more than {MOST_DIMENSIONS} are too many")
    if not x.size:
        raise PointError(f"{what} has shape {by(x.shape)} and no entries; nothing to check")
    finite = np.isfinite(x)
    if not finite.all():
        index = tuple(int(i) for i in np.unravel_index(int(np.argmin(finite)), x.shape))
        raise PointError(f"{what} is {x[index]} at {place(index) if index else 'its only entry'}; give finite numbers")
    return x


def integer_dtype(x0: Any) -> str:
    """The dtype of a point that was given as integers, which are taken as float64; '' if it was not."""
    if isinstance(x0, (np.ndarray, np.generic)):
        dtype = x0.dtype
    elif framework_of(x0) is not None:
        name = precision(x0)
        return name if name.lstrip("u").startswith("int") else ""
    elif isinstance(x0, (int, list, tuple)):
        dtype = np.asarray(x0).dtype
    else:
        return ""
    return str(dtype) if dtype.kind in "iu" else ""


# ---- x0 as the user has it


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
        return layout if framework is None or like is None else FrameworkLayout(layout, framework, like), flat

    from gradcheck.variables.trees import Branch, TreeLayout, take_apart  # an array does without

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


def framework_named(name: str) -> Framework | None:
    """A framework that the user names, which is imported; None for NumPy.  Raises `UsageError` if there is none of that name."""
    from importlib import import_module

    try:
        module = import_module(name.replace("-", "_"))
    except Exception as error:
        reason = (
            "is not installed" if isinstance(error, ModuleNotFoundError) else f"cannot be imported: {one_line(error)}"
        )
        raise UsageError(f"arrays is {quoted(name)}, a framework that {reason}") from None
    if module is np:
        return None
    home = module.__name__.partition(".")[0]
    if home in FRAMEWORKS:
        if home == "jax":
            import_module("jax.numpy")
        return FRAMEWORKS[home]
    if not hasattr(module, "__array_namespace_info__"):
        raise UsageError(
            f"arrays is {quoted(name)}, which does not keep to the array API standard; name torch, jax or such"
        )
    return ArrayStandard(module)


def in_framework(x0: Any, framework: Framework) -> Any:
    """x0 with arrays of a framework in place of those of NumPy, on the device where that framework makes arrays."""

    def converted(value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        return framework.make([value if value.flags.writeable else value.copy()], [Like()])[0]

    if not is_tree(x0):
        return converted(x0)
    from gradcheck.variables.trees import take_apart

    root, leaves = take_apart(x0)
    return root.maker()([converted(leaf.value) for leaf in leaves])


# ---- points that are made


def draw(
    shape: int | Sequence[int], dtype: DTypeLike = np.float64, seed: int = 0, bounds: Bounds | None = None
) -> NDArray[Any]:
    """Draw a random point of a shape and dtype: the same for the same seed; a complex one has such real and imaginary parts.

    Standard normal without bounds; between two finite bounds uniform over the inner 98 %, so that there is room for
    differences; with one bound, away from it by a log-normal distance of max(1, |bound|).
    """
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    bounds = as_bounds(bounds, shape)
    count = math.prod(shape)
    if np.dtype(dtype).kind == "c":
        if bounds is not None:
            raise PointError("complex numbers have no order; bounds are for real variables")
        parts = draw((*shape, 2), np.float32 if np.dtype(dtype).itemsize == 8 else np.float64, seed)
        return parts.view(dtype).reshape(shape)
    try:
        around = normal(count, _seed(seed), Stream.POINT).reshape(shape)
        if bounds is None:
            return around.astype(dtype, copy=False)
        low, high = (np.asarray(bound, dtype=np.float64) for bound in bounds)
        share = 0.01 + 0.98 * uniform(count, seed, Stream.POINT).reshape(shape)
    except (MemoryError, ValueError):
        raise PointError(f"a point of shape {by(shape)} does not fit into memory") from None
    with np.errstate(over="ignore", invalid="ignore"):
        x = np.where(
            np.isfinite(low) & np.isfinite(high),
            low * (1 - share) + high * share,
            np.where(
                np.isfinite(low),
                low + np.maximum(1, np.abs(low)) * np.exp(around),
                np.where(np.isfinite(high), high - np.maximum(1, np.abs(high)) * np.exp(around), around),
            ),
        )
        return as_point(np.clip(x, low, high).astype(dtype), f"a random {np.dtype(dtype)} point within the bounds")


def neighbours(x0: NDArray[Any], count: int, seed: int = 0, bounds: Bounds | None = None) -> Iterator[NDArray[Any]]:
    """Draw `count` further points around `x0`, each when it is asked for, of its shape and dtype; the k-th is always the same."""
    bounds = as_bounds(bounds, x0.shape)
    return (neighbour(x0, number, seed, bounds) for number in range(count))


def neighbour(x0: NDArray[Any], number: int, seed: int = 0, bounds: Bounds | None = None) -> NDArray[Any]:
    """Draw a further point around `x0`, of its shape and dtype: the same for the same number.

    An entry moves by at most half of its own size, so that it keeps its sign, which is often the edge of a domain; one
    that is 0 moves by half of the median size of the others.
    """
    size = np.abs(x0.astype(np.float64))
    nonzero = size[size > 0]
    typical = float(np.partition(nonzero, nonzero.size // 2)[nonzero.size // 2]) if nonzero.size else 1.0
    scale = np.where(size > 0, size, typical)
    share = uniform(x0.size, _seed(seed), Stream.POINT + 1 + number).reshape(x0.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        return inside(x0 + scale * (share - 0.5), x0, bounds)


def inside(x: NDArray[Any], x0: NDArray[Any], bounds: Bounds | None) -> NDArray[Any]:
    """A point in the dtype of `x0`: an entry outside the bounds is put half-way from x0 to the bound, one not finite at x0."""
    with np.errstate(over="ignore", invalid="ignore"):
        if bounds is not None:
            low, high = (np.asarray(bound, dtype=np.float64) for bound in bounds)
            x = np.where(x < low, x0 / 2 + low / 2, np.where(x > high, x0 / 2 + high / 2, x))
            x = np.clip(x, low, high)
        x = x.astype(x0.dtype)
    return np.where(np.isfinite(x), x, x0)


_NAMES = {
    4: "float32",
    8: "float64",
}  # of the dtypes that a point has; dtype.name takes longer than a check has time for


def describe_point(x: NDArray[Any], origin: str, seed: int | None = None, *, layout: Layout | None = None) -> Point:
    """The record of a point for a report; its values only where they are few.

    layout: how it is laid out, if x is the vector.
    """
    values = tuple(x.ravel().tolist()) if x.size <= _MAX_VALUES else ()
    shape, leaves = (x.shape, ()) if layout is None else (layout.given, layout.leaves)
    dtype = _NAMES[x.dtype.itemsize]
    if layout is not None and layout.imaginary is not None:
        dtype, values = {"float32": "complex64", "float64": "complex128"}[dtype], ()
    return Point(
        shape=shape,
        dtype=dtype,
        origin=origin,
        seed=seed,
        values=values,
        leaves=tuple((leaf.owner, leaf.given) for leaf, _ in leaves),
    )


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


def check_within(x: NDArray[Any], bounds: Bounds | None) -> None:
    """Raise `PointError` if an entry of `x` is outside the bounds."""
    if bounds is None:
        return
    low, high = (np.broadcast_to(np.asarray(bound, dtype=np.float64), x.shape) for bound in bounds)
    outside = (x < low) | (x > high)
    if outside.any():
        index = tuple(int(i) for i in np.unravel_index(int(np.argmax(outside)), x.shape))
        raise PointError(
            f"the point is {x[index]} at {place(index) if index else 'its only entry'}, "
            f"outside the bounds {low[index]:g}:{high[index]:g}"
        )


def _unfit(x: NDArray[Any], x0: Any) -> str:
    if x.dtype.kind in "iub":
        fix = ".astype(float)" if isinstance(x0, np.ndarray) else "decimal points, or numpy.array(x0).astype(float)"
        return f"holds {x.dtype} numbers, which cannot be perturbed; use {fix}"
    if x.dtype.kind == "f":
        return f"has dtype {x.dtype}; only float64 and float32 can be checked: use .astype(float)"
    if x.dtype.kind == "c":
        if x.dtype.itemsize not in (8, 16):
            return f"is {x.dtype}; only complex128 and complex64 can be checked: use .astype(complex)"
        return f"is {x.dtype}; give its real and imaginary parts as one real array"
    if x.dtype.kind == "O" and x.ndim == 0:
        return f"is a {type(x0).__name__}; give an array of floats"
    return f"has dtype {x.dtype}, not numbers; use .astype(float)"


def _seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise PointError(f"seed {seed!r} is not a whole number of at least 0")
    return int(seed)
