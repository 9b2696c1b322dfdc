"""What the practice exchange says when it says no: Binance's error codes and words."""

from __future__ import annotations

from typing import Final

__all__ = ["RefusalError", "filter_failure", "missing_parameter"]

_OK_WITH_ERROR: Final = 400


class RefusalError(Exception):
    """A request that the practice exchange refuses, on its way to becoming an answer.

    Parameters
    ----------
    code : int
        Binance's number, such as -2010.
    text : str
        Binance's words, which clients match on.
    status : int, default 400
        HTTP status of the answer.

    Examples
    --------
    >>> refusal = RefusalError(-2013, "Order does not exist.")
    >>> refusal.as_json()
    {'code': -2013, 'msg': 'Order does not exist.'}
    """

    def __init__(self, code: int, text: str, status: int = _OK_WITH_ERROR) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.status = status

    def as_json(self) -> dict[str, object]:
        """Return the body of the answer."""
        return {"code": self.code, "msg": self.text}


def missing_parameter(name: str) -> RefusalError:
    """Return the refusal of a request that lacks a parameter or has nonsense in it."""
    return RefusalError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def filter_failure(name: str) -> RefusalError:
    """Return the refusal of an order that breaks one of a market's filters, such as ``LOT_SIZE``."""
    return RefusalError(-1013, f"Filter failure: {name}")
