import html
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest

from tests.real_money import RISK
from tests.unit.panels.fake_doors import ARMED, FakeDoors
from tests.unit.panels.fake_session import FakeSession
from workbench.errors import ConfigError, RealTradingDisabledError, SessionError
from workbench.model import RiskConfig
from workbench.model.synthetic import synthetic_bars
from workbench.panels import ControlPanel, session_panel
from workbench.panels.market_fields import REAL
from workbench.strategy import Rules, Strategy, hold, sma_cross, strategy

WAIT_S = 60.0


@strategy
def dip(m, length=14, cash=30.0):  # a parameter called like a field of the form
    return Rules(enter_long=m.rsi(length) < cash)


class Breakout(Strategy):
    lookback: int = 48

    def on_bar(self, now, position):
        return hold() if now.close > position.quantity else None


@pytest.fixture
def fake() -> FakeDoors:
    return FakeDoors()


@pytest.fixture
def make(fake: FakeDoors) -> Iterator[Callable[..., ControlPanel]]:
    made = []

    def panel(*strategies: object, bars: Any = None, risk: RiskConfig | None = None) -> ControlPanel:
        made.append(ControlPanel(fake.doors(), strategies, bars or {}, risk or RiskConfig()))
        return made[-1]

    yield panel
    for one in made:
        one.close()


def press(button: Any) -> None:
    """Click, and wait for the threads that the click began."""
    before = set(threading.enumerate())
    button.click()
    for thread in set(threading.enumerate()) - before:
        if thread.name == "workbench-command":
            thread.join(WAIT_S)
            assert not thread.is_alive()


def type_in(panel: ControlPanel, **values: Any) -> None:
    for name, value in values.items():
        groups = (panel.market, panel.risk, panel.real, panel.strategy)
        next(group for group in groups if name in group.fields).fields[name].input.value = value


def words(part: Any) -> str:
    return html.unescape(re.sub(r"<[^>]*>|&nbsp;", "", part.value))


def beside(field: Any) -> str:
    """Return the line below a field as it is read."""
    return words(field.box.children[-1])


def status(panel: ControlPanel) -> str:
    return words(panel._status)  # noqa: SLF001  what a person reads


def test_form_starts_what_it_shows(make: Any, fake: FakeDoors) -> None:
    panel = make()
    type_in(panel, fast=7, symbol="ETH/USDT, BTC/USDT", timeframe="5m", cash=500.0, stop_loss="0.02", speed=60.0)
    press(panel.start)
    ((door, settings),) = fake.calls
    assert door == "paper"
    assert settings == {
        "strategy": sma_cross(fast=7),
        "exchange": "practice",
        "symbol": ("ETH/USDT", "BTC/USDT"),
        "timeframe": "5m",
        "cash": 500.0,
        "risk": RiskConfig(stop_loss=0.02),
        "name": "sma-cross-1",
        "execution": "simulated",
        "speed": 60.0,
    }
    (shown,) = panel.slot.children
    assert repr(shown) == "SessionPanel('sma-cross-1')"
    assert panel.sessions.menu.value == "sma-cross-1"


def test_everything_wrong_is_said_at_once_beside_its_field_and_nothing_starts(make: Any, fake: FakeDoors) -> None:
    panel = make()
    type_in(panel, fast=0, symbol="BTC", timeframe="1w2", cash=-1.0, speed=0.0, name="A B", exchange="")
    type_in(panel, stop_loss="5", max_drawdown="much", max_orders_per_minute="0")
    wrong = {
        "fast": "2 to 500, was 0",
        "symbol": "must be like BTC/USDT, was BTC",
        "cash": "must be above 0, was -1.0",
        "speed": "must be 1 to 1000, was 0.0",
        "name": "must be 1 to 64 of a-z, 0-9, _ and -, was A B",
        "exchange": "must be an exchange: practice, or a name of ccxt",
        "stop_loss": "must be in (0, 1), was 5.0",
        "max_drawdown": "must be a number, was much",
    }
    everywhere = {**panel.strategy.fields, **panel.market.fields, **panel.risk.fields}
    for name, text in wrong.items():
        assert beside(everywhere[name]) == f"✗ {text}"
        assert text in status(panel)
    assert "was '1w2'" in beside(everywhere["timeframe"])
    assert "was 0" in beside(everywhere["max_orders_per_minute"])
    assert set(panel.complaints) == {*wrong, "timeframe", "max_orders_per_minute"}
    assert (panel.start.disabled, panel.try_out.disabled) == (True, True)
    press(panel.start)  # as a page might that was drawn before
    assert fake.calls == []
    assert panel.slot.children == ()


def test_page_that_was_drawn_before_a_change_starts_nothing_wrong(make: Any, fake: FakeDoors) -> None:
    panel = make()
    type_in(panel, cash=-1.0)
    press(panel.start)
    assert fake.calls == []


def test_every_risk_setting_is_there_and_off_is_a_state(make: Any) -> None:
    panel = make(risk=RiskConfig(max_drawdown=0.2))
    assert set(panel.risk.fields) == {field.name for field in fields(RiskConfig)}
    texts = {name: beside(field) for name, field in panel.risk.fields.items()}
    assert (texts.pop("max_drawdown"), texts.pop("max_leverage")) == ("● 20 %", "● 1 x")
    assert set(texts.values()) == {"○ off"}
    type_in(panel, max_drawdown="off", max_holding_s="5400")
    assert (beside(panel.risk.fields["max_drawdown"]), beside(panel.risk.fields["max_holding_s"])) == (
        "○ off",
        "● 1.5 h",  # 5400 / 3600
    )
    assert panel.risk.risk() == RiskConfig(max_holding_s=5400.0)


def test_settings_that_contradict_each_other_say_so(make: Any) -> None:
    panel = make()
    type_in(panel, trailing_stop="0.01", trailing_activate_at="0.05", trailing_distance_after="0.02")
    assert "at most trailing_stop (0.01)" in beside(panel.risk.fields["trailing_distance_after"])
    assert panel.start.disabled
    type_in(panel, trailing_stop="0.03")
    assert panel.complaints == {}


def test_what_the_door_refuses_is_said_beside_the_field_until_something_changes(make: Any, fake: FakeDoors) -> None:
    panel = make()
    fake.error = ConfigError("speed must be left at 1, was 60: practice has a clock of its own")
    press(panel.start)
    assert beside(panel.market.fields["speed"]) == "✗ must be left at 1, was 60: practice has a clock of its own"
    assert panel.slot.children == ()
    fake.error = SessionError("a session 'sma-cross-1' runs with other settings: cash")
    type_in(panel, cash=20.0)
    assert panel.complaints == {}
    press(panel.start)
    assert "other settings: cash" in beside(panel.market.fields["name"])
    fake.error = OSError("no route to host")
    type_in(panel, cash=30.0)
    press(panel.start)
    assert status(panel) == "✗ Start failed: no route to host"
    assert not panel.start.disabled


def test_start_pressed_twice_is_one_session(make: Any, fake: FakeDoors) -> None:
    panel = make()
    press(panel.start)
    assert beside(panel.market.fields["name"]) == "runs already: Start shows it"
    press(panel.start)
    assert [settings["name"] for _, settings in fake.calls] == ["sma-cross-1", "sma-cross-1"]
    assert list(fake.sessions) == ["sma-cross-1"]
    assert len(panel.slot.children) == 1


def test_an_older_session_is_shown_by_its_name(make: Any, fake: FakeDoors) -> None:
    fake.doors().paper(name="old", exchange="practice")
    panel = make()
    assert panel.sessions.menu.options == (("old · ACTIVE", "old"),)
    press(panel.sessions.show)
    first = panel.slot.children
    assert repr(first) == "(SessionPanel('old'),)"
    press(panel.start)
    assert repr(panel.slot.children) == "(SessionPanel('sma-cross-2'),)"
    assert first[0].comm is None  # closed
    assert fake.sessions["old"].calls == []  # only the panel was closed


def test_strategies_of_the_call_and_of_the_notebook_come_before_those_built_in(make: Any, fake: FakeDoors) -> None:
    fake.names = {"Breakout": Breakout, "dip": dip, "_hidden": sma_cross(fast=3), "number": 3, "Strategy": Strategy}
    panel = make(sma_cross(fast=9))
    built_in = ("donchian_breakout", "bollinger_reversion", "rsi_reversion", "buy_and_hold")
    assert panel.strategy.menu.options == ("sma_cross", "Breakout", "dip", *built_in)
    assert panel.strategy.fields["fast"].value == 9
    panel.strategy.menu.value = "Breakout"
    assert list(panel.strategy.fields) == ["lookback"]
    assert panel.market.fields["name"].value == "Breakout-1"
    type_in(panel, name="mine")
    panel.strategy.menu.value = "dip"
    assert panel.market.fields["name"].value == "mine"  # somebody typed it


def test_form_that_is_refused_can_be_closed_as_ipywidgets_does_at_its_end(fake: FakeDoors) -> None:
    panel = ControlPanel.__new__(ControlPanel)
    with pytest.raises(ConfigError, match="there is no strategy in 3"):
        panel.__init__(fake.doors(), (3,), {}, RiskConfig())
    panel.close()


def test_fields_of_one_name_in_two_groups_do_not_mix(make: Any, fake: FakeDoors) -> None:
    panel = make(dip)
    panel.strategy.fields["cash"].input.value = "x"
    assert beside(panel.strategy.fields["cash"]) == "✗ must be a number, was x"
    assert beside(panel.market.fields["cash"]) == "in quote currency"
    panel.strategy.fields["cash"].input.value = "25"
    press(panel.start)
    settings = fake.calls[0][1]
    assert (settings["strategy"], settings["cash"]) == (dip(cash=25.0), 10_000.0)


def test_a_strategy_written_again_is_found_by_looking_again(make: Any, fake: FakeDoors) -> None:
    panel = make()
    type_in(panel, fast=7)
    fake.names = {"dip": dip}
    panel.sessions.look_again.click()
    assert "dip" in panel.strategy.menu.options
    assert panel.strategy.fields["fast"].value == 7  # what was typed stays


def test_bars_of_the_notebook_are_replayed(make: Any, fake: FakeDoors) -> None:
    bars = synthetic_bars("ETH/USDT", "1h", 50)
    fake.names = {"hours": bars}
    panel = make()
    type_in(panel, exchange="replay of hours")
    assert panel.market.fields["symbol"].value == "ETH/USDT"
    assert panel.market.fields["timeframe"].input.disabled
    press(panel.start)
    settings = fake.calls[0][1]
    assert settings["exchange"] is bars
    assert not {"timeframe", "execution"} & set(settings)
    type_in(panel, exchange="replay of days")
    assert beside(panel.market.fields["exchange"]) == "✗ there are no bars of the name days"


def test_backtest_shows_its_result_and_starts_nothing(make: Any, fake: FakeDoors) -> None:
    panel = make()
    press(panel.try_out)
    assert [name for name, _ in fake.calls] == ["backtest"]
    assert "&lt;i&gt;result" in panel._result.value  # noqa: SLF001  text of another hand is escaped
    assert panel.slot.children == ()


def real(make: Any, fake: FakeDoors) -> ControlPanel:
    fake.armed = {"main": ARMED}
    panel = make(risk=RISK)
    type_in(panel, money=REAL)
    return panel


def test_real_money_is_impossible_without_an_arming(make: Any, fake: FakeDoors) -> None:
    panel = make(risk=RISK)
    type_in(panel, money=REAL)
    assert "wb-is-real" in panel.children[0]._dom_classes  # noqa: SLF001  what the style sheet colours
    assert panel.market.fields["execution"].value == "exchange"
    assert "workbench arm NAME" in panel.real.box.children[1].value
    assert panel.start.disabled
    type_in(panel, key="main", confirm="trade real money")
    panel.start.click()
    assert fake.calls == []
    fake.armed = {"main": type(ARMED)("expired", is_armed=False)}
    panel.sessions.look_again.click()
    assert panel.start.disabled
    assert beside(panel.real.fields["key"]) == "✗ main is not armed"


def test_real_money_starts_by_the_sentence_alone_and_asks_again_each_time(make: Any, fake: FakeDoors) -> None:
    panel = real(make, fake)
    assert ARMED.text in panel.real.box.children[1].value
    sentence = "trade real money on practice with key main: BTC/USDT, at most 100 USDT an order and 200 USDT a position"
    assert sentence in panel.real.box.children[2].value
    assert panel.start.description == "Start with REAL MONEY"
    type_in(panel, confirm=sentence[:-1])
    assert panel.start.disabled
    type_in(panel, confirm=sentence)
    press(panel.start)
    ((door, settings),) = fake.calls
    assert door == "live"
    assert settings == {
        "strategy": sma_cross(),
        "exchange": "practice",
        "key": "main",
        "symbol": ("BTC/USDT",),
        "timeframe": "1m",
        "cash": 10_000.0,
        "risk": RISK,
        "name": "sma-cross-1",
        "confirm": sentence,
    }
    assert repr(panel.slot.children) == "(SessionPanel('real-sma-cross-1'),)"
    assert panel.real.confirm == ""
    assert panel.start.disabled


def test_real_money_needs_every_limit(make: Any, fake: FakeDoors) -> None:
    panel = real(make, fake)
    type_in(panel, price_collar="")
    assert "risk must set price_collar" in panel.real.box.children[2].value
    assert panel.start.disabled


def test_what_the_gate_says_is_shown(make: Any, fake: FakeDoors) -> None:
    panel = real(make, fake)
    fake.error = RealTradingDisabledError("real trading is off: a notebook server is open to strangers")
    type_in(panel, confirm=words(panel.real.box.children[2]))
    press(panel.start)
    assert status(panel) == "✗ Start failed: real trading is off: a notebook server is open to strangers"
    assert panel.slot.children == ()


def test_panel_says_the_same_whatever_it_shows(make: Any) -> None:
    assert repr(make()) == "ControlPanel()"


def test_picture_for_pages_without_a_kernel_holds_the_form_and_the_panel_beneath(make: Any) -> None:
    panel = make(sma_cross())
    bundle = panel._repr_mimebundle_()
    assert bundle["text/plain"] == "ControlPanel()"
    picture = bundle["text/html"]
    for text in ("wb-still", "New session", "sma_cross", "BTC/USDT"):
        assert text in picture
    assert "object at 0x" not in picture
    panel.slot.children = (session_panel(FakeSession(bars=30)),)
    assert "session btc-1" in panel.still()
    panel.slot.children[0].close()
