from __future__ import annotations

from workbench.live.reconciliation import Difference, Reconciliation
from workbench.model import Instrument

BTC = "BTC/USDT"


def books(before: float = 0.0, lot: float | None = 0.001) -> Reconciliation:
    return Reconciliation([Instrument(BTC, lot=lot)], {BTC: before})


def looked(one: Reconciliation, found: float, booked: float, times: int = 1) -> tuple[Difference, ...]:
    for time_ns in range(times):
        differences = one.look({BTC: found}, {BTC: booked}, time_ns)
    return differences


def test_what_was_there_before_and_the_position_are_expected() -> None:
    # 1.0 before the session and 0.5 of its own.
    assert looked(books(1.0), 1.5, 0.5, 3) == ()


def test_a_difference_is_certain_when_three_looks_show_the_same() -> None:
    one = books()
    assert [looked(one, 0.3, 0.5)[0].is_certain for _ in range(3)] == [False, False, True]
    assert one.differences[0].quantity == 0.3 - 0.5
    assert one.differences[0].since_ns == 0


def test_a_difference_that_changes_begins_anew() -> None:
    # A trade of 0.1 is on its way in the second look.
    one = books()
    looked(one, 0.3, 0.5, 2)
    assert [difference.looks for difference in looked(one, 0.4, 0.5)] == [1]
    assert one.differences == ()


def test_a_difference_that_is_gone_is_forgotten() -> None:
    one = books()
    looked(one, 0.3, 0.5, 2)
    looked(one, 0.5, 0.5)
    assert not looked(one, 0.3, 0.5)[0].is_certain


def test_less_than_a_lot_is_dust() -> None:
    assert looked(books(lot=0.001), 0.4991, 0.5, 3) == ()
    # Exactly one lot could be sold.
    assert looked(books(lot=0.001), 0.499, 0.5, 3)[0].is_certain


def test_float_sums_are_no_difference_where_there_is_no_lot() -> None:
    assert looked(books(lot=None), 0.1 + 0.2, 0.3, 3) == ()


def test_an_ignored_difference_counts_as_another_owners() -> None:
    one = books()
    looked(one, 0.7, 0.5, 3)
    decided = one.decide(BTC)
    assert decided is not None
    assert looked(one, 0.7, 0.5, 3) == ()
    assert one.before[BTC] == decided.quantity


def test_an_adopted_difference_is_expected_as_part_of_the_position() -> None:
    one = books(1.0)
    looked(one, 1.7, 0.5, 3)
    decided = one.decide(BTC)
    assert decided is not None
    one.adopted(decided, decided.quantity)
    # Booked: 0.5 and the 0.2 that were more.
    assert looked(one, 1.7, 0.5 + decided.quantity, 3) == ()


def test_nobody_decides_on_what_is_not_certain() -> None:
    one = books()
    looked(one, 0.3, 0.5, 2)
    assert one.decide(BTC) is None
    assert one.decide("ETH/USDT") is None


def test_a_report_says_what_how_much_and_since_when() -> None:
    text = str(Difference(BTC, 0.5, 0.3, 1_735_689_600_000_000_000))
    assert text == ("the exchange has 0.2 BTC less than was booked (0.3, not 0.5), seen since 2025-01-01T00:00Z")
