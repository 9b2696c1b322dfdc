"""`wb.control_panel` with everything behind it: a process, an armed account, an exchange that plays a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from tests.hostile_cells import run_cells
from tests.real_money import BTC, RISK, Vault
from workbench.exchange.practice import PracticeConfig, PracticeExchange


def test_risk_that_is_no_risk_config_is_refused() -> None:
    with pytest.raises(wb.errors.ConfigError, match=r"^risk must be a RiskConfig such as .*, was 0\.1$"):
        wb.control_panel(risk=0.1)


FORM = """
import threading
import workbench as wb
risk = wb.RiskConfig(stop_loss=0.02, max_order_notional=100.0, max_position_notional=200.0, max_orders_per_minute=5,
                     price_collar=0.05, daily_loss_limit=0.05, max_drawdown=0.1)
@wb.strategy
def mine(m, length=3):
    return wb.Rules(enter_long=m.close > m.close.sma(length))
panel = wb.control_panel(wb.strategy.buy_and_hold(), risk=risk)
panel.market.fields["money"].input.value = "REAL MONEY"
panel.market.fields["name"].input.value = "first"
def press(button):
    before = set(threading.enumerate())
    button.click()
    for thread in set(threading.enumerate()) - before:
        if thread.name == "workbench-command":
            thread.join(40)
list(panel.strategy.menu.options)[:2]
"""
ARMED = "'● armed: main on practice: BTC/USDT' in panel.real.box.children[1].value, panel.real.key"
WRONG = """
panel.real.fields["confirm"].input.value = "trade real money"
press(panel.start)
panel.start.disabled, panel.slot.children, sorted(panel.complaints)
"""
RIGHT = """
panel.real.fields["confirm"].input.value = SENTENCE
press(panel.start)
[repr(one) for one in panel.slot.children], panel._status.value.count("shown beneath") > 0
"""
STOP = """
session = wb.attach("real-first")
state = str(session.stop())
panel.close()
session.mode if hasattr(session, "mode") else "real", state
"""


def test_real_money_starts_from_the_panel_when_everything_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(tmp_path / "run"))
    more = {"WORKBENCH_HOME": str(tmp_path / "home")}
    config = PracticeConfig(is_registered=True, plays_real=True)
    with PracticeExchange([BTC], speed=60, config=config) as exchange:
        vault = Vault(tmp_path, key=exchange.credentials.key, secret=exchange.credentials.secret)
        vault.arm_now()
        sentence = vault.terms(RISK).sentence
        cells = [FORM, ARMED, WRONG, RIGHT.replace("SENTENCE", repr(sentence)), STOP]
        answers, printed = run_cells(cells, tmp_path, is_switched_on=True, more=more, limit_s=150.0)
    assert answers == [
        ("", "['buy_and_hold', 'mine']"),
        ("", "(True, 'main')"),
        ("", "(True, (), ['confirm'])"),
        ("", "([\"SessionPanel('real-first')\"], True)"),
        ("", "('real', 'STOPPED')"),
    ]
    assert vault.secret not in printed
    assert vault.key not in printed


@pytest.mark.parametrize("is_armed", [False, True])
def test_without_arming_or_switch_the_panel_starts_nothing(tmp_path: Path, is_armed: bool) -> None:
    vault = Vault(tmp_path)
    if is_armed:
        vault.arm_now()
    sentence = vault.terms(RISK).sentence
    told = 'press(panel.start); panel.slot.children, "must be set where" in panel._status.value, panel.start.disabled'
    cells = [
        FORM,
        f"panel.real.fields['key'].input.value = 'main'; panel.real.fields['confirm'].input.value = {sentence!r}",
        told,
    ]
    answers, _ = run_cells(cells, tmp_path, is_switched_on=not is_armed, more={"WORKBENCH_HOME": str(tmp_path / "h")})
    # armed, but not switched on: wb.live refuses; switched on, but not armed: there is nothing to press
    assert answers[-1] == ("", f"((), {is_armed}, True)")


def test_importing_the_package_loads_no_widgets() -> None:
    assert "control_panel" in wb.__all__
    assert wb.control_panel.__module__ == "workbench.api_panels"
