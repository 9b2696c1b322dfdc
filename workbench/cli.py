"""The command line ``workbench``: market data and sessions without a notebook, and what stands before real money.

Exit codes: 0 done, 1 it could not be done (the reason stands on one line of the error output), 2 the command line is
wrong, 3 ``data check`` found something, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from workbench.cli_arming import add_arming, add_keys
from workbench.cli_sessions import add_sessions
from workbench.errors import MissingDataError, WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.data import CandleStore, QualityReport, SeriesInfo

__all__ = ["main"]

FAILED: Final = 1
FOUND: Final = 3
INTERRUPTED: Final = 130
_PACKAGE: Final = "workbench-trading"
_EXAMPLES: Final = """examples:
  workbench download binance BTC/USDT ETH/USDT --timeframe 1m --since 2024-01-01
  workbench data ls
  workbench data show binance BTC/USDT 1m
  workbench data check candles.csv BTC/USDT 1h
  workbench practice --speed 60
  workbench ls
  workbench stop btc-1 --flatten
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words of the command line; without them those of this process.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except WorkbenchError as error:
        lines = [*str(error).splitlines(), *getattr(error, "__notes__", ())]
        print(f"workbench: {' '.join(lines)}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("workbench: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output, such as `head`, has enough; what Python still has to flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="workbench",
        description="Market data, sessions and a practice exchange for the crypto trading workbench.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"workbench {version(_PACKAGE)}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_download(commands)
    _add_data(commands)
    _add_practice(commands)
    add_keys(commands)
    add_arming(commands)
    add_sessions(commands)
    return parser


def _add_download(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "download",
        help="load candles from an exchange into the store",
        description="Load closed candles from an exchange into the store, only those that it lacks. An interrupted "
        "download goes on where it was when the command is given again.",
    )
    command.add_argument(
        "exchange", metavar="EXCHANGE", help="an exchange that ccxt knows, such as binance; or practice"
    )
    command.add_argument("symbols", metavar="SYMBOL", nargs="+", help="BTC/USDT, or BTC/USDT:USDT for the perpetual")
    command.add_argument("-t", "--timeframe", default="1m", metavar="LENGTH", help="length of a candle (default: 1m)")
    command.add_argument("--since", required=True, metavar="TIME", help="2024-01-01 (UTC), or 2024-01-01T12:00Z")
    command.add_argument("--until", metavar="TIME", help="until then; without it, until now")
    command.add_argument("-q", "--quiet", action="store_true", help="no progress bar")
    _add_store(command)
    command.set_defaults(run=_download)


def _add_data(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    data = commands.add_parser(
        "data", help="what is in the store, and what is wrong with candles", description="Look at candles."
    )
    actions = data.add_subparsers(title="commands", metavar="COMMAND", required=True)
    command = actions.add_parser("ls", help="list the series of the store", description="List the series of the store.")
    _add_store(command)
    command.set_defaults(run=_list)
    command = actions.add_parser(
        "show", help="one series: times, holes, size, hash", description="Show what is stored of a series."
    )
    _add_series(command, "exchange", "EXCHANGE", "name of the exchange")
    _add_store(command)
    command.set_defaults(run=_show)
    command = actions.add_parser(
        "check",
        help="look for gaps, duplicates and bad rows",
        description="Look for gaps, duplicates, disorder and bad rows in a file or a stored series, and read every "
        "checksum of the latter. Exit code 0: clean, 3: something was found, 1: it cannot be read.",
    )
    _add_series(command, "source", "SOURCE", "a file (.csv .parquet .feather .json), or an exchange of the store")
    command.add_argument("--time-unit", choices=("s", "ms", "us", "ns"), help="unit of times that are numbers")
    command.add_argument("--time-zone", metavar="ZONE", help="zone of times that name none, such as UTC")
    command.add_argument(
        "--separator", default=",", metavar="SIGN", help="between the fields of a CSV file (default: ,)"
    )
    _add_store(command)
    command.set_defaults(run=_check)


def _add_practice(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "practice",
        help="run a practice exchange on this machine",
        description="Serve a practice exchange on 127.0.0.1 until Ctrl-C. It speaks enough of Binance for ccxt; the "
        "market is the one of load_bars('practice', ...), going on where that ends.",
    )
    command.add_argument("symbols", metavar="SYMBOL", nargs="*", help="markets to list (default: the usual ones)")
    command.add_argument(
        "--speed", type=float, default=1.0, metavar="X", help="its seconds in a real one, 1 to 1000 (default: 1)"
    )
    command.add_argument("--port", type=int, default=0, metavar="N", help="port on 127.0.0.1 (default: any free one)")
    command.add_argument(
        "--cash", type=float, default=10_000.0, metavar="USDT", help="USDT to start with (default: 10000)"
    )
    command.add_argument("--plays-real", action="store_true", help="take no order without the permit of real money")
    command.set_defaults(run=_practice)


def _add_store(command: argparse.ArgumentParser) -> None:
    command.add_argument("--store", metavar="FOLDER", help="another folder than the user's own store")


def _add_series(command: argparse.ArgumentParser, name: str, shown: str, meaning: str) -> None:
    command.add_argument(name, metavar=shown, help=meaning)
    command.add_argument("symbol", metavar="SYMBOL", help="such as BTC/USDT")
    command.add_argument("timeframe", metavar="LENGTH", help="length of a candle, such as 1m")


def _store(options: argparse.Namespace) -> CandleStore:
    from workbench.data import CandleStore  # noqa: PLC0415 - help must not wait for numpy and pyarrow

    return CandleStore(options.store)


def _download(options: argparse.Namespace) -> int:
    from workbench.data import download  # noqa: PLC0415 - help must not wait for numpy and pyarrow

    summary = download(
        options.exchange,
        options.symbols,
        options.timeframe,
        since=options.since,
        until=options.until,
        store=_store(options),
        progress=False if options.quiet else None,
    )
    print(summary)
    return 0


def _list(options: argparse.Namespace) -> int:
    store = _store(options)
    series = store.series()
    if not series:
        print(f"nothing is stored in {store.root}")
        return 0
    rows = [("EXCHANGE", "SYMBOL", "LENGTH", "CANDLES", "FROM", "TO", "SIZE")]
    for one in series:
        info = store.info(one.exchange, one.symbol, one.timeframe)
        rows.append((one.exchange, one.symbol, str(one.timeframe), *_figures(info)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        # Numbers to the right, words to the left.
        cells = [
            word.rjust(width) if column in {3, 6} else word.ljust(width)
            for column, (word, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
    return 0


def _figures(info: SeriesInfo) -> tuple[str, str, str, str]:
    from workbench.data import size_text  # noqa: PLC0415 - help must not wait for numpy and pyarrow
    from workbench.model import utc_text  # noqa: PLC0415 - as above

    start, end = utc_text(info.covered[0].start_ns), utc_text(info.covered[-1].end_ns)
    pieces = f" in {len(info.covered)} pieces" if len(info.covered) > 1 else ""
    return f"{info.candles:,}", start, end + pieces, size_text(info.size_bytes)


def _show(options: argparse.Namespace) -> int:
    store = _store(options)
    info = store.info(options.exchange, options.symbol, options.timeframe)
    holes = store.holes(options.exchange, options.symbol, options.timeframe)
    candles, _, _, size = _figures(info)
    missing = sum(hole.end_ns - hole.start_ns for hole in holes) // info.series.timeframe.ns
    print(f"{info.series}")
    print(f"candles  {candles} in {len(info.months)} months, {size}")
    for span in info.covered:
        print(f"covered  {span}")
    print(f"holes    {len(holes):,}, {missing:,} candles that the exchange does not have")
    for hole in holes[:10]:
        print(f"         {hole}")
    if len(holes) > 10:  # noqa: PLR2004 - as many as are printed
        print(f"         and {len(holes) - 10:,} more")
    print(f"sha256   {info.content_hash}")
    return 0


def _check(options: argparse.Namespace) -> int:
    from workbench.data import FileFormat, quality_report  # noqa: PLC0415 - help must not wait for numpy and pyarrow

    report: QualityReport = quality_report(
        options.source,
        options.symbol,
        options.timeframe,
        time_unit=options.time_unit,
        file_format=FileFormat(separator=options.separator, time_zone=options.time_zone),
        store=_store(options) if _is_stored(options) else None,
    )
    print(report)
    return 0 if report.is_clean else FOUND


def _is_stored(options: argparse.Namespace) -> bool:
    """Return whether the source is an exchange of the store, after reading all of it."""
    if any(series.exchange == options.source for series in _store(options).series()):
        _store(options).verify(options.source, options.symbol, options.timeframe)
        return True
    if os.sep not in options.source and "." not in options.source:
        raise MissingDataError(f"{options.source} is neither a file nor an exchange of the store; `workbench data ls`")
    return False


def _practice(options: argparse.Namespace) -> int:
    from workbench.exchange.practice.__main__ import main as serve  # noqa: PLC0415 - help must not wait for aiohttp

    flags = [f"--{name}={getattr(options, name)}" for name in ("speed", "port", "cash")]
    more = ["--plays-real"] if options.plays_real else []
    return serve([*flags, *more, *options.symbols])
