"""Reports about sessions as HTML cards, and sessions as they are at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from workbench.charts.card_markup import card, card_table, figures, notes_list
from workbench.errors import WorkbenchError
from workbench.model import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.model import AccountState, EquityWaterfall, Timeframe

__all__ = ["SessionList", "account_card", "parity_card", "session_card", "story_card", "waterfall_card"]

_SHORT_HASH: Final = 8
_BAD: Final = frozenset({"HALTED", "FAILED", "CRASHED"})


class Verdict(Protocol):
    """A parity report as its card sees it."""

    @property
    def is_identical(self) -> bool:
        """Whether both did the same."""

    @property
    def bars(self) -> int:
        """Bars of the session."""

    @property
    def fills(self) -> int:
        """Fills of the session."""

    @property
    def first_difference(self) -> str | None:
        """Where they part."""

    @property
    def live_hash(self) -> str:
        """Of the session's ledger."""

    @property
    def replay_hash(self) -> str:
        """Of the replay's ledger."""


class Named(Protocol):
    """A strategy as a session's card sees it."""

    @property
    def name(self) -> str:
        """Name of the strategy."""


class ShownSession(Protocol):
    """A session as its card sees it."""

    @property
    def name(self) -> str:
        """Name of the session."""

    @property
    def state(self) -> str:
        """What it is doing."""

    @property
    def reason(self) -> str:
        """Why."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """What it trades."""

    @property
    def timeframe(self) -> Timeframe:
        """Length of a bar."""

    @property
    def strategy(self) -> Named:
        """What decides."""

    def snapshot(self) -> AccountState:
        """Return the account."""


def parity_card(report: Verdict) -> str:
    """Return the card of a parity report: the verdict, how much was compared, and the first difference."""
    same = report.is_identical
    tiles = (
        (
            "Verdict",
            "identical" if same else "NOT identical",
            "byte for byte" if same else "see below",
            1 if same else -1,
        ),
        ("Bars", f"{report.bars:,}", "account after each", 0.0),
        ("Fills", f"{report.fills:,}", "each field of each", 0.0),
        ("Session", report.live_hash[:_SHORT_HASH], "sha256 of its ledger", 0.0),
        ("Replay", report.replay_hash[:_SHORT_HASH], "sha256 of its ledger", 0.0),
    )
    difference = () if report.first_difference is None else (f"First difference: {report.first_difference}",)
    return card("Parity of session and replay", "", figures(tiles), notes_list(difference))


def waterfall_card(waterfall: EquityWaterfall) -> str:
    """Return the card of a waterfall: both ends, and each part with its meaning."""
    unit = waterfall.currency
    counts = (waterfall.matched_orders, waterfall.missed_orders, waterfall.extra_orders)
    matched = "orders: {:,} matched, {:,} missed, {:,} extra".format(*counts) if any(counts) else ""
    tiles = (
        ("Bar-only backtest", f"{waterfall.start:,.2f}", unit, 0.0),
        ("Difference", _signed(waterfall.difference), unit, waterfall.difference),
        ("Session", f"{waterfall.end:,.2f}", unit, 0.0),
    )
    rows = [(part.name, _signed(part.amount), part.meaning) for part in waterfall.parts]
    table = card_table(("Part", f"Amount ({unit})", "Meaning"), rows, numbers=frozenset({1}))
    return card("From the backtest to the session", matched, figures(tiles), table)


def story_card(title: str, lines: Iterable[tuple[str, str]]) -> str:
    """Return the card of an order's story: its title, and part by part what happened."""
    return card(title, "", card_table(("", ""), lines))


def session_card(session: ShownSession) -> str:
    """Return the card of a session at this moment; what it cannot tell is left out."""
    state, reason = str(session.state), session.reason
    sign = -1.0 if state in _BAD else 1.0 if state == "ACTIVE" else 0.0
    shown = [("State", state.replace("_", " "), "", sign)]
    aside = ""
    try:
        aside = f"{', '.join(session.symbols)} {session.timeframe}  ·  {session.strategy.name}"
        shown += _account_tiles(session.snapshot())
    except WorkbenchError as error:
        reason = f"{reason}; {error}"
    note = (reason,) if reason and state != "ACTIVE" else ()
    return card(f"Session {session.name}", aside, figures(shown), notes_list(note))


def _account_tiles(account: AccountState) -> list[tuple[str, str, str, float]]:
    day = account.equity - account.day_start_equity
    held = ", ".join(f"{one.quantity:,.6g} {one.symbol}" for one in account.positions[:2])
    return [
        ("Equity", f"{account.equity:,.2f}", "", 0.0),
        ("Day's P&L (UTC)", _signed(day), "", round(day, 2)),
        ("Drawdown", f"{100 * account.drawdown:.2f} %", "", 0.0),
        ("Positions", f"{len(account.positions):,}", held or "flat", 0.0),
        ("Fills", f"{account.fill_count:,}", f"{account.trade_count:,} trades", 0.0),
    ]


def account_card(account: AccountState) -> str:
    """Return the card of an account: its figures, and its open positions with the levels that protect them."""
    at = utc_text(account.time_ns, to_second=True) if account.time_ns else "before the first price"
    net = account.realized_pnl + account.unrealized_pnl - account.fees - account.funding
    more = [
        ("Cash", f"{account.cash:,.2f}", "", 0.0),
        ("Net P&L", _signed(net), f"fees {account.fees:,.2f}", round(net, 2)),
    ]
    halts = tuple(f"entries halted by {name.replace('_', ' ')}" for name in account.halted)
    paused = ("entries paused by the user",) if account.is_paused else ()
    rows = [
        (
            *(one.symbol, one.side, f"{abs(one.quantity):,.6g}", _price(one.entry_price), _price(one.mark_price)),
            *(_signed(one.unrealized_pnl), _price(one.stop_level), _price(one.target_level)),
        )
        for one in account.positions
    ]
    heads = ("Symbol", "Side", "Quantity", "Entry", "Mark", "Unrealised", "Stop", "Target")
    table = card_table(heads, rows, numbers=frozenset(range(2, 8))) if rows else ""
    return card("Account", at, figures([*_account_tiles(account), *more]), table, notes_list((*halts, *paused)))


def _price(value: float | None) -> str:
    return "none" if value is None else f"{value:,.2f}" if abs(value) >= 100 else f"{value:.6g}"  # noqa: PLR2004  cents matter less above


class SessionList(tuple[Any, ...]):
    """Sessions, shown as a table where a notebook shows them."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        rows = [_session_row(session) for session in self]
        heads = ("Name", "State", "Market", "Strategy", "Equity", "Drawdown", "Position")
        table = (
            card_table(heads, rows, numbers=frozenset({4, 5})) if rows else notes_list(("wb.paper(...) starts one",))
        )
        count = f"{len(self):,} session{'' if len(self) == 1 else 's'}"
        return card(count, "wb.dashboard() watches them", table)


def _session_row(session: ShownSession) -> tuple[str, ...]:
    state = str(session.state).replace("_", " ")
    try:
        market, strategy = f"{', '.join(session.symbols)} {session.timeframe}", session.strategy.name
        account = session.snapshot()
    except WorkbenchError:
        return (session.name, state, "", "", "n/a", "n/a", "n/a")
    held = ", ".join(f"{one.quantity:,.6g} {one.symbol}" for one in account.positions) or "flat"
    equity, drawdown = f"{account.equity:,.2f}", f"{100 * account.drawdown:.2f} %"
    return (session.name, state, market, strategy, equity, drawdown, held)


def _signed(amount: float) -> str:
    return f"{round(amount, 2) + 0.0:+,.2f}"
