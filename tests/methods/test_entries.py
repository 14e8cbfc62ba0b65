"""The table of entries: columns inside, records outside."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.methods import entries
from gradcheck.methods.entries import (
    Columns,
    EntryTable,
    error_map,
    foremost,
    join,
    kept_ladder,
    status_code,
    worst_first,
)
from gradcheck.model import Status, Verdict
from gradcheck.variables.layout import ArrayLayout
from gradcheck.variables.places import Places


def columns(entry, claimed, numeric, verdict=Verdict.PASS, detail=None):
    count = len(entry)
    return Columns(
        entry=np.array(entry, np.int64),
        claimed=np.array(claimed, np.float64),
        numeric=np.array(numeric, np.float64),
        uncertainty=np.full(count, 1e-9),
        step=np.full(count, 1e-5),
        evaluations=np.full(count, 2, np.int64),
        verdict=np.full(count, verdict, np.int8) if np.isscalar(verdict) else np.array(verdict, np.int8),
        status=np.full(count, status_code(Status.CONVERGED), np.int8),
        detail=detail or {},
    )


def places(shape):
    return Places((), ArrayLayout(shape, float))


def table_of(found, shape):
    return EntryTable(found, places(shape))


THREE = columns(
    [0, 4, 5],
    [1.0, -2.0, 0.0],
    [1.0, -2.5, 0.0],
    [0, 2, 0],
    {4: {"reason": "why", "left": -1.0, "right": 1.0, "kink": 0.5}},
)


@pytest.mark.parametrize(
    ("shape", "flat", "index", "path"),
    [((), 0, (), "[]"), ((7,), 3, (3,), "[3]"), ((2, 3), 5, (1, 2), "[1, 2]"), ((2, 2, 2), 6, (1, 1, 0), "[1, 1, 0]")],
)
def test_flat_indices_become_tuples_and_paths(shape, flat, index, path):
    record = table_of(columns([flat], [1.0], [1.0]), shape)[0]
    assert (record.index, record.path) == (index, path)


def test_a_record_tells_all_that_is_known():
    record = table_of(THREE, (2, 3))[0]
    assert (record.claimed, record.estimate.value, record.abs_error, record.rel_error) == (-2.0, -2.5, 0.5, 0.2)
    assert (record.verdict, record.reason) == (Verdict.FAIL, "why")
    assert (record.estimate.left, record.estimate.right, record.estimate.kink) == (-1.0, 1.0, 0.5)
    assert (record.estimate.status, record.estimate.step, record.estimate.evaluations) == (Status.CONVERGED, 1e-5, 2)


@pytest.mark.parametrize(
    ("claimed", "numeric", "relative"), [(0.0, 0.0, 0.0), (0.0, 2.0, 1.0), (1.0, -1.0, 2.0), (4.0, 3.0, 0.25)]
)
def test_the_relative_error_is_that_of_the_larger(claimed, numeric, relative):
    assert table_of(columns([0], [claimed], [numeric]), (1,))[0].rel_error == relative


def test_a_table_is_a_sequence():
    table = table_of(THREE, (2, 3))
    assert [record.index for record in table] == [(1, 1), (0, 0), (1, 2)]
    assert table[-1] == table[2]
    assert table[1:] == [table[1], table[2]]
    assert table[1] in table
    assert len(table) == 3
    with pytest.raises(IndexError):
        table[3]
    assert list(pickle.loads(pickle.dumps(table))) == list(table)


def test_explained_entries_are_marked_in_a_new_table():
    table = EntryTable(THREE, places((2, 3)), frozenset({4}))
    assert [record.explained for record in table] == [True, False, False]


def test_taking_rows_takes_their_details_along():
    assert THREE.take(np.array([1])).detail == {4: THREE.detail[4]}
    assert THREE.take(THREE.verdict == Verdict.PASS).detail == {}


def test_parts_are_joined_in_order():
    both = join([THREE, columns([9], [1.0], [2.0], detail={9: {"reason": "new"}})])
    assert both.entry.tolist() == [0, 4, 5, 9]
    assert set(both.detail) == {4, 9}
    assert join([THREE]) is THREE


def test_a_gap_with_what_is_no_number_is_infinite():
    assert columns([0, 1, 2], [np.nan, 1.0, 3.0], [1.0, np.inf, 1.0]).gap.tolist() == [np.inf, np.inf, 2.0]


def test_doubtful_are_those_that_did_not_pass():
    assert columns([3, 1, 2], [0] * 3, [0] * 3, [0, 2, 1]).doubtful.tolist() == [1, 2]


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-1e6, 1e6)), min_size=1, max_size=30))
def test_the_worst_come_first_whatever_the_order(rows):
    verdict, claimed = zip(*rows, strict=True)
    given_columns = columns(range(len(rows)), claimed, np.zeros(len(rows)), verdict)
    found = list(table_of(worst_first(given_columns), (len(rows),)))
    keys = [(-record.verdict, -record.abs_error, record.index) for record in found]
    assert keys == sorted(keys)
    backwards = worst_first(given_columns.take(np.arange(len(rows))[::-1]))
    assert backwards.entry.tolist() == [record.index[0] for record in found]


@given(
    rows=st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.0, 3.0, np.nan]), st.integers(0, 3)), min_size=1, max_size=60),
    shuffled=st.booleans(),
    most=st.integers(1, 12),
)
def test_choosing_the_foremost_first_leaves_the_worst_as_they_are(rows, shuffled, most):
    gaps, verdicts = zip(*rows, strict=True)
    entry = np.random.default_rng(len(rows)).permutation(len(rows)) if shuffled else np.arange(len(rows))
    given_rows = columns(entry, gaps, np.zeros(len(rows)), verdicts)
    order = np.lexsort((entry, -given_rows.gap, -given_rows.verdict.astype(int)))[:most]
    assert worst_first(given_rows, most).entry.tolist() == entry[order].tolist()
    chosen = foremost(given_rows, most).entry.tolist()
    assert set(entry[order].tolist()) <= set(chosen)
    assert chosen == [k for k in entry.tolist() if k in set(chosen)]


def test_a_report_keeps_what_failed_when_there_is_too_much():
    many = columns(range(10), np.arange(10.0), np.zeros(10), [Verdict.FAIL, *[Verdict.PASS] * 9])
    assert worst_first(many, 3).entry.tolist() == [0, 9, 8]


def test_one_ladder_is_handed_out_that_of_the_worst_entry_that_has_one():
    kept = kept_ladder(np.array([0.4, 0.1, 0.025]), np.array([2.0, np.nan, 2.5]), 1e-16)
    assert (kept.steps, kept.values, kept.noise) == ((0.4, 0.025), (2.0, 2.5), (1e-16 / 0.4, 1e-16 / 0.025))
    details = {1: {"ladder": kept}, 2: {"ladder": kept_ladder(np.array([1.0]), np.array([7.0]), 0.0)}}
    table = table_of(columns([0, 1, 2], [9.0, 3.0, 5.0], [0.0, 2.5, 0.0], Verdict.FAIL, details), (3,))
    assert [(e.index, e.estimate.ladder) for e in table if e.estimate.ladder] == [((2,), details[2]["ladder"])]


def test_a_map_of_errors_shows_each_entry_of_a_small_matrix():
    bad, open_, lost = Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR
    some = columns(
        [0, 4, 5, 6, 7], [8.0, 0.05, 1.0, np.nan, 3.0], [0.0, 0.0, 0.5, 1.0, 3.0], [bad, bad, open_, lost, 0]
    )
    found = error_map(some, 3, 4, complete=True)
    assert (found.shape, found.block, found.largest) == ((3, 4), (1, 1), 8.0)
    assert found.cells == ("0...", "2?!.", "....")
    assert error_map(some, 3, 4, complete=False).cells == ("0   ", "2?!.", "    ")


@given(st.integers(1, 900), st.integers(1, 900), st.lists(st.integers(0, 10**9), min_size=1, max_size=40), st.data())
def test_a_map_is_no_larger_than_a_picture_and_no_wrong_entry_is_lost(rows, width, places, data):
    flat = np.unique(np.array(places) % (rows * width))
    sizes = np.array(data.draw(st.lists(st.floats(1e-300, 1e300), min_size=flat.size, max_size=flat.size)))
    verdicts = np.array(data.draw(st.lists(st.sampled_from(Verdict), min_size=flat.size, max_size=flat.size)), int)
    found = error_map(columns(flat, sizes, 0 * sizes, verdicts), rows, width, complete=True)
    height, breadth = found.block
    assert len(found.cells) == -(-rows // height) <= entries.CELLS
    assert {len(row) for row in found.cells} == {-(-width // breadth)}
    for entry, verdict in zip(flat.tolist(), verdicts.tolist(), strict=True):
        shown = found.cells[entry // width // height][entry % width // breadth]
        worst = max(verdicts[(flat // width // height == entry // width // height)
                             & (flat % width // breadth == entry % width // breadth)])  # fmt: skip
        assert ".?0!"[worst] == (shown if not shown.isdigit() else "0")
        assert worst >= verdict
    marked = any(mark in row for row in found.cells for mark in "0!")  # an error beside it is the worse of the two
    assert marked or not (verdicts == Verdict.FAIL).any()
