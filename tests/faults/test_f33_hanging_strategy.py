"""F33: a strategy never returns; the process outside sees it, ends it and goes on without asking the strategy."""

import re

import pytest

from tests.process_sessions import process_config, until_another_process
from workbench.live.process.record import ProcessOptions, read_record
from workbench.live.process.registry import SessionRegistry
from workbench.strategy import Strategy, enter_long, hold

OPTIONS = ProcessOptions(step_budget_s=0.8)


class LoopsForEver(Strategy):
    """Buys once and then thinks for ever, in Python."""

    def on_bar(self, now, position):
        if position.is_flat:
            return enter_long()
        while True:
            now = now  # noqa: PLW0127
        return hold()


class SearchesForEver(Strategy):
    """Buys once and then thinks for ever, in a C function that lets no signal handler of Python run."""

    def on_bar(self, now, position):
        if position.is_flat:
            return enter_long()
        re.match(r"(a+)+$", "a" * 60 + "b" * int(now.close > 0))
        return hold()


@pytest.mark.parametrize("strategy", [LoopsForEver(), SearchesForEver()], ids=lambda one: one.name)
def test_strategy_that_never_returns_is_not_asked_again(registry: SessionRegistry, strategy: Strategy) -> None:
    name = f"f33-{strategy.name.lower()}"
    first, _ = registry.start(process_config(name, strategy=strategy), options=OPTIONS)
    after = until_another_process(first)
    record = read_record(after.folder)
    assert record.mode == "exits_only"
    assert len(record.deaths_s) == 1
    assert after.state == "EXITS_ONLY"
    # What was bought is still known, and still looked after.
    assert [symbol for symbol, *_ in after.summary["positions"]] == ["BTC/USDT"]
    # Where it hung stands in the log, by the dump of its stacks.
    assert "in on_bar" in after.folder.log.read_text()
    assert not first.process.is_alive
