"""A session without a market: a seeded random walk behind the handle that panels and live charts speak to."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from workbench.errors import ConfigError
from workbench.live.health import SessionHealth
from workbench.live.open_orders import OpenOrder
from workbench.live.records import ChartState, SessionEvent, StepUpdate
from workbench.model import AccountState, ClosedTrade, Denied, Fill, PositionSnapshot, RiskConfig

NS = 1_000_000_000
MINUTE_NS = 60 * NS
START_NS = 1_760_000_400 * NS  # 2025-10-09 09:00 UTC
TICKS_PER_BAR = 12
CASH = 10_000.0
FEE = 0.001


@dataclass(frozen=True)
class FakeParameter:
    name: str
    kind: str
    default: object
    low: float | None = None
    high: float | None = None
    step: float | None = None
    help: str | None = None
    choices: tuple[str, ...] = ()
    is_optional: bool = False


@dataclass(frozen=True)
class FakeStrategy:
    name: str = "sma_cross"
    spec: tuple[FakeParameter, ...] = (
        FakeParameter("fast", "int", 10, 2, 200, 1, "Bars of the fast average"),
        FakeParameter("slow", "int", 50, 3, 500, 1, "Bars of the slow average"),
        FakeParameter("stop", "float", 0.02, 0.001, 0.5, 0.001, "Fraction of price below the entry", is_optional=True),
        FakeParameter("short_too", "bool", default=False),
        FakeParameter("average", "choice", "sma", choices=("sma", "ema")),
    )
    parameters: dict[str, Any] = field(
        default_factory=lambda: {"fast": 10, "slow": 50, "stop": 0.02, "short_too": False, "average": "sma"}
    )


@dataclass(frozen=True)
class FakeSetup:
    risk: RiskConfig = field(default_factory=lambda: RiskConfig(max_drawdown=0.2, stop_loss=0.01))
    execution: str = "simulated"


class FakeSession:
    """The interface of a session's handle, moved by `tick` alone or by a thread of `run`."""

    def __init__(self, *, seed: int = 1, bars: int = 300, symbol: str = "BTC/USDT", name: str = "btc-1") -> None:
        self._random = np.random.default_rng(seed)
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self.subscribers: list[Callable[[Any], None]] = []
        self.name, self.symbols, self.timeframe = name, (symbol,), "1m"
        self.state, self.reason = "PREPARED", "waiting for Start"
        self.strategy = FakeStrategy()
        self.config = FakeSetup()
        self.calls: list[str] = []
        self.error_list: list[Any] = []
        self.denial_list: list[Denied] = []
        self.order_list: list[OpenOrder] | Exception = []
        self.event_list: list[SessionEvent] = []
        self.halted: tuple[str, ...] = ()
        self.is_paused = False
        self.sequence = 0
        self.position: PositionSnapshot | None = None
        self._ticks = 0
        self._price = 31_000.0
        self._cash, self._fees, self._realized, self._peak = CASH, 0.0, 0.0, CASH
        self._fills: list[Fill] = []
        self._trades: list[ClosedTrade] = []
        self._bars: list[list[float]] = []
        self._equity: list[list[float]] = []
        self._marks: list[tuple[int, float, int, str, int]] = []
        for _ in range(bars * TICKS_PER_BAR):
            self.tick()

    @property
    def time_ns(self) -> int:
        return START_NS + self._ticks * MINUTE_NS // TICKS_PER_BAR

    # what a panel commands

    def configure(self, **parameters: Any) -> None:
        self.calls.append(f"configure {parameters}")
        values = {**self.strategy.parameters, **parameters}
        if values["fast"] >= values["slow"]:
            raise ConfigError(f"fast must be below slow ({values['slow']}), was {values['fast']}")
        self.strategy = replace(self.strategy, parameters=values)

    def start(self) -> None:
        self._obey("start", "ACTIVE", "started")

    def pause(self) -> None:
        self.is_paused = True
        self._obey("pause", "EXITS_ONLY", "paused by the user")

    def resume(self) -> None:
        self.is_paused = False
        self._obey("resume", "ACTIVE", "resumed by the user")

    def flatten(self) -> None:
        with self._lock:
            if self.position is not None:
                self._exit(self.position, "flatten")
        self.is_paused = True
        self._obey("flatten", "EXITS_ONLY", "flattened by the user")

    def stop(self) -> None:
        self._ended.set()
        self._obey("stop", "STOPPED", "stopped by the user")

    def kill(self) -> None:
        self._ended.set()
        self._obey("kill", "STOPPED", "killed by the user")

    def clear_breaker(self) -> None:
        self.halted = ()
        self._obey("clear_breaker", "ACTIVE", "trading")

    def reconcile(self, answer: str) -> None:
        self._obey(f"reconcile {answer}", "EXITS_ONLY", "the exchange holds something else than was booked")

    def _obey(self, call: str, state: str, reason: str) -> None:
        self.calls.append(call)
        self.event_list.append(SessionEvent(self.time_ns, "state", f"{state}: {reason}"))
        self.state, self.reason = state, reason

    # the market

    def run(self, ticks_per_second: float) -> None:
        """Tick on a thread while the session is active, until it is stopped."""

        def loop() -> None:
            while not self._ended.wait(1 / ticks_per_second):
                if self.state in {"ACTIVE", "EXITS_ONLY"}:
                    self.tick()

        threading.Thread(target=loop, daemon=True).start()

    def tick(self) -> None:
        with self._lock:
            self._price *= 1 + 0.0006 * float(self._random.standard_t(4))
            self._ticks += 1
            self.sequence += 1
            marks_before = len(self._marks)
            self._trade()
            row, points = self._move_bar(), self._move_equity()
            marks = tuple(self._marks[marks_before:])
            update = StepUpdate(
                self.sequence,
                np.array([row]),
                np.array(points, dtype=float).reshape(-1, 3),
                marks,
                self._lines(),
                self.snapshot(),
            )
            for subscriber in list(self.subscribers):
                subscriber(update)

    def _move_bar(self) -> list[float]:
        time_ms = (self.time_ns // MINUTE_NS) * 60_000.0
        if not self._bars or self._bars[-1][0] != time_ms:
            self._bars.append([time_ms, self._price, self._price, self._price, self._price, 0.0])
        row = self._bars[-1]
        row[2], row[3], row[4] = max(row[2], self._price), min(row[3], self._price), self._price
        row[5] += 0.1
        return list(row)

    def _move_equity(self) -> list[list[float]]:
        equity = self.snapshot().equity
        self._peak = max(self._peak, equity)
        if (self._ticks + 1) % TICKS_PER_BAR:
            return []
        self._equity.append([self._bars[-1][0], equity, equity / self._peak - 1])  # the bar's last tick closes it
        return self._equity[-1:]

    def _trade(self) -> None:
        position = self.position
        if position is None:
            if not self.is_paused and self._random.random() < 1 / 150:
                self.enter()
        elif self._price <= position.stop_level:
            self._exit(position, "stop_loss")
        elif self._price >= position.target_level:
            self._exit(position, "take_profit")

    def enter(self) -> None:
        price, quantity = self._price, round(0.9 * self._cash / self._price, 3)
        self._cash -= self._fill("buy", quantity, "signal") + quantity * price
        levels = (price * 0.99, price * 1.02, price * 0.9902, None)  # stop, target, trailing, time limit
        self.position = PositionSnapshot(
            self.symbols[0], quantity, "long", price, self.time_ns, price, quantity * price, 0.0, *levels
        )

    def _exit(self, position: PositionSnapshot, reason: str) -> None:
        fee = self._fill("sell", position.quantity, reason)
        gain = position.quantity * (self._price - position.entry_price)
        self._cash += position.quantity * self._price - fee
        self._realized += gain
        self.position = None
        self._trades.append(
            ClosedTrade(
                *(position.symbol, "long", position.quantity, position.entry_time_ns, position.entry_price),
                *(self.time_ns, self._price, reason, gain - 2 * fee, 0.0, 2 * fee, 1, 0.0, 0.0),
            )
        )

    def _fill(self, side: str, quantity: float, reason: str) -> float:
        price, fee = self._price, quantity * self._price * FEE
        self._fees += fee
        number = len(self._fills)
        self._fills.append(Fill(number, self.symbols[0], side, quantity, price, fee, self.time_ns, reason, False))
        sign, held = (1, 1) if side == "buy" else (-1, 0)
        self._marks.append((self.time_ns, price, sign, f"{side.upper()} {quantity} @ {price:,.1f}, {reason}", held))
        return fee

    def _lines(self) -> dict[str, float]:
        position = self.position
        if position is None:
            return {}
        levels = {
            "stop": position.stop_level,
            "take profit": position.target_level,
            "trailing": position.trailing_level,
        }
        return {"entry": position.entry_price, **levels}

    # what readers ask

    def subscribe(self, callback: Callable[[Any], None]) -> Callable[[], None]:
        with self._lock:
            self.subscribers.append(callback)
        return lambda: self.subscribers.remove(callback)

    def chart_state(self) -> ChartState:
        with self._lock:
            bars = np.array(self._bars, dtype=float).reshape(-1, 6)[-5000:]
            equity = np.array(self._equity, dtype=float).reshape(-1, 3)[-5000:]
            marks, lines = tuple(self._marks), self._lines()
            account = self.snapshot()
            now = (account.equity, -account.drawdown)
            return ChartState(self.sequence, self.symbols[0], MINUTE_NS, bars, equity, marks, lines, now)

    def snapshot(self) -> AccountState:
        with self._lock:
            position = self.position
            if position is not None:
                value = position.quantity * self._price
                gain = position.quantity * (self._price - position.entry_price)
                position = replace(position, mark_price=self._price, notional=value, unrealized_pnl=gain)
            equity = self._cash + (position.notional if position else 0.0)
            return AccountState(
                sequence=self.sequence,
                time_ns=self.time_ns,
                cash=self._cash,
                equity=equity,
                peak_equity=self._peak,
                drawdown=max(0.0, 1 - equity / self._peak),
                day_start_equity=CASH,
                realized_pnl=self._realized,
                unrealized_pnl=position.unrealized_pnl if position else 0.0,
                fees=self._fees,
                funding=0.0,
                halted=self.halted,
                is_paused=self.is_paused,
                positions=(position,) if position else (),
                fill_count=len(self._fills),
                trade_count=len(self._trades),
                denial_count=len(self.denial_list),
            )

    def fills(self, limit: int) -> list[Fill]:
        return self._fills[-limit:]

    def trades(self, limit: int) -> list[ClosedTrade]:
        return self._trades[-limit:]

    def denials(self, limit: int) -> list[Denied]:
        return self.denial_list[-limit:]

    def open_orders(self) -> tuple[OpenOrder, ...]:
        if isinstance(self.order_list, Exception):
            raise self.order_list
        return tuple(self.order_list)

    def errors(self, limit: int) -> list[Any]:
        return self.error_list[-limit:]

    def events(self, limit: int) -> list[SessionEvent]:
        return self.event_list[-limit:]

    def health(self) -> SessionHealth:
        return SessionHealth(self.state, self.reason, 0.4, 90.0, 0.0003)

    def metrics(self) -> dict[str, Any]:
        steps = {"p50": 40.0, "p99": 85.0, "max": 300.0}
        return {"step_us": steps, "counts": {"bars": len(self._bars)}, "data_age_s": 0.4}
