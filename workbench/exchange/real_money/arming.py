"""The armed file: what a person allowed in a terminal, for how long, sealed with the key that it is about."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError, RealTradingDisabledError
from workbench.exchange.real_money.private_files import read_private, write_private
from workbench.exchange.real_money.terms import TradingCaps, check_account, check_symbols, quote_of
from workbench.model.field_checks import FieldChecks
from workbench.model.times import utc_text

if TYPE_CHECKING:
    from workbench.exchange.credentials import Credentials

__all__ = [
    "LONGEST_ARMING_NS",
    "Arming",
    "arm",
    "armed_names",
    "boot_id",
    "disarm",
    "read_arming",
    "require_arming",
    "told_arming",
]

_MINUTE_NS: Final = 60 * 1_000_000_000
LONGEST_ARMING_NS: Final = 24 * 3_600 * 1_000_000_000
"""An arming holds for a day at most."""

_FOLDER: Final = "armed"
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arming:
    """What a person allowed in a terminal.

    Parameters
    ----------
    account : str
        Name of the key.
    exchange : str
        Of that key.
    symbols : tuple of str
        What may be traded.
    caps : TradingCaps
        How much.
    made_ns, expires_ns : int
        From when until when, ns UTC, a day at most.
    boot : str
        The running of this machine in which it was made: it ends with it.

    Raises
    ------
    ConfigError
        A field is out of its range.
    """

    account: str
    exchange: str
    symbols: tuple[str, ...]
    caps: TradingCaps
    made_ns: int
    expires_ns: int
    boot: str

    def __post_init__(self) -> None:
        """Check every field."""
        checks = FieldChecks()
        check_account(checks, self.account)
        checks.is_name("exchange", self.exchange)
        check_symbols(checks, self.symbols)
        for name in ("made_ns", "expires_ns"):
            value = getattr(self, name)
            is_time = isinstance(value, int) and not isinstance(value, bool) and value > 0
            checks.require(name, value, "be a time", is_met=is_time)
        checks.raise_if_any(ConfigError)
        lasts_ns = self.expires_ns - self.made_ns
        if not 0 < lasts_ns <= LONGEST_ARMING_NS:
            raise ConfigError(f"an arming must last more than 0 and at most 24 h, was {lasts_ns / 3.6e12:.4g} h")

    @property
    def sentence(self) -> str:
        """What a person types in the terminal to say yes."""
        quote = quote_of(self.symbols[0])
        return (
            f"arm {self.account} on {self.exchange}: {', '.join(self.symbols)}, at most "
            f"{self.caps.max_order_notional:.12g} {quote} an order"
        )

    def __str__(self) -> str:
        caps, quote = self.caps, quote_of(self.symbols[0])
        parts = (
            f"at most {caps.max_order_notional:.12g} {quote} an order",
            f"{caps.max_position_notional:.12g} {quote} a position",
            f"{caps.max_daily_notional:.12g} {quote} a day",
            f"{caps.max_orders_per_minute} orders a minute",
            f"{100 * caps.price_collar:.4g} % from the last price",
            f"daily loss {100 * caps.max_daily_loss:.4g} %",
            # The begun minute is left out: nobody is told more time than there is.
            f"drawdown {100 * caps.max_drawdown:.4g} %; until {utc_text(self.expires_ns // _MINUTE_NS * _MINUTE_NS)}",
        )
        return f"{self.account} on {self.exchange}: {', '.join(self.symbols)}; {', '.join(parts)}"


def arm(folder: Path, arming: Arming, credentials: Credentials) -> None:
    """Write an `arming` below the user's configuration `folder`, sealed with the `credentials` that it is about.

    It replaces that of the same account.

    Raises
    ------
    RealTradingDisabledError
        The file cannot be written.
    """
    document = _document(arming)
    write_private(_path(folder, arming.account), document | {"seal": _seal(document, credentials)})


def disarm(folder: Path, account: str) -> bool:
    """Take back what the `account` was armed for, below the configuration `folder`; return whether it was."""
    checks = FieldChecks()
    check_account(checks, account)
    checks.raise_if_any(ConfigError)
    path = _path(folder, account)
    was_armed = path.is_symlink() or path.exists()
    path.unlink(missing_ok=True)
    return was_armed


def armed_names(folder: Path) -> tuple[str, ...]:
    """Return the accounts that have an armed file below the configuration `folder`, sorted; it may have expired."""
    armed = folder / _FOLDER
    return tuple(sorted(path.stem for path in armed.glob("[!.]*.json"))) if armed.is_dir() else ()


def read_arming(folder: Path, account: str, credentials: Credentials) -> Arming | None:
    """Return what an account was armed for, expired or not; None when it was not.

    Parameters
    ----------
    folder : Path
        The user's configuration folder.
    account : str
        Name of the key.
    credentials : Credentials
        That key, which the file must have been sealed with.

    Raises
    ------
    RealTradingDisabledError
        The file is not believed: it was changed, copied, or made for another key.
    """
    path = _path(folder, account)
    document = read_private(path)
    if document is None:
        return None
    seal = document.pop("seal", None)
    if not isinstance(seal, str) or not hmac.compare_digest(seal, _seal(document, credentials)):
        raise RealTradingDisabledError(f"{path} is not believed: it was not made by `workbench arm` for this key")
    return _told(path, account, document)


def told_arming(folder: Path, account: str) -> Arming | None:
    """Return what an armed file says, for showing it where the key is not known; None when there is none.

    Nothing may be decided by it: without the key nobody can tell whether the file was made by who holds that. The
    parameters and the error are those of `read_arming`.
    """
    path = _path(folder, account)
    document = read_private(path)
    if document is None:
        return None
    document.pop("seal", None)
    return _told(path, account, document)


def _told(path: Path, account: str, document: dict[str, Any]) -> Arming:
    """Return the arming of a document that must be about an account."""
    try:
        arming = _arming(document)
    except (KeyError, TypeError, ConfigError) as error:
        raise RealTradingDisabledError(f"{path} is not believed: {error}") from error
    if arming.account != account:
        raise RealTradingDisabledError(f"{path} is not believed: it is about account {arming.account!r}")
    return arming


def require_arming(folder: Path, account: str, credentials: Credentials, now_ns: int) -> Arming:
    """Return what an account is armed for at `now_ns`, in ns UTC; the other parameters as for `read_arming`.

    Raises
    ------
    RealTradingDisabledError
        It is not armed, not any more, or not in this running of the machine.
    """
    again = f"arm it in a terminal with `workbench arm {account}`"
    arming = read_arming(folder, account, credentials)
    if arming is None:
        raise RealTradingDisabledError(f"account {account!r} is not armed: {again}")
    if now_ns >= arming.expires_ns:
        raise RealTradingDisabledError(
            f"the arming of {account!r} has expired at {utc_text(arming.expires_ns)}: {again}"
        )
    if now_ns < arming.made_ns:
        raise RealTradingDisabledError(
            f"the arming of {account!r} was made in the future, so a clock is wrong: {again}"
        )
    if arming.boot != boot_id():
        raise RealTradingDisabledError(f"the arming of {account!r} was made before this machine was started: {again}")
    return arming


def boot_id() -> str:
    """Return what the system calls its present running.

    Raises
    ------
    RealTradingDisabledError
        It does not tell.
    """
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError as error:
        raise RealTradingDisabledError(f"real trading is off: {_BOOT} cannot be read: {error.strerror}") from error


def _path(folder: Path, account: str) -> Path:
    return folder / _FOLDER / f"{account}.json"


def _document(arming: Arming) -> dict[str, Any]:
    return {"version": 1} | asdict(arming) | {"symbols": list(arming.symbols)}


def _arming(document: dict[str, Any]) -> Arming:
    found = dict(document)
    if found.pop("version") != 1:
        raise ConfigError("its version is unknown")
    found["symbols"] = tuple(found["symbols"])
    found["caps"] = TradingCaps(**found["caps"])
    return Arming(**found)


def _seal(document: dict[str, Any], credentials: Credentials) -> str:
    """Return a keyed hash of all that was allowed, so that only who holds the key could have written it."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    key = f"{credentials.reveal('apiKey')}\n{credentials.reveal('secret')}\nworkbench arming"
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
