"""The permit: what lets one session's orders through to real money, one by one."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NoReturn

from workbench.errors import ConfigError, RealTradingDisabledError
from workbench.exchange.real_money.turnover import DailyTurnover
from workbench.model.field_checks import Interval

if TYPE_CHECKING:
    from workbench.exchange.credentials import Credentials
    from workbench.exchange.real_money.arming import Arming
    from workbench.exchange.real_money.gate import RealTradingGate
    from workbench.exchange.real_money.terms import RealConsent, RealTerms
    from workbench.exchange.tickets import OrderTicket

__all__ = ["ORDERS_PER_MINUTE", "RealTradingPermit", "only_reduces"]

ORDERS_PER_MINUTE: Final = "max_orders_per_minute"
"""How a refusal begins of an entry that is one too many within a minute."""

_MINUTE_NS: Final = 60 * 1_000_000_000
# What float rounding may add to a size before it counts as beyond a limit.
_TOLERANCE: Final = 1.0 + 1e-9
_REMEMBERED: Final = 10_000
_AMOUNT: Final = Interval(0.0, float("inf"), includes_low=True)


class RealTradingPermit:
    """Judges every order of one session with real money, right before it is sent.

    It cannot be made without the gate's consent: making it is asking the gate. It trusts nothing that it was told at
    that time either: for each entry the armed file is read anew, so that ``workbench disarm`` and the expiry hold from
    the next order on.

    An order that only makes a position smaller is not bound to the arming, which may have expired meanwhile: refusing
    an exit would protect nobody. It is bound to the account, to the symbols, and to what may be held at most.

    Parameters
    ----------
    gate : RealTradingGate
        Whom to ask.
    consent : RealConsent
        What is wanted, and the sentence that was typed for it.
    closed_reason : str, optional
        Why nothing may enter: for a session that goes on with a position while the gate says no. What was typed must
        still fit, and the key be there; exits are sent, an entry never is, whatever is armed later on.

    Raises
    ------
    RealTradingDisabledError
        Any of the conditions does not hold; the message names it and the way out.
    """

    __slots__ = (
        "_adopted",
        "_arming",
        "_can_withdraw",
        "_closed_reason",
        "_counted",
        "_credentials",
        "_entered",
        "_gate",
        "_sent_ns",
        "_terms",
    )

    def __init__(self, gate: RealTradingGate, consent: RealConsent, *, closed_reason: str | None = None) -> None:
        self._arming: Arming | None = None
        if closed_reason is None:
            stored, self._arming = gate.require(consent)
        else:
            stored = gate.require_key(consent)
        self._closed_reason = closed_reason
        self._gate = gate
        self._terms = consent.terms
        self._credentials = stored.credentials
        self._can_withdraw = stored.can_withdraw
        self._sent_ns: deque[int] = deque()
        self._entered: dict[str, float] = {}
        self._adopted: dict[str, float] = {}
        self._counted: dict[str, tuple[float, int]] = {}

    def __repr__(self) -> str:
        return f"RealTradingPermit({self._terms.account} on {self._terms.exchange})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a permit belongs to one process: it cannot be pickled")

    @property
    def terms(self) -> RealTerms:
        """What the session is allowed."""
        return self._terms

    @property
    def arming(self) -> Arming | None:
        """What the account was armed for when the permit was made; None for one that only closes."""
        return self._arming

    @property
    def credentials(self) -> Credentials:
        """The only key that it is good for."""
        return self._credentials

    @property
    def can_withdraw(self) -> str:
        """What the key's owner said: ``"no"`` or ``"unknown"``."""
        return self._can_withdraw

    def covers(self, exchange: str, credentials: Credentials | None) -> bool:
        """Return whether it is about this `exchange` and these very `credentials`."""
        return self._terms.exchange == exchange and credentials is self._credentials

    def adopt(self, symbol: str, quantity: float) -> None:
        """Let what a session holds from before its restart be sold: `quantity` of a `symbol`, in the base currency.

        Raises
        ------
        ConfigError
            The quantity is none.
        """
        if quantity not in _AMOUNT:
            raise ConfigError(f"quantity must be in {_AMOUNT}, was {quantity}")
        self._adopted[symbol] = quantity

    def refusal(self, ticket: OrderTicket, last_price: float | None) -> str | None:
        """Return why an order may not be sent; None when it may, and then it is counted.

        Parameters
        ----------
        ticket : OrderTicket
            The order.
        last_price : float or None
            Price of the last trade at the exchange; None when it cannot be had, and then no entry is let through.
        """
        if ticket.symbol not in self._terms.symbols:
            return f"{ticket.symbol} is none of the session's symbols, {', '.join(self._terms.symbols)}"
        try:
            if only_reduces(ticket):
                return self._exit_refusal(ticket, last_price)
            return self._entry_refusal(ticket, last_price)
        except RealTradingDisabledError as error:
            return str(error)

    def take_back(self, ticket: OrderTicket) -> None:
        """Uncount an order that certainly came to nothing: it was refused, or never sent."""
        counted = self._counted.pop(ticket.client_order_id, None)
        if counted is None:
            return
        notional, sent_ns = counted
        self._entered[ticket.symbol] -= ticket.quantity
        if sent_ns in self._sent_ns:
            self._sent_ns.remove(sent_ns)
        self._turnover.take_back(notional, sent_ns)

    @property
    def _turnover(self) -> DailyTurnover:
        return DailyTurnover(self._gate.folder, self._terms.account)

    def _exit_refusal(self, ticket: OrderTicket, last_price: float | None) -> str | None:
        if _is_perpetual(ticket.symbol):
            # The exchange itself sees to it that such an order only reduces.
            return None
        known = self._entered.get(ticket.symbol, 0.0) + self._adopted.get(ticket.symbol, 0.0)
        if ticket.quantity <= known * _TOLERANCE:
            return None
        known_limits = self._terms if self._arming is None else self._arming.caps
        limit = known_limits.max_position_notional
        if last_price is not None and ticket.quantity * last_price <= limit * _TOLERANCE:
            return None
        return (
            f"an exit of {ticket.quantity:.12g} {ticket.symbol} is more than the session has bought, {known:.12g}, and "
            f"more than a position of {limit:.12g} may be"
        )

    def _entry_refusal(self, ticket: OrderTicket, last_price: float | None) -> str | None:
        if self._closed_reason is not None:
            raise RealTradingDisabledError(f"only exits are sent: {self._closed_reason}")
        now_ns = self._gate.now_ns()
        arming = self._gate.require_still_armed(self._terms, self._credentials)
        if last_price is None or not last_price > 0.0:
            return f"the last price of {ticket.symbol} is not known, and no entry is sent without one"
        caps, terms = arming.caps, self._terms
        collar = min(caps.price_collar, terms.price_collar)
        level = last_price if ticket.price is None else ticket.price
        away = abs(level / last_price - 1.0)
        if not away <= collar * _TOLERANCE:
            return f"price_collar is {collar:.6g}, {level:.12g} is {away:.6g} from the last price {last_price:.12g}"
        is_bounded = ticket.kind == "limit" and ticket.side == "buy"
        notional = ticket.quantity * (level if is_bounded else max(level, last_price))
        most = min(caps.max_order_notional, terms.max_order_notional, caps.max_position_notional)
        # The size was chosen at the price of the decision, which the market may have left by the time of this look.
        moved = 1.0 if is_bounded else 1.0 + collar
        if not notional <= most * moved * _TOLERANCE:
            return f"max_order_notional is {most:.12g}, was {notional:.12g}"
        while self._sent_ns and now_ns - self._sent_ns[0] >= _MINUTE_NS:
            self._sent_ns.popleft()
        count = min(caps.max_orders_per_minute, terms.max_orders_per_minute)
        if len(self._sent_ns) >= count:
            return f"{ORDERS_PER_MINUTE} is {count}, and so many were sent within the last minute"
        total = self._turnover.add(notional, now_ns, caps.max_daily_notional)
        if total is not None:
            return f"max_daily_notional is {caps.max_daily_notional:.12g}, with this order the day had {total:.12g}"
        self._sent_ns.append(now_ns)
        self._counted[ticket.client_order_id] = (notional, now_ns)
        if len(self._counted) > _REMEMBERED:
            del self._counted[next(iter(self._counted))]
        self._entered[ticket.symbol] = self._entered.get(ticket.symbol, 0.0) + ticket.quantity
        return None


def only_reduces(ticket: OrderTicket) -> bool:
    """Return whether the order of a `ticket` can only make a position smaller, whatever its sender thinks of it."""
    if not ticket.is_exit:
        return False
    return ticket.reduce_only if _is_perpetual(ticket.symbol) else ticket.side == "sell"


def _is_perpetual(symbol: str) -> bool:
    return ":" in symbol
