"""F43: prices that cannot be: told, left out, and part of nothing that the strategy or the account sees."""

import pytest

from tests.scripted_session import Wire, print_of, run_wire


@pytest.mark.parametrize("price", ["NaN", "Infinity", "0", "-100", "1e300", "abc", "", None])
def test_a_bad_price_is_told_and_reaches_no_bar(price: str | None) -> None:
    async def test(wire: Wire) -> None:
        bad = print_of(2, 10)
        bad["p"] = price
        await wire.send(bad, print_of(3, 20, 101.0), print_of(4, 60, 102.0))
        await wire.until(lambda: len(wire.bars) >= 1)
        bar = wire.bars[0]
        assert (bar.high, bar.low, bar.close) == (101.0, 100.0, 101.0)
        # Told by the client, or, where only the sum of such prices would be too large, counted at the session's gate.
        assert wire.counts["bad_price_ticks"] == (price == "1e300")
        assert any(event.kind == "bad_record" for event in wire.session.events()) is (price != "1e300")
        assert wire.session.state in {"ACTIVE", "STALE"}

    run_wire(test)


@pytest.mark.parametrize("volume", ["NaN", "-1", "1e300"])
def test_a_bad_volume_is_told_and_reaches_no_bar(volume: str) -> None:
    async def test(wire: Wire) -> None:
        bad = print_of(2, 10, 500.0)
        bad["q"] = volume
        await wire.send(bad, print_of(3, 20, 101.0), print_of(4, 60, 102.0))
        await wire.until(lambda: len(wire.bars) >= 1)
        assert (wire.bars[0].high, wire.bars[0].volume) == (101.0, 1.0)  # 2 * 0.5
        assert wire.session.state in {"ACTIVE", "STALE"}

    run_wire(test)
