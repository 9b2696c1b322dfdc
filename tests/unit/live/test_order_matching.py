from __future__ import annotations

from workbench.live.order_matching import FilledOrder, Print, match_orders


def order(time_ns: int, signed: float = 1.0, *, symbol: int = 0, is_exit: bool = False) -> FilledOrder:
    return FilledOrder(symbol, is_exit, time_ns, (Print(time_ns, signed, 100.0),), 0.0)


def times(simulated: list[FilledOrder], real: list[FilledOrder]) -> list[tuple[int, int]]:
    return [(one.time_ns, other.time_ns) for one, other in match_orders(simulated, real)[0]]


def test_orders_of_one_time_and_kind_are_one() -> None:
    simulated = [order(1), order(1, symbol=1), order(2, -1.0, is_exit=True), order(2, -1.0)]
    matched, missed, extra = match_orders(simulated, list(reversed(simulated)))
    assert all(one == other for one, other in matched)
    assert (len(matched), missed, extra) == (4, [], [])


def test_another_kind_is_never_the_same() -> None:
    others = [order(1, symbol=1), order(1, -1.0), order(1, is_exit=True)]
    matched, missed, extra = match_orders([order(1)], others)
    assert (matched, missed, extra) == ([], [order(1)], others)


def test_without_one_of_its_time_the_nearest_is_taken() -> None:
    assert times([order(10), order(50)], [order(40)]) == [(50, 40)]


def test_no_pair_crosses_another() -> None:
    # The one at 29 is nearest to 30, but lies before the pair of 20; the one at 90 lies behind that of 60.
    simulated = [order(29), order(20), order(60), order(90)]
    assert times(simulated, [order(20), order(30), order(60)]) == [(20, 20), (60, 60)]


def test_an_order_of_another_symbol_is_no_border() -> None:
    simulated = [order(10), order(20, symbol=1)]
    assert times(simulated, [order(20, symbol=1), order(11)]) == [(20, 20), (10, 11)]
