from __future__ import annotations

import numpy as np
import pytest

from gradcheck.numerics.directions import CHUNK, direction, keys, unit_direction

SIZE = 200_000


def test_weights_are_signs_times_uniform() -> None:
    v = direction(SIZE, 3, 1)
    size = np.abs(v)
    assert size.min() >= 0.5
    assert size.max() <= 1.5
    assert np.mean(v > 0) == pytest.approx(0.5, abs=0.01)
    assert np.histogram(size, bins=20, range=(0.5, 1.5))[0] == pytest.approx(np.full(20, SIZE / 20), rel=0.05)


@pytest.mark.parametrize("lag", [1, 2, 64, 4096])
def test_neighbours_are_independent(lag: int) -> None:
    v = direction(SIZE, 0, 0)
    assert abs(np.corrcoef(v[lag:], v[:-lag])[0, 1]) < 0.012


@pytest.mark.parametrize(("seed", "number"), [(0, 1), (0, 2), (1, 0), (2, 0), (2**63, 0), (-1, 0), (0, 2**32 - 1)])
def test_other_seeds_and_numbers_are_independent(seed: int, number: int) -> None:
    assert abs(np.corrcoef(direction(SIZE, 0, 0), direction(SIZE, seed, number))[0, 1]) < 0.012


def test_bits_of_the_counter_are_mixed() -> None:
    v = direction(2**16, 5, 7).reshape((2,) * 16)
    for axis in range(16):  # Walsh functions of single bits and of neighbouring pairs
        assert abs(np.mean(np.diff(v, axis=axis))) < 0.05
        assert abs(np.mean(np.diff(np.diff(v, axis=axis), axis=(axis + 1) % 16))) < 0.1


@pytest.mark.parametrize(
    ("start", "size"), [(0, 10), (77, 100), (CHUNK - 1, 2), (CHUNK + 5, 3 * CHUNK), (10**6, 1), (0, 0)]
)
def test_any_piece_can_be_made_alone(start: int, size: int) -> None:
    whole = direction(start + size, 11, 4)
    assert np.array_equal(direction(size, 11, 4, start), whole[start:])


def test_any_stride_can_be_made_alone() -> None:
    whole = direction(SIZE, 9, 4)
    assert np.array_equal(direction(20_000, 9, 4, 3, 7), whole[3::7][:20_000])


def test_the_numbers_stay_what_they_are() -> None:
    assert direction(4, 0, 0).tolist() == direction(4, 2**64, 0).tolist()
    assert keys(0, 0) != keys(0, 1)
    assert direction(3, 0, 0).tolist() == pytest.approx(PINNED, abs=0)


PINNED = [0.7754360637627542, 1.0170325841754675, 0.6620786087587476]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("span", [(0, 1000), (0, 64), (5, 70), (63, 64), (128, 999), (7, 7)])
def test_the_compiled_pass_makes_the_same_numbers(dtype: type, span: tuple[int, int]) -> None:
    from gradcheck.numerics import kernels

    random = np.random.default_rng(0)
    x = random.normal(size=1000).astype(dtype)
    slopes, scales = random.normal(size=1000), random.uniform(0.5, 2, 1000)
    ahead, behind = np.full(1000, 9, dtype), np.full(1000, 9, dtype)
    h = 0.37
    change, ideal, square = kernels.perturb(x, slopes, scales, ahead, behind, span, keys(3, 8), h)
    inside = slice(*span)
    v = direction(1000, 3, 8)[inside] * scales[inside]
    wanted = (x[inside] + h * v).astype(dtype)
    mirrored = x[inside] - (wanted - x[inside])
    assert np.array_equal(behind[inside], mirrored)
    assert np.array_equal(ahead[inside], x[inside] + (x[inside] - mirrored))
    assert np.allclose(ahead[inside], wanted, rtol=0, atol=4 * float(np.finfo(dtype).eps))
    outside = np.ones(1000, bool)
    outside[inside] = False
    assert (ahead[outside] == 9).all()
    assert (behind[outside] == 9).all()
    happened = ahead[inside].astype(np.float64) - behind[inside]
    assert change == pytest.approx(float(slopes[inside] @ happened) / 2, rel=1e-12, abs=1e-14)
    assert ideal == pytest.approx(float(slopes[inside] @ v), rel=1e-12, abs=1e-14)
    assert square == pytest.approx(float(np.sum((slopes[inside] * v) ** 2)), rel=1e-12)


def test_unit_direction_has_length_one() -> None:
    assert np.linalg.norm(unit_direction(50, 1, 2)) == pytest.approx(1)
    assert not np.array_equal(unit_direction(50, 1, 2), unit_direction(50, 1, 3))
