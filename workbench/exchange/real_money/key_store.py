"""Named keys of accounts: one private file each, read only where orders are sent.

Nothing here hands a key out but `load_key`, which returns `Credentials`. The files are as safe as the user's account on
this machine: whoever runs code as this user can read them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError, RealTradingDisabledError
from workbench.exchange.credentials import Credentials
from workbench.exchange.real_money.private_files import read_private, write_private
from workbench.exchange.real_money.terms import check_account
from workbench.model.field_checks import FieldChecks

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["WITHDRAWAL_ANSWERS", "StoredKey", "key_names", "load_key", "remove_key", "store_key"]

WITHDRAWAL_ANSWERS: Final = ("no", "yes", "unknown")
"""Whether a key may withdraw, as its owner says."""

_FOLDER: Final = "keys"
_SECRETS: Final = {"apiKey": "key", "secret": "secret", "password": "password", "uid": "uid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A named key.

    Attributes
    ----------
    name : str
        What notebooks call it.
    exchange : str
        The only exchange that it is ever sent to.
    credentials : Credentials
        Never shown.
    can_withdraw : {"no", "yes", "unknown"}
        What its owner said; an exchange that tells is asked all the same.
    """

    name: str
    exchange: str
    credentials: Credentials = field(repr=False)
    can_withdraw: str


def store_key(  # noqa: PLR0913  one field each, keyword-only
    folder: Path,
    name: str,
    *,
    exchange: str,
    key: str,
    secret: str,
    can_withdraw: str,
    password: str | None = None,
    uid: str | None = None,
) -> None:
    """Write a named key; one that is there already is not replaced.

    Parameters
    ----------
    folder : Path
        The user's configuration folder.
    name : str
        ``a-z 0-9 _ -``.
    exchange : str
        As ccxt spells it.
    key, secret : str
        As the exchange gave them.
    can_withdraw : {"no", "yes", "unknown"}
        What the owner says.
    password, uid : str, optional
        For exchanges that want them too.

    Raises
    ------
    ConfigError
        A field is out of its range, or there is a key of this name.
    RealTradingDisabledError
        The file cannot be written.
    """
    checks = FieldChecks()
    check_account(checks, name)
    checks.is_name("exchange", exchange)
    checks.is_one_of("can_withdraw", can_withdraw, WITHDRAWAL_ANSWERS)
    checks.raise_if_any(ConfigError)
    Credentials(key, secret, password=password, uid=uid, label=name)
    path = _path(folder, name)
    if path.exists():
        raise ConfigError(f"there is a key {name!r} already: remove it first with `workbench keys remove {name}`")
    values = {"apiKey": key, "secret": secret, "password": password, "uid": uid}
    write_private(path, {"version": 1, "exchange": exchange, "can_withdraw": can_withdraw} | values)


def load_key(folder: Path, name: str) -> StoredKey:
    """Return the key of a `name` from the user's configuration `folder`.

    Raises
    ------
    RealTradingDisabledError
        There is none, or its file is not believed.
    """
    checks = FieldChecks()
    check_account(checks, name)
    checks.raise_if_any(ConfigError)
    path = _path(folder, name)
    document = read_private(path)
    if document is None:
        known = ", ".join(key_names(folder)) or "none"
        raise RealTradingDisabledError(
            f"there is no key {name!r}, there are: {known}; add it in a terminal with `workbench keys add {name}`"
        )
    try:
        return _stored(name, document)
    except (KeyError, TypeError, ConfigError):
        # Without what was wrong: it may show the key.
        raise RealTradingDisabledError(f"{path} is no key file: remove it and add the key again") from None


def key_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the keys in the user's configuration `folder`, sorted."""
    keys = folder / _FOLDER
    return tuple(sorted(path.stem for path in keys.glob("[!.]*.json"))) if keys.is_dir() else ()


def remove_key(folder: Path, name: str) -> None:
    """Remove the key of a `name` from the user's configuration `folder`.

    Raises
    ------
    ConfigError
        There is none.
    """
    if name not in key_names(folder):
        raise ConfigError(f"there is no key {name!r}, there are: {', '.join(key_names(folder)) or 'none'}")
    _path(folder, name).unlink()


def _path(folder: Path, name: str) -> Path:
    return folder / _FOLDER / f"{name}.json"


def _stored(name: str, document: dict[str, Any]) -> StoredKey:
    values: dict[str, Any] = {parameter: document.get(written) for written, parameter in _SECRETS.items()}
    answer = document["can_withdraw"]
    if document["version"] != 1 or answer not in WITHDRAWAL_ANSWERS or not isinstance(document["exchange"], str):
        raise ConfigError("no key file")
    credentials = Credentials(**values, label=name)
    return StoredKey(name=name, exchange=document["exchange"], credentials=credentials, can_withdraw=answer)
