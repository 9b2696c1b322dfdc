"""What is to go wrong, how often, and where: ordered beforehand, counted when it happens."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from random import Random
from typing import Final, Literal, get_args

from workbench.errors import ConfigError
from workbench.model.field_checks import FieldChecks

__all__ = ["FAULT_KINDS", "Fault", "FaultKind", "FaultPlan"]

FaultKind = Literal[
    "executed_then_dropped",
    "dropped",
    "executed_then_504",
    "executed_then_silent",
    "accepted_late",
    "garbage_body",
    "no_order_id",
    "truncated_body",
    "huge_body",
    "rate_limited",
    "banned",
    "html_page",
    "maintenance",
    "maintenance_text",
    "key_revoked",
    "stale_candles",
    "key_may_withdraw",
    "filled_before_cancel",
    "lost_event",
    "duplicate_event",
    "reordered_events",
    "silent_stream",
    "stuck_stream",
    "unfinished_candle",
    "revised_candle",
    "skipped_candle",
]

FAULT_KINDS: Final[tuple[FaultKind, ...]] = get_args(FaultKind)
"""All kinds, those of requests first, then those of user events, streams and candles."""

_DEFAULTS: Final[dict[str, str]] = {
    "executed_then_dropped": "POST /api/v3/order",
    "executed_then_504": "POST /api/v3/order",
    "executed_then_silent": "POST /api/v3/order",
    "accepted_late": "POST /api/v3/order",
    "garbage_body": "POST /api/v3/order",
    "no_order_id": "POST /api/v3/order",
    "stale_candles": "klines",
    "lost_event": "TRADE",
    "duplicate_event": "TRADE",
    "reordered_events": "TRADE",
    "unfinished_candle": "@kline_",
    "revised_candle": "@kline_",
    "skipped_candle": "@kline_",
}


@dataclass(slots=True)
class Fault:
    """One fault on order.

    Attributes
    ----------
    kind : str
        One of `FAULT_KINDS`.
    where : str
        Part of what it strikes: of ``METHOD /path`` for requests (``"POST /api/v3/order"``), of the execution type for
        user events (``"TRADE"``), of the stream's name for the others (``"btcusdt@kline_1m"``, and ``"user TRADE"`` for
        the account's). Empty is everywhere.
    times : int or None
        How often it still strikes; None until it is taken back.
    seconds : float
        How late, by the exchange's time, or how long to wait, for the kinds that have a length.
    probability : float
        How likely it strikes where it can.
    hits : int
        How often it has struck.
    """

    kind: FaultKind
    where: str
    times: int | None
    seconds: float
    probability: float = 1.0
    hits: int = 0


class FaultPlan:
    """The faults on order; safe to use from any thread.

    Parameters
    ----------
    seed : int, default 0
        Of the chance by which faults strike that have a probability.

    Examples
    --------
    >>> plan = FaultPlan()
    >>> fault = plan.add("rate_limited", where="GET /api/v3/klines", times=2)
    >>> plan.strike("rate_limited", "POST /api/v3/order") is None
    True
    >>> plan.strike("rate_limited", "GET /api/v3/klines") is fault, fault.hits, fault.times
    (True, 1, 1)
    """

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._chance = Random(seed)  # noqa: S311 - chance that can be repeated, not a secret

    def add(
        self,
        kind: FaultKind,
        *,
        where: str | None = None,
        times: int | None = 1,
        seconds: float = 1.0,
        probability: float = 1.0,
    ) -> Fault:
        """Order a fault.

        Parameters
        ----------
        kind : str
            One of `FAULT_KINDS`.
        where : str, optional
            As for `Fault`; default where the kind usually strikes: new spot orders, fills, everywhere.
        times : int or None, default 1
            How often; None until `clear`.
        seconds : float, default 1.0
            Length of those that have one: how late an order is accepted, what ``Retry-After`` says.
        probability : float, default 1.0
            How likely it strikes each time that it can, in (0, 1].

        Returns
        -------
        Fault
            Whose `hits` can be watched.

        Raises
        ------
        ConfigError
            A field is out of its range.
        """
        checks = FieldChecks()
        checks.is_one_of("kind", kind, FAULT_KINDS)
        checks.is_count_or_off("times", times)
        checks.require("seconds", seconds, "be in [0, 3600]", is_met=0.0 <= seconds <= 3_600.0)  # noqa: PLR2004 - an hour
        checks.require("probability", probability, "be in (0, 1]", is_met=0.0 < probability <= 1.0)
        checks.raise_if_any(ConfigError)
        fault = Fault(kind, _DEFAULTS.get(kind, "") if where is None else where, times, seconds, probability)
        with self._lock:
            self._faults.append(fault)
        return fault

    def strike(self, kind: FaultKind, place: str) -> Fault | None:
        """Return the oldest fault of a `kind` that strikes at a `place`, and count it; None when there is none."""
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults:
                if fault.kind == kind and fault.where in place and fault.times != 0 and self._is_drawn(fault):
                    fault.hits += 1
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None

    def strike_any(self, kinds: tuple[FaultKind, ...], place: str) -> Fault | None:
        """Return the first fault of several `kinds` that strikes at a `place`, counted; None when there is none."""
        if not self._faults:
            return None
        return next((fault for kind in kinds if (fault := self.strike(kind, place)) is not None), None)

    def _is_drawn(self, fault: Fault) -> bool:
        # What strikes each time draws nothing, so that it does not change what others draw.
        return fault.probability >= 1.0 or self._chance.random() < fault.probability

    def clear(self, fault: Fault | None = None) -> None:
        """Take one fault back, or all of them."""
        with self._lock:
            self._faults = [] if fault is None else [other for other in self._faults if other is not fault]

    def listed(self) -> list[Fault]:
        """Return the faults that were ordered and not taken back, spent ones included."""
        with self._lock:
            return list(self._faults)
