"""Why a session ended with another equity than the backtest of its bars, thing by thing."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.errors import SessionError
from workbench.live.bar_only import bar_only_events, last_prices
from workbench.live.live_core import replay_core
from workbench.live.order_matching import exchange_orders, match_orders, simulated_orders
from workbench.model import COMMAND, REPORT, EquityPart, EquityWaterfall

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from workbench.core import DecisionPlan, EngineConfig, Ledger
    from workbench.live.order_matching import FilledOrder
    from workbench.live.trading_engine import EngineCut

__all__ = ["explain_difference"]

_MEANINGS: Final = {
    "intrabar path": "The prices inside the bars came in another order than the backtest assumes.",
    "commands": "Pauses, flattening and other commands during the session.",
    "latency": "The market moved between the simulated fill and the exchange's.",
    "price": "The exchange filled at other prices than the market and the assumed slippage gave.",
    "fees": "The exchange charged other fees than assumed.",
    "quantity": "Orders were filled with another quantity on the exchange.",
    "missed fills": "Orders that only the simulation filled.",
    "extra fills": "Orders that only the exchange filled.",
    "rest": "What no part explains: rounding.",
}


def explain_difference(make_plan: Callable[[], DecisionPlan], config: EngineConfig, cut: EngineCut) -> EquityWaterfall:
    """Return the way from the final equity of the bar-only backtest to that of a session.

    One thing after another takes the place of what the backtest assumes: the prices inside the bars, the commands and,
    for a session whose orders went to an exchange, its prices, fees, quantities and fills. A fill that is missed or
    extra counts with what it was worth at the last price.

    Parameters
    ----------
    make_plan : callable
        Returns the strategy lowered, anew each time: a plan that has run may hold what it has seen.
    config : EngineConfig
        The session's.
    cut : EngineCut
        What the session recorded, and what came of it.

    Raises
    ------
    SessionError
        Nothing was recorded yet.
    """
    events = cut.events
    if not len(events):
        raise SessionError("nothing was recorded yet, so there is no difference to explain")
    simulated = replace(config, is_external=False)

    def run(rows: NDArray[np.void], config: EngineConfig = simulated) -> Ledger:
        return replay_core(make_plan(), rows, config, cut.history)

    market = events[events["kind"] != REPORT]
    bar_only = run(bar_only_events(events, config.timeframe))
    on_prices = run(market[market["kind"] != COMMAND])
    with_commands = run(market)
    amounts = {
        "intrabar path": _equity(on_prices) - _equity(bar_only),
        "commands": _equity(with_commands) - _equity(on_prices),
    }
    counts = (0, 0, 0)
    if config.is_external:
        whole = run(events, config)
        matched, missed, extra = match_orders(simulated_orders(with_commands), exchange_orders(whole, events))
        amounts |= _exchange_amounts(matched, missed, extra, _Prices(events, config, whole))
        counts = len(matched), len(missed), len(extra)
    start, end = _equity(bar_only), _equity(cut.tail.newest)
    amounts["rest"] = (end - start) - math.fsum(amounts.values())
    return EquityWaterfall(
        currency=_currency(config),
        start=start,
        end=end,
        parts=tuple(EquityPart(name=name, amount=amount, meaning=_MEANINGS[name]) for name, amount in amounts.items()),
        matched_orders=counts[0],
        missed_orders=counts[1],
        extra_orders=counts[2],
    )


class _Prices:
    """What a symbol's price was at a time, and at the end."""

    def __init__(self, events: NDArray[np.void], config: EngineConfig, ledger: Ledger) -> None:
        self._known = [last_prices(events, symbol, config.timeframe) for symbol in range(len(config.symbols))]
        self.last = [float(record["last"]) for record in ledger.book.symbols]

    def at(self, symbol: int, time_ns: int) -> float:
        """Return the last price known at a time; the first one before any."""
        times, prices = self._known[symbol]
        return float(prices[max(int(np.searchsorted(times, time_ns, side="right")) - 1, 0)])


def _exchange_amounts(
    matched: Sequence[tuple[FilledOrder, FilledOrder]],
    missed: Sequence[FilledOrder],
    extra: Sequence[FilledOrder],
    prices: _Prices,
) -> dict[str, float]:
    """Return what putting the exchange's fills in the place of the simulated ones adds, by reason."""
    amounts: dict[str, list[float]] = {"latency": [], "price": [], "fees": [], "quantity": []}
    for one, other in matched:
        # Compared is the quantity that both have; the rest of the larger one is a matter of quantity.
        shared = min(abs(one.signed), abs(other.signed))
        parts = [shared / abs(order.signed) for order in (one, other)]
        paid = parts[1] * other.notional - parts[0] * one.notional
        moved = parts[1] * _market_notional(other, prices) - parts[0] * _market_notional(one, prices)
        amounts["latency"].append(-moved)
        amounts["price"].append(moved - paid)
        amounts["fees"].append(parts[0] * one.fee - parts[1] * other.fee)
        amounts["quantity"] += [
            (1.0 - parts[1]) * _worth(other, prices),
            -(1.0 - parts[0]) * _worth(one, prices),
        ]
    amounts["missed fills"] = [-_worth(one, prices) for one in missed]
    amounts["extra fills"] = [_worth(one, prices) for one in extra]
    return {name: math.fsum(values) for name, values in amounts.items()}


def _market_notional(order: FilledOrder, prices: _Prices) -> float:
    """Return what an order would have cost at the market's prices when it was filled."""
    return sum(one.signed * prices.at(order.symbol, one.time_ns) for one in order.prints)


def _worth(order: FilledOrder, prices: _Prices) -> float:
    """Return what an order has added to the final equity: its quantity at the last price, less what was paid."""
    return order.signed * prices.last[order.symbol] - order.notional - order.fee


def _equity(ledger: Ledger) -> float:
    """Return the equity at the end: cash, and positions at their last prices."""
    book = ledger.book
    worth = (float(record["quantity"]) * float(record["last"]) for record in book.symbols)
    return math.fsum((float(book.account["cash"]), *worth))


def _currency(config: EngineConfig) -> str:
    return config.instruments[0].quote
