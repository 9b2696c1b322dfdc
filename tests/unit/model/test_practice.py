from datetime import UTC, date, datetime
from hashlib import sha256

import numpy as np
import pytest
from numpy.typing import NDArray

from workbench.errors import ConfigError, DataError, MissingDataError
from workbench.model import practice, practice_levels, practice_path, practice_ticks
from workbench.model.bars import Bars
from workbench.model.practice import (
    PRACTICE_END,
    PRACTICE_LIVE_START,
    PRACTICE_START,
    PracticeTicks,
    practice_bars,
    practice_instrument,
)
from workbench.model.practice import practice_ticks as ticks_of_day
from workbench.model.synthetic_volatility import season_at
from workbench.model.timeframe import Timeframe

DAY_NS = 86_400_000_000_000
MINUTE_NS = 60_000_000_000
LIVE_DAY = PRACTICE_LIVE_START // DAY_NS


def forget_everything() -> None:
    """Empty every cache, as in a fresh process."""
    practice._minute_rows.cache_clear()  # noqa: SLF001 - there is no other way to forget
    practice_ticks.day_ticks.cache_clear()
    practice_path.factor_day.cache_clear()
    practice_levels.factor_levels.cache_clear()


def ticks_between(symbol: str, first_day: int, days: int) -> PracticeTicks:
    parts = [ticks_of_day(symbol, day) for day in range(first_day, first_day + days)]
    return PracticeTicks(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def bars_by_hand(ticks: PracticeTicks, length_ns: int, origin_ns: int = 0) -> dict[int, list[float]]:
    """Aggregate ticks one by one: right-open intervals labelled by their open."""
    bars: dict[int, list[float]] = {}
    for time_ns, price, volume in zip(*(column.tolist() for column in ticks), strict=True):
        label = (time_ns - origin_ns) // length_ns * length_ns + origin_ns
        bar = bars.setdefault(label, [price, price, price, price, 0.0])
        bar[1], bar[2], bar[3] = max(bar[1], price), min(bar[2], price), price
        bar[4] += volume
    return bars


def rows_of(bars: Bars) -> dict[int, list[float]]:
    return dict(zip(bars.time_ns.tolist(), bars.values[:, 0].T.tolist(), strict=True))


def test_clock_starts_at_the_documented_instant() -> None:
    assert datetime.fromtimestamp(PRACTICE_LIVE_START / 1e9, UTC) == datetime(2025, 7, 1, tzinfo=UTC)
    assert datetime.fromtimestamp(PRACTICE_START / 1e9, UTC) == datetime(2017, 1, 1, tzinfo=UTC)
    assert datetime.fromtimestamp(PRACTICE_END / 1e9, UTC) == datetime(2061, 11, 9, tzinfo=UTC)


@pytest.mark.parametrize("timeframe", ["5s", "1m", "7m", "1h", "1d"])
def test_bars_are_made_of_exactly_the_days_ticks(timeframe: str) -> None:
    first = LIVE_DAY - 2
    length_ns = Timeframe(timeframe).ns
    expected = bars_by_hand(ticks_between("ETH/USDT", first, 4), length_ns)
    bars = practice_bars("ETH/USDT", timeframe, first * DAY_NS, (first + 3) * DAY_NS)
    labels = [label for label in expected if first * DAY_NS <= label and label + length_ns <= (first + 3) * DAY_NS]
    assert rows_of(bars) == {label: expected[label] for label in labels}


def test_weekly_bars_open_on_monday_and_cross_midnights() -> None:
    # 2025-06-23 and -30 were Mondays, 20,262 and 20,269 days after 1970-01-01
    bars = practice_bars("BTC/USDT", "1w", "2025-06-20", "2025-07-01")
    assert rows_of(bars) == bars_by_hand(ticks_between("BTC/USDT", 20_262, 7), 7 * DAY_NS, origin_ns=4 * DAY_NS)
    assert bars.start == datetime(2025, 6, 23, tzinfo=UTC)


def test_volumes_add_up_to_the_same_bits_in_any_order() -> None:
    volume = ticks_of_day("BTC/USDT", LIVE_DAY).volume.tolist()
    total = practice_bars("BTC/USDT", "1d", PRACTICE_LIVE_START, PRACTICE_LIVE_START + DAY_NS).volume[0]
    assert sum(volume) == sum(reversed(volume)) == sum(sorted(volume)) == total


def test_a_day_is_the_same_whichever_days_were_computed_before() -> None:
    days = [LIVE_DAY, LIVE_DAY - 3_000, LIVE_DAY + 900]
    forget_everything()
    forwards = {day: ticks_of_day("SOL/BTC", day) for day in days}
    forget_everything()
    backwards = {day: ticks_of_day("SOL/BTC", day) for day in reversed(days)}
    for day in days:
        for one, other in zip(forwards[day], backwards[day], strict=True):
            assert one.tobytes() == other.tobytes()


def test_bytes_are_the_same_on_every_machine() -> None:
    digest = sha256()
    for symbol in ("BTC/USDT", "ETH/BTC", "DOGE/USDT:USDT"):
        for column in ticks_of_day(symbol, date(2024, 2, 29)):
            digest.update(column.astype(column.dtype.newbyteorder("<")).tobytes())
    assert digest.hexdigest() == GOLDEN_HASH


GOLDEN_HASH = "a23439399cdff9bef837d3a06c48990ac2ef14b03393d86412199d133e30362b"


def test_another_seed_is_another_world() -> None:
    here, elsewhere = (ticks_of_day("BTC/USDT", LIVE_DAY + 100, seed=seed) for seed in (1, 2))
    assert abs(here.price[0] / elsewhere.price[0] - 1.0) > 0.001
    assert len(here.price) != len(elsewhere.price)


def test_midnight_has_no_seam() -> None:
    steps, inside = [], []
    for day in range(LIVE_DAY - 120, LIVE_DAY):
        price = np.log(ticks_of_day("BTC/USDT", day).price)
        following = np.log(ticks_of_day("BTC/USDT", day + 1).price[0])
        steps.append(following - price[-1])
        inside.append(np.sqrt(np.square(np.diff(price[-200:])).mean()))
    # The step over midnight is as large as the steps of the last ten minutes before it.
    assert np.sqrt(np.square(steps).mean()) < 2.5 * np.mean(inside)


def test_volatility_has_no_seam_at_midnight_either() -> None:
    overnight, inside = [], []
    for day in range(LIVE_DAY - 60, LIVE_DAY):
        today, tomorrow = (
            np.log(practice_path.factor_day(5, practice_path.MARKET, one).volatility / season_at(minutes_of(one)))
            for one in (day, day + 1)
        )
        overnight.append(tomorrow[0] - today[-1])
        inside.append(np.diff(today[-100:]))
    assert np.std(overnight) < 1.5 * np.std(inside)


def minutes_of(day: int) -> NDArray[np.int64]:
    return day * 1_440 + np.arange(1_440)


def test_days_end_on_the_next_days_level_with_jumps_and_all() -> None:
    levels = practice_levels.factor_levels(5, practice_path.MARKET).levels
    for day in (17_167, 18_000, LIVE_DAY):
        path = practice_path.factor_day(5, practice_path.MARKET, day).path
        assert path[-1] == pytest.approx(levels[day + 1 - 17_167], abs=1e-12)


def test_jumps_stand_in_the_path_at_their_second() -> None:
    skeleton = practice_levels.factor_levels(5, practice_path.MARKET)
    row, column = np.unravel_index(np.argmax(np.abs(skeleton.jump_sizes[:3_000])), (3_000, 4))
    second, size = int(skeleton.jump_seconds[row, column]), float(skeleton.jump_sizes[row, column])
    path = practice_path.factor_day(5, practice_path.MARKET, 17_167 + int(row)).path
    assert path[second] - path[second - 1] == pytest.approx(size, rel=0.05)


@pytest.mark.parametrize("symbol", ["BTC/USDT", "SHIB/USDT", "ETH/BTC", "BTC/USDT:USDT", "USDC/USDT", "NEW/EUR"])
def test_ticks_are_sound_for_any_symbol(symbol: str) -> None:
    ticks = ticks_of_day(symbol, LIVE_DAY - 1)
    instrument = practice_instrument(symbol)
    assert (np.diff(ticks.time_ns) > 0).all()
    assert ticks.time_ns[0] // DAY_NS == ticks.time_ns[-1] // DAY_NS == LIVE_DAY - 1
    assert len(np.unique(ticks.time_ns // MINUTE_NS)) == 1_440  # a tick in every minute
    assert 9_000 < len(ticks.price) < 43_500
    assert ticks.price.min() > 0.0
    assert ticks.volume.min() > 0.0
    for price, volume in zip(ticks.price[:300].tolist(), ticks.volume[:300].tolist(), strict=True):
        assert float(instrument.quantize_price(price)) == price
        assert float(instrument.quantize_quantity(volume)) == volume


def test_ticks_cannot_be_written_to() -> None:
    for column in ticks_of_day("BTC/USDT", LIVE_DAY):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 0


@pytest.mark.parametrize(
    ("symbol", "price"), [("BTC/USDT", 105_000.0), ("ETH/USDT", 2_500.0), ("DOGE/USDT", 0.17), ("ETH/BTC", 2.5 / 105)]
)
@pytest.mark.parametrize("seed", [1, 99])
def test_every_coin_starts_its_live_market_at_its_known_price(symbol: str, price: float, seed: int) -> None:
    assert ticks_of_day(symbol, LIVE_DAY, seed=seed).price[0] == pytest.approx(price, rel=0.003)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_bitcoin_stays_at_prices_it_could_have_had(seed: int) -> None:
    levels = 105_000 * np.exp(practice_levels.factor_levels(seed, practice_path.MARKET).levels)
    assert 100 < levels[0] < 5_000
    assert 10_000 < levels[: LIVE_DAY - 17_167].max() < 600_000
    assert levels[LIVE_DAY - 17_167 :].min() > 10_000
    assert levels.max() < 5_000_000


def closes(symbol: str) -> NDArray[np.float64]:
    return practice_bars(symbol, "1h", PRACTICE_LIVE_START - 30 * DAY_NS, PRACTICE_LIVE_START).close


def test_crosses_agree_with_their_legs() -> None:
    # Each symbol has ticks at its own seconds, so the three closes are a few seconds apart.
    error = closes("ETH/BTC") / (closes("ETH/USDT") / closes("BTC/USDT")) - 1.0
    assert np.abs(error).max() < 0.005
    assert np.median(np.abs(error)) < 0.0003


def test_coins_move_together_but_not_in_step() -> None:
    btc, eth, doge = (np.diff(np.log(closes(symbol))) for symbol in ("BTC/USDT", "ETH/USDT", "DOGE/USDT"))
    assert 0.5 < np.corrcoef(btc, eth)[0, 1] < 0.97
    assert 0.3 < np.corrcoef(eth, doge)[0, 1] < 0.9


def test_perpetual_trades_near_spot_now_above_and_now_below() -> None:
    premium = closes("BTC/USDT:USDT") / closes("BTC/USDT") - 1.0
    assert np.abs(premium).max() < 0.004
    assert 0.1 < (premium > 0.0).mean() < 0.9


def test_minutes_have_the_habits_of_bitcoin() -> None:
    bars = practice_bars("BTC/USDT", "1m", PRACTICE_LIVE_START - 45 * DAY_NS, PRACTICE_LIVE_START)
    returns = np.diff(np.log(bars.close))
    centred, sizes = returns - returns.mean(), np.abs(returns) - np.abs(returns).mean()
    # BTC/USDT of 2025: kurtosis 12; autocorrelation of sizes 0.30, 0.22, 0.16 and of returns within 0.01
    assert 4.0 < (centred**4).mean() / (centred**2).mean() ** 2 - 3.0 < 40.0
    memory = [(sizes[lag:] * sizes[:-lag]).mean() / (sizes**2).mean() for lag in (1, 10, 60)]
    assert memory == pytest.approx([0.30, 0.22, 0.16], abs=0.1)
    assert abs((centred[1:] * centred[:-1]).mean() / (centred**2).mean()) < 0.03
    hours = bars.time_ns[1:] // (60 * MINUTE_NS) % 24
    assert np.abs(returns[hours == 14]).mean() > 1.5 * np.abs(returns[hours == 5]).mean()


def test_only_whole_bars_inside_the_range_are_returned() -> None:
    bars = practice_bars("BTC/USDT", "1h", "2025-06-30T10:30Z", "2025-06-30T14:30Z")
    assert (bars.start.hour, bars.end.hour, len(bars)) == (11, 13, 3)


def test_range_without_a_whole_bar_says_so() -> None:
    with pytest.raises(MissingDataError, match="no whole 1h bar lies between 2025-06-30T10:30Z and 2025-06-30T11:30Z"):
        practice_bars("BTC/USDT", "1h", "2025-06-30T10:30Z", "2025-06-30T11:30Z")


@pytest.mark.parametrize(
    ("start", "end"), [("2016-12-31", "2017-01-02"), ("2061-11-08", "2061-11-10"), ("2025-01-02", "2025-01-01")]
)
def test_range_outside_the_market_is_refused(start: str, end: str) -> None:
    with pytest.raises(DataError, match="within the practice market, 2017-01-01 to 2061-11-09 UTC, were"):
        practice_bars("BTC/USDT", "1h", start, end)


def test_first_and_last_day_can_be_computed() -> None:
    for day in (date(2017, 1, 1), date(2061, 11, 8)):
        assert len(ticks_of_day("ETH/USDT", day).price) > 9_000


@pytest.mark.parametrize("day", [date(2016, 12, 31), date(2061, 11, 9), 0])
def test_day_outside_the_market_is_refused(day: date | int) -> None:
    with pytest.raises(DataError, match=r"day must be in \[17167, 33549\]"):
        ticks_of_day("BTC/USDT", day)


def test_day_with_a_time_is_refused() -> None:
    with pytest.raises(DataError, match="day must be a date without a time"):
        ticks_of_day("BTC/USDT", datetime(2025, 1, 1, tzinfo=UTC))


def test_symbol_of_another_form_is_refused() -> None:
    with pytest.raises(ConfigError, match="symbol must look like"):
        ticks_of_day("bitcoin", LIVE_DAY)
