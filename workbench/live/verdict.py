"""In which state a running session is: what limits it most, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.live.states import SessionState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.live.reconciliation import Difference
    from workbench.model import AccountState

__all__ = ["Standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What may limit a session, each None or empty when it does not.

    Attributes
    ----------
    account : AccountState
        The session's.
    journal_fault : str or None
        Why nothing can be recorded.
    differences : sequence of Difference
        What the exchange holds and nobody booked.
    unprotected : tuple of str
        Symbols of positions whose exit the exchange refuses for good.
    failing : str or None
        Why the strategy is not trusted with entries.
    silence : str or None
        Since when there has been no price, when that is too long.
    pause_reason : str
        Why entries are paused, if they are.
    """

    account: AccountState
    journal_fault: str | None = None
    differences: Sequence[Difference] = ()
    unprotected: tuple[str, ...] = ()
    failing: str | None = None
    silence: str | None = None
    pause_reason: str = ""

    def verdict(self) -> tuple[SessionState, str]:
        """Return the state that limits most, and why.

        Examples
        --------
        >>> from workbench.core import Engine, EngineConfig
        >>> from workbench.model import Instrument, Timeframe
        >>> from workbench.strategy import buy_and_hold, plan_of
        >>> config = EngineConfig(instruments=(Instrument("BTC/USDT"),), timeframe=Timeframe("1m"), cash=100.0)
        >>> account = Engine(plan_of(buy_and_hold()), config).snapshot()
        >>> Standing(account=account).verdict()
        ('ACTIVE', 'trading')
        """
        if self.journal_fault is not None:
            return SessionState.HALTED, f"the journal cannot be written: {self.journal_fault}"
        halted = self._halted()
        if halted is not None:
            return SessionState.HALTED, halted
        if self.silence is not None:
            return SessionState.STALE, self.silence
        if self.account.is_paused:
            return SessionState.EXITS_ONLY, self.pause_reason
        return SessionState.ACTIVE, "trading"

    def _halted(self) -> str | None:
        """Return why entries are halted until a person says something, and what that is."""
        if self.unprotected:
            names = ", ".join(self.unprotected)
            return f"{names} UNPROTECTED: the exchange refuses the exit; look there, then resume() or flatten()"
        if self.account.halted:
            return f"{', '.join(self.account.halted)} tripped; clear_breaker() allows entries again"
        if self.differences:
            texts = "; ".join(str(one) for one in self.differences)
            return f"{texts}; reconcile() with 'adopt', 'flatten' or 'ignore' decides"
        return None if self.failing is None else f"{self.failing}; resume() allows entries again"
