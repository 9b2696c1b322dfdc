"""Real money: off unless a person said yes in a terminal, in the process's environment, and at the start of a session.

Everything here refuses when in doubt. What it protects against, and what it cannot, is said at `RealTradingGate`.
"""

from __future__ import annotations

from workbench.exchange.real_money.arming import (
    LONGEST_ARMING_NS,
    Arming,
    arm,
    armed_names,
    boot_id,
    disarm,
    read_arming,
    told_arming,
)
from workbench.exchange.real_money.gate import RealTradingGate
from workbench.exchange.real_money.key_store import (
    WITHDRAWAL_ANSWERS,
    StoredKey,
    key_names,
    load_key,
    remove_key,
    store_key,
)
from workbench.exchange.real_money.notebook_servers import open_notebook_servers, require_closed_notebooks
from workbench.exchange.real_money.permit import RealTradingPermit
from workbench.exchange.real_money.private_files import config_folder
from workbench.exchange.real_money.started import REAL_TRADING_SWITCH, child_environment, started_environment, vouch
from workbench.exchange.real_money.terms import RealConsent, RealTerms, TradingCaps, require_protections

__all__ = [
    "LONGEST_ARMING_NS",
    "REAL_TRADING_SWITCH",
    "WITHDRAWAL_ANSWERS",
    "Arming",
    "RealConsent",
    "RealTerms",
    "RealTradingGate",
    "RealTradingPermit",
    "StoredKey",
    "TradingCaps",
    "arm",
    "armed_names",
    "boot_id",
    "child_environment",
    "config_folder",
    "disarm",
    "key_names",
    "load_key",
    "open_notebook_servers",
    "read_arming",
    "remove_key",
    "require_closed_notebooks",
    "require_protections",
    "started_environment",
    "store_key",
    "told_arming",
    "vouch",
]
