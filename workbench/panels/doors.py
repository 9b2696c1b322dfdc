"""What a control panel asks of the package: the public functions, handed in, because panels stand below them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workbench.model import RiskConfig
    from workbench.panels.handle import SessionHandle

__all__ = ["ArmedAccount", "Doors", "Listed"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A session in the list of those that there are."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class ArmedAccount:
    """What was armed in a terminal, for showing only: the gate behind ``wb.live`` decides by itself.

    Attributes
    ----------
    text : str
        Account, symbols, limits, and until when; or why it counts for nothing.
    is_armed : bool
        Whether it holds now, as far as can be told without the key.
    """

    text: str
    is_armed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The public functions that a control panel calls, and nothing beside them.

    Attributes
    ----------
    paper, live, attach, backtest, load_bars : callable
        ``wb.paper``, ``wb.live``, ``wb.attach``, ``wb.backtest`` and ``wb.load_bars``.
    listing : callable
        Returns the sessions of this user.
    free_name : callable
        Takes a strategy's name, and returns a session's name that is free.
    armings : callable
        Returns what was armed in a terminal, by its account.
    sentence : callable
        Takes exchange, key, symbols and risk settings, and returns what a person types to trade real money with them.
    namespace : callable
        Returns the names that the notebook has now, with their values.
    """

    paper: Callable[..., SessionHandle]
    live: Callable[..., SessionHandle]
    attach: Callable[[str], SessionHandle]
    backtest: Callable[..., object]
    load_bars: Callable[..., object]
    listing: Callable[[], Sequence[Listed]]
    free_name: Callable[[str], str]
    armings: Callable[[], Mapping[str, ArmedAccount]]
    sentence: Callable[[str, str, tuple[str, ...], RiskConfig], str]
    namespace: Callable[[], Mapping[str, object]]
