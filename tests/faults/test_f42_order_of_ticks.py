"""F42: prices come twice, out of order, with equal times, from the future: one rule for each, and no bar is rewound."""

from tests.scripted_session import Wire, print_of, run_wire


def test_a_trade_that_comes_twice_is_one_price() -> None:
    async def test(wire: Wire) -> None:
        await wire.send(print_of(2, 10, 101.0), print_of(2, 10, 101.0), print_of(1, 0), print_of(3, 20, 102.0))
        await wire.send(print_of(4, 60, 103.0))
        await wire.until(lambda: len(wire.bars) == 1)
        # Trades 1, 2 and 3 of 0.5 each: 3 * 0.5
        assert (wire.bars[0].close, wire.bars[0].volume, wire.bars[0].is_partial) == (102.0, 1.5, False)
        assert wire.counts["late_ticks"] == 0

    run_wire(test)


def test_a_price_that_is_older_than_the_last_is_dropped_and_counted() -> None:
    async def test(wire: Wire) -> None:
        await wire.send(print_of(2, 20, 101.0))
        await wire.until(lambda: wire.counts["ticks"] == 2)
        await wire.send(print_of(3, 10, 500.0), print_of(4, 60, 102.0), print_of(5, 50, 1.0), print_of(6, 61, 103.0))
        await wire.until(lambda: wire.counts["late_ticks"] == 2)
        await wire.until(lambda: wire.counts["ticks"] == 4)
        (bar,) = wire.bars
        assert (bar.high, bar.low, bar.close) == (101.0, 100.0, 101.0)

    run_wire(test)


def test_prices_of_one_time_are_all_kept_in_their_order() -> None:
    async def test(wire: Wire) -> None:
        await wire.send(print_of(2, 10, 105.0), print_of(3, 10, 95.0), print_of(4, 10, 99.0), print_of(5, 60, 1.0))
        await wire.until(lambda: len(wire.bars) == 1)
        (bar,) = wire.bars
        assert (bar.high, bar.low, bar.close, bar.volume) == (105.0, 95.0, 99.0, 2.0)  # 4 * 0.5

    run_wire(test)


def test_a_price_from_the_future_is_dropped_and_makes_no_other_late() -> None:
    async def test(wire: Wire) -> None:
        await wire.send(print_of(2, 3_600, 500.0), print_of(3, 20, 101.0), print_of(4, 60, 102.0))
        await wire.until(lambda: len(wire.bars) == 1)
        assert (wire.counts["future_ticks"], wire.counts["late_ticks"]) == (1, 0)
        assert (wire.bars[0].high, wire.bars[0].close) == (101.0, 101.0)

    run_wire(test)
