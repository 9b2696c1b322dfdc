"""A key that signs requests and never shows itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NoReturn

from workbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PRACTICE_KEY_PREFIX", "PRACTICE_REAL_PREFIX", "Credentials"]

PRACTICE_KEY_PREFIX: Final = "practice-"
"""What the key of every practice exchange begins with, and no real exchange's key does."""

PRACTICE_REAL_PREFIX: Final = "practice-real-"
"""What the key of a practice exchange begins with that plays a real one, behind the same gate."""

_HIDDEN: Final = "***"
_FIELDS: Final = ("apiKey", "secret", "password", "uid")
# A query holds the signature, a listen key, or both, so nothing of it is ever shown.
_QUERY: Final = re.compile(r"\?\S+")
_SIGNED: Final = re.compile(
    r"(?i)\b(signature|apikey|api[-_]key|listenkey|x-mbx-apikey|token)\b([\"']?\s*[=:]\s*[\"']?)[^\s&\"',}]+"
)
_SHORTEST: Final = 8


class Credentials:
    """The key and secret of one account.

    They are handed out by `reveal` alone: not by ``repr``, ``str``, ``format``, ``vars``, a pickle, a copy, a debugger
    that prints variables, or an error.

    Parameters
    ----------
    key, secret : str
        As the exchange gave them; at least 8 characters each.
    password, uid : str, optional
        For exchanges that want them too.
    label : str, default "unnamed"
        What to call the key in messages.

    Raises
    ------
    ConfigError
        The key or secret is no text or too short; the message does not show it.

    Examples
    --------
    >>> credentials = Credentials("practice-0123456789", "fedcba9876543210", label="demo")
    >>> credentials, f"{credentials}"
    (Credentials(demo), 'Credentials(demo)')
    >>> credentials.redact("GET /order?signature=abc with practice-0123456789")
    'GET /order?*** with ***'
    """

    __slots__ = ("_reveal", "is_practice", "label", "plays_real")

    def __init__(
        self,
        key: str,
        secret: str,
        *,
        password: str | None = None,
        uid: str | None = None,
        label: str = "unnamed",
    ) -> None:
        values = dict(zip(_FIELDS, (key, secret, password, uid), strict=True))
        for name, value in (("key", key), ("secret", secret)):
            if not isinstance(value, str) or len(value) < _SHORTEST:
                raise ConfigError(f"the {name} of {label!r} must be text of at least {_SHORTEST} characters")
        self.label = label
        self.is_practice = key.startswith(PRACTICE_KEY_PREFIX)
        self.plays_real = key.startswith(PRACTICE_REAL_PREFIX)
        # Kept in a closure: whatever prints the attributes of an object prints a function here.
        self._reveal: Callable[[str], str | None] = values.get

    def reveal(self, field: str) -> str | None:
        """Return a `field` in plain text: ``apiKey``, ``secret``, ``password`` or ``uid``; None when it is not set."""
        return self._reveal(field)

    def redact(self, text: str) -> str:
        """Return a `text` without the key, the secret, anything signed, and any query of an address."""
        for field in _FIELDS:
            value = self._reveal(field)
            if value:
                text = text.replace(value, _HIDDEN)
        return redacted(text)

    def __repr__(self) -> str:
        return f"Credentials({self.label})"

    def __copy__(self) -> Credentials:
        return self

    def __deepcopy__(self, memo: object) -> Credentials:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are never stored or sent anywhere, so they cannot be pickled")


def redacted(text: str) -> str:
    """Return a text without anything signed and without any query of an address."""
    return _SIGNED.sub(rf"\1\2{_HIDDEN}", _QUERY.sub(f"?{_HIDDEN}", text))
