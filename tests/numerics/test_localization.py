"""The search alone, on errors that are known and readings that are made up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.numerics.directions import direction
from gradcheck.numerics.localization import MANY, Locator
from gradcheck.numerics.readings import Located, Reading, Trial

SIZE = 100_000


class Errors:
    """A probe of known errors: readings carry noise below `noise`; errors below `tolerated` are right enough."""

    def __init__(
        self,
        errors: dict[int, float] | np.ndarray,
        *,
        noise: float = 1e-9,
        tolerated: float = 0.0,
        fail_after: int | None = None,
    ) -> None:
        self.directions = 0
        self.errors = np.zeros(SIZE)
        if isinstance(errors, dict):
            self.errors[list(errors)] = list(errors.values())
        else:
            self.errors[:] = errors
        self.truth = np.flatnonzero(np.abs(self.errors) > tolerated).tolist()
        self.noise, self.tolerated, self.fail_after = noise, tolerated, fail_after
        self.readings = self.confirmed = self.doubts = 0
        self.weights = np.ones(SIZE)
        self.random = np.random.default_rng(0)

    @property
    def size(self) -> int:
        return SIZE

    def fresh(self) -> int:
        self.directions += 1
        return self.directions - 1

    def residual(self, where: range, number: int, *, ramp: bool = False, wanted: float = 0.0) -> Reading:
        self.readings += 1
        if self.fail_after is not None and self.readings > self.fail_after:
            raise KeyboardInterrupt
        chosen = slice(where.start, where.stop, where.step)
        w = direction(SIZE, 0, number)[chosen] * self.weights[chosen]
        if ramp:
            n = len(where)
            w = w * (0.5 + (np.arange(n) + 0.5) / n)
        return Reading(float(w @ self.errors[chosen]) + self.noise * self.random.uniform(-1, 1), self.noise)

    def weight(self, number: int, index: int) -> float:
        return float(direction(1, 0, number, index)[0] * self.weights[index])

    def confirm(self, index: int) -> Trial:
        self.confirmed += 1
        shift = float(self.errors[index])
        if abs(shift) <= self.noise:
            return Trial(False, 0.0)
        self.errors[index] = 0.0
        return Trial(abs(shift) > self.tolerated, shift)

    def exclude(self, where: range) -> None:
        self.weights[where.start : where.stop : where.step] = 0.0

    def doubt(self) -> None:
        self.doubts += 1


def found(errors: Errors) -> Located:
    return Locator(errors).locate()


def at_random(count: int, seed: int = 0, low: float = -4.0) -> dict[int, float]:
    random = np.random.default_rng(seed)
    chosen = random.choice(SIZE, count, replace=False)
    sizes = 10 ** random.uniform(low, 0, count) * random.choice([-1, 1], count)
    return dict(zip(chosen.tolist(), sizes.tolist(), strict=True))


def test_nothing_wrong_costs_two_readings() -> None:
    errors = Errors({})
    located = found(errors)
    assert located.clean
    assert not located.wrong
    assert (errors.readings, errors.confirmed) == (2, 0)


@pytest.mark.parametrize("index", [0, 1, SIZE // 2, SIZE - 2, SIZE - 1, 31_415])
@pytest.mark.parametrize("size", [1.0, -1e-4, 3e-8])
def test_one_error_is_found(index: int, size: float) -> None:
    errors = Errors({index: size})
    located = found(errors)
    assert located.wrong == [index]
    assert located.clean
    assert errors.readings <= 40
    assert errors.confirmed == 1


@pytest.mark.parametrize(("count", "readings"), [(2, 60), (5, 120), (20, 400), (50, 900)])
@pytest.mark.parametrize("seed", range(3))
def test_several_errors_are_found(count: int, readings: int, seed: int) -> None:
    errors = Errors(at_random(count, seed))
    located = found(errors)
    assert sorted(located.wrong) == errors.truth
    assert located.clean
    assert errors.readings <= readings


def test_errors_that_would_cancel_are_found() -> None:
    assert sorted(found(Errors({7: 1.0, 8: -1.0, 70_000: 1.0, 70_001: 1.0})).wrong) == [7, 8, 70_000, 70_001]


RULES = [
    range(SIZE),
    range(1000),
    range(SIZE - 777, SIZE),
    range(5000, 5004),
    range(12_345, 54_321),
    range(0, SIZE, 2),
    range(1, SIZE, 3),
    range(17, SIZE, 50),
    range(3, SIZE, 1000),
    range(2000, 3000, 7),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_rules_are_recognised_with_exact_bounds(rule: range) -> None:
    values = np.zeros(SIZE)
    values[rule.start : rule.stop : rule.step] = np.random.default_rng(1).normal(size=len(rule))
    errors = Errors(values)
    located = found(errors)
    assert located.patterns == [rule]
    assert located.wrong == []
    assert located.clean
    assert errors.readings <= 220


def test_a_rule_and_lone_errors() -> None:
    values = np.zeros(SIZE)
    values[2000:4000] = 1.0
    values[[5, 90_000]] = 0.1
    located = found(Errors(values))
    assert located.patterns == [range(2000, 4000)]
    assert sorted(located.wrong) == [5, 90_000]


@pytest.mark.parametrize("count", [1000, 5000, 40_000])
def test_many_errors_are_counted_not_named(count: int) -> None:
    errors = Errors(at_random(count))
    located = found(errors)
    assert located.dense is not None
    assert 0.5 * count < located.dense.count < 2 * count
    assert located.dense.low <= located.dense.count <= located.dense.high
    assert len(located.wrong) <= MANY
    assert errors.readings <= 700


def test_errors_within_tolerance_end_the_search() -> None:
    errors = Errors(1e-4 * np.random.default_rng(0).normal(size=SIZE), tolerated=1e-2)
    located = found(errors)
    assert located.wrong == []
    assert located.tolerated >= 3
    assert errors.readings <= 150


def test_readings_that_lie_end_the_search() -> None:
    class Liar(Errors):
        def residual(self, where: range, number: int, *, ramp: bool = False, wanted: float = 0.0) -> Reading:
            reading = super().residual(where, number, ramp=ramp, wanted=wanted)
            return Reading(1.0, 1e-9) if len(where) == SIZE and not ramp else reading

    errors = Liar({})
    located = found(errors)
    assert not located.clean
    assert located.wrong == []
    assert errors.doubts >= 1
    assert errors.readings < 100


@pytest.mark.parametrize("spoil", [lambda r: Reading(0.0, np.inf)])
def test_no_readings_find_nothing(spoil: Callable[[Reading], Reading]) -> None:
    class Blind(Errors):
        def residual(self, where: range, number: int, *, ramp: bool = False, wanted: float = 0.0) -> Reading:
            return spoil(super().residual(where, number, ramp=ramp, wanted=wanted))

    assert found(Blind({4: 1.0})).wrong == []


def test_an_interrupted_search_keeps_what_it_found() -> None:
    errors = Errors(at_random(30, low=-1.0), fail_after=150)
    locator = Locator(errors)
    with pytest.raises(KeyboardInterrupt):
        locator.locate()
    assert 0 < len(locator.found.wrong) < 30
    assert set(locator.found.wrong) <= set(errors.truth)
    assert locator.found.open_sets > 0
