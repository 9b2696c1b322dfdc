import math
from dataclasses import replace

import pytest

from tests.unit.panels.fake_session import FakeSession
from workbench.live.health import SessionHealth
from workbench.model import AccountState, PositionSnapshot, RiskConfig
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
    tiles = readout.account_tiles(account, 31_772.71, "USDT", RiskConfig(max_drawdown=0.2))
    # 500 + 27.5 - 80 - 9.5 = 438, of 10,438 - 438 = 10,000
    assert tile(tiles, "Net P&L") == ("+438.00", "up", "+4.38 %")
    assert tile(tiles, "Equity") == ("10,438.00", "", "USDT")
    assert tile(tiles, "Drawdown") == ("-0.59 %", "down", "limit -20 %")
    assert tile(tiles, "Last price") == ("31,772.7", "", "12:00:00 UTC")
    assert tile(tiles, "Fills") == ("15", "", "7 trades")


def test_flat_account_says_so(account: AccountState) -> None:
    tiles = readout.account_tiles(replace(account, drawdown=0.0), math.nan, "USDT", None)
    assert tile(tiles, "Position") == ("0", "", "flat")
    assert tile(tiles, "Last price")[0] == "n/a"
    assert tile(tiles, "Drawdown") == ("0.00 %", "", "peak 10,500.00")


def test_profit_of_the_day_is_measured_from_its_start(account: AccountState) -> None:
    tiles = readout.account_tiles(replace(account, day_start_equity=10_500.0), 1.0, "USDT", RiskConfig())
    # 10,438 - 10,500 = -62, of 10,500: -0.59 %
    assert tile(tiles, "Day's P&L (UTC)") == ("-62.00", "down", "-0.59 %")
    assert tile(tiles, "Drawdown")[2] == "limit off"


def test_position_tile_names_side_and_size(account: AccountState) -> None:
    tiles = readout.account_tiles(replace(account, positions=(position(quantity=-0.296),)), 31_772.7, "USDT", None)
    assert tile(tiles, "Position") == ("-0.296", "", "short, 9,405 USDT")
    assert tile(tiles, "Unrealised")[2] == "entry 31,679.0"


def test_several_positions_are_counted_and_their_sizes_added(account: AccountState) -> None:
    both = (position("BTC/USDT"), position("ETH/USDT", -2.0))
    tiles = readout.account_tiles(replace(account, positions=both, denial_count=3), 31_772.7, "USDT", None)
    assert tile(tiles, "Position") == ("2 open", "", "18,809 USDT")  # 9,404.7 + 9,404.7
    assert tile(tiles, "Fills")[2] == "7 trades, 3 denied"


def test_one_trade_is_not_plural(account: AccountState) -> None:
    assert tile(readout.account_tiles(replace(account, trade_count=1), 1.0, "USDT", None), "Fills")[2] == "1 trade"


def facts(age_s: float | None, ping_s: float | None = None, **metrics: object) -> list[tuple[str, str]]:
    health = SessionHealth("ACTIVE", "trading", age_s, 90.0, ping_s)
    return [(cell.text, cell.tone) for cell in readout.status_facts(health, metrics)]


def test_status_tells_age_ping_bars_and_step_time() -> None:
    assert facts(12.7, 0.0042, step_us={"p99": 84.6}, counts={"bars": 1234}) == [
        ("data 12 s old, limit 1.5 min", "muted"),
        ("ping < 5 ms", "muted"),
        ("1,234 bars", "muted"),
        ("step p99 < 1 ms", "muted"),
    ]


def test_old_data_is_marked_by_a_sign_and_a_colour() -> None:
    assert facts(90.0) == [("data 1.5 min old, limit 1.5 min", "muted")]
    assert facts(91.0)[0] == ("■ data 1.52 min old, limit 1.5 min", "down")


def test_noise_below_what_is_shown_changes_no_text() -> None:
    assert facts(0.1, 0.0002) == facts(0.9, 0.0007)
    assert facts(12.1) == facts(12.9)


@pytest.mark.parametrize("metrics", [{}, {"step_us": {"p99": math.nan}, "counts": {}}])
def test_status_leaves_out_what_is_not_known(metrics: dict[str, object]) -> None:
    assert facts(None, None, **metrics) == []


def test_state_has_a_sign_beside_its_colour() -> None:
    signs = {state: readout.state_badge(state).text[0] for state in ("ACTIVE", "EXITS_ONLY", "HALTED", "STOPPED")}
    assert len(set(signs.values())) == len(signs)
