"""From the sentence of an error that names many fields to one sentence beside each field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["faults_by_field"]

_WORD: Final = re.compile(r"[a-z_]+")


def faults_by_field(message: str, fields: Collection[str], other: str) -> dict[str, str]:
    """Return what an error says of each field.

    Parameters
    ----------
    message : str
        Of the error: sentences between semicolons, each beginning with the name of its field, maybe after an owner.
    fields : collection of str
        Names that have a place of their own.
    other : str
        Where everything else is said.

    Examples
    --------
    >>> faults_by_field("cash must be above 0, was -1; name must be short", {"cash", "name"}, "")
    {'cash': 'must be above 0, was -1', 'name': 'must be short'}
    >>> faults_by_field("sma_cross: fast must be below slow; or swap them", {"fast"}, "strategy")
    {'fast': 'must be below slow; or swap them'}
    >>> faults_by_field("no network", {"cash"}, "start")
    {'start': 'no network'}
    """
    found: dict[str, str] = {}
    place = ""
    for part in message.split("; "):
        text = re.sub(r"^[A-Za-z_]\w*: ", "", part) if not found else part
        word = _WORD.match(text)
        if word is not None and word[0] in fields:
            place = word[0]
            sentence = text[word.end() :].strip()
            found[place] = f"{found[place]}; {sentence}" if place in found else sentence
        elif place:
            # A semicolon inside of a sentence.
            found[place] += f"; {part}"
        else:
            place = other
            found[place] = part
    return found
