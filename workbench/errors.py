"""Every error that the package raises.

::

    WorkbenchError
      ConfigError (also ValueError)
      DataError (also ValueError)
        BarError
        OutOfOrderError
        MissingDataError
        LookAheadError
      OrderError (.order)
        InsufficientFundsError
        UnknownOrderError (also LookupError)
      ExchangeError (.exchange, .retryable)
        ExchangeTimeoutError (also TimeoutError)
        RateLimitError
        AuthError
        OrderRejectedError
        ExchangeUnavailableError
      RealTradingDisabledError (also PermissionError)
      SessionError (.session_id)
        SessionNotFoundError (also LookupError)
        SessionLimitError
        SessionClosedError
        SessionTimeoutError (also TimeoutError)
      JournalError
      StoreError

A message says what was wrong with the value and the limit ("stop_loss must be in (0, 1), was 5") and, where there is
something to do about it, what. A risk denial and a tripped breaker are values in a step's result, not errors.
"""

from functools import partial

__all__ = [
    "AuthError",
    "BarError",
    "ConfigError",
    "DataError",
    "ExchangeError",
    "ExchangeTimeoutError",
    "ExchangeUnavailableError",
    "InsufficientFundsError",
    "JournalError",
    "LookAheadError",
    "MissingDataError",
    "OrderError",
    "OrderRejectedError",
    "OutOfOrderError",
    "RateLimitError",
    "RealTradingDisabledError",
    "SessionClosedError",
    "SessionError",
    "SessionLimitError",
    "SessionNotFoundError",
    "SessionTimeoutError",
    "StoreError",
    "UnknownOrderError",
    "WorkbenchError",
]


class WorkbenchError(Exception):
    """Root of the tree: catching it catches everything that the package raises on purpose."""


class ConfigError(WorkbenchError, ValueError):
    """A setting or a strategy parameter is unknown or out of its range; every bad field is named at once."""


class DataError(WorkbenchError, ValueError):
    """Market data, or a request for it, cannot be used."""


class BarError(DataError):
    """A bar contradicts itself: a non-finite or non-positive price, high below low, negative volume."""


class OutOfOrderError(DataError):
    """Rows or events do not come in increasing order of time."""


class MissingDataError(DataError):
    """Data that was asked for is not there: no such file, symbol or span, or too few bars."""


class LookAheadError(DataError):
    """An expression reaches into the future, so that no backtest of it could be believed."""


class OrderError(WorkbenchError):
    """An order cannot be accepted or found.

    Parameters
    ----------
    message : str
        What is wrong, with value and limit.
    order : object, optional
        The order (or its id) that the error is about.

    Attributes
    ----------
    order : object or None
        As given.
    """

    def __init__(self, message: str, *, order: object = None) -> None:
        super().__init__(message)
        self.order = order


class InsufficientFundsError(OrderError):
    """The account cannot pay for the order and its fee."""


class UnknownOrderError(OrderError, LookupError):
    """No order has this id."""


class ExchangeError(WorkbenchError):
    """An exchange refused a call, or no answer to it could be used.

    Parameters
    ----------
    message : str
        What was called and what came back; never a secret.
    exchange : str
        Name of the exchange, as the user wrote it.
    retryable : bool
        Whether the same call may succeed later *and* repeating it is harmless. An order whose outcome is unknown is
        not retryable: sent again it might be executed twice.

    Attributes
    ----------
    exchange : str
        As given.
    retryable : bool
        As given.

    Examples
    --------
    >>> error = RateLimitError("too many requests: 1201 in a minute, limit 1200", exchange="practice", retryable=True)
    >>> error.exchange, error.retryable
    ('practice', True)
    """

    def __init__(self, message: str, *, exchange: str, retryable: bool) -> None:
        super().__init__(message)
        self.exchange = exchange
        self.retryable = retryable

    def __reduce__(self) -> tuple[partial["ExchangeError"], tuple[object, ...], dict[str, object]]:
        # An exception is copied by calling its class with `args` alone, which the keyword-only parameters would refuse.
        build = partial(type(self), exchange=self.exchange, retryable=self.retryable)
        return build, self.args, self.__dict__


class ExchangeTimeoutError(ExchangeError, TimeoutError):
    """No answer came in time, so what the call did is unknown."""


class RateLimitError(ExchangeError):
    """The exchange asks for fewer calls.

    Attributes
    ----------
    retry_after_s : float or None
        How long it wants to be left alone, in seconds; None when it does not say.
    """

    retry_after_s: float | None = None


class AuthError(ExchangeError):
    """The exchange does not accept the key, its signature or its permissions."""


class OrderRejectedError(ExchangeError):
    """The exchange said no to an order; it was not executed."""


class ExchangeUnavailableError(ExchangeError):
    """The exchange cannot be reached or is under maintenance."""


class RealTradingDisabledError(WorkbenchError, PermissionError):
    """Something would have sent an order to a real exchange without every consent that this needs."""


class SessionError(WorkbenchError):
    """A session cannot do what was asked.

    Parameters
    ----------
    message : str
        What was asked and why it cannot be.
    session_id : str, optional
        The session that the error is about.

    Attributes
    ----------
    session_id : str or None
        As given.
    """

    def __init__(self, message: str, *, session_id: str | None = None) -> None:
        super().__init__(message)
        self.session_id = session_id


class SessionNotFoundError(SessionError, LookupError):
    """No session has this name or id."""


class SessionLimitError(SessionError):
    """As many sessions as allowed are there already."""


class SessionClosedError(SessionError):
    """The session has ended, and what was asked needs a running one."""


class SessionTimeoutError(SessionError, TimeoutError):
    """The session's process did not answer in time; what was asked may be carried out later all the same."""


class JournalError(WorkbenchError):
    """A session's journal cannot be written or does not prove itself whole."""


class StoreError(WorkbenchError):
    """The data store cannot be read or written."""
