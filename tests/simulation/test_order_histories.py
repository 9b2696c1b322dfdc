"""Thousands of histories with crashes, lost answers and late fills; and proof that each rule is needed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulation.fake_market import Trade
from tests.simulation.order_history import History, ViolationError, main
from workbench.core.order_state import Found, Journal, LiveOrders, Now, Procedures, Send

HISTORIES = 10_000
# A broken rule must be seen within so many.
SOON = 500


class NoWindow(Procedures):
    """Takes "no such order" for a proof at any time."""

    def is_proven(self, *_: Any) -> bool:
        return True


class SendsFirst(Procedures):
    """Records an order when it is at the exchange."""

    def place(self, intent: Any, refused_before: int = 0) -> Any:
        placing = super().place(intent, refused_before)
        next(placing)  # the intent is not recorded
        yield Now()
        effect = placing.send(True)
        while True:
            answer = yield effect
            if isinstance(effect, Send):
                yield Journal(intent)
            try:
                effect = placing.send(answer)
            except StopIteration as end:
                return end.value


class SendsAgain(Procedures):
    """Sends an order again when there was no answer."""

    def resolve(self, order: Any, doubt: Any, text: str = "", advice: str = "") -> Any:
        answer = yield Send(order)
        return answer if isinstance(answer, Found) else (yield from super().resolve(order, doubt, text, advice))


class AsksOnce(Procedures):
    """Believes that an order which is not there at the first look after a crash never was."""

    def recover(self, intent: Any, closes_ns: int | None) -> Any:
        return super().recover(intent, None if closes_ns is None else 0)


class BooksTwice(LiveOrders[Trade]):
    """Does not know a trade again."""

    def is_booked(self, *_: Any) -> bool:
        return False


def test_no_history_doubles_or_loses_an_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(0, HISTORIES) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("broken", "seen"),
    [
        ({"procedures": NoWindow}, "executed"),
        ({"procedures": SendsFirst}, "without a durable intent"),
        ({"procedures": SendsAgain}, "executed|twice"),
        ({"procedures": AsksOnce}, "executed"),
        ({"orders": BooksTwice}, "executed"),
    ],
    ids=lambda one: next(iter(one.values())).__name__ if isinstance(one, dict) else "",
)
def test_each_rule_is_needed(broken: dict[str, Any], seen: str) -> None:
    def run() -> None:
        for seed in range(SOON):
            History(seed, **broken).run()

    with pytest.raises(ViolationError, match=seen):
        run()


def outcome(history: History) -> list[Any]:
    history.run()
    return [(order.client_order_id, order.filled, order.update_ns) for order in history.market.orders]


def test_a_seed_repeats_its_history() -> None:
    for seed in range(20):
        assert outcome(History(seed)) == outcome(History(seed))
    assert outcome(History(1)) != outcome(History(2))


@pytest.mark.parametrize("seed", range(6))
def test_a_crash_before_or_after_any_one_effect_loses_nothing(seed: int) -> None:
    whole = History(seed, crash_at=-1).run()
    assert whole.crashes == 0
    for half in range(whole.halves):
        assert History(seed, crash_at=half).run().crashes == 1


def test_a_failure_names_its_seed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_history: History) -> None:
        raise ViolationError("something is lost")

    monkeypatch.setattr(History, "run", run)
    assert main(7, 2) == 1
    assert capsys.readouterr().out == "7  # ViolationError: something is lost\n"
