"""What people are told of an exchange that does not say what an account holds."""

from __future__ import annotations

from typing import Any

from workbench.live.holdings_line import HoldingsLine, HoldingsTold


def test_a_fault_is_told_once_and_again_when_it_changes_or_ends() -> None:
    stands_in: Any = None
    line = HoldingsLine(stands_in, (), stands_in, stands_in)
    answers = [
        HoldingsTold({}),
        HoldingsTold(None, "no answer in 10 s"),
        HoldingsTold(None, "no answer in 11 s"),  # the same again
        HoldingsTold(None, "maintenance"),
        HoldingsTold({"BTC/USDT": 1.0}),
        HoldingsTold({"BTC/USDT": 1.0}),
        HoldingsTold(None, "maintenance"),
    ]
    texts = [None if (notice := line.heed(one)) is None else notice.text for one in answers]
    failed = "the exchange did not say what it holds:"
    assert texts == [
        None,
        f"{failed} no answer in 10 s; it is asked on and on",
        None,
        f"{failed} maintenance; it is asked on and on",
        "the exchange says again what it holds",
        None,
        f"{failed} maintenance; it is asked on and on",
    ]


def test_what_was_told_is_taken_once_and_not_while_orders_change_it() -> None:
    stands_in: Any = None
    line = HoldingsLine(stands_in, (), stands_in, stands_in)
    line.heed(HoldingsTold({"BTC/USDT": 1.0}))
    assert line.take(is_busy=False) == {"BTC/USDT": 1.0}
    assert line.take(is_busy=False) is None
    line.heed(HoldingsTold({"BTC/USDT": 1.0}))
    assert line.take(is_busy=True) is None
    line.disturb()
    line.heed(HoldingsTold({"BTC/USDT": 1.0}))
    assert line.take(is_busy=False) is None
