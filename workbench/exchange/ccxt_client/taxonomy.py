"""Every error of ccxt and every odd answer, as one of ours: for reads an error, for orders yes, no or unknown.

ccxt's class alone says too little: it calls a ban DDoSProtection and a revoked key too, it calls a 503 with a JSON body
the same as an unknown order type, and it returns an order without an id as a success. So the record of what came over
the wire has the first word, and ccxt's class the second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.errors import (
    AuthError,
    ExchangeError,
    ExchangeTimeoutError,
    ExchangeUnavailableError,
    RateLimitError,
    WorkbenchError,
)
from workbench.exchange.credentials import redacted
from workbench.exchange.outcomes import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.exchange.ccxt_client.call_record import CallRecord
    from workbench.exchange.outcomes import UnknownCause

__all__ = ["ccxt_kinds", "is_duplicate", "is_not_found", "order_refusal", "read_problem", "root_error", "unknown_cause"]

_LONGEST_MESSAGE: Final = 500
_REFUSED: Final = 400
# Binance: bad key, bad key or address or permissions, bad signature, key that is no key.
_AUTH_CODES: Final = frozenset({"-1002", "-1022", "-2008", "-2014", "-2015"})
# Binance: "Unexpected response" and "Timeout", both with "execution status unknown", in whatever class they arrive.
# Bybit: an order that is still being worked on, a time-out behind its own door, of placing and of cancelling; ccxt
# calls three of them a bad order. OKX: a time-out that says neither yes nor no.
_UNKNOWN_CODES: Final = frozenset(
    {"-1000", "-1001", "-1006", "-1007", "-1008", "10000", "10016", "170007", "170035", "170146", "170147", "50004"}
)
_NOT_FOUND_CODES: Final = frozenset({"-2011", "-2013"})
# Binance: a trigger that is crossed already, and an order that would not reduce; ccxt calls both a bad answer on some
# of its markets.
_REFUSED_CODES: Final = frozenset({"-2021", "-2022"})
# Binance, OKX, Bybit.
_DUPLICATE_CODES: Final = frozenset(
    {"-4111", "-4116", "51011", "51016", "10014", "12141", "110030", "110072", "170141"}
)
_DUPLICATE_WORDS: Final = ("duplicate order", "duplicate client", "client order id already", "clientorderid already")
# Who is meant by "no" for certain: the first kind that an error is of names the refusal.
_REFUSING_KINDS: Final = (
    ("InsufficientFunds", "insufficient_funds"),
    ("AuthenticationError", "auth"),
    ("InvalidNonce", "nonce"),
    ("OrderNotFound", "not_found"),
    ("MarketClosed", "market_closed"),
    ("ContractUnavailable", "market_closed"),
    ("InvalidOrder", "invalid_order"),
    ("BadRequest", "invalid_order"),
    ("OperationRejected", "invalid_order"),
    ("ArgumentsRequired", "invalid_order"),
    ("NotSupported", "order_kind"),
)
# What has happened, where ccxt's name of it misleads.
_WORDS: Final = {AuthError: "the key is not accepted", RateLimitError: "it takes no more calls for now"}
_NETWORK_CAUSES: Final = frozenset(
    {"ClientError", "ConnectionError", "OSError", "RequestException", "SSLError", "HTTPError", "TimeoutError"}
)


def ccxt_kinds(error: BaseException | None) -> frozenset[str]:
    """Return the names of an error's class and of all its bases, so that nothing has to be imported to tell it."""
    return frozenset(kind.__name__ for kind in type(error).__mro__)


def root_error(error: BaseException) -> BaseException:
    """Return the error of ccxt that another one came of, as when ccxt stumbles while it handles its own; else itself.

    After a refused login of an account's stream it does, and only a KeyError is left on top.
    """
    seen: BaseException | None = error
    while seen is not None and "BaseError" not in ccxt_kinds(seen):
        seen = seen.__context__
    return error if seen is None else seen


def read_problem(
    exchange: str, what: str, error: BaseException, record: CallRecord, redact: Callable[[str], str] = redacted
) -> ExchangeError:
    """Return the error that a failed read raises.

    Parameters
    ----------
    exchange : str
        Name of the exchange.
    what : str
        What was asked for, such as ``balances``.
    error : BaseException
        What ccxt raised.
    record : CallRecord
        What went over the wire.
    redact : callable
        Takes secrets out of a text.

    Returns
    -------
    ExchangeError
        Without a cause or context: those of ccxt hold addresses with signatures and, in their frames, keys.
    """
    if isinstance(error, ExchangeError):
        return error
    kinds = ccxt_kinds(error)
    told = record.shown if record.is_answered else str(error)
    kind, retryable = _read_kind(error, kinds, record)
    # ccxt calls a revoked key and a ban by the same name, which says nothing of either.
    why = _WORDS.get(kind, type(error).__name__)
    text = f"{exchange} did not tell {what}: {why}, {redact(told)[:_LONGEST_MESSAGE]}"
    problem = kind(text, exchange=exchange, retryable=retryable)
    if isinstance(problem, RateLimitError):
        problem.retry_after_s = record.retry_after_s
    return problem


def _read_kind(error: BaseException, kinds: frozenset[str], record: CallRecord) -> tuple[type[ExchangeError], bool]:
    if _is_auth(error, kinds, record):
        return AuthError, False
    if record.is_too_many or kinds & {"DDoSProtection", "RateLimitExceeded"}:
        return RateLimitError, True
    if "RequestTimeout" in kinds and not record.is_server_error:
        return ExchangeTimeoutError, True
    if "InvalidNonce" in kinds:
        # The clock is measured again before the next signed call.
        return ExchangeError, True
    # What is no error of ccxt is what it stumbled over in an answer that it did not expect.
    is_unreadable = record.is_garbage or (record.is_answered and "BaseError" not in kinds)
    if record.is_server_error or is_unreadable or "OperationFailed" in kinds or _is_network(error):
        return ExchangeUnavailableError, True
    return ExchangeError, False


def order_refusal(error: BaseException, record: CallRecord, redact: Callable[[str], str] = redacted) -> Refused | None:
    """Return the refusal when the exchange definitely said no to an order or a cancel; None when that is not certain.

    Certain is: nothing was sent; too many calls (429, 418), which are counted before anything is executed; or the
    exchange's own words, in JSON, without an error of its own (5xx), and of a kind that is on a short list. Parameters
    as for `read_problem`.
    """
    if record.sent_ns is None:
        return _unsent_refusal(error, redact)
    kinds = ccxt_kinds(error)
    if not record.is_answered or record.is_server_error or record.code in _UNKNOWN_CODES:
        return None
    reason = redact(record.shown)[:_LONGEST_MESSAGE]
    if _is_auth(error, kinds, record):
        return Refused(f"{_WORDS[AuthError]}, {reason}", record.code or "auth")
    if record.is_too_many:
        return Refused(reason, "rate_limit")
    is_certain = record.code in _REFUSED_CODES
    names = [name for kind, name in _REFUSING_KINDS if kind in kinds]
    # A request with a bad time is thrown away, though ccxt counts it among the network's errors.
    is_unclear = record.is_garbage or ("OperationFailed" in kinds and "InvalidNonce" not in kinds and not is_certain)
    if is_unclear or not (names or is_certain):
        return None
    name = names[0] if names else "invalid_order"
    return Refused(reason, name if name == "not_found" else record.code or name)


def _unsent_refusal(error: BaseException, redact: Callable[[str], str]) -> Refused:
    """Return the refusal of an order that never left."""
    kinds = ccxt_kinds(error)
    names = [name for kind, name in _REFUSING_KINDS if kind in kinds]
    if isinstance(error, RateLimitError):
        names = ["rate_limit"]
    text = str(error) if isinstance(error, WorkbenchError) else f"{type(error).__name__}: {error}"
    return Refused(redact(text)[:_LONGEST_MESSAGE], names[0] if names else "not_sent", was_sent=False)


def unknown_cause(error: BaseException, record: CallRecord) -> UnknownCause:
    """Return why nobody can tell what an order did. Parameters as for `read_problem`."""
    kinds = ccxt_kinds(error)
    if record.is_server_error:
        return "server_error"
    if record.status is not None:
        return "bad_answer" if record.is_garbage or record.status < _REFUSED else "unclear_refusal"
    if kinds & {"RequestTimeout", "TimeoutError"}:
        return "timeout"
    if "ClientPayloadError" in _causes(error):
        return "bad_answer"
    return "connection"


def is_duplicate(error: BaseException, record: CallRecord) -> bool:
    """Return whether the exchange says that it has an order of this client id, which then is ours."""
    words = record.body.lower()
    return (
        "DuplicateOrderId" in ccxt_kinds(error)
        or record.code in _DUPLICATE_CODES
        or any(duplicate in words for duplicate in _DUPLICATE_WORDS)
    )


def is_not_found(error: BaseException, record: CallRecord) -> bool:
    """Return whether the exchange, in its own words, says that it has no such order."""
    if record.is_server_error or record.is_garbage or not record.is_answered:
        return False
    return "OrderNotFound" in ccxt_kinds(error) or record.code in _NOT_FOUND_CODES


def _is_auth(error: BaseException, kinds: frozenset[str], record: CallRecord) -> bool:
    if "AuthenticationError" in kinds or record.code in _AUTH_CODES:
        return True
    # Once a key has worked, ccxt calls its revocation (-2015) DDoSProtection, which would be tried again for ever. What
    # a websocket is answered stands in the error alone.
    is_from_stream = "DDoSProtection" in kinds and not record.is_answered
    return is_from_stream and any(f'"code":{code}' in str(error).replace(" ", "") for code in _AUTH_CODES)


def _is_network(error: BaseException) -> bool:
    return bool(_causes(error) & _NETWORK_CAUSES)


def _causes(error: BaseException) -> frozenset[str]:
    """Return the kinds of everything that an error came from."""
    kinds: set[str] = set()
    cause = error.__cause__ or error.__context__
    while cause is not None:
        kinds |= ccxt_kinds(cause)
        cause = cause.__cause__ or cause.__context__
    return frozenset(kinds)
