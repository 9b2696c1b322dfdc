"""F49: a fee is taken in the coin that is bought: no dust is left in a position, and the next one comes."""

from tests.practice_session import BTC, RULES, HurriedClock, staged
from workbench.live.reconciliation import Reconciliation
from workbench.strategy import Rules, strategy


@strategy
def in_above_out_below(m, high=150.0, low=50.0):
    return Rules(enter_long=m.close > high, exit_long=m.close < low)


def test_a_position_leaves_whole_and_the_next_one_comes() -> None:
    by_minute = {0: 200.0, 2: 40.0, 4: 200.0}
    ticks = [(second, by_minute.get(second // 60, 100.0)) for second in range(0, 1_200, 10)]
    with staged(ticks, in_above_out_below(), fee_asset="received", cash=9_999.0) as stage:
        for minute in range(6):
            stage.play(65 if minute == 0 else 60, bars=minute + 1)
            fills = (minute + 2) // 2  # after bars 0, 2 and 4
            stage.until(lambda fills=fills: stage.session.snapshot().fill_count == fills)
            assert len(stage.session.snapshot().positions) == (fills % 2)
        assert [side for side, _ in stage.orders()] == ["buy", "sell", "buy"]
        bought, sold, _ = stage.session.fills()
        assert bought.quantity == sold.quantity
        assert not stage.told("refused")
        assert stage.session.parity().is_identical


def test_dust_that_adds_up_to_more_than_a_lot_is_nobody_else_s(monkeypatch):
    looks = []
    look = Reconciliation.look

    def counted(self, held, booked, time_ns):
        looks.append((held[BTC], look(self, held, booked, time_ns)))
        return looks[-1][1]

    monkeypatch.setattr(Reconciliation, "look", counted)
    # In after every fourth minute, out two minutes later, four times.
    ticks = [(second, {0: 200.0, 2: 40.0}.get(second // 60 % 4, 100.0)) for second in range(0, 1_200, 10)]
    with staged(ticks, in_above_out_below(), fee_asset="received", cash=9_999.0, clock=HurriedClock()) as stage:
        for minute in range(15):
            stage.play(65 if minute == 0 else 60, bars=minute + 1)
            stage.until(lambda fills=(minute + 2) // 2: stage.session.snapshot().fill_count == fills)
        assert not stage.session.snapshot().positions
        before = len(looks)
        # Three looks of the same make a difference certain.
        stage.until_any(lambda: len(looks) >= before + 5)
        assert looks[-1][0] > RULES.lot
        assert looks[-1][1] == ()
        assert stage.session.state != "HALTED", stage.session.reason
