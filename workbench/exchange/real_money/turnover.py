"""What was ordered today on an account: one small file, so that a restart does not begin the day anew."""

from __future__ import annotations

import fcntl
import math
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from workbench.errors import RealTradingDisabledError
from workbench.exchange.real_money.private_files import read_private, write_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["DailyTurnover"]

_FOLDER: Final = "turnover"
_DAY_NS: Final = 86_400 * 1_000_000_000
# What float sums may add before they count as beyond the limit.
_TOLERANCE: Final = 1.0 + 1e-9


class DailyTurnover:
    """Notional of the entry orders of a day (UTC) on one account, over all sessions and restarts.

    Parameters
    ----------
    folder : Path
        The user's configuration folder.
    account : str
        Name of the key.
    """

    def __init__(self, folder: Path, account: str) -> None:
        self._path = folder / _FOLDER / f"{account}.json"

    def today(self, now_ns: int) -> float:
        """Return what was ordered on the day of `now_ns`, in the quote currency.

        Raises
        ------
        RealTradingDisabledError
            The file is not believed.
        """
        document = read_private(self._path)
        if document is None or document.get("day") != now_ns // _DAY_NS:
            return 0.0
        value = document.get("notional")
        if not isinstance(value, float) or not 0.0 <= value < math.inf:
            raise RealTradingDisabledError(f"{self._path} is not believed: notional must be in [0, inf), was {value}")
        return value

    def add(self, notional: float, now_ns: int, limit: float) -> float | None:
        """Count an order, durably, before it is sent, unless that would go beyond the limit.

        Parameters
        ----------
        notional : float
            Of the order, in the quote currency.
        now_ns : int
            Moment of the order, ns UTC.
        limit : float
            Of the day.

        Returns
        -------
        float or None
            The sum of the day that is beyond the limit, uncounted; None when the order was counted.

        Raises
        ------
        RealTradingDisabledError
            The file cannot be read or written: nothing may be sent.
        """
        with self._locked():
            total = self.today(now_ns) + notional
            # Also what is no number.
            if not total <= limit * _TOLERANCE:
                return total
            write_private(self._path, {"day": now_ns // _DAY_NS, "notional": total})
        return None

    def take_back(self, notional: float, now_ns: int) -> None:
        """Uncount an order of `notional` that was counted at `now_ns` and certainly came to nothing."""
        with self._locked():
            total = max(self.today(now_ns) - notional, 0.0)
            write_private(self._path, {"day": now_ns // _DAY_NS, "notional": total})

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise RealTradingDisabledError(f"{self._path} cannot be locked: {error.strerror or error}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
