"""Our records behave as those of the standard library: every test runs on both."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import field

import pytest

from gradcheck.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """A record."""

    a: int
    b: tuple[int, ...] = ()
    c: dict[str, int] = field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """A record."""

    a: int
    b: tuple[int, ...] = ()
    c: dict[str, int] = field(default_factory=dict)


@dataclass()
class OursInTurn:
    """A record that can be changed and takes its fields in turn."""

    a: int
    b: int = 2

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError(self.a)


@dataclasses.dataclass()
class StandardInTurn:
    """A record that can be changed and takes its fields in turn."""

    a: int
    b: int = 2

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError(self.a)


frozen = pytest.mark.parametrize("record", [Ours, Standard])
in_turn = pytest.mark.parametrize("record", [OursInTurn, StandardInTurn])
both = pytest.mark.parametrize("record", [Ours, Standard, OursInTurn, StandardInTurn])


@frozen
def test_fields_defaults_and_what_shows(record):
    one = record(a=1)
    assert (one.a, one.b, one.c) == (1, (), {})
    assert one.c is not record(a=1).c
    assert repr(one) == f"{record.__name__}(a=1, b=(), c={{}})"
    assert dataclasses.asdict(one) == {"a": 1, "b": (), "c": {}}
    assert [f.kw_only for f in dataclasses.fields(record)] == [True] * 3
    assert dataclasses.replace(one, b=(3,)) == record(a=1, b=(3,))
    assert copy.deepcopy(one) == pickle.loads(pickle.dumps(one)) == one
    assert not hasattr(one, "__dict__")


@frozen
def test_nothing_can_be_changed(record):
    one = record(a=1)
    for change in (lambda: setattr(one, "a", 2), lambda: delattr(one, "a")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            change()


def test_nothing_can_be_added():
    with pytest.raises(dataclasses.FrozenInstanceError):  # TypeError, from super(), in the standard library of 3.11
        Ours(a=1).new = 2


@frozen
def test_equal_records_are_of_one_class_and_hash_alike(record):
    assert record(a=1) == record(a=1) != record(a=2)
    assert record(a=1) != 1
    assert Ours(a=1) != Standard(a=1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(record(a=1))  # of its dict
    assert hash(record(a=1, c=())) == hash(record(a=1, c=()))


@in_turn
def test_fields_in_turn_that_change(record):
    one = record(1)
    one.b = 5
    assert one == record(1, b=5) == record(a=1, b=5)
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)
    with pytest.raises(ValueError, match="-1"):
        record(-1)


@both
def test_arguments_that_make_no_record(record):
    with pytest.raises(TypeError, match="'a'"):
        record(b=())
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        record(a=1, z=2)
    with pytest.raises(TypeError, match="positional argument"):
        record(1, 2, 3)


@in_turn
def test_an_argument_given_twice(record):
    with pytest.raises(TypeError, match="multiple values for argument 'a'"):
        record(1, a=1)


@pytest.mark.parametrize(("ours", "standard"), [(Ours, Standard), (OursInTurn, StandardInTurn)])
def test_help_shows_the_same_signature(ours, standard):
    theirs = inspect.signature(standard)
    mine = inspect.signature(ours)
    assert [(p.name, p.kind, p.annotation) for p in mine.parameters.values()] == [
        (p.name, p.kind, p.annotation) for p in theirs.parameters.values()
    ]
    assert [p.default is p.empty for p in mine.parameters.values()] == [
        p.default is p.empty for p in theirs.parameters.values()
    ]
