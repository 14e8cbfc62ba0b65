"""How much memory there is, and that more is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from gradcheck.evaluation import memory


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (32e6, "32 MB"), (1.28e12, "1.28 TB"), (5e18, "5e+03 PB")]
)
def test_sizes_are_readable(size, text):
    assert memory.readable(size) == text


def test_there_is_memory_and_not_too_much_of_it():
    free = memory.available()
    assert free is None or 1e6 < free < 1e15


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no limit of the address space")
def test_more_than_there_is_is_refused_and_the_limit_is_lifted_afterwards(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 2**28)
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(MemoryError), memory.limited(2**30):
        np.zeros(2**30, np.int8)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    with memory.limited(2**30):
        assert np.zeros(2**20, np.int8).size == 2**20


def test_nothing_is_limited_where_there_is_enough(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 2**20)
    with memory.limited(2**20):
        assert np.zeros(2**24, np.int8).size == 2**24
