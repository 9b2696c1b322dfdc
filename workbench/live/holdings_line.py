"""Asks an exchange what the account of a session holds: at its start at once, and later in the background."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from workbench.errors import ConfigError, ExchangeError
from workbench.live.holdings import holdings_of
from workbench.live.notices import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.exchange import ExchangeClient
    from workbench.live.exchange_line import ExchangeLine
    from workbench.model import Instrument

__all__ = ["HoldingsLine", "HoldingsTold"]

# What differs from one time to the next where the same thing is wrong.
_NUMBER: Final = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class HoldingsTold:
    """What the account holds, by symbol; None when the exchange did not say, and why."""

    held: dict[str, float] | None
    fault: str = ""


class HoldingsLine:
    """What is asked of the account itself; the session's thread alone calls it.

    Parameters
    ----------
    line : ExchangeLine
        With a client that has credentials.
    instruments : sequence of Instrument
        Of the session's symbols.
    put : callable
        Takes what is told in the background; it is to come back by `heed`.
    on_error : callable
        Told when asking in the background breaks.
    """

    def __init__(
        self,
        line: ExchangeLine,
        instruments: Sequence[Instrument],
        put: Callable[[object], None],
        on_error: Callable[[str], None],
    ) -> None:
        self._line = line
        self._instruments = tuple(instruments)
        self._put = put
        self._on_error = on_error
        self._told: dict[str, float] | None = None
        self._fault: str | None = None
        self._is_disturbed = False

    def require_funds(self, cash: float) -> None:
        """Check that the account has the session's `cash` free.

        Raises
        ------
        ConfigError
            It has less.
        ExchangeError
            It could not be asked.
        """
        quote = self._instruments[0].quote

        async def ask(client: ExchangeClient) -> float:
            balance = (await client.balances()).get(quote)
            return 0.0 if balance is None else balance.free

        free = self._line.ask(ask)
        if cash > free:
            raise ConfigError(f"cash must be at most what the account has free, {free:,.2f} {quote}, was {cash:,.2f}")

    def ask(self) -> dict[str, float]:
        """Return what the account holds of each symbol, in base units, asked for now.

        Raises
        ------
        ExchangeError
            The exchange did not say.
        """
        return self._line.ask(partial(holdings_of, instruments=self._instruments))

    def look(self) -> None:
        """Ask in the background what the account holds; `take` returns it when it has come."""
        self._told = None
        self._is_disturbed = False

        async def look(client: ExchangeClient) -> None:
            try:
                self._put(HoldingsTold(await holdings_of(client, self._instruments)))
            except ExchangeError as error:
                # Not to know is not to hold nothing: the next look asks again.
                self._put(HoldingsTold(None, str(error)))

        self._line.run(look, self._on_error)

    def disturb(self) -> None:
        """Take that an order changes what is held, so that what a look tells that has begun counts for nothing."""
        self._is_disturbed = True

    def heed(self, told: HoldingsTold) -> Notice | None:
        """Take what came of a look; return what people should know: a fault once, when it changes, and its end."""
        self._told = told.held
        before, self._fault = self._fault, None if told.held is not None else _NUMBER.sub("", told.fault)
        if self._fault == before:
            return None
        if self._fault is None:
            return Notice(0, "account", "the exchange says again what it holds")
        return Notice(0, "account", f"the exchange did not say what it holds: {told.fault}; it is asked on and on")

    def take(self, *, is_busy: bool) -> dict[str, float] | None:
        """Return what the account was said to hold, once; None when nothing came, or orders changed it meanwhile."""
        held, self._told = self._told, None
        return None if self._is_disturbed or is_busy else held
