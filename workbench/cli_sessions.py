"""The commands for sessions: ``ls show logs stop flatten kill resume resolve``, also while every kernel hangs."""

from __future__ import annotations

import os
import select
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import SessionError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from workbench.live.process.registry import SessionRegistry
    from workbench.live.process.session_info import SessionInfo

__all__ = ["add_sessions"]

_RED: Final = "\x1b[31m"
_YELLOW: Final = "\x1b[33m"
_PLAIN: Final = "\x1b[0m"
_HEAD: Final = ("NAME", "STATE", "SYMBOL", "POSITION", "EQUITY", "PNL", "DATA AGE", "UPTIME")
_NUMBERS: Final = frozenset({4, 5, 6, 7})
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_SHORT_TURN_S: Final = 100.0
_TAIL_BYTES: Final = 262_144
_FOLLOW_S: Final = 0.25


def add_sessions(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands for sessions to the `commands` of a command line."""
    command = commands.add_parser("ls", help="list the sessions", description="List the sessions of this user.")
    command.set_defaults(run=_list)
    command = commands.add_parser("show", help="one session: state, position, figures", description="Show a session.")
    command.add_argument("name", metavar="NAME", help="name or id")
    command.set_defaults(run=_show)
    command = commands.add_parser("logs", help="what a session's process printed", description="Print a session's log.")
    command.add_argument("name", metavar="NAME", help="name or id")
    command.add_argument("-n", "--lines", type=int, default=50, metavar="N", help="last lines to print (default: 50)")
    command.add_argument("-f", "--follow", action="store_true", help="go on printing what comes, until Ctrl-C")
    command.set_defaults(run=_logs)
    command = commands.add_parser(
        "stop",
        help="end sessions, their positions kept",
        description="Cancel entry orders and end the sessions within 30 seconds, whatever they or their notebook do. "
        "Positions are kept and named, unless they are to be closed first.",
    )
    _add_names(command)
    command.add_argument("--flatten", action="store_true", help="close all positions first")
    command.add_argument(
        "--timeout", type=float, default=30.0, metavar="S", help="seconds until a hanging one is killed (default: 30)"
    )
    command.set_defaults(run=_stop)
    command = commands.add_parser(
        "flatten", help="close a session's positions and pause it", description="Close all positions, then pause."
    )
    _add_names(command)
    command.set_defaults(run=_flatten)
    command = commands.add_parser(
        "kill",
        help="end the process of a session at once, orders and positions untouched",
        description="Kill the process of a session. Its orders and positions stay as they are; nothing looks after "
        "them then.",
    )
    _add_names(command)
    command.set_defaults(run=_kill)
    command = commands.add_parser(
        "resume",
        help="go on with a session whose process is gone",
        description="Go on with sessions that were interrupted, where their journals end.",
    )
    command.add_argument("names", metavar="NAME", nargs="+", help="name or id")
    command.set_defaults(run=_resume)
    command = commands.add_parser(
        "resolve",
        help="end an order of which nobody can tell",
        description="Say of an order that stays unknown what you have seen at the exchange: that it never arrived. "
        "The session lets go of it then; should it show up all the same, it is cancelled and booked.",
    )
    command.add_argument("name", metavar="NAME", help="name or id of the session")
    command.add_argument("number", type=int, metavar="NUMBER", help="number of the order, as the session names it")
    command.add_argument("answer", choices=("never_arrived",), help="what you have seen")
    command.set_defaults(run=_resolve)


def _add_names(command: argparse.ArgumentParser) -> None:
    command.add_argument("names", metavar="NAME", nargs="*", help="name or id")
    command.add_argument("--all", action="store_true", dest="is_all", help="every session that has not finished")


def _registry() -> SessionRegistry:
    from workbench.live.process.registry import SessionRegistry  # noqa: PLC0415 - help must not wait for numpy and numba

    return SessionRegistry()


def _names(options: argparse.Namespace, registry: SessionRegistry) -> list[str]:
    """Return the names that a command is about."""
    if options.is_all == bool(options.names):
        raise SessionError("name the sessions, or say --all; `workbench ls` lists them")
    if options.is_all:
        return [info.name for info in registry.list() if not info.is_finished]
    return [registry.find(name).name for name in options.names]


def _list(_: argparse.Namespace) -> int:
    registry = _registry()
    infos = registry.list()
    if not infos:
        print(f"there are no sessions in {registry.root}")
        return 0
    rows = [_HEAD, *(_row(info) for info in infos)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row, info in zip(rows, [None, *infos], strict=True):
        cells = [
            word.rjust(width) if column in _NUMBERS else word.ljust(width)
            for column, (word, width) in enumerate(zip(row, widths, strict=True))
        ]
        print(_coloured("  ".join(cells).rstrip(), info))
    for info in infos:
        if info.needs_person:
            print(_coloured(f"{info.name}: {info.reason}", info))
    return 0


def _row(info: SessionInfo) -> tuple[str, ...]:
    said = info.summary
    age_s = _data_age_s(info)
    return (
        info.name,
        info.state,
        ",".join(said.get("symbols", [])) or "-",
        info.positions,
        f"{said['equity']:,.2f}" if "equity" in said else "-",
        f"{said['pnl']:+,.2f}" if "pnl" in said else "-",
        "-" if age_s is None else _duration(age_s),
        "-" if info.uptime_s is None else _duration(info.uptime_s),
    )


def _data_age_s(info: SessionInfo) -> float | None:
    """Return how old the last price is: what the process said, and how long ago it said so."""
    age_s = info.summary.get("data_age_s")
    if info.is_finished:
        return None
    if age_s is None or info.told_age_s is None:
        return info.told_age_s
    return float(age_s) + info.told_age_s


def _duration(seconds: float) -> str:
    """Return a duration as people read it.

    Examples
    --------
    >>> _duration(4.2), _duration(95), _duration(7_300), _duration(200_000)
    ('4.2s', '95s', '2h01m', '2d07h')
    """
    if seconds < _MINUTE_S:
        return f"{seconds:.1f}s"
    if seconds < _SHORT_TURN_S:
        return f"{seconds:.0f}s"
    minutes, hours = int(seconds // _MINUTE_S), int(seconds // _HOUR_S)
    if seconds < _HOUR_S:
        return f"{minutes}m"
    if seconds < _DAY_S:
        return f"{hours}h{minutes % 60:02}m"
    return f"{hours // 24}d{hours % 24:02}h"


def _coloured(line: str, info: SessionInfo | None) -> str:
    if info is None or not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return line
    if info.needs_person or info.state == "FAILED":
        return f"{_RED}{line}{_PLAIN}"
    return f"{_YELLOW}{line}{_PLAIN}" if info.state in {"STALE", "HALTED", "EXITS_ONLY"} else line


def _show(options: argparse.Namespace) -> int:
    info = _registry().find(options.name)
    said = info.summary
    process = "none" if info.process is None else f"{info.process.pid}, up {_duration(info.uptime_s or 0.0)}"
    lines: list[tuple[str, Any]] = [
        ("session", f"{info.name}  {info.session_id}"),
        ("state", f"{info.state}: {info.reason}" if info.reason else info.state),
        (
            "strategy",
            f"{said.get('strategy', '?')} on {', '.join(said.get('symbols', []))} {said.get('timeframe', '')}",
        ),
        ("position", info.positions),
        ("process", process),
        ("folder", info.folder.path),
    ]
    if "equity" in said:
        lines.insert(4, ("equity", f"{said['equity']:,.2f}, {said['pnl']:+,.2f}, {said['fills']:,} fills"))
    if info.told_age_s is not None:
        lines.insert(5, ("said", f"{_duration(info.told_age_s)} ago"))
    lines += [("warning", one) for one in said.get("warnings", [])]
    for name, value in lines:
        print(f"{name:<9} {value}")
    return 0


def _logs(options: argparse.Namespace) -> int:
    log = _registry().find(options.name).folder.log
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
            for line in lines[-options.lines :] if options.lines > 0 else []:
                print(line)
            if options.follow:
                for text in _following(log, file.tell()):
                    print(text, end="", flush=True)
    except FileNotFoundError:
        print(f"{log} is not there: the process has printed nothing", file=sys.stderr)
    return 0


def _following(log: Path, position: int) -> Iterator[str]:
    """Yield what is added to a log, also when it is put aside for a new one."""
    while True:
        with log.open("rb") as file:
            number = os.fstat(file.fileno()).st_ino
            file.seek(min(position, file.seek(0, os.SEEK_END)))
            while log.exists() and log.stat().st_ino == number:
                if part := file.read():
                    yield part.decode(errors="replace")
                select.select([], [], [], _FOLLOW_S)
            yield file.read().decode(errors="replace")
        position = 0


def _stop(options: argparse.Namespace) -> int:
    registry = _registry()
    names = _names(options, registry)
    return _told(registry.stop(*names, flatten=options.flatten, timeout_s=options.timeout))


def _kill(options: argparse.Namespace) -> int:
    registry = _registry()
    return _told(registry.kill(*_names(options, registry)))


def _told(infos: Sequence[SessionInfo]) -> int:
    """Say how sessions ended, and return whether one did not."""
    for info in infos:
        print(f"{info.name}: {info.state}: {info.reason}; position {info.positions}")
    return 0 if all(info.is_finished for info in infos) else 1


def _flatten(options: argparse.Namespace) -> int:
    registry = _registry()
    names = _names(options, registry)
    for name in names:
        has_obeyed = registry.flatten(name)
        print(f"{name}: " + ("closing its positions, paused" if has_obeyed else "asked; it has not answered yet"))
    return 0


def _resolve(options: argparse.Namespace) -> int:
    session = _registry().attach(options.name)
    session.resolve(options.number, options.answer)
    told = [event.text for event in session.events() if event.text.startswith(f"order {options.number} ")]
    print(f"{options.name}: {told[-1] if told else 'asked; it has not answered yet'}")
    return 0


def _resume(options: argparse.Namespace) -> int:
    registry = _registry()
    for name in options.names:
        info = registry.resume(name)
        began = datetime.now(UTC).strftime("%H:%M:%SZ")
        print(f"{info.name}: goes on since {began}, process {info.process.pid if info.process else 'unknown'}")
    return 0
