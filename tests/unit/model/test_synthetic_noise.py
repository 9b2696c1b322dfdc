import math

import numpy as np
import pytest

from workbench.model.synthetic_noise import NoiseStream, portable_exp, smooth_noise


def test_same_seed_name_and_block_give_the_same_numbers() -> None:
    first = NoiseStream(3, "steps", 7).words(5)
    assert first.tolist() == NoiseStream(3, "steps", 7).words(5).tolist()


@pytest.mark.parametrize("other", [(4, "steps", 7), (3, "jumps", 7), (3, "steps", 8)])
def test_another_seed_name_or_block_gives_other_numbers(other: tuple[int, str, int]) -> None:
    shared = set(NoiseStream(3, "steps", 7).words(1_000).tolist()) & set(NoiseStream(*other).words(1_000).tolist())
    assert shared == set()


def test_numbers_are_the_same_on_every_machine_and_in_every_version() -> None:
    # Written down once: a change of any digit changes every practice market that users have seen.
    assert NoiseStream(1, "golden", 2).words(3).tolist() == GOLDEN_WORDS
    assert [value.hex() for value in NoiseStream(1, "golden", 2).normals(2).tolist()] == GOLDEN_NORMALS


GOLDEN_WORDS: list[int] = [10848835892680557705, 2781281037375039618, 8209752576950300551]
GOLDEN_NORMALS: list[str] = ["0x1.ecf40000f67a0p-2", "-0x1.6aac0000b5560p-2"]


@pytest.mark.parametrize("draw", ["uniforms", "short_uniforms"])
def test_uniforms_fill_the_open_interval_evenly(draw: str) -> None:
    numbers = getattr(NoiseStream(1, "u"), draw)(100_001)
    assert numbers.shape == (100_001,)
    assert numbers.min() > 0.0
    assert numbers.max() < 1.0
    tenths = np.bincount((numbers * 10).astype(int), minlength=10)
    # 10,000 in each tenth with a deviation of sqrt(100,000 * 0.1 * 0.9) = 95; five of those
    assert abs(tenths - 10_000).max() < 475


@pytest.mark.parametrize(("draw", "excess_kurtosis"), [("steps", -0.3), ("normals", -0.1)])
def test_bell_shaped_numbers_have_mean_zero_and_deviation_one(draw: str, excess_kurtosis: float) -> None:
    numbers = getattr(NoiseStream(1, "n"), draw)(400_000)
    # standard errors: mean 1/sqrt(400,000) = 0.0016, deviation 0.0011, kurtosis sqrt(24/400,000) = 0.008
    assert abs(numbers.mean()) < 0.006
    assert numbers.std() == pytest.approx(1.0, abs=0.005)
    assert (numbers**4).mean() - 3.0 == pytest.approx(excess_kurtosis, abs=0.04)
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 0.006


def test_exponential_is_within_two_units_in_the_last_place() -> None:
    exponents = np.concatenate([np.linspace(-700.0, 700.0, 2_801), np.linspace(-1.0, 1.0, 2_001)])
    true = np.array([math.exp(exponent) for exponent in exponents])
    assert (np.abs(portable_exp(exponents) - true) / np.spacing(true)).max() <= 2.0


def test_exponential_keeps_nan_and_gives_one_for_zero() -> None:
    result = portable_exp(np.array([math.nan, 0.0]))
    assert math.isnan(result[0])
    assert result[1] == 1.0


def test_exponential_has_the_same_bits_on_every_machine() -> None:
    assert [value.hex() for value in portable_exp(np.array([-3.7, 0.1, 11.25])).tolist()] == GOLDEN_EXPONENTIALS


GOLDEN_EXPONENTIALS: list[str] = ["0x1.9511fc6871044p-6", "0x1.1aec7b35a00d4p+0", "0x1.2c4feb75b2ab0p+16"]


def test_smooth_noise_goes_through_its_nodes() -> None:
    nodes = np.array([1.0, -2.0, 0.5])
    assert smooth_noise(nodes, np.array([0.0, 1.0])).tolist() == [1.0, -2.0]
    # half-way both nodes weigh 0.5 / sqrt(0.25 + 0.25) = 0.7071
    assert smooth_noise(nodes, np.array([0.5]))[0] == pytest.approx(-1.0 * 0.5 / math.sqrt(0.5))


def test_smooth_noise_is_no_calmer_between_nodes_than_on_them() -> None:
    nodes = NoiseStream(1, "nodes").normals(40_001)
    for part in (0.0, 0.25, 0.5, 0.9):
        assert smooth_noise(nodes, np.arange(40_000) + part).std() == pytest.approx(1.0, abs=0.02)
