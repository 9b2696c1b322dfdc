from dataclasses import fields, replace

import pytest

from tests.unit.panels.fake_session import FakeSession
from workbench.model import AccountState, RiskConfig
from workbench.panels.breakers import breaker_lights
from workbench.panels.risk_table import risk_table


@pytest.fixture
def account() -> AccountState:
    flat = FakeSession(bars=0).snapshot()
    return replace(flat, equity=9_800.0, day_start_equity=10_000.0, drawdown=0.0345)


def lights(risk: RiskConfig | None, account: AccountState) -> list[tuple[str, str, str]]:
    return [(light.name, light.state, light.text) for light in breaker_lights(risk, account)]


def test_breaker_without_a_limit_is_off(account: AccountState) -> None:
    assert lights(RiskConfig(), account) == [
        ("Drawdown", "off", "off, now 3.45 %"),
        ("Daily loss", "off", "off, now 2.00 %"),  # 1 - 9,800 / 10,000
    ]


def test_armed_breaker_tells_limit_and_value(account: AccountState) -> None:
    assert lights(RiskConfig(max_drawdown=0.2, daily_loss_limit=0.05), account) == [
        ("Drawdown", "armed", "armed: 3.45 % of 20 %"),
        ("Daily loss", "armed", "armed: 2.00 % of 5 %"),
    ]


def test_breaker_of_a_session_that_nobody_runs_is_not_called_armed(account: AccountState) -> None:
    risk = RiskConfig(max_drawdown=0.2)
    found = breaker_lights(risk, replace(account, halted=("daily_loss",)), is_watched=False)
    assert [(light.state, light.text) for light in found] == [
        ("off", "not watched: 3.45 % of 20 %"),
        ("tripped", "TRIPPED: 2.00 %"),  # that it tripped stays true
    ]
    assert breaker_lights(None, account, is_watched=False)[0].text == "3.45 %, limit unknown"


def test_day_that_gains_has_lost_nothing(account: AccountState) -> None:
    assert lights(RiskConfig(), replace(account, equity=10_100.0))[1][2] == "off, now 0.00 %"


def test_tripped_breaker_says_so_whatever_its_value_is_now(account: AccountState) -> None:
    halted = replace(account, halted=("daily_loss",))
    found = lights(RiskConfig(max_drawdown=0.2, daily_loss_limit=0.05), halted)
    assert found[0][1] == "armed"
    assert found[1] == ("Daily loss", "tripped", "TRIPPED: 2.00 % of 5 %")


def test_breaker_that_the_panel_does_not_know_is_shown_when_it_trips(account: AccountState) -> None:
    assert lights(RiskConfig(), replace(account, halted=("new_one",)))[-1] == ("new one", "tripped", "TRIPPED")


def test_limits_that_are_not_known_are_not_called_off(account: AccountState) -> None:
    assert {state for _, state, _ in lights(None, account)} == {"unknown"}


def test_every_risk_setting_has_a_row_and_off_is_a_value() -> None:
    table = risk_table(RiskConfig(stop_loss=0.015, max_holding_s=5_400.0, max_order_notional=25_000.0))
    assert len(table.rows) == len(fields(RiskConfig))
    values = {row[0].text: row[1].text for row in table.rows}
    assert values["Stop loss"] == "● 1.5 %"
    assert values["Longest holding"] == "● 1.5 h"  # 5,400 s
    assert values["Largest order"] == "● 25,000.00"
    assert values["Largest leverage"] == "● 1 x"
    assert values["Take profit"] == "○ off"


def test_settings_that_are_not_known_are_no_rows() -> None:
    table = risk_table(None)
    assert (len(table.rows), table.empty) == (0, "The risk settings are not known here")
