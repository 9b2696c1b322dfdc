import numpy as np
import pytest

from workbench.model.synthetic_noise import NoiseStream
from workbench.model.synthetic_volatility import (
    INTRADAY_SPELLS,
    MINUTES_PER_DAY,
    SLOW_SPELLS,
    Spell,
    season_at,
    spell_log_volatility,
    weekly_season,
)


def test_season_has_a_mean_square_of_one() -> None:
    assert (weekly_season() ** 2).mean() == pytest.approx(1.0)


def test_season_starts_on_monday() -> None:
    # 2025-06-30 was a Monday: 20,269 days after 1970-01-01
    monday = season_at(20_269 * MINUTES_PER_DAY + np.arange(7 * MINUTES_PER_DAY))
    assert monday.tolist() == weekly_season().tolist()


def test_weekends_and_european_mornings_are_quiet_and_new_york_opens_loud() -> None:
    season = weekly_season().reshape(7, 24, 60).mean(axis=2)
    assert season[5].mean() < 0.75 * season[4].mean()
    assert season[2, 14] > 1.9 * season[2, 5]


def test_season_has_no_step_at_midnight_within_the_week() -> None:
    season = weekly_season()
    steps = np.abs(np.diff(season[: 5 * MINUTES_PER_DAY]))
    # The largest step inside a day is (1.35 - 0.97) / 60 of the mean; only the weekday factor comes on top at midnight.
    assert steps.max() < 0.06


def test_spells_have_a_mean_square_of_one_together() -> None:
    stream = NoiseStream(1, "spells")
    minutes = np.arange(0.0, 4_000 * MINUTES_PER_DAY, 97.0)
    nodes = {spell: stream.normals(int(minutes[-1] // spell.minutes) + 2) for spell in INTRADAY_SPELLS}
    volatility = np.exp(spell_log_volatility(minutes, INTRADAY_SPELLS, nodes.__getitem__))
    assert (volatility**2).mean() == pytest.approx(1.0, abs=0.03)


def test_a_spell_lasts_as_long_as_it_says() -> None:
    spell = Spell(60, 0.5)
    stream = NoiseStream(1, "hours")
    minutes = np.arange(60_000.0)
    log_volatility = spell_log_volatility(minutes, (spell,), lambda spell: stream.normals(60_000 // spell.minutes + 2))
    near = np.corrcoef(log_volatility[10:], log_volatility[:-10])[0, 1]
    far = np.corrcoef(log_volatility[240:], log_volatility[:-240])[0, 1]
    assert near > 0.9
    assert abs(far) < 0.15


def test_intraday_spells_divide_a_day_so_that_days_join() -> None:
    assert all(MINUTES_PER_DAY % spell.minutes == 0 for spell in INTRADAY_SPELLS)
    assert all(spell.minutes % MINUTES_PER_DAY == 0 for spell in SLOW_SPELLS)
