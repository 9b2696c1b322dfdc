from collections.abc import Iterator

import pytest

from workbench.exchange.practice import PracticeExchange, SteppedClock


@pytest.fixture
def exchange() -> Iterator[PracticeExchange]:
    """One spot market and its perpetual, a minute after the start, on a clock that stands still."""
    with PracticeExchange(["BTC/USDT", "BTC/USDT:USDT"], clock=SteppedClock()) as running:
        running.advance(60)
        yield running
