"""A user's folder with a key and an arming, and a gate whose clock is moved by hand; nothing of it is real."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.exchange.real_money import (
    Arming,
    RealConsent,
    RealTerms,
    RealTradingGate,
    TradingCaps,
    arm,
    boot_id,
    load_key,
    store_key,
)
from workbench.exchange.tickets import OrderTicket
from workbench.model import RiskConfig

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
NOON = 1_750_075_200 * SECOND  # 2025-06-16T12:00Z
BTC = "BTC/USDT"
KEY = "practice-real-canary-7f3a9c51"
SECRET = "canary-secret-5e1f7a90c2d4"  # noqa: S105 - made up, to be searched for
CAPS = TradingCaps(
    max_order_notional=100.0,
    max_position_notional=300.0,
    max_daily_notional=1_000.0,
    max_orders_per_minute=5,
    price_collar=0.05,
    max_daily_loss=0.05,
    max_drawdown=0.2,
)
RISK = RiskConfig(
    stop_loss=0.02,
    max_order_notional=100.0,
    max_position_notional=200.0,
    max_orders_per_minute=5,
    price_collar=0.05,
    daily_loss_limit=0.05,
    max_drawdown=0.1,
)
ON = {"WORKBENCH_ENABLE_REAL_TRADING": "1"}


class Vault:
    """Keys and armings in a folder of the test's own."""

    def __init__(self, root: Path, *, exchange: str = "practice", key: str = KEY, secret: str = SECRET) -> None:
        self.folder = root / "config" / "workbench"
        self.jupyter = root / "jupyter"
        self.jupyter.mkdir()
        self.now_ns = NOON
        self.key, self.secret = key, secret
        self.exchange = exchange
        store_key(self.folder, "main", exchange=exchange, key=key, secret=secret, can_withdraw="no")

    @property
    def armed_file(self) -> Path:
        return self.folder / "armed" / "main.json"

    def arm(self, caps: TradingCaps = CAPS, **changes: Any) -> Arming:
        settings: dict[str, Any] = {
            "account": "main",
            "exchange": self.exchange,
            "symbols": (BTC,),
            "made_ns": self.now_ns,
            "expires_ns": self.now_ns + 8 * HOUR,
            "boot": boot_id(),
        }
        arming = Arming(caps=caps, **{**settings, **changes})
        arm(self.folder, arming, load_key(self.folder, "main").credentials)
        return arming

    def arm_now(self) -> Arming:
        """Arm by the computer's clock, for processes that have no other."""
        self.now_ns = time.time_ns()
        return self.arm()

    def gate(self, started: dict[str, str] | None = None) -> RealTradingGate:
        return RealTradingGate(
            self.folder, ON if started is None else started, now_ns=lambda: self.now_ns, jupyter_folder=self.jupyter
        )

    def terms(self, risk: RiskConfig = RISK, symbols: tuple[str, ...] = (BTC,), **changes: Any) -> RealTerms:
        return RealTerms.of(self.exchange, "main", symbols, replace(risk, **changes))

    def consent(self, **changes: Any) -> RealConsent:
        terms = self.terms(**changes)
        return RealConsent(terms, terms.sentence)

    def tamper(self, **changes: Any) -> None:
        """Change the armed file as an editor would."""
        document = json.loads(self.armed_file.read_text())
        self.armed_file.write_text(json.dumps(document | changes))


def buy(quantity: float, name: str = "wb-1", **changes: Any) -> OrderTicket:
    settings: dict[str, Any] = {"symbol": BTC, "side": "buy"}
    return OrderTicket(client_order_id=name, quantity=quantity, **{**settings, **changes})


def sell(quantity: float, name: str = "wb-2", **changes: Any) -> OrderTicket:
    return buy(quantity, name, **({"side": "sell", "is_exit": True, "reduce_only": True} | changes))
