import math
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.unit.panels.fake_session import FakeSession
from workbench.live.records import ErrorRecord
from workbench.model import AccountState, ClosedTrade, Denied, Fill, PositionSnapshot
from workbench.panels import readout
from workbench.panels.markup import Tile

NOON_NS = 1_760_011_200 * 1_000_000_000  # 2025-10-09 12:00 UTC


@pytest.fixture
def account() -> AccountState:
    flat = FakeSession(bars=0).snapshot()
    return replace(
        flat, time_ns=NOON_NS, equity=10_438.0, realized_pnl=500.0, unrealized_pnl=27.5, fees=80.0, funding=9.5,
        peak_equity=10_500.0, drawdown=0.0059, fill_count=15, trade_count=7,
    )  # fmt: skip


def position(symbol: str = "BTC/USDT", quantity: float = 0.296) -> PositionSnapshot:
    side = "long" if quantity > 0 else "short"
    return PositionSnapshot(symbol, quantity, side, 31_679.0, 0, 31_772.7, 9404.7, 27.5, None, None, None, None)


def tile(tiles: list[Tile], label: str) -> tuple[str, str, str]:
    found = next(one for one in tiles if one.label == label)
    return found.value.text, found.value.tone, found.note


def test_net_profit_is_realised_and_unrealised_less_fees_and_funding(account: AccountState) -> None:
    tiles = readout.account_tiles(account, 31_772.71, "USDT")
    # 500 + 27.5 - 80 - 9.5 = 438, of 10,438 - 438 = 10,000
    assert tile(tiles, "Net P&L") == ("+438.00", "up", "+4.38 %")
    assert tile(tiles, "Equity") == ("10,438.00", "", "USDT")
    assert tile(tiles, "Drawdown") == ("-0.59 %", "down", "peak 10,500.00")
    assert tile(tiles, "Last price") == ("31,772.7", "", "12:00:00 UTC")
    assert tile(tiles, "Fills") == ("15", "", "7 trades")


def test_flat_account_says_so(account: AccountState) -> None:
    tiles = readout.account_tiles(replace(account, drawdown=0.0), math.nan, "USDT")
    assert tile(tiles, "Position") == ("0", "", "flat")
    assert tile(tiles, "Last price")[0] == "n/a"
    assert tile(tiles, "Drawdown")[:2] == ("0.00 %", "")


def test_position_tile_names_side_and_size(account: AccountState) -> None:
    tiles = readout.account_tiles(replace(account, positions=(position(quantity=-0.296),)), 31_772.7, "USDT")
    assert tile(tiles, "Position") == ("-0.296", "", "short, 9,405 USDT")
    assert tile(tiles, "Unrealised")[2] == "entry 31,679.0"


def test_several_positions_are_counted_and_their_sizes_added(account: AccountState) -> None:
    both = (position("BTC/USDT"), position("ETH/USDT", -2.0))
    tiles = readout.account_tiles(replace(account, positions=both, denial_count=3), 31_772.7, "USDT")
    assert tile(tiles, "Position") == ("2 open", "", "18,809 USDT")  # 9,404.7 + 9,404.7
    assert tile(tiles, "Fills")[2] == "7 trades, 3 denied"


def test_one_trade_is_not_plural(account: AccountState) -> None:
    assert tile(readout.account_tiles(replace(account, trade_count=1), 1.0, "USDT"), "Fills")[2] == "1 trade"


def test_fill_that_closed_a_trade_shows_its_profit() -> None:
    buy = Fill(0, "BTC/USDT", "buy", 0.3, 31_000.0, 9.3, NOON_NS, "signal", is_maker=False)
    sell = Fill(1, "BTC/USDT", "sell", 0.3, 31_300.0, 9.39, NOON_NS + 1, "take_profit", is_maker=False)
    trade = ClosedTrade(
        *("BTC/USDT", "long", 0.3, NOON_NS, 31_000.0, NOON_NS + 1, 31_300.0, "take_profit"),
        *(71.31, 0.0077, 18.69, 1, 0.0, 0.0),
    )
    rows = [[cell.text for cell in row] for row in readout.fill_rows([buy, sell], [trade])]
    assert rows == [
        ["10-09 12:00:00", "BTC/USDT", "SELL", "0.3", "31,300.0", "9.39", "take profit", "+71.31"],
        ["10-09 12:00:00", "BTC/USDT", "BUY", "0.3", "31,000.0", "9.30", "signal", ""],
    ]


def test_log_holds_errors_and_denials_newest_first_and_bounded() -> None:
    denied = Denied("BTC/USDT", "max_order_notional", 1000.0, 2500.0, NOON_NS, "buy", 0.08)
    error = ErrorRecord(NOON_NS + 60_000_000_000, "strategy", "strategy: ValueError: no", "")
    lines = [(when, cell.text) for when, cell in readout.log_lines([error], [denied], 10)]
    assert lines == [
        ("10-09 12:01:00", "strategy: ValueError: no"),
        ("10-09 12:00:00", "denied buy 0.08 BTC/USDT: max order notional (limit 1,000, was 2,500)"),
    ]
    assert len(readout.log_lines([error] * 5, [denied] * 5, 3)) == 3


def test_denial_by_a_switch_has_no_numbers() -> None:
    paused = Denied("BTC/USDT", "paused", 0.0, 1.0, NOON_NS, "buy", 0.08)
    assert readout.log_lines([], [paused], 1)[0][1].text == "denied buy 0.08 BTC/USDT: paused"


def test_status_tells_reason_age_bars_and_step_time() -> None:
    metrics = {"step_us": {"p99": 84.6}, "counts": {"bars": 1234}, "data_age_s": 0.42}
    facts = [cell.text for cell in readout.status_facts("started", metrics)]
    assert facts == ["started", "data 0.4 s old", "1,234 bars", "step p99 85 µs"]


@pytest.mark.parametrize("metrics", [{}, {"step_us": {"p99": math.nan}, "counts": {}, "data_age_s": None}])
def test_status_leaves_out_what_is_not_known(metrics: dict[str, object]) -> None:
    assert [cell.text for cell in readout.status_facts(None, metrics)] == [""]


def test_error_of_any_kind_can_be_shown() -> None:
    lines = readout.log_lines([ValueError("plain"), SimpleNamespace(message="with a message", time_ns=0)], [], 5)
    assert [cell.text for _, cell in lines] == ["plain", "with a message"]
