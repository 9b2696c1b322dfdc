"""A fill against the position: up to its size it closes, beyond it opens the other side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench.core import EngineConfig
from workbench.core.accounting import apply_fill
from workbench.core.book import open_book
from workbench.core.ledger import take_log
from workbench.core.records import FILL_ROW, SIGNAL, TRADE_ROW
from workbench.model import Instrument, Timeframe

CONFIG = EngineConfig(
    instruments=(Instrument("BTC/USDT:USDT", "linear_perpetual"),), timeframe=Timeframe("1h"), cash=10_000.0
)


@pytest.mark.parametrize(
    ("sold", "kinds", "left", "fees"),
    [
        (1.0, [FILL_ROW, FILL_ROW, TRADE_ROW], 1.0, [3.0]),
        (2.0, [FILL_ROW, FILL_ROW, TRADE_ROW], 0.0, [6.0]),
        # Two of the three units close: 2 / 3 of the fee of 3, besides the 3 of the entry.
        (3.0, [FILL_ROW, FILL_ROW, TRADE_ROW, FILL_ROW], -1.0, [5.0]),
    ],
)
def test_fill_closes_first_and_opens_with_the_rest(
    sold: float, kinds: list[int], left: float, fees: list[float]
) -> None:
    book = open_book(CONFIG, 100)
    apply_fill(book, 0, 2.0, 100.0, 3.0, 0, SIGNAL, 0)
    fee = 3.0 if sold != 1.0 else 1.5
    apply_fill(book, 0, -sold, 110.0, fee, 1, SIGNAL, 0)
    log = take_log(book)
    assert log["kind"].tolist() == kinds
    assert log[log["kind"] == TRADE_ROW]["fee"].tolist() == fees
    assert book.symbols[0]["quantity"] == left
    # What opens on the other side carries the last third.
    if left < 0.0:
        assert book.symbols[0]["entry_fees"] == pytest.approx(1.0)


@pytest.mark.parametrize("lot", [0.1, None])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_fill_that_closes_a_position_of_several_fills_leaves_no_residue(lot: float | None, side: float) -> None:
    instrument = Instrument("BTC/USDT:USDT", "linear_perpetual", lot=lot)
    book = open_book(replace(CONFIG, instruments=(instrument,)), 100)
    for quantity in (0.1, 0.7):
        apply_fill(book, 0, side * quantity, 100.0, 0.0, 0, SIGNAL, 0)
    assert abs(book.symbols[0]["quantity"]) < 0.8  # 0.1 + 0.7 is 0.7999999999999999
    apply_fill(book, 0, -side * 0.8, 110.0, 1.0, 1, SIGNAL, 0)
    log = take_log(book)
    assert log["kind"].tolist() == [FILL_ROW, FILL_ROW, FILL_ROW, TRADE_ROW]
    assert log[-1]["fee"] == 1.0
    assert book.symbols[0]["quantity"] == 0.0
    assert book.account["cash"] == pytest.approx(10_000.0 + side * 0.8 * 10.0 - 1.0, abs=1e-9)
