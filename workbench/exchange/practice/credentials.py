"""Keys and signatures: who may speak to the account, checked as Binance checks it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qsl

from workbench.exchange.credentials import PRACTICE_KEY_PREFIX, PRACTICE_REAL_PREFIX
from workbench.exchange.practice.numbers import read_integer
from workbench.exchange.practice.refusals import RefusalError, missing_parameter

if TYPE_CHECKING:
    from workbench.exchange.practice.clock import PracticeClock

__all__ = ["PracticeCredentials", "Receipt", "RequestGuard"]

_NS_PER_MS: Final = 1_000_000
_DEFAULT_WINDOW_MS: Final = 5_000
_LONGEST_WINDOW_MS: Final = 60_000
_MOST_AHEAD_MS: Final = 1_000.0
_UNAUTHORIZED: Final = 401


@dataclass(frozen=True, slots=True)
class PracticeCredentials:
    """A throw-away key of one practice exchange. It opens nothing but that exchange, on this machine, while it runs.

    Attributes
    ----------
    key : str
        Begins with ``practice-``, so that a client can refuse to send it anywhere else.
    secret : str
        Signs requests; not shown by ``repr``.
    """

    key: str = field(default_factory=lambda: f"{PRACTICE_KEY_PREFIX}{secrets.token_hex(16)}")
    secret: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    @classmethod
    def like_real(cls) -> PracticeCredentials:
        """Return a key that clients treat as one to real money: they send no order with it without a permit."""
        return cls(key=f"{PRACTICE_REAL_PREFIX}{secrets.token_hex(16)}")


class Receipt(NamedTuple):
    """When a signed request came in, for the second look at its age before the matching engine.

    Attributes
    ----------
    age_ms : float
        Real milliseconds between its timestamp and its arrival, negative when it is ahead.
    window_ms : int
        How old it may become.
    arrived_ns : int
        The exchange's time of its arrival.
    """

    age_ms: float
    window_ms: int
    arrived_ns: int


class RequestGuard:
    """Checks keys, signatures and timestamps.

    A timestamp counts as fresh by the exchange's own clock or by the machine's: a client that knows nothing of the
    practice market's date may sign with real time, as one that follows the exchange's clock may sign with that. Ages
    are in real time, whatever the speed: at 60x a request that took a real millisecond is 60 ms older by the exchange's
    clock, and still fresh.

    Parameters
    ----------
    credentials : PracticeCredentials
        The only key.
    clock : PracticeClock
        The exchange's time.

    Attributes
    ----------
    skew_ms : int
        What is added to both clocks: a fault.
    is_revoked : bool
        Whether the key has been taken back: a fault.
    """

    def __init__(self, credentials: PracticeCredentials, clock: PracticeClock) -> None:
        self.credentials = credentials
        self.skew_ms = 0
        self.is_revoked = False
        self._clock = clock
        self._secret = credentials.secret.encode()

    def now_ms(self) -> int:
        """Return the time that the exchange tells, in ms UTC."""
        return self._clock.now_ns() // _NS_PER_MS + self.skew_ms

    def check_key(self, key: str | None) -> None:
        """Raise RefusalError unless the key is the account's."""
        if not key:
            raise RefusalError(-2014, "API-key format invalid.", _UNAUTHORIZED)
        if self.is_revoked or not hmac.compare_digest(key.encode(), self.credentials.key.encode()):
            raise RefusalError(-2015, "Invalid API-key, IP, or permissions for action.", _UNAUTHORIZED)

    def check_owner(self, key: str | None) -> None:
        """Raise RefusalError unless the key is the account's, revoked or not."""
        if not hmac.compare_digest((key or "").encode(), self.credentials.key.encode()):
            raise RefusalError(-2015, "Invalid API-key, IP, or permissions for action.", _UNAUTHORIZED)

    def check_query(self, payload: str, key: str | None) -> tuple[dict[str, str], Receipt]:
        """Check a request signed over its query or body; return its parameters and receipt.

        Raises
        ------
        RefusalError
            Key, signature or timestamp is missing or wrong.
        """
        self.check_key(key)
        signed, separator, rest = payload.rpartition("signature=")
        if not separator:
            raise missing_parameter("signature")
        signature = rest.partition("&")[0]
        self._check_signature(signed.rstrip("&"), signature)
        params = dict(parse_qsl(signed, keep_blank_values=True))
        return params, self._receipt(params)

    def check_params(self, params: dict[str, str]) -> Receipt:
        """Check a request signed over its sorted parameters, as on the websocket interface; return its receipt."""
        self.check_key(params.get("apiKey"))
        signature = params.get("signature", "")
        payload = "&".join(f"{name}={value}" for name, value in sorted(params.items()) if name != "signature")
        self._check_signature(payload, signature)
        return self._receipt(params)

    def check_again(self, receipt: Receipt) -> None:
        """Raise RefusalError when a request has become too old on its way to the matching engine."""
        waited_ms = (self._clock.now_ns() - receipt.arrived_ns) / _NS_PER_MS / self._clock.speed
        if receipt.age_ms + waited_ms > receipt.window_ms:
            raise _outside_window()

    def _check_signature(self, payload: str, signature: str) -> None:
        expected = hmac.new(self._secret, payload.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise RefusalError(-1022, "Signature for this request is not valid.")

    def _receipt(self, params: dict[str, str]) -> Receipt:
        timestamp = read_integer(params, "timestamp")
        if timestamp is None:
            raise missing_parameter("timestamp")
        window_ms = read_integer(params, "recvWindow", _DEFAULT_WINDOW_MS) or 0
        if window_ms > _LONGEST_WINDOW_MS:
            raise RefusalError(-1131, "recvWindow must be less than 60000.")
        by_exchange = (self.now_ms() - timestamp) / self._clock.speed
        by_machine = time.time_ns() / _NS_PER_MS + self.skew_ms - timestamp
        age_ms = min(by_exchange, by_machine, key=abs)
        if age_ms < -_MOST_AHEAD_MS:
            raise RefusalError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if age_ms > window_ms:
            raise _outside_window()
        return Receipt(age_ms, window_ms, self._clock.now_ns())


def _outside_window() -> RefusalError:
    return RefusalError(-1021, "Timestamp for this request is outside of the recvWindow.")
