from types import SimpleNamespace
from typing import Any

import pytest

from workbench.live.records import ErrorRecord, SessionEvent
from workbench.model import ClosedTrade, Denied, Fill
from workbench.panels import markup, tables
from workbench.panels.markup import Table

CANARY = "<img src=x onerror=alert(1)>"
NOON_NS = 1_760_011_200 * 1_000_000_000  # 2025-10-09 12:00 UTC
BUY = Fill(0, "BTC/USDT", "buy", 0.3, 31_000.0, 9.3, NOON_NS, "signal", is_maker=False)
SELL = Fill(1, "BTC/USDT", "sell", 0.3, 31_300.0, 9.39, NOON_NS + 1, "take_profit", is_maker=False)
TRADE = ClosedTrade(
    *("BTC/USDT", "long", 0.3, NOON_NS, 31_000.0, NOON_NS + 1, 31_300.0, "take_profit"),
    *(71.31, 0.0077, 18.69, 1_200, 0.0, 0.0),
)
DENIED = Denied("BTC/USDT", "max_order_notional", 1000.0, 2500.0, NOON_NS, "buy", 0.08)


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_fill_that_closed_a_trade_shows_its_profit() -> None:
    table = tables.fill_table([BUY, SELL], [TRADE], "USDT")
    assert texts(table) == [
        ["10-09 12:00:00", "BTC/USDT", "▼ SELL", "0.3 BTC", "31,300.0", "9.39", "+71.31", "take profit"],
        ["10-09 12:00:00", "BTC/USDT", "▲ BUY", "0.3 BTC", "31,000.0", "9.30", "", "signal"],
    ]
    heads = ["Time (UTC)", "Symbol", "Side", "Quantity", "Price (USDT)", "Fee (USDT)", "P&L (USDT)", "Reason"]
    assert [column.name for column in table.columns] == heads


def test_trade_shows_what_it_made() -> None:
    (row,) = texts(tables.trade_table([TRADE], "USDT"))
    assert row[:4] == ["10-09 12:00:00", "BTC/USDT", "▲ long", "0.3 BTC"]
    assert row[4:] == ["31,000.0", "31,300.0", "+71.31", "+0.77 %", "1,200", "take profit"]


def test_denial_shows_rule_limit_and_value() -> None:
    paused = Denied("BTC/USDT", "paused", 0.0, 1.0, NOON_NS + 1, "sell", 0.08)
    assert texts(tables.denial_table([DENIED, paused])) == [
        ["10-09 12:00:00", "BTC/USDT", "▼ SELL", "0.08 BTC", "paused", "", ""],  # a switch has no numbers
        ["10-09 12:00:00", "BTC/USDT", "▲ BUY", "0.08 BTC", "max order notional", "1,000.00", "2,500.00"],
    ]


def test_order_that_went_wrong_is_told_until_another_is_filled() -> None:
    events = [
        SessionEvent(NOON_NS, "order", "order 3 never arrived"),
        SessionEvent(NOON_NS + 1, "order", "order 4 was rejected"),
        SessionEvent(NOON_NS + 2, "state", "ACTIVE: trading"),
    ]
    assert tables.newest_trouble(events, 0) == "10-09 12:00:00 order 4 was rejected"
    assert tables.newest_trouble(events, NOON_NS) == "10-09 12:00:00 order 4 was rejected"
    assert tables.newest_trouble(events, NOON_NS + 1) == ""
    assert tables.newest_trouble(events[2:], 0) == ""
    assert tables.event_table(events).rows[1][2].tone == "warning"


def test_events_and_errors_are_newest_first_and_dated() -> None:
    events = [SessionEvent(0, "state", "PREPARED: waiting"), SessionEvent(NOON_NS, "breaker", "max_drawdown tripped")]
    assert texts(tables.event_table(events)) == [
        ["10-09 12:00:00", "breaker", "max_drawdown tripped"],
        ["", "state", "PREPARED: waiting"],  # before the first price there is no time
    ]
    errors = [ErrorRecord(NOON_NS, "strategy", "strategy: ValueError: no", "Traceback: ..."), ValueError("plain")]
    table = tables.error_table([*errors, SimpleNamespace(message="with a message", time_ns=0)])
    assert [row[-1] for row in texts(table)] == ["with a message", "plain", "strategy: ValueError: no"]
    assert table.rows[-1][-1].more == "Traceback: ..."


@pytest.mark.parametrize(
    "table",
    [
        tables.fill_table([], [], ""),
        tables.trade_table([], "USDT"),
        tables.denial_table([]),
        tables.event_table([]),
        tables.error_table([]),
    ],
)
def test_empty_table_says_so_in_words(table: Table) -> None:
    assert table.empty in markup.table(table)


def canary_tables() -> list[Any]:
    fill = Fill(0, CANARY, CANARY, 1.0, 1.0, 0.0, NOON_NS, CANARY, is_maker=False)  # type: ignore[arg-type]  # not ours
    trade = ClosedTrade(CANARY, CANARY, 1.0, 0, 1.0, NOON_NS, 1.0, CANARY, 0.0, 0.0, 0.0, 1, 0.0, 0.0)
    return [
        tables.fill_table([fill], [], CANARY),
        tables.trade_table([trade], CANARY),
        tables.denial_table([Denied(CANARY, CANARY, 1.0, 1.0, 0, CANARY, 1.0)]),  # type: ignore[arg-type]  # as above
        tables.event_table([SessionEvent(0, CANARY, CANARY)]),
        tables.error_table([ErrorRecord(0, CANARY, CANARY, CANARY)]),
    ]


@pytest.mark.parametrize("table", canary_tables())
def test_texts_from_outside_stay_text(table: Table) -> None:
    page = markup.table(table)
    assert "<img" not in page
    assert "&lt;img" in page
