"""F07: the process dies before or after any effect; what it wanted is executed once all the same, and booked once."""

from __future__ import annotations

import pytest

from tests.simulation.order_history import History

SEEDS = range(100, 106)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_crash_before_or_after_any_one_effect_doubles_and_loses_nothing(seed: int) -> None:
    whole = History(seed, crash_at=-1).run()
    for half in range(whole.halves):
        assert History(seed, crash_at=half).run().crashes == 1


def test_the_histories_above_have_effects_to_crash_at() -> None:
    assert sum(History(seed, crash_at=-1).run().halves for seed in SEEDS) > 200
