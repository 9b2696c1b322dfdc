"""What is changed in a ccxt exchange, laid over the class of whichever exchange it is."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, NoReturn

from workbench.errors import ConfigError, RealTradingDisabledError
from workbench.exchange.ccxt_client.call_record import CURRENT_CALL
from workbench.exchange.ccxt_client.guarded_calls import DOOR_IS_OPEN, GUARDED_CALLS
from workbench.exchange.ccxt_client.limiter import CallPriority
from workbench.exchange.ccxt_client.taxonomy import ccxt_kinds
from workbench.exchange.ccxt_client.timing import NS_PER_MS

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Mapping

    from workbench.exchange.ccxt_client.limiter import RateLimiter
    from workbench.exchange.credentials import Credentials

__all__ = ["AsyncHooks", "CommonHooks", "silent_logger"]

_FLAG_COLUMN: Final = 6
_SHOWN_CHARS: Final = 200


def silent_logger() -> logging.Logger:
    """Return the logger that ccxt gets: it drops what ccxt logs of every call, keys and signatures included."""
    logger = logging.getLogger("workbench.exchange.ccxt")
    if not logger.filters:
        logger.addFilter(lambda record: record.levelno >= logging.WARNING)
    return logger


class HiddenField:
    """An attribute that is looked up when a request is signed and is kept nowhere else.

    Parameters
    ----------
    name : str
        As `Credentials` calls it.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, exchange: CommonHooks | None, owner: type) -> str:
        """Return the value in plain text, empty without credentials."""
        credentials = None if exchange is None else exchange.credentials
        return (credentials and credentials.reveal(self._name)) or ""

    def __set__(self, exchange: CommonHooks, value: object) -> None:
        """Let ccxt say that there is none, and nothing else."""
        if value:
            raise ConfigError(f"{self._name} must be given as credentials")


class CommonHooks:
    """Hooks of every exchange: secrets stay hidden, answers are recorded, nothing is sent twice."""

    credentials: Credentials | None = None
    now_ns: Callable[[], int] | None = None
    logger = silent_logger()

    apiKey = HiddenField("apiKey")  # noqa: N815 - ccxt's spelling
    secret = HiddenField("secret")
    password = HiddenField("password")
    uid = HiddenField("uid")

    @property
    def verbose(self) -> bool:
        """Never: it prints keys and signatures."""
        return False

    @verbose.setter
    def verbose(self, value: bool) -> None:
        if value:
            raise ConfigError("verbose must be off: it prints keys and signatures")

    @property
    def last_request_headers(self) -> None:
        """Nothing: ccxt keeps the key there."""
        return

    @last_request_headers.setter
    def last_request_headers(self, value: object) -> None:
        """Forget them."""

    def set_last_request(self, request: object) -> None:
        """Forget the request: its address and body hold the signature."""

    def handle_option_integer_and_params(
        self,
        params: dict[str, Any] | list[Any],
        method: str,
        option: str,
        default: int | None = None,
    ) -> Any:  # noqa: ANN401 - ccxt has no types
        """Return a number from options, but that nothing is ever sent twice, whoever asks for it."""
        if option == "maxRetriesOnFailure":
            # The body of a request may be a list, as that of OKX's orders is.
            return 0, params if isinstance(params, list) else {k: value for k, value in params.items() if k != option}
        return super().handle_option_integer_and_params(params, method, option, default)  # type: ignore[misc]  # of ccxt's class, which is laid below

    def on_rest_response(self, code: int, reason: str, url: str, method: str, *rest: Any) -> Any:  # noqa: ANN401 - ccxt has no types
        """Record status, headers and body of an answer."""
        record = CURRENT_CALL.get()
        if record is not None:
            headers, body = rest[0], rest[1]
            record.status, record.headers, record.body = code, headers, body
            record.arrived_ns = self.now_ns() if self.now_ns is not None else None
        return super().on_rest_response(code, reason, url, method, *rest)  # type: ignore[misc]  # as above

    def parse_json(self, text: str) -> Any:  # noqa: ANN401 - ccxt has no types
        """Record the document of an answer."""
        document = super().parse_json(text)  # type: ignore[misc]  # as above
        record = CURRENT_CALL.get()
        if record is not None:
            record.document = document
        return document

    def __reduce__(self) -> NoReturn:
        raise TypeError("an exchange holds keys and connections, so it cannot be pickled")


class AsyncHooks(CommonHooks):
    """Hooks of an asynchronous exchange: our limiter, our clock, our session, and what its streams say on the side."""

    is_shut = False
    limiter: RateLimiter | None = None
    exchange_now_ns: Callable[[], int] | None = None
    unreadable: deque[str]
    open_session: Callable[[], Any] | None = None

    def milliseconds(self) -> int:
        """Return the exchange's time, by which requests are signed and caches judged."""
        if self.exchange_now_ns is None:
            return int(super().milliseconds())  # type: ignore[misc]  # as above
        return self.exchange_now_ns() // NS_PER_MS

    async def throttle(self, cost: float | None = None) -> None:
        """Wait for our limiter in place of ccxt's."""
        record = CURRENT_CALL.get()
        if self.limiter is not None:
            await self.limiter.acquire(
                1.0 if cost is None else cost, record.priority if record else CallPriority.MARKET
            )

    def open(self, lazy: bool = False) -> None:  # noqa: FBT001, FBT002 - ccxt's signature
        """Open the session that reads no endless answers, then what ccxt opens; nothing after the client was closed."""
        if self.is_shut:
            raise ConnectionError("the client is closed")
        if self.open_session is not None and getattr(self, "session", None) is None and not self._is_shut(lazy=lazy):
            self.session = self.open_session()
        super().open(lazy)  # type: ignore[misc]  # as above

    async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:  # noqa: ANN401 - ccxt has no types
        """Record when a request leaves that could change something."""
        record = CURRENT_CALL.get()
        if record is not None:
            record.restart()
            record.left_ns = self.now_ns() if self.now_ns is not None else None
            if method != "GET":
                record.sent_ns = self.milliseconds() * NS_PER_MS
        return await super().fetch(url, method, headers, body)  # type: ignore[misc]  # as above

    def client(self, url: str) -> Any:  # noqa: ANN401 - ccxt has no types
        """Return the websocket of an address, and record who uses it."""
        line = super().client(url)  # type: ignore[misc]  # as above
        record = CURRENT_CALL.get()
        if record is not None:
            record.lines[url] = line
        return line

    def handle_message(self, client: Any, message: Any) -> None:  # noqa: ANN401 - ccxt has no types
        """Take in a message of a websocket; one that ccxt stumbles over is noted, and the next is read all the same.

        ccxt itself would stop reading there and leave the line open and silent for ever.
        """
        try:
            super().handle_message(client, message)  # type: ignore[misc]  # as above
        except Exception as error:  # noqa: BLE001 - one of the three borders: whatever a message does to ccxt
            if "BaseError" in ccxt_kinds(error):
                client.reject(error)
            else:
                self.unreadable.append(f"{type(error).__name__} at {str(message)[:_SHOWN_CHARS]}")

    def handle_ohlcv(self, client: Any, message: Mapping[str, Any]) -> None:  # noqa: ANN401 - ccxt has no types
        """Take in a candle of a stream, and put the exchange's word that it is closed behind its numbers."""
        super().handle_ohlcv(client, message)  # type: ignore[misc]  # as above
        kline = message.get("k") if isinstance(message, dict) else None
        if isinstance(kline, dict) and isinstance(kline.get("x"), bool):
            self._flag_candle(client, kline)

    def _flag_candle(self, client: Any, kline: Mapping[str, Any]) -> None:  # noqa: ANN401 - ccxt has no types
        exchange: Any = self
        market_type = "spot" if exchange.is_spot_url(client) else "contract"
        symbol = exchange.safe_symbol(kline.get("s"), None, None, market_type)
        candles = exchange.ohlcvs.get(symbol, {}).get(exchange.find_timeframe(kline.get("i")), ())
        for candle in reversed(candles):
            if candle[0] == kline.get("t"):
                candle[_FLAG_COLUMN:] = [kline["x"]]
                return

    def _is_shut(self, *, lazy: bool) -> bool:
        """Whether ccxt will refuse to open: a request that outlived `close` must not leave a session behind."""
        return lazy and bool(getattr(self, "closed_by_user", False))


def _guarded(name: str) -> Callable[..., Any]:
    """Return a method of ccxt's exchange that goes through the money door or nowhere."""

    async def call(self: AsyncHooks, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - ccxt has no types
        if name != "create_order" or not DOOR_IS_OPEN.get():
            raise RealTradingDisabledError(f"{name} of ccxt is shut: orders go through place_order of the client alone")
        return await getattr(super(AsyncHooks, self), name)(*arguments, **more)

    call.__name__ = name
    return call


for _name in GUARDED_CALLS:
    setattr(AsyncHooks, _name, _guarded(_name))
