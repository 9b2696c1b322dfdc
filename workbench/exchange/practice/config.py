"""What a practice exchange starts with: balances, fees, latency, port."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from workbench.errors import ConfigError
from workbench.model.field_checks import FieldChecks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["PracticeConfig"]

_HIGHEST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeConfig:
    """What a practice exchange starts with.

    Parameters
    ----------
    balances : mapping of str to float
        Free spot balance of each coin; default 10 000 USDT.
    wallets : mapping of str to float
        Margin for perpetuals of each quote coin; default 10 000 USDT.
    taker_fee, maker_fee : float, default 0.001
        Fractions of notional in [0, 0.5), where an instrument has none of its own.
    fee_asset : str, default "quote"
        ``"quote"``, ``"received"`` (base when buying, quote when selling) or a coin such as ``"BNB"``; perpetuals pay
        in the quote.
    latency_s : float, default 0.0
        Real seconds that a request spends on the way, there and back together, in [0, 60]; a stream's message spends
        half of it.
    port : int, default 0
        0 is any free port.
    is_registered : bool, default False
        Whether other processes of this user find it by `find_practice_exchange`.
    plays_real : bool, default False
        Whether it plays a real exchange: clients then send it no order without the permit that real money needs. So
        everything before real money can be tried out on this machine.
    seed : int, default 0
        Of the chance by which faults strike that have a probability.
    on_order : callable, optional
        Called on the exchange's thread, before anything else is done, with the client's own id of each request for a
        new order, empty when it has none; for tests. It must be quick and never raise.

    Raises
    ------
    ConfigError
        A field is out of its range.
    """

    balances: Mapping[str, float] = field(default_factory=lambda: {"USDT": 10_000.0})
    wallets: Mapping[str, float] = field(default_factory=lambda: {"USDT": 10_000.0})
    taker_fee: float = 0.001
    maker_fee: float = 0.001
    fee_asset: str = "quote"
    latency_s: float = 0.0
    port: int = 0
    is_registered: bool = False
    plays_real: bool = False
    seed: int = 0
    on_order: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        """Check every field."""
        checks = FieldChecks()
        for name in ("taker_fee", "maker_fee"):
            value = getattr(self, name)
            checks.require(name, value, "be in [0, 0.5)", is_met=0.0 <= value < 0.5)  # noqa: PLR2004 - half of it all
        checks.require("latency_s", self.latency_s, "be in [0, 60]", is_met=0.0 <= self.latency_s <= 60.0)  # noqa: PLR2004 - a minute
        checks.require("port", self.port, f"be in [0, {_HIGHEST_PORT}]", is_met=0 <= self.port <= _HIGHEST_PORT)
        checks.is_name("fee_asset", self.fee_asset)
        for name in ("balances", "wallets"):
            amounts = getattr(self, name)
            is_good = all(0.0 <= amount < float("inf") for amount in amounts.values())
            checks.require(name, dict(amounts), "be finite amounts of at least 0", is_met=is_good)
        checks.raise_if_any(ConfigError)
