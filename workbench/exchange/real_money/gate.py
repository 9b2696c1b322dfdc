"""The gate before real money: every condition in one place, and all of them must hold."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from workbench.errors import RealTradingDisabledError
from workbench.exchange.real_money.arming import armed_names, require_arming
from workbench.exchange.real_money.key_store import load_key
from workbench.exchange.real_money.notebook_servers import require_closed_notebooks
from workbench.exchange.real_money.private_files import config_folder
from workbench.exchange.real_money.started import require_switch, started_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from workbench.exchange.credentials import Credentials
    from workbench.exchange.real_money.arming import Arming
    from workbench.exchange.real_money.key_store import StoredKey
    from workbench.exchange.real_money.terms import RealConsent, RealTerms

__all__ = ["RealTradingGate"]

_NEVER: Final = "real trading is off"


class RealTradingGate:
    """Decides whether a session may trade real money.

    All of this must hold, and whatever cannot be found out counts as not holding:

    - ``WORKBENCH_ENABLE_REAL_TRADING=1`` stood in the environment in which this process was *started*;
    - the account was armed in a terminal, for these symbols, with limits at least as wide as the session's, and that
      has neither expired nor been taken back;
    - the sentence that was typed is the one that names exchange, key, symbols and limits of this very session;
    - the key is known by this name, for this exchange, and its owner did not say that it may withdraw;
    - no notebook server of this machine is open to strangers.

    It protects against mistakes, against a shared notebook that is run without reading it, and against a program that
    goes wild. It does not protect against somebody who runs code of his own as the same user: who can read the user's
    files can read the key, needs no workbench to use it, and can start any process in any environment. Keep that
    one out by what the exchange offers: a key without withdrawals, bound to an address, on an account of its own.

    Parameters
    ----------
    folder : Path
        The user's configuration folder, with keys and armings.
    started : mapping of str to str
        The environment in which the process was started.
    now_ns : callable, optional
        The time, ns UTC; the computer's unless given.
    jupyter_folder : Path, optional
        Jupyter's runtime folder; that of this user unless given.
    """

    def __init__(
        self,
        folder: Path,
        started: Mapping[str, str],
        *,
        now_ns: Callable[[], int] = time.time_ns,
        jupyter_folder: Path | None = None,
    ) -> None:
        self.folder = folder
        self.now_ns = now_ns
        self._started = dict(started)
        self._jupyter_folder = jupyter_folder

    @classmethod
    def of_this_process(cls) -> RealTradingGate:
        """Return the gate of this process, by the environment in which it was started.

        Raises
        ------
        RealTradingDisabledError
            The system does not tell how the process was started.
        """
        started = started_environment()
        return cls(config_folder(started), started)

    def precheck(self, consent: RealConsent) -> None:
        """Check what can be checked of a `consent` without the key: for the notebook, which never reads one.

        Raises
        ------
        RealTradingDisabledError
            A condition does not hold; the message names it and the way out.
        """
        terms = consent.terms
        require_switch(self._started)
        if terms.account not in armed_names(self.folder):
            raise RealTradingDisabledError(
                f"{_NEVER}: account {terms.account!r} is not armed: arm it in a terminal with "
                f"`workbench arm {terms.account}`"
            )
        _require_sentence(consent)
        require_closed_notebooks(self._jupyter_folder)

    def require(self, consent: RealConsent) -> tuple[StoredKey, Arming]:
        """Return the key and the arming of a `consent`, after every check.

        Raises
        ------
        RealTradingDisabledError
            A condition does not hold; the message names it and the way out.
        """
        self.precheck(consent)
        stored = self.require_key(consent)
        if stored.can_withdraw == "yes":
            raise RealTradingDisabledError(
                f"{_NEVER}: the key {stored.name!r} may withdraw; make one at {stored.exchange} that may only trade"
            )
        return stored, self.require_still_armed(consent.terms, stored.credentials)

    def require_key(self, consent: RealConsent) -> StoredKey:
        """Return the key of a `consent` that was typed; what it may be used for is another question.

        Raises
        ------
        RealTradingDisabledError
            The sentence is another one, or there is no such key for that exchange.
        """
        _require_sentence(consent)
        terms = consent.terms
        stored = load_key(self.folder, terms.account)
        if stored.exchange != terms.exchange:
            raise RealTradingDisabledError(
                f"{_NEVER}: the key {stored.name!r} belongs to {stored.exchange}, not to {terms.exchange}"
            )
        return stored

    def require_still_armed(self, terms: RealTerms, credentials: Credentials) -> Arming:
        """Return what the account of these `terms` is armed for now, when that is enough for them.

        The armed file must be sealed with the `credentials`.

        Raises
        ------
        RealTradingDisabledError
            It is not.
        """
        require_switch(self._started)
        arming = require_arming(self.folder, terms.account, credentials, self.now_ns())
        again = f"arm it anew with `workbench arm {terms.account}`, or ask for less"
        if arming.exchange != terms.exchange:
            raise RealTradingDisabledError(
                f"{_NEVER}: {terms.account!r} is armed for {arming.exchange}, not for {terms.exchange}"
            )
        missing = [symbol for symbol in terms.symbols if symbol not in arming.symbols]
        if missing:
            raise RealTradingDisabledError(
                f"{_NEVER}: {terms.account!r} is not armed for {', '.join(missing)}: {again}"
            )
        beyond = terms.beyond(arming.caps)
        if beyond:
            raise RealTradingDisabledError(f"{_NEVER}: beyond what {terms.account!r} is armed for: {'; '.join(beyond)}")
        return arming


def _require_sentence(consent: RealConsent) -> None:
    wanted = consent.terms.sentence
    if consent.sentence != wanted:
        was = "nothing" if consent.sentence is None else repr(consent.sentence)
        raise RealTradingDisabledError(f"{_NEVER}: to start it pass confirm={wanted!r}, was {was}")
