"""Serve a practice exchange until a signal ends it: ``python -m workbench.exchange.practice --port 0 --speed 60``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.exchange.practice.clock import RunningClock
from workbench.exchange.practice.config import PracticeConfig
from workbench.exchange.practice.exchange import DEFAULT_MARKETS, PracticeExchange
from workbench.model.practice import PRACTICE_LIVE_START
from workbench.model.times import parse_time_ns

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_DESCRIPTION = "Serve a practice exchange on this machine until SIGINT or SIGTERM ends it."


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; return the exit code. The address stands on the first line of the output."""
    parser = argparse.ArgumentParser(prog="python -m workbench.exchange.practice", description=_DESCRIPTION)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 is any free one")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds of the exchange in a real one, 1 to 1000")
    parser.add_argument("--start", default=PRACTICE_LIVE_START, help="time of the exchange at its start, as 2025-07-01")
    parser.add_argument("--latency", type=float, default=0.0, help="real seconds that a request spends on the way")
    parser.add_argument("--cash", type=float, default=10_000.0, help="USDT to start with, spot and margin each")
    parser.add_argument("--fee-asset", default="quote", help="quote, received, or a coin such as BNB")
    parser.add_argument("--plays-real", action="store_true", help="take no order without the permit of real money")
    parser.add_argument("symbols", nargs="*", help=f"markets to list (default: {' '.join(DEFAULT_MARKETS)})")
    options = parser.parse_args(arguments)
    try:
        config = PracticeConfig(
            balances={"USDT": options.cash},
            wallets={"USDT": options.cash},
            fee_asset=options.fee_asset,
            latency_s=options.latency,
            port=options.port,
            is_registered=True,
            plays_real=options.plays_real,
        )
        clock = RunningClock(parse_time_ns(options.start, "start"), speed=options.speed)
        exchange = PracticeExchange(options.symbols or None, clock=clock, config=config)
        _serve(exchange)
    except WorkbenchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _serve(exchange: PracticeExchange) -> None:
    ended = threading.Event()
    # Before the port opens: whoever reads the address may send the signal at once.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_arguments: ended.set())
    with exchange:
        sys.stdout.write(f"practice exchange at {exchange.url}\n")
        sys.stdout.flush()
        ended.wait()


if __name__ == "__main__":
    sys.exit(main())
