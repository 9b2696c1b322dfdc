"""What goes into the reference simulator and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

LONG = 1
SHORT = -1


@dataclass(frozen=True)
class BarPrices:
    """The four prices of one bar."""

    open: float
    high: float
    low: float
    close: float


@dataclass(frozen=True)
class BarGroup:
    """All bars of one timestamp of a bar-only source; a symbol without a bar is absent."""

    time_ns: int
    bars: dict[int, BarPrices]


@dataclass(frozen=True)
class TickPrice:
    """One print: the price jumps to it."""

    time_ns: int
    symbol: int
    price: float


@dataclass(frozen=True)
class Closed:
    """A bar that was made of ticks already seen has closed: time to decide, no price of its own."""

    open_time_ns: int
    symbol: int


@dataclass(frozen=True)
class CommandEvent:
    """pause, resume, flatten, stop, kill or clear_breaker."""

    time_ns: int
    name: str


@dataclass(frozen=True)
class Decision:
    """What the strategy wants after a close. ``None`` = unset."""

    action: str = "hold"  # hold, enter_long, enter_short, exit
    sizing: str = "default"  # default, fraction, notional, units, risk
    size: float | None = None
    limit: float | None = None
    stop: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    trailing_stop: float | None = None
    max_holding_s: float | None = None
    cancels: tuple[int, ...] = ()  # sides whose waiting entry goes, when nothing else is wanted

    @property
    def is_entry(self) -> bool:
        """Return whether this opens a position."""
        return self.action in {"enter_long", "enter_short"}

    @property
    def side(self) -> int:
        """Return +1 for a long entry, -1 for a short one."""
        return LONG if self.action == "enter_long" else SHORT

    @property
    def is_resting(self) -> bool:
        """Return whether the entry waits for a price of its own."""
        return self.limit is not None or self.stop is not None


@dataclass
class OpenPosition:
    """A position and everything that protects it."""

    side: int
    quantity: float
    entry_price: float
    entry_time_ns: int
    entry_fee: float
    stop_level: float | None
    target_level: float | None
    max_loss_level: float | None
    own_trail: float | None
    time_limit_ns: float | None
    peak: float
    lowest: float
    highest: float
    funding: float = 0.0
    bars_held: int = 0

    @property
    def signed(self) -> float:
        """Return the quantity with the sign of the side."""
        return self.side * self.quantity


@dataclass
class Resting:
    """An entry order that waits for its price, with the quantity it was reviewed for."""

    decision: Decision
    quantity: float
    level: float

    @property
    def is_limit(self) -> bool:
        """Return whether this is a limit order, else it is a stop."""
        return self.decision.limit is not None

    def is_reached(self, price: float) -> bool:
        """Return whether the order fills when the price stands at ``price``."""
        side = self.decision.side
        return side * price <= side * self.level if self.is_limit else side * price >= side * self.level


@dataclass
class Book:
    """One symbol of the account."""

    index: int
    instrument: Any
    mark: float | None = None
    previous_mark: float | None = None
    position: OpenPosition | None = None
    entry: Decision | None = None
    order: Resting | None = None
    exits: set[str] = field(default_factory=set)
    cooldown_until_ns: float = float("-inf")
    funding: list[tuple[int, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Filled:
    """One execution."""

    symbol: int
    time_ns: int
    side: int
    quantity: float
    price: float
    fee: float
    reason: str
    is_maker: bool


@dataclass(frozen=True)
class Trade:
    """One round trip."""

    symbol: int
    side: int
    quantity: float
    entry_time_ns: int
    entry_price: float
    exit_time_ns: int
    exit_price: float
    exit_reason: str
    pnl: float
    return_: float
    fees: float
    bars_held: int
    mae: float
    mfe: float


@dataclass(frozen=True)
class Denial:
    """An entry that the review refused."""

    symbol: int
    rule: str
    limit: float
    value: float
    time_ns: int
    side: int
    quantity: float


@dataclass(frozen=True)
class Trip:
    """A breaker that tripped."""

    rule: str
    limit: float
    value: float
    time_ns: int
