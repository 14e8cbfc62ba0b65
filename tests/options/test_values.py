"""What values an option takes: read from text, validated, typed again."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.options import values
from gradcheck.options.functions import Arguments, Executor, Suspects
from gradcheck.options.places import Bounds, Point, Shape
from gradcheck.options.values import Choice, Flag, Number, Text

INF = math.inf


@pytest.mark.parametrize(
    ("value", "number"),
    [(0.5, 0.5), (0, 0.0), (np.float32(0.25), 0.25), (Fraction(1, 4), 0.25), (np.array(0.5), 0.5), (np.int8(0), 0.0)],
)
def test_a_number_may_be_of_any_kind_of_real(value: Any, number: float) -> None:
    found = Number(0, below=1).check(value)
    assert (type(found), found) == (float, number)


@pytest.mark.parametrize(
    "value", [True, "0.5", b"0", None, 1.0, -1e-9, math.nan, INF, 1j, [0.5], np.array([0.5]), 10**400]
)
def test_what_is_no_number_within_the_limits_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^it must be a number of at least 0 and below 1$"):
        Number(0, below=1).check(value)


@pytest.mark.parametrize("value", [True, 0, 1.0, 1.5, "1", None, math.nan, np.float64(2)])
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^it must be a whole number of at least 1$"):
        Number(1, whole=True).check(value)
    assert type(Number(1, whole=True).check(np.uint8(3))) is int


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_that_is_typed_is_read_as_the_same(number: float) -> None:
    kind = Number(-INF)
    assert kind.check(kind.read(str(kind.spell(number)))) == number


@given(st.integers())
def test_so_is_a_whole_one(number: int) -> None:
    kind = Number(-INF, whole=True)
    assert kind.check(kind.read(str(kind.spell(number)))) == number


@pytest.mark.parametrize(
    ("number", "text"), [(1e-5, "1e-05"), (0.0, "0"), (2.5, "2.5"), (1 / 3, "0.3333333333333333"), (7, "7")]
)
def test_a_number_is_typed_as_a_person_would(number: float, text: str) -> None:
    assert values.spelled(number) == text


@pytest.mark.parametrize(
    ("text", "truth"), [("true", True), ("YES", True), (" on ", True), ("0", False), ("off", False)]
)
def test_a_flag_is_read(text: str, truth: bool) -> None:
    assert Flag().check(Flag().read(text)) is truth
    assert Flag().check(np.bool_(truth)) is truth


@pytest.mark.parametrize("value", [1, 0, None, "true", np.ones(2, bool).tolist()])
def test_what_is_neither_true_nor_false_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^it must be true or false$"):
        Flag().check(value)


def test_a_slip_of_a_word_gets_the_near_one() -> None:
    assert Choice("auto", "always").check("auto") == "auto"
    with pytest.raises(ValueError, match=r"^it must be one of auto, always; did you mean always\?$"):
        Choice("auto", "always").check("alwasy")
    with pytest.raises(ValueError, match=r"^it must be one of auto, always$"):
        Choice("auto", "always").check(["auto"])


@pytest.mark.parametrize(
    ("text", "shape"), [("20x3", (20, 3)), ("7", (7,)), (" 2 X 3 x 4 ", (2, 3, 4)), ("20×3", (20, 3))]
)
def test_a_shape_is_read(text: str, shape: tuple[int, ...]) -> None:
    assert Shape().check(text) == Shape().check(list(shape)) == Shape().check(shape) == shape
    assert Shape().check(Shape().spell(shape)) == shape


@pytest.mark.parametrize(
    "value", ["", "x", "20x", "20,3", "-2x3", "2.5", "axb", "0", "3x0", "9" * 40, [], (2, 1.5), (True,), 5, None]
)
def test_a_malformed_shape_is_shown_the_form(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^it must be of the form 20x3 or \[20, 3\]: whole numbers of at least 1$"):
        Shape().check(value)


def test_no_array_has_more_dimensions_than_can_be_gone_through() -> None:
    assert len(Shape().check("x".join("1" * 32))) == 32
    with pytest.raises(ValueError, match="at most 32 dimensions"):
        Shape().check("x".join("1" * 33))


@pytest.mark.parametrize(
    ("text", "bounds"), [("0:1", (0, 1)), ("-1.5:", (-1.5, INF)), (":1e3", (-INF, 1e3)), (":", (-INF, INF))]
)
def test_bounds_are_read_and_typed(text: str, bounds: tuple[float, float]) -> None:
    assert Bounds().declared(text) == bounds
    assert Bounds().declared(Bounds().spell(bounds)) == bounds


@pytest.mark.parametrize("text", ["b.npy", "data/b.csv", "b.npz:key", "m:bounds", "path/m.py:model.bounds"])
def test_bounds_by_a_file_or_a_target_stay_text(text: str) -> None:
    assert Bounds().declared(f" {text} ") == text
    assert Bounds().spell(text) == text
    with pytest.raises(ValueError, match="a pair"):
        Bounds().check(text)


@pytest.mark.parametrize("text", ["1", "a b", "1:2:3", "", ":x y", "b.txt"])
def test_malformed_bounds_are_shown_the_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"^it must be of the form LO:HI"):
        Bounds().declared(text)


@pytest.mark.parametrize("value", [(2, 1), (1, 1), (math.nan, 1), ([0, 3], [1, 2]), (np.ones(3), 1)])
def test_empty_bounds_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^the lower one must be less than the upper one$"):
        Bounds().check(value)


@pytest.mark.parametrize(
    "value", [(0, 1, 2), 5, None, ("a", "b"), (None, 5), ([0, 0], [1, 1, 1]), (1j, 2), ([[1], [1, 2]], 3)]
)
def test_what_is_no_pair_of_bounds_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^it must be a pair \(lower, upper\)"):
        Bounds().check(value)


def test_bounds_that_cannot_be_typed_have_no_spelling() -> None:
    assert Bounds().spell((np.zeros(2), 1)) is None
    assert Bounds().plain((np.zeros((2, 3)), 1.5)) == ["array 2x3", 1.5]


@pytest.mark.parametrize(
    ("value", "kept"), [([1, 2.5], "[1, 2.5]"), ([[1], [2]], "[[1], [2]]"), (" m:x0 ", "m:x0"), (1.5, 1.5)]
)
def test_a_point_is_kept_as_text_or_as_it_is(value: Any, kept: Any) -> None:
    assert Point().declared(value) == kept
    assert Point().spell(kept) == str(kept)


@pytest.mark.parametrize("value", [3, None, "", [object()], {"a": 1}])
def test_what_is_no_point_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^it must be a list of numbers, a file, or a target"):
        Point().check(value)


def test_arguments() -> None:
    assert Arguments().check([1, "b"]) == (1, "b")
    assert Arguments().declared(" 2, 3 ") == "2, 3"
    assert Arguments().spell((1, "b", None)) == '[1, "b", null]'
    assert Arguments().spell((np.ones(2),)) is None
    assert Arguments().plain((1.5, np.ones((2, 3)), object())) == [1.5, "array 2x3", "object"]
    for value in (2.5, "text", {"a": 1}.keys()):
        with pytest.raises(ValueError, match=r"^it must be a tuple, with one argument \("):
            Arguments().check(value)


def test_an_executor_is_one_that_submits() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert Executor().check(pool) is pool
        assert Executor().plain(pool) == "ThreadPoolExecutor"
    for value in (ThreadPoolExecutor, 3, "m:pool"):
        with pytest.raises(ValueError, match="with a method submit"):
            Executor().check(value)
    assert Executor().declared("m:pool") == "m:pool"


def test_suspects() -> None:
    assert Suspects().check({"ridge": math.sin}) == {"ridge": math.sin}
    assert Suspects().declared(Suspects().read("m:a, m:b\nm:c")) == ("m:a", "m:b", "m:c")
    for value in ([math.sin], {1: math.sin}):
        with pytest.raises(ValueError, match="a dict of terms by name"):
            Suspects().check(value)


def test_blank_text_is_none() -> None:
    assert Text().check(" a ") == "a"
    for value in ("", "  ", 1, None):
        with pytest.raises(ValueError, match=r"^it must be text$"):
            Text().check(value)
