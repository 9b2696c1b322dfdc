"""The commands that stand before real money: ``workbench keys``, ``workbench arm`` and ``workbench disarm``.

They ask a person: whoever has no terminal is refused.
"""

from __future__ import annotations

import getpass
import re
import sys
import time
from typing import TYPE_CHECKING, Final

from workbench.errors import ConfigError, RealTradingDisabledError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from workbench.exchange.real_money import Arming, TradingCaps

__all__ = ["add_arming", "add_keys"]

_DURATION: Final = re.compile(r"([0-9]{1,4})([mh])")
_UNIT_NS: Final = {"m": 60 * 1_000_000_000, "h": 3_600 * 1_000_000_000}
_CAPS: Final = (
    # flag, type, default (None: must be given), what it is
    ("max-order-notional", float, None, "largest entry order, in the quote currency"),
    ("max-position-notional", float, None, "largest position, in the quote currency"),
    ("max-daily-notional", float, None, "all entry orders of a day together (default: ten positions)"),
    ("max-orders-per-minute", int, 10, "entry orders within a minute (default: 10)"),
    ("price-collar", float, 0.02, "how far an entry's price may lie from the last one (default: 0.02)"),
    ("max-daily-loss", float, None, "widest daily loss limit of a session, a fraction such as 0.02"),
    ("max-drawdown", float, None, "widest drawdown limit of a session (default: twice the daily loss)"),
)


def add_arming(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``arm`` and ``disarm`` to the `commands` of a command line."""
    command = commands.add_parser(
        "arm",
        help="allow real trading on one account, for hours",
        description="Allow sessions to trade real money on one account, within limits and for a while. It takes a "
        "typed sentence. Sessions also need WORKBENCH_ENABLE_REAL_TRADING=1 where Jupyter is started.",
    )
    command.add_argument("account", metavar="ACCOUNT", nargs="?", help="name of the key, as in `workbench keys ls`")
    command.add_argument("--list", action="store_true", dest="is_list", help="show what is armed, and until when")
    command.add_argument("--symbols", metavar="SYMBOL", nargs="+", help="what may be traded")
    for name, kind, default, meaning in _CAPS:
        command.add_argument(f"--{name}", type=kind, default=default, metavar="X", help=meaning)
    command.add_argument("--expires", default="8h", metavar="TIME", help="90m, 8h; at most 24h (default: 8h)")
    command.set_defaults(run=_arm)
    command = commands.add_parser(
        "disarm",
        help="take real trading back at once",
        description="Take an arming back. From then on no session sends an entry order to real money on that account; "
        "exits go on.",
    )
    command.add_argument("account", metavar="ACCOUNT", nargs="?", help="name of the key; without it, all")
    command.set_defaults(run=_disarm)


def add_keys(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``keys`` to the `commands` of a command line."""
    keys = commands.add_parser("keys", help="named keys of exchanges", description="Add, list or remove named keys.")
    actions = keys.add_subparsers(title="commands", metavar="COMMAND", required=True)
    command = actions.add_parser("add", help="add a key; it is typed unseen", description="Add a key under a name.")
    command.add_argument("name", metavar="NAME", help="what notebooks call it")
    command.add_argument("--exchange", required=True, metavar="EXCHANGE", help="such as binance; it goes nowhere else")
    command.add_argument("--passphrase", action="store_true", help="the exchange has a third secret: ask for it")
    command.set_defaults(run=_add_key)
    command = actions.add_parser("ls", help="list the names of the keys", description="List the keys, without them.")
    command.set_defaults(run=_list_keys)
    command = actions.add_parser("remove", help="forget a key", description="Remove a key from this machine.")
    command.add_argument("name", metavar="NAME", help="what notebooks call it")
    command.set_defaults(run=_remove_key)


def _arm(options: argparse.Namespace) -> int:
    from workbench.exchange import real_money  # noqa: PLC0415 - help must not wait for the client

    folder = _folder()
    if options.is_list:
        return _list_armings(folder)
    if options.account is None:
        raise ConfigError("arm needs the name of a key: workbench arm ACCOUNT, or workbench arm --list")
    _require_terminal("arm")
    real_money.require_closed_notebooks()
    stored = real_money.load_key(folder, options.account)
    if stored.can_withdraw == "yes":
        raise RealTradingDisabledError(f"the key {stored.name!r} may withdraw: it is not armed")
    now_ns = time.time_ns()
    arming = real_money.Arming(
        account=stored.name,
        exchange=stored.exchange,
        symbols=tuple(options.symbols or ()),
        caps=_caps(options),
        made_ns=now_ns,
        expires_ns=now_ns + _duration_ns(options.expires),
        boot=real_money.boot_id(),
    )
    print(f"This allows sessions to trade real money.\n\n  {arming}\n\nTo allow it, type:\n  {arming.sentence}")
    if input("> ") != arming.sentence:
        raise RealTradingDisabledError("nothing was armed: what was typed is not that sentence")
    real_money.arm(folder, arming, stored.credentials)
    print(f"armed; take it back with `workbench disarm {stored.name}`")
    return 0


def _caps(options: argparse.Namespace) -> TradingCaps:
    from workbench.exchange import real_money  # noqa: PLC0415 - as above

    required = ("symbols", "max_order_notional", "max_position_notional", "max_daily_loss")
    missing = [f"--{name.replace('_', '-')}" for name in required if getattr(options, name) is None]
    if missing:
        raise ConfigError(f"arm needs {', '.join(missing)}: there is no real trading without limits")
    values = {name.replace("-", "_"): getattr(options, name.replace("-", "_")) for name, *_ in _CAPS}
    if values["max_daily_notional"] is None:
        values["max_daily_notional"] = 10 * values["max_position_notional"]
    if values["max_drawdown"] is None:
        values["max_drawdown"] = min(1.0, 2 * values["max_daily_loss"])
    return real_money.TradingCaps(**values)


def _disarm(options: argparse.Namespace) -> int:
    from workbench.exchange import real_money  # noqa: PLC0415 - as above

    folder = _folder()
    names = real_money.armed_names(folder) if options.account is None else (options.account,)
    for name in names:
        print(f"{name} was disarmed" if real_money.disarm(folder, name) else f"{name} was not armed")
    return 0


def _list_armings(folder: Path) -> int:
    from workbench.exchange import real_money  # noqa: PLC0415 - as above

    names = real_money.armed_names(folder)
    for name in names:
        print(_arming_line(folder, name))
    if not names:
        print("nothing is armed")
    return 0


def _arming_line(folder: Path, name: str) -> str:
    """Return one line about an account's arming; what is not believed is said and not raised, so that all are shown."""
    from workbench.exchange import real_money  # noqa: PLC0415 - as above

    try:
        arming: Arming | None = real_money.read_arming(folder, name, real_money.load_key(folder, name).credentials)
    except RealTradingDisabledError as error:
        return f"{name}: {error}"
    if arming is None:
        return f"{name} is not armed"
    return f"{arming}{' (expired)' if time.time_ns() >= arming.expires_ns else ''}"


def _add_key(options: argparse.Namespace) -> int:
    from workbench.exchange import real_money  # noqa: PLC0415 - as above

    _require_terminal("keys add")
    folder = _folder()
    key = getpass.getpass("key: ")
    secret = getpass.getpass("secret: ")
    passphrase = getpass.getpass("passphrase: ") if options.passphrase else None
    answer = input("may this key withdraw? no, yes or unknown: ").strip()
    if answer == "yes":
        raise RealTradingDisabledError(
            f"the key was not added: make one at {options.exchange} that may only trade, best bound to an address"
        )
    real_money.store_key(
        folder,
        options.name,
        exchange=options.exchange,
        key=key,
        secret=secret,
        password=passphrase,
        can_withdraw=answer,
    )
    print(f"added; notebooks call it key={options.name!r}")
    return 0


def _list_keys(_options: argparse.Namespace) -> int:
    from workbench.exchange import real_money  # noqa: PLC0415 - as above

    names = real_money.key_names(_folder())
    for name in names:
        stored = real_money.load_key(_folder(), name)
        print(f"{name}  {stored.exchange}  may withdraw: {stored.can_withdraw}")
    if not names:
        print("there are no keys")
    return 0


def _remove_key(options: argparse.Namespace) -> int:
    from workbench.exchange import real_money  # noqa: PLC0415 - as above

    real_money.disarm(_folder(), options.name)
    real_money.remove_key(_folder(), options.name)
    print(f"{options.name} was removed from this machine; at the exchange it is still valid")
    return 0


def _folder() -> Path:
    from workbench.exchange import real_money  # noqa: PLC0415 - as above

    return real_money.config_folder(real_money.started_environment())


def _require_terminal(command: str) -> None:
    """Refuse whoever is no person at a terminal, such as a cell or a pipe."""
    if not sys.stdin.isatty():
        raise RealTradingDisabledError(f"workbench {command} asks a person: run it in a terminal, not from a notebook")


def _duration_ns(text: str) -> int:
    """Return how long a text such as ``8h`` is, in ns."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ConfigError(f"expires must be a time such as 90m or 8h, was {text!r}")
    return int(found[1]) * _UNIT_NS[found[2]]
