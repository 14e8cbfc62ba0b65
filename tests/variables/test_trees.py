"""Trees: laid out in a vector and back, named, and found again in the answers of user code."""

from __future__ import annotations

import collections
import pickle
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.errors import PointError, UsageError, UserCodeError
from gradcheck.variables.flat import lay_out
from gradcheck.variables.layout import ArrayLayout
from gradcheck.variables.places import Places
from gradcheck.variables.trees import TreeLayout


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclass
class Layer:
    W: Any
    b: Any
    activation: str = "tanh"


@dataclass(frozen=True, slots=True)
class Net:
    layers: list
    scale: float = 2.0
    made: bool = field(default=False, init=False)


def net() -> Net:
    return Net([Layer(np.arange(6.0).reshape(2, 3), np.ones(2)), Layer(np.full((1, 2), 7.0), np.zeros(1), "none")])


TREES = {
    "a dict": ({"W": np.ones((2, 3)), "b": np.zeros(2)}, ["W[0, 0]", "W[1, 2]", "b[0]"], [0, 5, 6]),
    "a dict in a dict": ({"out": {"W2": np.ones((4, 2))}}, ["out.W2[3, 1]"], [7]),
    "a tuple": ((np.ones(2), np.ones(1)), ["[0][1]", "[1][0]"], [1, 2]),
    "a list in a dict": ({"layers": [np.ones(2), np.ones(2)]}, ["layers[1][0]"], [2]),
    "a NamedTuple": (Pair(np.ones(2), 3.0), ["a[1]", "b"], [1, 2]),
    "dataclasses": (net(), ["layers[0].W[1, 2]", "layers[1].b[0]", "scale"], [5, 10, 11]),
    "names of torch": ({"0.weight": np.ones((1, 2))}, ["0.weight[0, 1]"], [1]),
    "a key that is no name": ({"my key": np.ones(2), 3: np.ones(1)}, ["['my key'][1]", "[3][0]"], [1, 2]),
    "numbers": ({"a": 1.5, "b": np.float32(2.0), "c": np.float64(3.0)}, ["a", "b", "c"], [0, 1, 2]),
}


@pytest.mark.parametrize(("tree", "names", "entries"), TREES.values(), ids=TREES)
def test_every_entry_is_called_as_its_owner_would_write_it(tree, names, entries):
    layout, flat = lay_out(tree)
    assert [layout.name(k) for k in entries] == names
    assert flat.shape == layout.shape == (layout.size,)


@pytest.mark.parametrize("tree", [tree for tree, *_ in TREES.values()], ids=TREES)
def test_f_is_handed_the_same_tree_with_the_numbers_of_the_vector(tree):
    layout, flat = lay_out(tree)
    assert repr(layout.argument(flat)) == repr(tree)
    moved = layout.argument(flat + 1)
    assert type(moved) is type(tree)
    np.testing.assert_array_equal(lay_out(moved)[1], flat + 1)


@pytest.mark.parametrize("tree", [tree for tree, *_ in TREES.values()], ids=TREES)
def test_a_claim_of_the_same_structure_is_read_back(tree):
    layout, flat = lay_out(tree)
    np.testing.assert_array_equal(layout.numbers(layout.argument(flat), "grad"), flat)
    np.testing.assert_array_equal(layout.numbers(layout.derivative(2.0 * flat), "grad"), 2 * flat)


def test_a_tree_survives_being_sent_to_another_process():
    layout, flat = lay_out(net())
    again = pickle.loads(pickle.dumps(layout))
    assert repr(again.argument(flat)) == repr(net())


def test_what_is_no_float_is_handed_on_as_it_is():
    flags = np.array([True, False])
    tree = {"W": np.ones(2), "n": 3, "flags": flags, "name": "x", "nothing": None, "index": np.arange(3)}
    layout, flat = lay_out(tree)
    assert [leaf.owner for leaf, _ in layout.leaves] == ["W"]
    made = layout.argument(flat)
    assert made["flags"] is flags
    assert (made["n"], made["name"], made["nothing"]) == (3, "x", None)


def test_arrays_of_one_dtype_share_the_memory_of_the_vector():
    layout, flat = lay_out({"W": np.ones((2, 3)), "b": np.zeros(2), "n": 4})
    lend = layout.lending(flat)
    first = lend()
    flat[:] = np.arange(8)
    second = lend()
    assert first is not second  # f may put other things into the dict that it is given
    assert first["W"] is second["W"]
    assert np.shares_memory(second["b"], flat)
    np.testing.assert_array_equal(second["W"], np.arange(6).reshape(2, 3))


def test_leaves_of_mixed_precision_are_checked_in_the_lower_one():
    layout, flat = lay_out({"W": np.ones(2, np.float32), "b": np.full(2, 0.1), "c": 0.5})
    assert flat.dtype == np.float32
    assert layout.note == "b: rounded to float32, as other leaves of x0 are of that precision"
    made = layout.argument(flat)
    assert (made["W"].dtype, made["b"].dtype, type(made["c"])) == (np.float32, np.float64, float)
    lend = layout.lending(flat)
    flat[2] = 4.0
    assert lend()["b"][0] == 4.0


def test_numbers_alone_do_not_lower_the_precision_nor_raise_it():
    assert lay_out({"a": 1.0, "W": np.ones(2, np.float32)})[1].dtype == np.float32
    assert lay_out({"a": 1.0, "b": 2.0})[1].dtype == np.float64


@pytest.mark.parametrize(
    ("x0", "tree"),
    [
        ([1.0, 2.0], False), ((1.0, 2.0), False), ([[1.0], [2.0]], False), (3.0, False), (np.ones(2), False),
        ([np.float64(1), np.float64(2)], False), ([np.ones(2), np.ones(2)], True), ((np.ones(2), 1.0), True),
        (Pair(1.0, 2.0), True), ({"a": 1.0}, True), ([1.0, None], True), ([[1.0, np.ones(2)], 2.0], True),
    ],
)  # fmt: skip
def test_a_list_of_numbers_is_an_array_as_it_ever_was(x0, tree):
    layout, _ = lay_out(x0)
    assert isinstance(layout, TreeLayout if tree else ArrayLayout)


# ---- wrt and unpack


def test_wrt_picks_leaves_and_branches_in_its_order():
    tree = {"enc": {"W": np.ones(2), "b": np.ones(1)}, "dec": np.zeros(3), "lr": 0.1}
    layout, flat = lay_out(tree, wrt=("dec", "enc"))
    assert [leaf.owner for leaf, _ in layout.leaves] == ["dec", "enc.W", "enc.b"]
    np.testing.assert_array_equal(flat, [0, 0, 0, 1, 1, 1])
    assert layout.argument(flat)["lr"] == 0.1


def test_wrt_hands_on_what_could_be_no_variable():
    handed_on = object()
    layout, flat = lay_out({"W": np.ones(2), "model": handed_on}, wrt=("W",))
    assert layout.argument(flat)["model"] is handed_on


@pytest.mark.parametrize(
    "answer",
    [
        {"W": np.full(2, 5.0)},
        {"W": np.full(2, 5.0), "b": None},
        {"W": np.full(2, 5.0), "b": np.zeros(9)},
        np.full(2, 5.0),
    ],
)
def test_the_claim_may_return_the_leaves_of_wrt_alone(answer):
    layout, _ = lay_out({"W": np.ones(2), "b": np.ones(3)}, wrt=("W",))
    np.testing.assert_array_equal(layout.numbers(answer, "grad"), [5, 5])


def test_the_leaves_alone_may_come_as_a_tuple():
    layout, _ = lay_out({"W": np.ones(2), "b": np.ones(3), "c": 1.0}, wrt=("c", "W"))
    np.testing.assert_array_equal(layout.numbers((9.0, np.full(2, 5.0)), "grad"), [9, 5, 5])
    layout, _ = lay_out((np.ones(2), np.ones(3), 1.0), wrt=(0, 2))
    np.testing.assert_array_equal(layout.numbers((np.full(2, 5.0), 9.0), "grad"), [5, 5, 9])


def test_arguments_of_a_tuple_go_by_the_names_of_the_function():
    layout, _ = lay_out((np.ones(2), {"c": 1.0}), unpack=True, names=("a", "b"))
    assert [layout.name(k) for k in range(3)] == ["a[0]", "a[1]", "b.c"]


def test_arguments_by_name_may_be_answered_in_their_order():
    layout, _ = lay_out({"a": np.ones(2), "b": 1.0}, unpack=True)
    np.testing.assert_array_equal(layout.numbers((np.full(2, 5.0), 6.0), "grad"), [5, 5, 6])


# ---- what f changes


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda tree: None, ""),
        (lambda tree: tree["out"]["W"].fill(3), "out.W"),
        (lambda tree: tree.update(a=9.0), "a"),
        (lambda tree: tree.pop("a"), "the tree that it is given"),
        (lambda tree: tree.update(new=1), "the tree that it is given"),
        (lambda tree: tree["index"].sort(), "index"),
        (lambda tree: tree.update(a=np.ones(2)), "a"),
        (lambda tree: tree["out"].update(W=[1, 2, 3]), "out.W"),
    ],
)
def test_what_f_changes_of_its_argument_is_noticed(change, what):
    layout, flat = lay_out({"a": 1.0, "out": {"W": np.ones(2)}, "index": np.array([2, 1])})
    argument = layout.argument(flat.copy())
    change(argument)
    assert layout.altered(argument, flat) == what


# ---- answers of another structure

TREE = {"W": np.ones((2, 3)), "out": {"b": np.ones(2)}, "parts": [np.ones(1), np.ones(1)], "pair": Pair(1.0, 2.0)}
RIGHT = {"W": np.ones((2, 3)), "out": {"b": np.ones(2)}, "parts": [np.ones(1), np.ones(1)], "pair": Pair(1.0, 2.0)}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "grad returned None: does it end without a return statement"),
        (np.ones(11), "grad returned an array where x0 has a dict"),
        (RIGHT | {"out": {}}, "grad returned nothing for out.b"),
        (RIGHT | {"out": {"b": np.ones(2), "c": 1.0}}, "grad returned out.c, which x0 does not have"),
        (RIGHT | {"out": [1.0, 2.0]}, "grad returned a list for out where x0 has a dict"),
        (RIGHT | {"W": None}, "grad returned None for W; return zeros"),
        (RIGHT | {"W": {"x": 1.0}}, "grad returned a dict for W where x0 has an array"),
        (RIGHT | {"W": np.ones((3, 2))}, r"grad returned shape \(3, 2\) for W, expected \(2, 3\); it looks transposed"),
        (RIGHT | {"W": "x"}, "grad returned str"),
        (RIGHT | {"parts": [np.ones(1)]}, "grad returned 1 values for parts where x0 has 2"),
        (RIGHT | {"pair": (1.0,)}, "grad returned a tuple for pair where x0 has a Pair"),
        ({key: RIGHT[key] for key in ("W", "out", "parts")}, "grad returned nothing for pair"),
    ],
)  # fmt: skip
def test_an_answer_of_another_structure_is_refused_by_its_first_difference(answer, message):
    layout, _ = lay_out(TREE)
    with pytest.raises(UserCodeError, match=message):
        layout.numbers(answer, "grad")


def test_lists_tuples_and_records_stand_for_each_other():
    layout, flat = lay_out(TREE)
    answer = {**TREE, "parts": (np.ones(1), np.ones(1)), "pair": {"a": 1.0, "b": 2.0}}
    np.testing.assert_array_equal(layout.numbers(answer, "grad"), flat)
    np.testing.assert_array_equal(layout.numbers({**answer, "pair": [1.0, 2.0]}, "grad"), flat)


# ---- what is no point


@pytest.mark.parametrize(
    ("x0", "options", "message"),
    [
        ({"a": object()}, {}, "a of x0 is of type object, which is no number; name the leaves that are variables"),
        ({"net": {"f": np.sin}}, {}, "net.f of x0 is of type ufunc"),
        ({"a": np.ones(2, np.float16)}, {}, "a of x0 has dtype float16; only float64 and float32 can be checked"),
        ({"a": np.array([object()])}, {}, "a of x0 has dtype object, not numbers"),
        ({"out": {"W": np.array([[1.0, np.nan]])}}, {}, r"out.W of x0 is nan at \[0, 1\]; give finite numbers"),
        ({"n": 3, "name": "x"}, {}, "x0 has no leaf of floats: n is of type int, name is of type str"),
        ({}, {}, "x0 has no leaf of floats: it is empty"),
        ({"W": np.ones(2), "n": 3}, {"wrt": ("n",)}, "n of x0 holds int64 numbers, which cannot be perturbed"),
    ],
)  # fmt: skip
def test_a_tree_that_is_no_point_is_refused_by_the_path_of_the_leaf(x0, options, message):
    with pytest.raises(PointError, match=message):
        lay_out(x0, **options)


@pytest.mark.parametrize(
    ("x0", "options", "message"),
    [
        (np.ones(3), {"wrt": ("W",)}, "but x0 is one array"),
        (np.ones(3), {"unpack": True}, "unpack hands over the parts of a tuple, a list or a dict"),
        (
            {"weights": np.ones(2)},
            {"wrt": ("weight",)},
            "wrt names weight, which x0 does not have; did you mean weights",
        ),
        ({"W": np.ones(2)}, {"wrt": ("zzz",)}, "wrt names zzz, which x0 does not have; it has W"),
    ],
)
def test_wrt_and_unpack_are_for_trees(x0, options, message):
    with pytest.raises(UsageError, match=message):
        lay_out(x0, **options)


def test_a_tree_that_holds_itself_ends():
    tree: dict[str, Any] = {"a": np.ones(2)}
    tree["self"] = tree
    with pytest.raises(PointError, match="self of x0 is of type dict"):
        lay_out(tree)


# ---- classes that are registered elsewhere


class Bag:
    """A container that nobody knows until it is registered."""

    def __init__(self, **parts):
        self.parts = parts


def test_classes_registered_with_optree_are_containers():
    optree = pytest.importorskip("optree", reason="optree is not installed")
    optree.register_pytree_node(
        Bag,
        lambda bag: (tuple(bag.parts.values()), tuple(bag.parts), tuple(bag.parts)),
        lambda keys, children: Bag(**dict(zip(keys, children, strict=True))),
        namespace=optree.registry.__GLOBAL_NAMESPACE,
    )
    layout, flat = lay_out({"bag": Bag(u=np.ones(2), v=3.0)})
    assert [layout.name(k) for k in range(3)] == ["bag.u[0]", "bag.u[1]", "bag.v"]
    assert layout.argument(flat)["bag"].parts["v"] == 3.0
    np.testing.assert_array_equal(layout.numbers({"bag": Bag(u=np.ones(2), v=3.0)}, "grad"), flat)


def test_dicts_of_other_types_keep_their_type():
    layout, flat = lay_out(collections.OrderedDict(a=np.ones(2), b=1.0))
    assert isinstance(layout.argument(flat), collections.OrderedDict)
    layout, flat = lay_out(collections.defaultdict(list, a=np.ones(2)))
    assert layout.argument(flat)["b"] == []


# ---- any tree at all

LEAVES = st.one_of(
    st.floats(-1e3, 1e3),
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=4).map(np.array),
    st.integers(-5, 5),
    st.none(),
    st.text(max_size=3),
)
KEYS = st.text(max_size=4).filter(lambda key: "." not in key)  # two names may be one where a dot is a letter
ANY = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.dictionaries(KEYS, inner, min_size=1, max_size=3),
        st.lists(inner, min_size=1, max_size=3),
        st.lists(inner, min_size=1, max_size=3).map(tuple),
        st.tuples(inner, inner).map(lambda pair: Pair(*pair)),
    ),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, ANY, min_size=1, max_size=3), st.floats(-10, 10))
def test_any_tree_goes_into_a_vector_and_back(tree, extra):
    tree = {**tree, "one more": np.array([extra])}
    layout, flat = lay_out(tree)
    assert repr(layout.argument(flat.copy())) == repr(tree)
    np.testing.assert_array_equal(layout.numbers(tree, "grad"), flat)
    places = Places((), layout)
    assert len({places.name(k) for k in range(layout.size)}) == layout.size
