"""When a session whose process died is started again: later each time, and after too many deaths no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RestartPolicy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """How often and how soon.

    Parameters
    ----------
    delays_s : tuple of float, default (1, 2, 5, 10, 30)
        Seconds before the first, second, ... start again; the last one holds for all that follow.
    most : int, default 5
        Deaths within `window_s` after which the session is given up.
    window_s : float, default 600
        Seconds for which a death counts.

    Raises
    ------
    ConfigError
        There is no delay, or a number is out of its range.

    Examples
    --------
    >>> policy = RestartPolicy()
    >>> policy.delay_s([0.0]), policy.delay_s([0.0, 3.0]), policy.delay_s([0.0, 3.0, 700.0])
    (1, 2, 1)
    >>> policy.delay_s([0.0, 3.0, 9.0, 20.0, 51.0]) is None
    True
    """

    delays_s: tuple[float, ...] = (1, 2, 5, 10, 30)
    most: int = 5
    window_s: float = 600

    def __post_init__(self) -> None:
        """Check the fields."""
        if not self.delays_s or min(self.delays_s) < 0 or self.most < 1 or not self.window_s > 0:
            raise ConfigError(
                "a restart needs delays_s of at least one number >= 0, most >= 1 and window_s > 0, "
                f"was {self.delays_s}, {self.most} and {self.window_s}"
            )

    def recent(self, deaths_s: Sequence[float]) -> tuple[float, ...]:
        """Return those of the deaths that still count at the time of the last one."""
        return tuple(one for one in deaths_s if deaths_s[-1] - one < self.window_s)

    def delay_s(self, deaths_s: Sequence[float]) -> float | None:
        """Return how long to wait after the last death, in seconds; None when the session is to be given up.

        Parameters
        ----------
        deaths_s : sequence of float
            When its processes died, in seconds, oldest first; at least one.
        """
        count = len(self.recent(deaths_s))
        return None if count >= self.most else self.delays_s[min(count, len(self.delays_s)) - 1]
