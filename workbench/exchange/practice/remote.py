"""Faults, balances and foreign trades on command, of an exchange in another process."""

from __future__ import annotations

import difflib
import json
import urllib.request
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.error import HTTPError, URLError

from workbench.errors import ConfigError, ExchangeUnavailableError
from workbench.exchange.practice.faults import FAULT_KINDS

if TYPE_CHECKING:
    from workbench.exchange.practice.faults import FaultKind
    from workbench.exchange.practice.registry import PracticeAddress

__all__ = ["PracticeRemote"]

_TIMEOUT_S: Final = 10.0
_CLEAR: Final = "clear"
_CUT: Final = "connection_lost"
_SKEW: Final = "clock_skew"


class PracticeRemote:
    """Commands a running practice exchange by its address.

    Every method raises `ConfigError` when the exchange refuses what was asked, with its words, and
    `ExchangeUnavailableError` when it does not answer.

    Parameters
    ----------
    address : PracticeAddress
        Of `find_practice_exchange` or `PracticeExchange.address`.
    """

    def __init__(self, address: PracticeAddress) -> None:
        self._address = address
        # No proxy: an address of this machine must not leave it.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def state(self) -> dict[str, Any]:
        """Return the exchange's time, speed, markets and faults with their hits."""
        answer: dict[str, Any] = self._ask("GET", "state")
        return answer

    def drill(self, kind: str, *, where: str | None, times: int | None, seconds: float) -> None:
        """Do what `workbench.drill` is asked for: order a fault, or what is none and has a name there."""
        known = (_CLEAR, _CUT, _SKEW, *FAULT_KINDS)
        if kind not in known:
            near = difflib.get_close_matches(str(kind), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"kinds are {', '.join(known)}"
            raise ConfigError(f"there is no fault of the kind {kind!r}; {hint}")
        if kind == _CLEAR:
            self.clear_faults()
        elif kind == _CUT:
            self.drop_connections()
        elif kind == _SKEW:
            self.set_skew(round(seconds * 1_000))
        else:
            self.add_fault(cast("FaultKind", kind), where=where, times=times, seconds=seconds)

    def add_fault(
        self,
        kind: FaultKind,
        *,
        where: str | None = None,
        times: int | None = 1,
        seconds: float = 1.0,
        probability: float = 1.0,
    ) -> dict[str, Any]:
        """Order a fault, as `FaultPlan.add` does, and return its fields.

        Parameters
        ----------
        kind : str
            One of `FAULT_KINDS`.
        where : str, optional
            What it strikes; default where the kind usually does.
        times : int or None, default 1
            How often; None until `clear_faults`.
        seconds : float, default 1.0
            Length of those that have one.
        probability : float, default 1.0
            How likely it strikes each time that it can, in (0, 1].
        """
        wanted = {"kind": kind, "where": where, "times": times, "seconds": seconds, "probability": probability}
        answer: dict[str, Any] = self._ask("POST", "faults", wanted)
        return answer

    def clear_faults(self) -> None:
        """Take every fault back, a skewed clock and a revoked key too."""
        self._ask("DELETE", "faults")

    def set_balance(self, asset: str, free: float) -> None:
        """Set the `free` spot balance of a coin, the `asset`, behind everybody's back."""
        self._ask("POST", "balance", {"asset": asset, "free": free})

    def set_skew(self, milliseconds: int) -> None:
        """Let the exchange's clock be ahead by so many `milliseconds`, or behind when they are negative."""
        self._ask("POST", "skew", {"milliseconds": milliseconds})

    def revoke_key(self) -> None:
        """Take the account's key back, until `clear_faults`."""
        self._ask("POST", "revoke")

    def drop_connections(self) -> None:
        """Cut every websocket off without a goodbye."""
        self._ask("POST", "drop")

    def trade_as_other(self, symbol: str, side: str, quantity: float) -> int:
        """Trade the account by market order as somebody else would, and return the order's number.

        Parameters
        ----------
        symbol : str
            As listed, such as ``"BTC/USDT"`` or ``"BTC/USDT:USDT"``.
        side : {"buy", "sell"}
            Direction.
        quantity : float
            In the base.
        """
        return int(self._ask("POST", "trade", {"symbol": symbol, "side": side, "quantity": quantity})["orderId"])

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 -- JSON
        request = urllib.request.Request(  # noqa: S310 - an address is http on loopback or cannot be made
            f"{self._address.url}/practice/{path}",
            data=None if method == "GET" else json.dumps(body or {}).encode(),
            headers={"X-MBX-APIKEY": self._address.key, "Content-Type": "application/json"},
            method=method,
        )
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as response:
                return json.load(response)
        except HTTPError as error:
            with error:
                raise ConfigError(f"the practice exchange refuses: {_words(error.read().decode())}") from error
        except (URLError, OSError) as error:
            raise ExchangeUnavailableError(
                f"the practice exchange at {self._address.url} does not answer: {error}",
                exchange="practice",
                retryable=True,
            ) from error


def _words(answer: str) -> str:
    """Return what an answer says to people."""
    try:
        return str(json.loads(answer)["msg"])
    except (ValueError, KeyError, TypeError):
        return answer
