"""F39: a stream goes on answering with what it said before: freshness is the exchange's time, not the arrival."""

from tests.practice_session import WAIT_S, staged
from workbench.strategy import buy_and_hold

STREAM = "btcusdt@trade"
TICKS = [(second, 100.0) for second in range(0, 1_200, 10)]


def test_messages_that_repeat_an_old_price_do_not_keep_a_session_alive() -> None:
    with staged(TICKS, buy_and_hold(), execution="simulated") as stage:
        stage.play(65, bars=1)
        stuck = stage.exchange.faults.add("stuck_stream", where=STREAM, times=None)
        stage.exchange.advance(180)
        assert stage.session.wait_for("STALE", timeout_s=WAIT_S)
        assert stuck.hits >= 18  # one message each 10 s did arrive
        assert stage.counts["ticks"] == 7  # 0, 10, ... 60
        assert stage.session.reason.startswith("no data since 2025-01-01T00:01Z")
