"""What a feed or an order line has to say to people, as values."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Notice"]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should know; it becomes an event of the session.

    Parameters
    ----------
    time_ns : int
        Time of the market, ns UTC; 0 when it has none.
    kind : str
        ``gap``, ``stream``, ``bad_record``, ``revision`` or ``order``.
    text : str
        In words, without any secret.
    hole_in : str or None, default None
        Symbol of which prices are missing here that nobody could fetch, so that the bar they belong to is not whole.
    needs_person : bool, default False
        Whether something is not under control that no waiting mends, so that nothing new may be opened.
    turned_away : str or None, default None
        Symbol of an entry that was refused at the door because it was one too many in a minute.
    """

    time_ns: int
    kind: str
    text: str
    hole_in: str | None = None
    needs_person: bool = False
    turned_away: str | None = None
