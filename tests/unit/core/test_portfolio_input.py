"""What a caller may hand to an account: a price, a time and markets of one currency, or an error that says why."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from workbench.core import EngineConfig, PortfolioSimulator
from workbench.errors import ConfigError, DataError
from workbench.model import Costs, Instrument, OrderRequest, Timeframe

NOW_NS = 1_735_689_600_000_000_000  # 2025-01-01T00:00Z
BUY = OrderRequest("BTC/USDT", "buy", 2.0, "market", None, NOW_NS)


def config(*symbols: str, cash: Any = 1_000.0) -> EngineConfig:
    instruments = tuple(Instrument.of(symbol) for symbol in symbols or ("BTC/USDT",))
    free = Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.0)
    return EngineConfig(instruments=instruments, timeframe=Timeframe("1m"), cash=cash, costs=free)


@pytest.mark.parametrize("price", [0.0, -1.0, math.nan, math.inf, "100", None, True, Decimal(100)])
def test_price_that_is_none_is_refused_and_changes_nothing(price: Any) -> None:
    portfolio = PortfolioSimulator(config())
    before = portfolio.get_account_snapshot()
    with pytest.raises(DataError, match="price of BTC/USDT must be a float > 0 and finite, was"):
        portfolio.process_order(BUY, price, NOW_NS)
    with pytest.raises(DataError, match="price of BTC/USDT must be a float > 0 and finite, was"):
        portfolio.mark_to_market({"BTC/USDT": price}, NOW_NS)
    assert portfolio.get_account_snapshot() == before


@pytest.mark.parametrize(
    ("time_ns", "words"),
    [
        (1_735_689_600, "it looks like seconds"),
        (1_735_689_600_000, "it looks like milliseconds"),
        (5, "not in 2009..2099"),
        (float(NOW_NS), "must be an integer"),
        ("now", "must be an integer"),
        (None, "must be an integer"),
    ],
)
def test_time_in_another_unit_is_refused_and_changes_nothing(time_ns: Any, words: str) -> None:
    portfolio = PortfolioSimulator(config())
    before = portfolio.get_account_snapshot()
    with pytest.raises(DataError, match=words):
        portfolio.process_order(BUY, 100.0, time_ns)
    with pytest.raises(DataError, match=words):
        portfolio.mark_to_market({"BTC/USDT": 100.0}, time_ns)
    assert portfolio.get_account_snapshot() == before


def test_numbers_of_numpy_are_taken() -> None:
    portfolio = PortfolioSimulator(config(cash=np.int64(1_000)))
    portfolio.process_order(BUY, np.float64(100.0), np.int64(NOW_NS))  # type: ignore[arg-type]  # an integer as well
    # 1000 - 2 * 100
    assert portfolio.get_account_snapshot().cash == 800.0


@pytest.mark.parametrize("cash", [0, -1.0, math.nan, math.inf, "1000", None, True, Decimal(1_000)])
def test_cash_that_is_none_is_refused(cash: Any) -> None:
    with pytest.raises(ConfigError, match="cash must be a float > 0 and finite, was"):
        config(cash=cash)


def test_one_cash_account_has_one_quote_currency() -> None:
    with pytest.raises(ConfigError, match="must have one quote currency, had EUR, USDT"):
        config("BTC/USDT", "ETH/EUR")
    # A perpetual is settled in its quote currency.
    assert config("BTC/USDT", "ETH/USDT:USDT").symbols == ("BTC/USDT", "ETH/USDT:USDT")
