"""The real ccxt behind the protocol of an exchange: any exchange by name, or the practice exchange on this machine."""

from __future__ import annotations

from workbench.exchange.ccxt_client.client import CcxtClient
from workbench.exchange.ccxt_client.limiter import RateBudget
from workbench.exchange.ccxt_client.settings import ClientSettings
from workbench.exchange.credentials import Credentials

__all__ = ["CcxtClient", "ClientSettings", "Credentials", "RateBudget"]
