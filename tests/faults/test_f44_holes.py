"""F44: prices are missing and nobody has them: told, the bars are the exchange's own, the chart has no wrong bar."""

import numpy as np

from tests.practice_session import BTC, MIDNIGHT, MINUTE, WAIT_S, Stage, staged
from workbench.strategy import Rules, strategy

STREAM = "btcusdt@trade"
# Each minute goes from 100 to 100.5; minute 3 dips to 40, within the hole.
TICKS = [(second, 40.0 if second == 200 else 100.0 + second % 60 / 100) for second in range(0, 1_200, 10)]


@strategy
def above_its_mean(m, length=2):
    return Rules(enter_long=m.close > m.close.sma(length) + 1_000.0)


def lose_prices(stage: Stage) -> None:
    """Let four minutes of prices be lost on the stream, and not be had over REST either."""
    stage.play(65, bars=1)
    stage.exchange.faults.add("silent_stream", where=STREAM, times=None)
    stage.exchange.advance(240)
    assert stage.session.wait_for("STALE", timeout_s=WAIT_S)
    stage.exchange.faults.clear()
    for path in ("GET /api/v3/historicalTrades", "GET /api/v3/trades"):
        stage.exchange.faults.add("maintenance", where=path, times=None)


def chart_rows(stage: Stage) -> list[tuple[int, float, float, float]]:
    """Return (minute, high, low, close) of the chart's bars but for the one that forms."""
    rows = stage.session.chart_state().bars
    minutes = ((rows[:, 0] * 1e6 - MIDNIGHT) / MINUTE).round().astype(int).tolist()
    assert minutes == sorted(set(minutes))
    return list(zip(minutes, rows[:, 2].tolist(), rows[:, 3].tolist(), rows[:, 4].tolist(), strict=True))[:-1]


def test_a_hole_is_told_and_its_bars_are_the_exchanges_own() -> None:
    with staged(TICKS, above_its_mean(), execution="simulated") as stage:
        lose_prices(stage)
        stage.play(60, bars=8)
        stage.play(60)
        stage.until(lambda: chart_rows(stage)[-1][0] == 6)
        assert stage.told("missing between")
        assert stage.told("bars made of the exchange's own candles")
        assert chart_rows(stage) == [(minute, 100.5, 40.0 if minute == 3 else 100.0, 100.5) for minute in range(7)]
        whole = [(minute, close) for minute, close, is_partial in stage.closes() if not is_partial]
        assert whole[:7] == [(minute, 100.5) for minute in range(7)]
        assert stage.session.parity().is_identical


def test_a_hole_that_nobody_can_fill_stays_a_hole() -> None:
    with staged(TICKS, above_its_mean(), execution="simulated") as stage:
        lose_prices(stage)
        stage.exchange.hide_candles(BTC, "1m", MIDNIGHT + MINUTE, MIDNIGHT + 6 * MINUTE)
        stage.play(60)
        stage.play(60)
        stage.until(lambda: (6, 100.5, False) in stage.closes())
        assert stage.told("the exchange has no candle of the bar of 2025-01-01T00:01Z, so it is left out")
        whole = [minute for minute, _, is_partial in stage.closes() if not is_partial]
        assert whole == [0, 6]  # decided on; 1 to 5 were not
        assert np.isfinite(stage.session.chart_state().bars).all()
        assert stage.session.parity().is_identical
