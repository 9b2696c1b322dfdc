"""Each condition alone keeps the gate shut, and all together open it."""

from __future__ import annotations

import copy
import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.real_money import BTC, CAPS, HOUR, KEY, NOON, SECRET, Vault
from workbench.errors import ConfigError, RealTradingDisabledError
from workbench.exchange.real_money import RealConsent, RealTradingPermit, disarm


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path)
    vault.arm()
    return vault


def test_gate_opens_when_all_holds(vault: Vault) -> None:
    permit = RealTradingPermit(vault.gate(), vault.consent())
    assert permit.covers("practice", permit.credentials)
    assert not permit.covers("binance", permit.credentials)
    assert not permit.covers("practice", None)
    assert permit.arming.expires_ns == NOON + 8 * HOUR


def rewrite(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def key_file(vault: Vault) -> Path:
    return vault.folder / "keys" / "main.json"


def serve_openly(vault: Vault) -> None:
    info = {
        "pid": os.getpid(),
        "url": "http://localhost:8888/",
        "hostname": "localhost",
        "token": "",
        "password": False,
    }
    (vault.jupyter / "jpserver-1.json").write_text(json.dumps(info))


OBSTACLES: dict[str, tuple[Callable[[Vault], object], str]] = {
    "not armed": (lambda v: disarm(v.folder, "main"), "is not armed: arm it in a terminal with `workbench arm main`"),
    "expired": (lambda v: setattr(v, "now_ns", NOON + 8 * HOUR), "has expired at 2025-06-16T20:00Z"),
    "made later": (lambda v: setattr(v, "now_ns", NOON - 1), "was made in the future"),
    "other boot": (lambda v: v.arm(boot="another"), "was made before this machine was started"),
    "other symbol": (lambda v: v.arm(symbols=("ETH/USDT",)), "is not armed for BTC/USDT"),
    "other exchange": (lambda v: v.arm(exchange="binance"), "is armed for binance, not for practice"),
    "small order cap": (
        lambda v: v.arm(replace(CAPS, max_order_notional=99.0)),
        "max_order_notional must be at most 99, was 100",
    ),
    "small position cap": (
        lambda v: v.arm(replace(CAPS, max_position_notional=150.0)),
        "max_position_notional must be at most 150, was 200",
    ),
    "few orders": (
        lambda v: v.arm(replace(CAPS, max_orders_per_minute=4)),
        "max_orders_per_minute must be at most 4, was 5",
    ),
    "narrow collar": (lambda v: v.arm(replace(CAPS, price_collar=0.01)), "price_collar must be at most 0.01, was 0.05"),
    "small loss": (
        lambda v: v.arm(replace(CAPS, max_daily_loss=0.01)),
        "daily_loss_limit must be at most 0.01, was 0.05",
    ),
    "small drawdown": (lambda v: v.arm(replace(CAPS, max_drawdown=0.05)), "max_drawdown must be at most 0.05, was 0.1"),
    "cap raised by hand": (
        lambda v: v.tamper(expires_ns=NOON + 20 * HOUR),
        "is not believed: it was not made by `workbench arm`",
    ),
    "seal gone": (lambda v: v.tamper(seal=None), "is not believed"),
    "seal of nobody": (lambda v: v.tamper(seal="0" * 64), "is not believed"),
    "armed file readable": (lambda v: v.armed_file.chmod(0o640), "its mode must be 0600, was 0640"),
    "armed folder open": (lambda v: v.armed_file.parent.chmod(0o755), "chmod 700"),
    "armed file no JSON": (lambda v: v.armed_file.write_text("yes"), "is not believed"),
    "key gone": (lambda v: key_file(v).unlink(), "there is no key 'main', there are: none"),
    "key changed": (lambda v: rewrite(key_file(v), secret=KEY), "it was not made by `workbench arm`"),
    "key elsewhere": (lambda v: rewrite(key_file(v), exchange="kraken"), "belongs to kraken, not to practice"),
    "key withdraws": (lambda v: rewrite(key_file(v), can_withdraw="yes"), "may withdraw"),
    "key readable": (lambda v: key_file(v).chmod(0o644), "its mode must be 0600, was 0644"),
    "no key file": (lambda v: rewrite(key_file(v), apiKey=5), "is no key file"),
    "open notebook": (serve_openly, "asks for no token"),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_one_obstacle_shuts_it(vault: Vault, name: str) -> None:
    obstruct, reason = OBSTACLES[name]
    obstruct(vault)
    with pytest.raises(RealTradingDisabledError) as caught:
        RealTradingPermit(vault.gate(), vault.consent())
    assert reason in str(caught.value)
    assert SECRET not in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("value", [None, "", "0", "true", "yes", "1 "])
def test_switch_is_one_and_nothing_else(vault: Vault, value: str | None) -> None:
    started = {} if value is None else {"WORKBENCH_ENABLE_REAL_TRADING": value}
    with pytest.raises(RealTradingDisabledError, match="WORKBENCH_ENABLE_REAL_TRADING=1 must be set where"):
        RealTradingPermit(vault.gate(started), vault.consent())


@pytest.mark.parametrize("change", ["nothing", "empty", "case", "space", "cap"])
def test_sentence_is_compared_letter_by_letter(vault: Vault, change: str) -> None:
    terms = vault.terms()
    typed = {
        "nothing": None,
        "empty": "",
        "case": terms.sentence.capitalize(),
        "space": f"{terms.sentence} ",
        "cap": terms.sentence.replace("100 USDT", "1000 USDT"),
    }[change]
    with pytest.raises(RealTradingDisabledError) as caught:
        RealTradingPermit(vault.gate(), RealConsent(terms, typed))
    assert f"pass confirm={terms.sentence!r}" in str(caught.value)


def test_link_to_an_armed_file_is_not_followed(vault: Vault) -> None:
    elsewhere = vault.folder / "elsewhere.json"
    vault.armed_file.rename(elsewhere)
    vault.armed_file.symlink_to(elsewhere)
    with pytest.raises(RealTradingDisabledError, match="is not believed"):
        RealTradingPermit(vault.gate(), vault.consent())


def test_second_name_of_an_armed_file_is_not_believed(vault: Vault) -> None:
    os.link(vault.armed_file, vault.folder / "second.json")
    with pytest.raises(RealTradingDisabledError, match="must be a plain file of this user"):
        RealTradingPermit(vault.gate(), vault.consent())


def test_armed_file_of_another_account_is_not_taken(vault: Vault) -> None:
    vault.arm(account="other")
    (vault.folder / "armed" / "other.json").replace(vault.armed_file)
    with pytest.raises(RealTradingDisabledError, match="it is about account 'other'"):
        RealTradingPermit(vault.gate(), vault.consent())


def test_arming_lasts_a_day_at_most(vault: Vault) -> None:
    vault.arm(expires_ns=NOON + 24 * HOUR)
    for lasts in (24 * HOUR + 1, 0, -1):
        with pytest.raises(ConfigError, match="at most 24 h"):
            vault.arm(expires_ns=NOON + lasts)


def test_precheck_of_a_notebook_reads_no_key(vault: Vault) -> None:
    key_file(vault).unlink()
    vault.gate().precheck(vault.consent())
    with pytest.raises(RealTradingDisabledError, match="WORKBENCH_ENABLE_REAL_TRADING=1 must be set where"):
        vault.gate({}).precheck(vault.consent())


def test_permit_is_neither_copied_nor_pickled_and_shows_no_secret(vault: Vault) -> None:
    permit = RealTradingPermit(vault.gate(), vault.consent())
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            attempt(permit)
    shown = f"{permit!r} {permit} {permit.terms} {permit.arming} {permit.credentials}"
    assert SECRET not in shown
    assert KEY not in shown


def test_terms_need_every_limit(vault: Vault) -> None:
    names = ("max_order_notional", "max_position_notional", "max_orders_per_minute", "price_collar")
    for name in (*names, "daily_loss_limit", "max_drawdown"):
        with pytest.raises(ConfigError, match=f"risk must set {name}: none of them may be off"):
            vault.terms(**{name: None})


@pytest.mark.parametrize("symbols", [(), ("BTC",), (BTC, BTC), (BTC, "ETH/EUR"), [BTC], (BTC, 1)])
def test_symbols_are_priced_in_one_currency(vault: Vault, symbols: Any) -> None:
    with pytest.raises(ConfigError, match="symbols must be symbols"):
        vault.terms(symbols=symbols)
