"""The public functions as a control panel calls them, without anything behind them."""

from collections.abc import Mapping
from typing import Any

from tests.unit.panels.fake_session import FakeSession
from workbench.errors import RealTradingDisabledError
from workbench.exchange.real_money import RealTerms
from workbench.model import RiskConfig
from workbench.panels.doors import ArmedAccount, Doors, Listed

ARMED = ArmedAccount("main on practice: BTC/USDT, at most 100 USDT an order; until 2025-06-16 20:00", is_armed=True)


class FakeDoors:
    """Records every call; what the tests set decides what comes of it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.error: Exception | None = None
        self.armed: dict[str, ArmedAccount] = {}
        self.sessions: dict[str, FakeSession] = {}
        self.names: dict[str, object] = {}

    def doors(self) -> Doors:
        return Doors(
            paper=lambda **settings: self._open("paper", settings),
            live=lambda **settings: self._open("live", settings),
            attach=lambda name: self.sessions[name],
            backtest=lambda *_arguments, **settings: self._call("backtest", settings, "<i>result</i>"),
            load_bars=lambda *_arguments: "bars",
            listing=lambda: [Listed(name, one.state) for name, one in self.sessions.items()],
            free_name=lambda strategy: f"{strategy.replace('_', '-')}-{len(self.sessions) + 1}",
            armings=lambda: dict(self.armed),
            sentence=_sentence,
            namespace=lambda: dict(self.names),
        )

    def _call(self, name: str, settings: Mapping[str, Any], answer: object) -> object:
        self.calls.append((name, dict(settings)))
        if self.error is not None:
            raise self.error
        return answer

    def _open(self, name: str, settings: Mapping[str, Any]) -> FakeSession:
        if name == "live" and settings["confirm"] != _sentence(
            settings["exchange"], settings["key"], settings["symbol"], settings["risk"]
        ):
            raise RealTradingDisabledError("real trading is off")
        self._call(name, settings, None)
        called = settings["name"] if name == "paper" else f"real-{settings['name']}"
        session = self.sessions.setdefault(called, FakeSession(bars=2, name=called))
        session.state = "ACTIVE"
        return session


def _sentence(exchange: str, key: str, symbols: tuple[str, ...], risk: RiskConfig) -> str:
    return RealTerms.of(exchange, key, symbols, risk).sentence
